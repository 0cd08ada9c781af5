"""The workspace itself: made, shown, and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

from mlalm_jupyter.api.contents import address_of
from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.endpoint_keys import key_context
from mlalm_jupyter.api.named_blobs import MINIMUM_GRACE_H, kept_blobs, named_blobs
from mlalm_jupyter.api.placing import held_services
from mlalm_jupyter.api.silence import has_no_room
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, MlalmError, NotFound
from mlalm_jupyter.domain.trust import sealed_statement
from mlalm_jupyter.domain.workspace import Checkup, Finding, Freed, WorkspaceInfo
from mlalm_jupyter.ports import Transaction


class Founding:
    """Making workspaces; the one verb that comes before there is any."""

    def __init__(self, found: Callable[[Path], WorkspaceInfo]) -> None:
        self._found = found

    @verb("workspace", "init", attribute="founding", needs_workspace=False)
    def init(
        self, path: Annotated[str, Arg("the folder; it is made if it does not exist", metavar="FOLDER")] = "."
    ) -> WorkspaceInfo:
        """Make a folder a workspace; one that is a workspace already stays as it is."""
        return self._found(Path(path))


class Workspaces:
    """What can be asked of the open workspace."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @verb("workspace", "show", attribute="workspaces")
    def show(self) -> WorkspaceInfo:
        """Show the workspace and how much it holds."""
        with self._context.catalog.read() as tx:
            return tx.info

    @verb("workspace", "doctor", attribute="workspaces", is_long=True)
    def doctor(self) -> Checkup:
        """Check every hash, reference and process, and say what is wrong."""
        return _Doctor(self._context).examine()

    @verb("workspace", "gc", attribute="workspaces", is_long=True)
    def gc(
        self,
        *,
        grace_h: Annotated[float, Arg("leave alone what was put within so many hours")] = 1.0,
    ) -> Freed:
        """Remove the bytes that nothing refers to any more, and nothing else; runs may go on meanwhile.

        Whoever puts bytes refers to them soon after, which the hours of grace leave room for.
        """
        ctx = self._context
        if not grace_h >= MINIMUM_GRACE_H:
            raise InvalidInput(
                "The grace",
                expected=f"at least {MINIMUM_GRACE_H} hours, for whoever is writing now",
                got=f"{grace_h:g}",
            )
        before_s = ctx.clock.time_s() - grace_h * 3600
        ctx.progress("Looking for what is referred to", 0, 0)
        with ctx.catalog.read() as tx:
            keep = kept_blobs(ctx.blobs, tx)
        ctx.progress("Removing the rest", 0, 0)
        count, size_bytes = ctx.blobs.free(keep, before_s=before_s)
        with ctx.catalog.write() as tx:
            data = {"blobs": count, "size_bytes": size_bytes}
            ctx.note(tx, "workspace", "gc", subject_id=ctx.info.id, subject=ctx.path.name, data=data)
        return Freed(count, size_bytes, kept=len(keep))


class _Doctor:
    """One examination of a workspace; it changes nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._checked: dict[str, int] = {}
        self._findings: list[Finding] = []

    def examine(self) -> Checkup:
        for where, look in (
            ("catalog", self._catalog),
            ("keyring", self._keys),
            ("blobs", self._blobs),
            ("catalog, what refers to blobs", self._in_catalog(self._references)),
            ("catalog, datasets", self._in_catalog(self._addresses)),
            ("catalog, definitions", self._in_catalog(self._definitions)),
            ("catalog, seals", self._in_catalog(self._seals)),
            ("catalog, endpoints", self._in_catalog(self._endpoints)),
            ("catalog, jobs", self._in_catalog(self._jobs)),
            ("server", self._server),
            ("regions", self._regions),
        ):
            try:
                look()
            except MlalmError as error:
                # what stands in the way of one look is a finding itself, and the other looks go on
                self._found(where, f"{error.what} {error.why}".strip(), error.fix)
        return Checkup(self._checked, tuple(self._findings))

    def _in_catalog(self, look: Callable[[Transaction], None]) -> Callable[[], None]:
        def looked() -> None:
            with self._context.catalog.read() as tx:
                look(tx)

        return looked

    def _found(self, where: str, what: str, fix: str) -> None:
        self._findings.append(Finding(where, what, fix))

    def _count(self, what: str, n: int = 1) -> None:
        self._checked[what] = self._checked.get(what, 0) + n

    def _catalog(self) -> None:
        self._count("catalog")
        for fault in self._context.catalog.faults():
            self._found(
                "catalog",
                fault,
                "Stop everything, remove `catalog.sqlite-wal` and `-shm` beside it, and restore the file from a copy.",
            )

    def _regions(self) -> None:
        """Whether each region is there, and the server of one in which something lives runs while ours does."""
        host = self._context.host
        is_up = host.status().is_running
        for region in host.estate.regions():
            self._count("regions")
            if region.note:
                self._found(
                    f"region {region.name}", region.note, "Put its storage back, or remove the region."
                )
            elif is_up and region.services and not region.is_running:
                self._found(
                    f"region {region.name}",
                    f"Its server does not run, and {', '.join(region.services)} lives there.",
                    f"Start it with `mlalm server start --region {region.name}`.",
                )
        held_services(
            host.estate,
            self._context.another,
            trouble=self._damaged,
        )

    def _damaged(self, told: str) -> None:
        if told.startswith("Service "):  # of a region that is not there it is said above
            self._found("regions", told, "Restore that store from a copy of its region.")

    def _keys(self) -> None:
        self._count("keyring")
        self._findings.extend(self._context.keyring.faults())

    def _blobs(self) -> None:
        digests = list(self._context.blobs.digests())
        for index, digest in enumerate(digests):
            self._context.progress("Checking blobs", index, len(digests))
            self._count("blobs")
            fault = self._context.blobs.fault(digest)
            if fault:
                users = ", ".join(self._users_of(digest)) or "nothing that is recorded"
                self._found(
                    f"blob {digest[:12]}",
                    f"{fault.capitalize()}. It is used by {users}.",
                    "Restore that file from a copy.",
                )

    def _users_of(self, digest: str) -> Iterator[str]:
        with self._context.catalog.read() as tx:
            for user, held in named_blobs(tx):
                if held == digest:
                    yield user

    def _references(self, tx: Transaction) -> None:
        for user, digest in named_blobs(tx):
            self._count("references")
            if not self._context.blobs.has(digest):
                self._found(user, f"Its blob {digest[:12]} is missing.", "Restore that file from a copy.")

    def _definitions(self, tx: Transaction) -> None:
        ctx = self._context
        served = {endpoint.definition_hash for endpoint in tx.endpoints.find()}
        for digest in tx.definitions.digests():
            self._count("definitions")
            try:
                definition = ServiceDefinition.kept(ctx.blobs.get(digest).decode(errors="replace"))
            except (Corrupt, NotFound):
                continue  # a missing or damaged blob has been reported above
            except InvalidInput as error:
                self._found(f"definition {digest[:12]}", f"It is none: {error}", "Deploy it again.")
                continue
            for asset in definition.models:
                # a model that nothing serves any more may be deleted, though the history goes on naming it
                if digest in served and not tx.models.has_hash(asset.model_hash):
                    self._found(
                        f"definition {digest[:12]}",
                        f"Its model {asset.reference} is gone.",
                        "Deploy another model.",
                    )

    def _addresses(self, tx: Transaction) -> None:
        for name in {dataset.name for dataset in tx.datasets.find()}:
            for dataset in tx.datasets.find(name=name):
                if dataset.source is None:
                    continue
                self._count("addresses")
                try:
                    address_of(self._context, dataset)
                except MlalmError as error:
                    self._found(f"dataset {dataset.reference}", f"Its address: {error.why}", error.fix)

    def _seals(self, tx: Transaction) -> None:
        for seal in tx.seals.find():
            self._count("seals")
            if not self._context.keyring.verifies(sealed_statement(seal.kind, seal.digest), seal.signature):
                self._found(
                    f"seal of {seal.kind} {seal.short}",
                    "This workspace's key did not make it.",
                    f"Run `mlalm trust remove {seal.digest}`.",
                )

    def _endpoints(self, tx: Transaction) -> None:
        for endpoint in tx.endpoints.find():
            self._count("endpoints")
            if not tx.definitions.has(endpoint.definition_hash):
                self._found(
                    f"endpoint {endpoint.reference}", "Its definition is not recorded.", "Roll it back."
                )
            for key in tx.endpoints.keys(endpoint.id):
                try:
                    self._context.keyring.decrypt(key.ciphertext, context=key_context(endpoint.id, key.slot))
                except MlalmError as error:
                    self._found(
                        f"endpoint {endpoint.reference}", f"Its {key.slot} key: {error.why}", error.fix
                    )

    def _jobs(self, tx: Transaction) -> None:
        self._count("jobs", len(tx.jobs.find()))
        is_full = has_no_room(self._context)
        if is_full:
            self._found(
                "disk",
                f"The one that '{self._context.path}' is on is full: nothing that happens is recorded.",
                "Free some room there; what waits for it goes on by itself.",
            )
        for owner in tx.jobs.expired(now_s=self._context.clock.time_s()):
            if is_full:
                what, fix = "What becomes of them cannot be recorded.", "Free some room on the disk first."
            else:
                what = "Their owner gives no sign of life."
                fix = "Run `mlalm server start`; a worker takes them over."
            self._found(f"jobs of {owner}", what, fix)

    def _server(self) -> None:
        host = self._context.host
        status = host.status()
        self._count("server processes", len(status.processes))
        if status.is_running:
            self._findings.extend(host.faults(self._context.info.id))
        with self._context.catalog.read() as tx:
            endpoints = len(tx.endpoints.find())
        if endpoints and not status.is_running:
            self._found(
                "server",
                f"It does not run, so {endpoints} endpoints do not answer.",
                "Run `mlalm server start`.",
            )
