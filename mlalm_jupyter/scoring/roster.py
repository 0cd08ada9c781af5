"""Who serves what now: the projections in memory, and how a scorer takes over new ones while it answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from mlalm_jupyter.domain.errors import Corrupt, MlalmError
from mlalm_jupyter.domain.projection import Projection, Servable, ServedEndpoint
from mlalm_jupyter.domain.workspace import HIDDEN
from mlalm_jupyter.scoring.calls import CallTable, Gate
from mlalm_jupyter.scoring.compute import Worker
from mlalm_jupyter.scoring.generation import Generation
from mlalm_jupyter.scoring.library import Library
from mlalm_jupyter.scoring.places import Places
from mlalm_jupyter.scoring.predictor import Predictor

WARMED = 16
_RETRY_S = 2.0
_Stamp = tuple[int, int, int]
log = logging.getLogger("mlalm.scoring")


@dataclass(frozen=True, slots=True)
class Fault:
    """An endpoint that could not take its new definition, and why."""

    generation: int
    endpoint: str
    definition_hash: str
    error: MlalmError

    def to_dict(self) -> dict[str, object]:
        return {
            "generation": self.generation,
            "endpoint": self.endpoint,
            "definition_hash": self.definition_hash,
            "error": self.error.to_dict(),
        }


@dataclass(slots=True)
class Served:
    """An endpoint as it answers now. Only `predictor` is ever filled in later, on the first call."""

    endpoint: ServedEndpoint
    servable: Servable
    predictor: Predictor | None = None
    gate: Gate | None = None
    """What its calls have to pass, if their number is limited."""
    headers: tuple[tuple[bytes, bytes], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = (
            (b"x-mlalm-endpoint", self.endpoint.reference.encode()),
            (b"x-mlalm-revision", str(self.endpoint.revision).encode()),
        )


@dataclass(slots=True)
class ServedWorkspace:
    """One workspace's endpoints by id."""

    projection: Projection
    endpoints: dict[str, Served]
    is_gone: bool = False


class Roster:
    """All workspaces of this scorer. Its maps are read and replaced on the event loop only."""

    def __init__(
        self, places: Places, generation: Generation, slot: int, loader: Worker, calls: CallTable
    ) -> None:
        self.places = places
        self.generation = generation
        self.slot = slot
        self.loader = loader
        self.calls = calls
        self.library = Library()
        self.workspaces: dict[str, ServedWorkspace] = {}
        self.subscribed: dict[tuple[str, str], str] = {}
        """The workspaces of New services, by subscription and service."""
        self.faults: dict[tuple[str, str], Fault] = {}
        self.taken_over = 0
        self._stamps: dict[Path, _Stamp] = {}
        self._failures: dict[tuple[str, str], tuple[float, MlalmError]] = {}
        self._loading: dict[tuple[str, str], asyncio.Task[Predictor]] = {}
        self._taking_over: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    def owner(self, owner: str, endpoint: str) -> ServedWorkspace | None:
        """Whose endpoint an address names: by its workspace, or by the subscription of a New service."""
        found = self.workspaces.get(owner)
        if found is None and (held := self.subscribed.get((owner, endpoint))):
            return self.workspaces.get(held)
        return found

    def notice(self) -> None:
        """Begin to take over what has changed, unless that is under way or nothing has."""
        if self.generation.current() == self.taken_over:
            return
        if self._taking_over is None or self._taking_over.done():
            self._taking_over = asyncio.get_running_loop().create_task(self.take_over())
            self._taking_over.add_done_callback(_log_failure)

    async def take_over(self) -> None:
        """Serve what the projections say now, and acknowledge the generation once that is so."""
        async with self._one_at_a_time:
            while (generation := self.generation.current()) != self.taken_over:
                stamps, changed = await self.loader.run(self._changed)
                for workspace_id in {path.stem for path in self._stamps if path not in stamps}:
                    self.workspaces.pop(workspace_id, None)
                    for key in [key for key in self.faults if key[0] == workspace_id]:
                        del self.faults[key]
                for projection in changed:
                    await self._take_over_one(projection, generation)
                self._stamps = stamps
                self.subscribed = {
                    (subscription, endpoint): id
                    for id, workspace in self.workspaces.items()
                    if (subscription := workspace.projection.subscription)
                    for endpoint in workspace.endpoints
                }
                self.taken_over = generation
                self.generation.ack(self.slot, generation)
            self.loader.run(self.library.keep_only, self._held())

    async def predictor(self, workspace: ServedWorkspace, served: Served) -> Predictor:
        """What answers for an endpoint, loaded on its first call; callers at the same time share one load."""
        if served.predictor is not None:
            return served.predictor
        projection = workspace.projection
        key = (projection.workspace_id, served.servable.digest)
        failure = self._failures.get(key)
        if failure and time.monotonic() - failure[0] < _RETRY_S:
            raise failure[1]
        task = self._loading.get(key)
        if task is None:
            load = self._load(projection.workspace_id, served.servable, projection.public_key)
            task = asyncio.get_running_loop().create_task(load)
            self._loading[key] = task
            task.add_done_callback(lambda _: self._loading.pop(key, None))
        try:
            served.predictor = await asyncio.shield(task)
        except MlalmError as error:
            self._failures[key] = (time.monotonic(), error)
            self._note_fault(projection.workspace_id, served.endpoint, error, generation=0)
            raise
        self._failures.pop(key, None)
        self.faults.pop((projection.workspace_id, served.endpoint.id), None)
        return served.predictor

    async def warm(self) -> None:
        """Load ahead what is served, as far as that is little: so that the first calls need not wait."""
        for workspace in list(self.workspaces.values()):
            for served in list(workspace.endpoints.values())[:WARMED]:
                with contextlib.suppress(MlalmError):  # noted as a fault; the first call tries again
                    await self.predictor(workspace, served)

    async def prepare(self, workspace_id: str, servable: Servable, public_key: str) -> None:
        """Load a definition anew or check what is loaded, and replay its example."""
        await self.loader.run(self.library.prepare, workspace_id, servable, public_key)
        self._failures.pop((workspace_id, servable.digest), None)

    async def look_for_workspaces(self) -> None:
        """Notice which workspaces' folders are there; off the loop, for a folder may hang."""
        folders = {id: workspace.projection.workspace_path for id, workspace in self.workspaces.items()}
        present = await self.loader.run(_present, folders)
        for workspace_id, is_present in present.items():
            workspace = self.workspaces.get(workspace_id)
            if workspace is not None and workspace.is_gone is is_present:
                workspace.is_gone = not is_present
                log.warning("workspace %s %s", folders[workspace_id], "is back" if is_present else "is gone")

    def faults_of(self, workspace_id: str, *, since: int) -> list[Fault]:
        """The faults of a workspace that came with a generation or after it."""
        held = [fault for (id, _), fault in self.faults.items() if id == workspace_id]
        return [fault for fault in held if fault.generation >= since]

    def _held(self) -> set[tuple[str, str]]:
        return {
            (id, served.servable.digest)
            for id, workspace in self.workspaces.items()
            for served in workspace.endpoints.values()
        }

    async def _load(self, workspace_id: str, servable: Servable, public_key: str) -> Predictor:
        return await self.loader.run(self.library.predictor, workspace_id, servable, public_key)

    async def _take_over_one(self, projection: Projection, generation: int) -> None:
        """Load what a changed projection needs, then replace one reference."""
        workspace_id = projection.workspace_id
        present = self.workspaces.get(workspace_id)
        servables = {servable.digest: servable for servable in projection.servables}
        endpoints: dict[str, Served] = {}
        failed: list[tuple[ServedEndpoint, MlalmError]] = []
        for endpoint in projection.endpoints:
            before = present.endpoints.get(endpoint.id) if present else None
            gate = before.gate if before else None
            try:
                gate = self._gate(endpoint, projection)
                servable = _servable_of(endpoint, servables)
                predictor = await self._next_predictor(projection, servable, before)
            except MlalmError as error:
                failed.append((endpoint, error))
                if before is not None:
                    kept = replace(
                        endpoint,
                        revision=before.endpoint.revision,
                        definition_hash=before.endpoint.definition_hash,
                    )
                    endpoints[endpoint.id] = Served(kept, before.servable, before.predictor, gate)
            else:
                endpoints[endpoint.id] = Served(endpoint, servable, predictor, gate)
        known = {key[1]: self.faults.pop(key) for key in list(self.faults) if key[0] == workspace_id}
        for endpoint, failure in failed:
            earlier = known.get(endpoint.id)
            is_old = earlier is not None and earlier.definition_hash == endpoint.definition_hash
            since = earlier.generation if earlier and is_old else generation
            self._note_fault(workspace_id, endpoint, failure, generation=since)
        is_gone = present.is_gone if present else False
        self.workspaces[workspace_id] = ServedWorkspace(projection, endpoints, is_gone)

    def _gate(self, endpoint: ServedEndpoint, projection: Projection) -> Gate | None:
        limit = endpoint.max_concurrent_calls
        if limit is None:
            return None
        return self.calls.gate(endpoint.id, limit, in_use=lambda: self._limited(projection))

    def _limited(self, projection: Projection) -> set[str]:
        """The endpoints that have a limit, in what is served and in what is being taken over."""
        others = (one.projection for id, one in self.workspaces.items() if id != projection.workspace_id)
        return {
            endpoint.id
            for one in (*others, projection)
            for endpoint in one.endpoints
            if endpoint.max_concurrent_calls is not None
        }

    async def _next_predictor(
        self, projection: Projection, servable: Servable, before: Served | None
    ) -> Predictor | None:
        if before is None or before.predictor is None:
            return self.library.found(projection.workspace_id, servable.digest)
        if before.servable.digest == servable.digest:
            return before.predictor
        return await self._load(projection.workspace_id, servable, projection.public_key)

    def _note_fault(
        self, workspace_id: str, endpoint: ServedEndpoint, error: MlalmError, *, generation: int
    ) -> None:
        fault = Fault(generation, endpoint.reference, endpoint.definition_hash, error)
        self.faults[workspace_id, endpoint.id] = fault
        digest = endpoint.definition_hash[:12]
        log.error("%s could not take definition %s: %s", endpoint.reference, digest, error)

    def _changed(self) -> tuple[dict[Path, _Stamp], list[Projection]]:
        """Which projection files there are, and what those say that changed since they were taken over."""
        stamps: dict[Path, _Stamp] = {}
        changed: list[Projection] = []
        for path in self.places.projection_files():
            try:
                stat = path.stat()
                stamps[path] = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                if self._stamps.get(path) != stamps[path]:
                    changed.append(read_projection(path))
            except FileNotFoundError:
                stamps.pop(path, None)
            except Corrupt as error:
                log.error("%s", error)
        return stamps, changed


def read_projection(path: Path) -> Projection:
    """A projection from its file."""
    data = path.read_bytes()
    try:
        projection = Projection.from_dict(json.loads(data))
        if projection.workspace_id != path.stem:
            raise ValueError("it is of another workspace")
        return projection
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(
            f"The projection '{path}'",
            why=f"It does not read: {error!r}.",
            fix="Remove it; the server makes it anew.",
        ) from error


def _servable_of(endpoint: ServedEndpoint, servables: dict[str, Servable]) -> Servable:
    try:
        return servables[endpoint.definition_hash]
    except KeyError:
        why = f"It lacks the definition of {endpoint.reference}."
        raise Corrupt("The server's projection", why=why) from None


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("taking over a new generation failed; it is tried again", exc_info=error)


def _present(folders: dict[str, str]) -> dict[str, bool]:
    return {id: os.path.isdir(os.path.join(folder, HIDDEN)) for id, folder in folders.items()}
