"""What every noun's class is given: the ports, the person, and where progress is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from mlalm_jupyter.domain.errors import Unavailable
from mlalm_jupyter.domain.event import Event
from mlalm_jupyter.domain.workspace import WorkspaceInfo
from mlalm_jupyter.ports import (
    BlobStore,
    Catalog,
    Clock,
    Keyring,
    NotebookConverter,
    NotebookRunner,
    OutsideFiles,
    ServiceHost,
    Surroundings,
    Transaction,
)

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much (0 when that is not known)."""


_USED: dict[str, list[str]] = {}


def silent(_text: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


class Opener(Protocol):
    """Opens the workspace in another folder, and makes it one first where that is wanted."""

    def __call__(
        self, folder: str, *, host: ServiceHost | None = None, make: bool = False, progress: Progress = silent
    ) -> AbstractContextManager[Context]: ...


def _no_other(
    folder: str, *, host: ServiceHost | None = None, make: bool = False, progress: Progress = silent
) -> AbstractContextManager[Context]:
    raise Unavailable(
        f"The workspace '{folder}' was not opened.", why="Nothing here can.", fix="Open it by itself."
    )


@dataclass(frozen=True, slots=True)
class LiveCell:
    """The cell of a live notebook that is at work, and the snapshot that was just taken of that notebook."""

    run_id: str
    cell: int | None


@dataclass
class Context:
    """The workspace as the verbs see it."""

    path: Path
    info: WorkspaceInfo
    catalog: Catalog
    blobs: BlobStore
    scratch: Path
    """The folder below which executions put files of their own."""
    keyring: Keyring
    clock: Clock
    surroundings: Surroundings
    outside: OutsideFiles
    who: str
    make_host: Callable[[], ServiceHost]
    make_runner: Callable[[], NotebookRunner]
    make_converter: Callable[[], NotebookConverter]
    environ: Mapping[str, str]
    progress: Progress = silent
    another: Opener = field(default=_no_other)
    live: LiveCell | None = None
    """Where in a live notebook this is asked from, if that is known."""

    @cached_property
    def host(self) -> ServiceHost:
        return self.make_host()

    @property
    def used(self) -> list[str]:
        """What this process has loaded from the workspace, such as `dataset census:3`, in the order it did.

        It outlives the context: every magic opens the workspace anew.
        """
        return _USED.setdefault(self.info.id, [])

    @staticmethod
    def digest(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    @property
    def run_id(self) -> str | None:
        """The run this process is part of, when it is the kernel of one."""
        return self.environ.get("MLALM_RUN") or None

    def note(
        self,
        tx: Transaction,
        noun: str,
        action: str,
        *,
        subject_id: str,
        subject: str,
        data: Mapping[str, object] | None = None,
        at: str | None = None,
    ) -> None:
        """Write the event of a change into its own transaction."""
        tx.events.append(
            Event(
                at=at or self.clock.now(),
                by=self.who,
                noun=noun,
                action=action,
                subject_id=subject_id,
                subject=subject,
                data=data or {},
            )
        )

    def inside(self, path: str | Path) -> str:
        """A path as the workspace knows it: relative to its folder, with forward slashes."""
        absolute = Path(path) if Path(path).is_absolute() else self._nearest(Path(path))
        resolved = absolute.resolve()
        root = self.path.resolve()
        return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else resolved.as_posix()

    def _nearest(self, path: Path) -> Path:
        """A relative path is looked for from the current folder first, then from the workspace."""
        here = Path.cwd() / path
        return here if here.exists() else self.path / path
