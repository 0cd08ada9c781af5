"""The plans and regions of this user's machine: small files in the home, and a whole home for each region.

A region's storage is one folder that can be carried elsewhere: `services/NAME` is a workspace that holds one service
and nothing else, `server` the home of the region's own server.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mlalm_jupyter.adapters.folder_blobs import translated
from mlalm_jupyter.domain.errors import AlreadyExists, Conflict, Corrupt, NotFound
from mlalm_jupyter.domain.estate import Plan, Region, checked_place
from mlalm_jupyter.domain.workspace import CATALOG, HIDDEN
from mlalm_jupyter.serving.home import Home, locked, read_json, write_json

if TYPE_CHECKING:
    from mlalm_jupyter.serving.local_host import LocalHost

Kind = TypeVar("Kind")
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
        return [self._looked_at(Region.from_dict(one)) for one in _read(self._home.regions, "region")]

    def region(self, name: str) -> Region:
        known = map(Region.from_dict, _read(self._home.regions, "region"))
        return self._looked_at(_named("region", name, {one.name: one for one in known}))

    def add_region(self, region: Region) -> Region:
        root = Path(region.storage)
        for other in _read(self._home.regions, "region"):
            if _is_within(root, Path(str(other["storage"]))) or _is_within(Path(str(other["storage"])), root):
                raise Conflict(
                    f"Region '{region.name}' was not made.",
                    why=f"Its storage and that of region '{other['name']}' lie in each other.",
                    fix="Give each region a folder of its own.",
                )
        home = Home(root / "server")
        held = home.region()
        if held and held["name"] != region.name:
            raise Conflict(
                f"Region '{region.name}' was not made.",
                why=f"That storage is region '{held['name']}', whose services are known by it.",
                fix=f"Add it as '{held['name']}', or name another folder.",
            )
        path = self._home.regions / f"{region.name}.json"
        if path.exists():
            raise AlreadyExists("region", region.name, fix="Choose another name.")
        with translated(root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            (root / "services").mkdir(mode=0o700, exist_ok=True)
        home.make()
        if not held:
            write_json(home.region_file, {"name": region.name, "subscription": self._subscription()})
        self._add("region", self._home.regions, region.name, region.to_dict())
        return self.region(region.name)

    def remove_region(self, name: str) -> None:
        (self._home.regions / f"{name}.json").unlink(missing_ok=True)

    def host(self, region: Region) -> LocalHost:
        from mlalm_jupyter.serving.local_host import LocalHost

        return LocalHost(Home(Path(region.storage) / "server"))

    def store(self, region: Region, service: str) -> Path:
        return Path(region.storage) / "services" / service

    def _looked_at(self, region: Region) -> Region:
        """A region as it is now."""
        host = self.host(region)
        running = host.status()
        stores = Path(region.storage) / "services"
        held = sorted(one.parent.parent.name for one in stores.glob(f"*/{HIDDEN}/{CATALOG}"))
        return replace(
            region,
            base_url=host.base_url(),
            is_running=running.is_running,
            workers=sum(one.role.startswith("scorer-") for one in running.processes),
            services=tuple(name for name in held if not name.startswith(".")),
            note=None if stores.is_dir() else "Its storage is not there.",
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


def _is_within(inner: Path, outer: Path) -> bool:
    return inner.resolve().is_relative_to(outer.resolve())
