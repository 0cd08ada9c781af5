"""Taking the snapshot of a notebook: its bytes, and everything a run of it depends on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.pinning import pins_of
from mlalm_jupyter.domain.asset import Pin
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.run import Run, Snapshot
from mlalm_jupyter.notebook.document import NotebookDocument, check_parameters, pieces, read_notebook, tagged
from mlalm_jupyter.notebook.named_files import texts_that_may_name_files
from mlalm_jupyter.notebook.predictive.beside import modules_beside

_CHUNK = 1 << 20
_TOUCHED_S = 600.0


def taken(
    context: Context,
    notebook: bytes,
    *,
    path: str,
    document: NotebookDocument | None = None,
    parameters: Mapping[str, object] | None = None,
    until: str | None = None,
    message: str = "",
    assets: tuple[Pin, ...] | None = None,
    loaded: Sequence[str] = (),
) -> Snapshot:
    """The snapshot of a notebook as it is now; with `assets` it refers to those, whatever is newest.

    `document` is the same notebook for whoever has read it already, `loaded` what a live kernel has loaded.
    """
    document = document or read_notebook(notebook)
    parameters = dict(parameters or {})
    check_parameters(document, parameters)
    last_cell(document, until)
    return Snapshot(
        digest=context.blobs.put_pieces(pieces(notebook)),
        parameters=parameters,
        environment=environment_here(context),
        git=context.surroundings.git(context.path),
        assets=pins_of(context, document, parameters, loaded=loaded) if assets is None else assets,
        files={**dict(_files(context, document, path, parameters)), **_modules(context, document, path)},
        until=until,
        message=message,
    )


def environment_here(context: Context) -> dict[str, object]:
    """The environment of this process, its packages as the digest of a blob."""
    facts, lock = context.surroundings.environment()
    return {**facts, "packages": context.blobs.put(lock)}


def last_cell(document: NotebookDocument, until: str | None) -> int | None:
    """The number of the cell that carries a tag, which is the last one to run."""
    if until is None:
        return None
    numbers = tagged(document, until)
    if len(numbers) != 1:
        got = "none" if not numbers else f"cells {', '.join(map(str, numbers))}"
        raise InvalidInput(
            f"The tag '{until}'",
            expected="one code cell that carries it",
            got=got,
            fix="Tag the last cell that should run, in the cell's properties.",
        )
    return numbers[0]


def changed_files(context: Context, run: Run) -> list[str]:
    """The files of a run's snapshot that are not any more what they were when it was taken."""
    taken_s = datetime.fromisoformat(run.created_at).timestamp()
    changed = []
    for name, digest in run.snapshot.files.items():
        file = context.path / name
        try:
            facts = file.stat()
            # what was last touched long before the snapshot need not be read again, however large it is
            is_old = max(facts.st_mtime, facts.st_ctime) < taken_s - _TOUCHED_S
            if not is_old and _hash(context, file) != digest:
                changed.append(name)
        except OSError:
            changed.append(name)
    return changed


def changed_modules(context: Context, run: Run, document: NotebookDocument, path: str) -> list[str]:
    """The modules beside a notebook that are not any more what they were when a run of it was submitted.

    The notebook may have moved since. A run that was recorded before modules were tells nothing of them.
    """
    before, folder = run.snapshot.files, os.path.dirname(path)
    now = {
        os.path.relpath(name, folder or "."): digest
        for name, digest in _modules(context, document, path).items()
    }

    def as_it_was(name: str) -> str | None:
        known = [one for one in before if one == os.path.join(folder, name)]
        known = known or [one for one in before if f"/{one}".endswith(f"/{name}")]
        return before[known[0]] if len(known) == 1 else None

    gone = [
        name
        for name in before
        if name.endswith(".py")
        and not (context.path / name).is_file()
        and not any(f"/{name}".endswith(f"/{one}") for one in now)
    ]
    return sorted({*gone, *(name for name, digest in now.items() if as_it_was(name) not in (None, digest))})


def _modules(context: Context, document: NotebookDocument, path: str) -> dict[str, str]:
    """The modules beside a notebook that it imports, with the sha256 of each."""
    root = context.path.resolve()
    found = {}
    for file in modules_beside(document, (context.path / Path(path)).parent).values():
        try:
            place = file.resolve()
            if place.is_relative_to(root):
                found[place.relative_to(root).as_posix()] = _hash(context, place)
        except (OSError, ValueError, RuntimeError):
            continue  # it cannot be read now; the run will say so
    return found


def _files(
    context: Context, document: NotebookDocument, path: str, parameters: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    """The files of the folder that the notebook names, with the sha256 of each."""
    folder = (context.path / Path(path)).parent
    root = context.path.resolve()
    for text in texts_that_may_name_files(document, parameters.values()):
        place = os.path.join(folder, os.path.expanduser(text))
        if not os.path.isfile(place):
            continue  # as nearly all texts
        try:
            file = Path(place).resolve()
            is_ours = file.is_relative_to(root) and not any(
                part.startswith(".") for part in file.relative_to(root).parts
            )
            if is_ours and file != (context.path / path).resolve():
                yield file.relative_to(root).as_posix(), _hash(context, file)
        except (OSError, ValueError, RuntimeError):
            continue  # it is no file that can be read now; the run will say so if it needs it


def _hash(context: Context, file: Path) -> str:
    hasher = hashlib.sha256()
    done, size = 0, file.stat().st_size
    with open(file, "rb") as content:
        while chunk := content.read(_CHUNK):
            hasher.update(chunk)
            done += len(chunk)
            if size > 64 * _CHUNK:
                context.progress(f"Reading {file.name}", done, size)
    return hasher.hexdigest()
