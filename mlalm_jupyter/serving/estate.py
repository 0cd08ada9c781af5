"""The plans and regions of this user's machine: small files in the home, and a whole home for each region.

A region's storage is one folder that can be carried elsewhere: `services/NAME` is a workspace that holds one service
and nothing else, `server` the home of the region's own server.
"""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mlalm_jupyter.adapters.folder_blobs import translated
from mlalm_jupyter.adapters.liveness import is_locked
from mlalm_jupyter.domain.errors import AlreadyExists, Conflict, Corrupt, MlalmError, NotFound, Unavailable
from mlalm_jupyter.domain.estate import Plan, Region, checked_place
from mlalm_jupyter.domain.workspace import CATALOG, HIDDEN
from mlalm_jupyter.serving.home import Home, locked, read_json, write_json

if TYPE_CHECKING:
    from mlalm_jupyter.ports import ServiceHost
    from mlalm_jupyter.serving.local_host import LocalHost
    from mlalm_jupyter.workspace import Workspace

Kind = TypeVar("Kind")
SERVICES, SERVER = "services", "server"
_PARTS = {SERVICES, SERVER}
_PATIENCE_S = 120.0


class MachineEstate:
    """Fills `ports.Estate` with files."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def alone(self) -> AbstractContextManager[None]:
        self._home.make()
        return locked(self._home.home / "estate.lock", timeout_s=_PATIENCE_S)

    def plans(self) -> list[Plan]:
        return [Plan.from_dict(one) for one in _read(self._home.plans, "plan")]

    def plan(self, name: str) -> Plan:
        return _named("plan", name, {one.name: one for one in self.plans()})

    def add_plan(self, plan: Plan) -> None:
        self._add("plan", self._home.plans, plan.name, plan.to_dict())

    def remove_plan(self, name: str) -> None:
        (self._home.plans / f"{name}.json").unlink(missing_ok=True)

    def regions(self) -> list[Region]:
        return [self._looked_at(one) for one in self._known()]

    def region(self, name: str) -> Region:
        known = {one.name: one for one in self._known()}
        return self._looked_at(_named("region", name, known))

    def add_region(self, region: Region) -> Region:
        root = Path(region.storage)
        known = self._known()
        if region.name in [one.name for one in known]:
            raise AlreadyExists("region", region.name, fix="Choose another name.")
        for other in known:
            if other.storage and _is_within(root, Path(other.storage)):
                raise self._not_made(region, f"Region '{other.name}' has that storage, or one around it.")
            if other.storage and _is_within(Path(other.storage), root):
                raise self._not_made(region, f"The storage of region '{other.name}' lies in it.")
        home = Home(root / SERVER)
        facts = home.region()
        if facts is not None:
            self._check_free(region, facts)
        elif _folders(root):
            raise self._not_made(region, "That folder holds services, and nothing says of which region.")
        elif root.is_dir() and {one.name for one in root.iterdir()} - _PARTS:
            raise self._not_made(region, "That folder holds other things already.")
        taken = {name: one.name for one in self.regions() for name in one.services}
        for folder in _folders(root):
            if folder.name in taken:
                raise self._not_made(
                    region,
                    f"It brings a service '{folder.name}', and region '{taken[folder.name]}' has one of that name.",
                )
        with translated(root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            (root / SERVICES).mkdir(mode=0o700, exist_ok=True)
        home.make()
        subscription = str(facts["subscription"]) if facts else self._subscription()
        told = {"name": region.name, "subscription": subscription, "home": str(self._home.home)}
        write_json(home.region_file, told)
        for folder in _folders(root):
            self._taken_in(region, folder)
        # the last, so that whoever was ended before it may add the region once more
        self._add("region", self._home.regions, region.name, region.to_dict())
        return self.region(region.name)

    def remove_region(self, name: str) -> None:
        (self._home.regions / f"{name}.json").unlink(missing_ok=True)

    def check_there(self, region: Region) -> None:
        facts = Home(Path(region.storage) / SERVER).region() if region.storage else None
        if facts is None or facts.get("name") != region.name:
            raise Unavailable(
                f"Region '{region.name}' was not used.",
                why=f"Its storage, '{region.storage}', is not there."
                if facts is None
                else "Another region is there.",
                fix="Put it back, or attach its disk.",
            )

    def host(self, region: Region) -> LocalHost:
        from mlalm_jupyter.serving.local_host import LocalHost

        home = Home(Path(region.storage) / SERVER)
        return LocalHost(home, before_start=lambda: self.check_there(region))

    def store(self, region: Region, service: str) -> Path:
        return Path(region.storage) / SERVICES / service

    @contextlib.contextmanager
    def changing(self, region: Region, service: str) -> Iterator[None]:
        lock = _lock_of(region, service)
        with translated(lock.parent):
            lock.parent.mkdir(mode=0o700, exist_ok=True)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(lock, timeout_s=_PATIENCE_S))
            except Unavailable as error:
                raise Unavailable(
                    f"Service '{service}' in region '{region.name}' was not changed.",
                    why=f"Somebody else has been changing it for {_PATIENCE_S:g} s.",
                    fix=f"Look at it with `mlalm service show {service}`, then repeat what is still wanted.",
                ) from error
            yield

    def is_changing(self, region: Region, service: str) -> bool:
        return bool(is_locked(_lock_of(region, service)))

    def clear(self, region: Region, service: str) -> None:
        folder, host = self.store(region, service), self.host(region)
        gone = [
            id
            for id, path in host.home.registered().items()
            if path == folder.resolve() or not (path / HIDDEN / CATALOG).exists()
        ]
        if folder.exists():
            # from here on it is no service, whatever happens to us
            folder.rename(folder.with_name(f".gone-{uuid.uuid4().hex}"))
        for id in gone:
            host.forget(id)
        for rest in folder.parent.glob(".gone-*"):
            shutil.rmtree(rest, ignore_errors=True)
        host.home.want_scorers(self._workers(region))

    def _known(self) -> list[Region]:
        """The regions as they were written down; of one whose file is damaged only its name."""
        found = []
        for path in sorted(self._home.regions.glob("*.json")):
            facts = read_json(path)
            if facts is None or facts.get("name") != path.stem:
                note = f"Its file, '{path}', is damaged. Remove it, and add the region again."
                found.append(Region(path.stem, "", note=note))
            else:
                found.append(Region.from_dict(facts))
        return found

    def _looked_at(self, region: Region) -> Region:
        """A region as it is now; whatever is wrong with it is in its note."""
        if not region.storage:
            return region
        try:
            self.check_there(region)
            host = self.host(region)
            status = host.status()
            names = tuple(sorted(one.name for one in _folders(Path(region.storage)) if self._holds(one)))
        except (MlalmError, OSError) as error:
            return replace(region, note=str(error))
        scorers = sum(one.role.startswith("scorer-") for one in status.processes)
        return replace(
            region,
            base_url=host.base_url(),
            is_running=status.is_running,
            workers=scorers,
            services=names,
        )

    def _holds(self, store: Path) -> bool:
        """Whether a store has a service; whoever made it may have been ended before that."""
        marker = store / "service.json"
        if marker.exists():
            return True
        try:
            with _opened(store) as opened, opened.catalog.read() as tx:
                held = [one.id for one in tx.services.find() if one.terms]
        except MlalmError:
            return True  # it may have had one; whoever opens it is told what is wrong
        if held:
            write_json(marker, {"id": held[0]})
        return bool(held)

    def _workers(self, region: Region) -> int:
        """How many scorers the plans of what lives in a region ask for."""
        wanted = 0
        for store in _folders(Path(region.storage)):
            try:
                with _opened(store) as opened, opened.catalog.read() as tx:
                    wanted = max(
                        [wanted, *(one.terms.plan.workers for one in tx.services.find() if one.terms)]
                    )
            except MlalmError:
                continue
        return wanted

    def _taken_in(self, region: Region, store: Path) -> None:
        """Have a region's server know a service that a storage brought, at the place it is now."""
        host = self.host(region)
        try:
            with _opened(store, host=host) as opened:
                host.register(opened.info.id, store)
                host.publish(opened.info.id, opened.projection)
        except MlalmError:
            return  # it is listed, and whoever opens it is told what is wrong

    def _check_free(self, region: Region, facts: Mapping[str, Any]) -> None:
        """Refuse a storage that is another region's, or is in use by another home."""
        if facts.get("name") != region.name:
            raise Conflict(
                f"Region '{region.name}' was not made.",
                why=f"That storage is region '{facts.get('name')}', whose services are known by it.",
                fix=f"Add it as '{facts.get('name')}', or name another folder.",
            )
        owner = Path(str(facts.get("home", "")))
        listed = read_json(owner / "regions" / f"{region.name}.json") if owner != self._home.home else None
        if listed and Path(str(listed.get("storage"))).resolve() == Path(region.storage).resolve():
            raise Conflict(
                f"Region '{region.name}' was not made.",
                why=f"That storage belongs to the server at home in '{owner}'.",
                fix="Remove the region there first: `mlalm region remove` with that MLALM_HOME.",
            )

    @staticmethod
    def _not_made(region: Region, why: str) -> Conflict:
        return Conflict(
            f"Region '{region.name}' was not made.", why=why, fix="Give each region a folder of its own."
        )

    def _subscription(self) -> str:
        """The id that the regions of one home share, as the addresses of New services name it."""
        path = self._home.home / "subscription.json"
        held = read_json(path)
        if held is None:
            held = {"id": uuid.uuid4().hex}
            write_json(path, held)
        return str(held["id"])

    def _add(self, kind: str, folder: Path, name: str, facts: dict[str, object]) -> None:
        checked_place(kind, name)
        with translated(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{name}.json"
        if path.exists():
            raise AlreadyExists(kind, name, fix="Choose another name.")
        write_json(path, facts)


def _read(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.json")):
        facts = read_json(path)
        if facts is None or facts.get("name") != path.stem:
            raise Corrupt(
                f"The {kind} in '{path}'",
                why="It is not what was written there.",
                fix=f"Remove the file and add the {kind} again.",
            )
        yield facts


def _named(kind: str, name: str, known: Mapping[str, Kind]) -> Kind:
    if name not in known:
        raise NotFound(kind, name, known=known, fix="" if known else f"Make one with `mlalm {kind} add`.")
    return known[name]


def _opened(store: Path, *, host: ServiceHost | None = None) -> Workspace:
    # it costs half a second, which whoever has no region need not pay
    from mlalm_jupyter.workspace import Workspace

    return Workspace.open(store, host=host)


def _folders(storage: Path) -> list[Path]:
    """The stores in a region's storage."""
    return [
        one.parent.parent
        for one in (storage / SERVICES).glob(f"*/{HIDDEN}/{CATALOG}")
        if not one.parent.parent.name.startswith(".")
    ]


def _lock_of(region: Region, service: str) -> Path:
    return Path(region.storage) / SERVER / "changing" / f"{service}.lock"


def _is_within(inner: Path, outer: Path) -> bool:
    return inner.resolve().is_relative_to(outer.resolve())
