"""Locked snapshots as a drive that can only be read: folders, experiments in them, runs in those.

The drive's paths begin at the folder that Jupyter serves, like those of files: `rides/train.ipynb` is an
experiment and lists its runs, `rides/train.ipynb/01a1....locked.ipynb` is the notebook of one of them.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import nbformat
from nbformat.v4.rwbase import rejoin_lines
from tornado import web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher

from mlalm_jupyter.domain.errors import NotFound, SnapshotLocked
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import read_notebook, source
from mlalm_jupyter.workspace import Workspace

DRIVE = "mlalm:"
"""What the paths of the drive begin with where those of files may stand as well."""
_NOTEBOOK = ".ipynb"
_LOCKED = ".locked.ipynb"
"""How the names of snapshots end, by which JupyterLab knows them from files."""
_MOST_RUNS = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """What a path of the drive names, below the workspace's folder."""

    folder: str = ""
    notebook: str = ""
    run: str = ""

    @classmethod
    def parse(cls, path: str) -> Place:
        """Read a path.

        >>> Place.parse("deep/train.ipynb/01a1.locked.ipynb")
        Place(folder='', notebook='deep/train.ipynb', run='01a1')
        >>> Place.parse("deep")
        Place(folder='deep', notebook='', run='')
        """
        parts = PurePosixPath(path.strip("/")).parts
        at = next((index for index, part in enumerate(parts) if part.endswith(_NOTEBOOK)), None)
        if at is None:
            return cls(folder="/".join(parts))
        run = "/".join(parts[at + 1 :]).removesuffix(_LOCKED)
        return cls(notebook="/".join(parts[: at + 1]), run=run)


def named(path: str) -> str:
    """What a refusal calls a path: the run where it names one.

    >>> named("train.ipynb/0193abcdef0123456789.locked.ipynb"), named("train.ipynb")
    ('0193abcdef01', 'train.ipynb')
    """
    return Place.parse(path).run[:12] or path.strip("/")


def model(workspace: Workspace, path: str, *, below: str = "", has_content: bool = True) -> dict[str, Any]:
    """What Jupyter's contents API calls a model, of a path in the workspace; `below` stands before its own."""
    place = Place.parse(path)
    if place.run:
        return _notebook(workspace, place, below=below, has_content=has_content)
    experiments = workspace.experiments.list()
    if place.notebook:
        runs = workspace.experiments.history(place.notebook, limit=_MOST_RUNS)
        inside = [_locked(run, below=below) for run in runs if not run.is_editable]
    else:
        paths = [one.path for one in experiments]
        inside = [_directory(child, below=below) for child in _children(paths, place.folder)]
        if place.folder and not inside:
            raise NotFound("experiment", place.folder, known=paths)
    here = _directory(place.notebook or place.folder, below=below)
    return {**here, "content": inside, "format": "json"} if has_content else here


def download(workspace: Workspace, path: str) -> tuple[str, bytes]:
    """The name and the bytes of a run's notebook, exactly as they are kept."""
    run, content = _kept(workspace, Place.parse(path))
    return f"{run.id}{_LOCKED}", content


def _kept(workspace: Workspace, place: Place) -> tuple[Run, bytes]:
    """A run's notebook with what its cells printed, or as it was submitted while there is nothing of that."""
    run, content = workspace.experiments.locked(place.run)
    if run.path != place.notebook:
        raise NotFound(
            "run", place.run, known=[], none=f"The experiment {place.notebook} has no run of that id."
        )
    return run, content


def _children(paths: Iterable[str], folder: str) -> list[str]:
    """The folders and experiments directly inside a folder."""
    start = f"{folder}/" if folder else ""
    return sorted({start + one.removeprefix(start).split("/")[0] for one in paths if one.startswith(start)})


def _notebook(workspace: Workspace, place: Place, *, below: str, has_content: bool) -> dict[str, Any]:
    run, content = _kept(workspace, place)
    found = {**_locked(run, below=below), "size": len(content)}
    return {**found, "content": _uneditable(content), "format": "json"} if has_content else found


def _uneditable(content: bytes) -> dict[str, Any]:
    """A notebook whose cells a page shows without letting anybody type; the bytes kept do not say that.

    What is kept may lack what pages rely on, as notebooks that other programs wrote do.
    """
    kept = read_notebook(content).content
    minor = kept.get("nbformat_minor")
    page = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {
            "nbformat": 4,
            "nbformat_minor": minor if isinstance(minor, int) else 5,
            "metadata": _mapping(kept.get("metadata")),
            "cells": [_shown(cell) for cell in kept["cells"]],
        }
    )
    return dict(rejoin_lines(page))  # type: ignore[no-untyped-call]


def _shown(cell: Mapping[str, Any]) -> dict[str, Any]:
    kind = cell.get("cell_type")
    shown = {
        **cell,
        "cell_type": kind if kind in ("code", "markdown", "raw") else "raw",
        "metadata": {**_mapping(cell.get("metadata")), "editable": False, "deletable": False},
        "source": source(cell),
    }
    if kind == "code":
        outputs = cell.get("outputs")
        shown |= {
            "execution_count": cell.get("execution_count"),
            "outputs": [one for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else [],
        }
    return shown


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _locked(run: Run, *, below: str) -> dict[str, Any]:
    return {
        "name": f"{run.id}{_LOCKED}",
        "path": _joined(below, f"{run.path}/{run.id}{_LOCKED}"),
        "type": "notebook",
        "created": run.created_at,
        "last_modified": run.ended_at or run.created_at,
        "hash": run.executed_digest or run.snapshot.digest,
        "hash_algorithm": "sha256",
        **_BARE,
    }


def _directory(path: str, *, below: str) -> dict[str, Any]:
    return {
        "name": path.rpartition("/")[2],
        "path": _joined(below, path),
        "type": "directory",
        "created": _NEVER,
        "last_modified": _NEVER,
        "hash": None,
        "hash_algorithm": None,
        **_BARE,
    }


def _joined(below: str, path: str) -> str:
    return "/".join(part for part in (below, path) if part)


class Locked(web.HTTPError, PermissionError):
    """An answer of 409; as a PermissionError it also has a folder listed without files of such a name."""

    def __init__(self, path: str) -> None:
        web.HTTPError.__init__(self, 409, str(SnapshotLocked(named(path))))
        self.errno = errno.EACCES


class NamesSnapshots(Matcher):
    """Matches addresses of Jupyter's contents API that name the drive, also spelt with escapes."""

    def __init__(self, base_url: str) -> None:
        self._contents = f"{unquote(base_url).rstrip('/')}/api/contents/"

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        path = unquote(request.path)
        if not path.startswith(self._contents):
            return None
        path = path.removeprefix(self._contents).lstrip("/")
        return {"path_args": [path.removeprefix(DRIVE)]} if path.startswith(DRIVE) else None


def keep_locked(contents: Any) -> None:
    """Have a contents manager write, copy or move nothing onto what the drive shows: names that stand in bodies."""
    inner = getattr(contents, "_get_os_path", None)
    if inner is None:
        return  # it keeps no files on this machine

    def unlocked(path: str) -> str:
        inside = path.lstrip("/")
        if inside.startswith(DRIVE):
            raise Locked(inside.removeprefix(DRIVE))
        return str(inner(path))

    contents._get_os_path = unlocked


_BARE: dict[str, Any] = {"writable": False, "mimetype": None, "size": None, "content": None, "format": None}
_NEVER = "1970-01-01T00:00:00Z"
