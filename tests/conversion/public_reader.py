"""The list of public notebooks: where each comes from, what it has to hash to, and what had to be mended to run it today.

The notebooks are other people's, so they are not in this repository: a folder beside it has them, a folder for each of
their repositories (`owner__name`), with its files where that repository has them.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

LIST = Path(__file__).with_name("public.json")
EXPECTATIONS = ("converts", "one word", "refused", "not here")
"""By itself; with `--model`; not at all; or it cannot be run here, which is counted."""


@dataclass(frozen=True)
class Repair:
    """Something that had to be changed in a cell so that it runs with the libraries of today."""

    why: str
    cell: int | None = None
    """The number of the code cell; None is all of them."""
    find: str = ""
    put: str = ""
    """What stands in the place of `find`; where there is nothing to find, it comes before the cell."""
    file: str = ""
    """A file, whatever folder its author had it in, that is at `put`."""
    drop: bool = False

    def mended(self, text: str, *, where: str) -> str:
        if self.drop:
            return "pass"
        if self.file:
            made, count = re.subn(rf"(['\"])[^'\"]*{re.escape(self.file)}\1", f'"{self.put}"', text)
            if not count:
                raise ValueError(f"{where}: {self.file} is not named in cell {self.cell}")
            return made
        if not self.find:
            return f"{self.put}\n{text}"
        if self.cell is not None and self.find not in text:
            raise ValueError(f"{where}: nothing to mend in cell {self.cell}")
        return text.replace(self.find, self.put)


@dataclass(frozen=True)
class PublicNotebook:
    """A notebook of the list."""

    repo: str
    commit: str
    path: str
    sha256: str
    files: Mapping[str, str]
    """What it reads, with the hashes."""
    kind: str
    """"course" or "project"."""
    models: str
    """How many trained models it holds, as a person counts them: "none", "one" or "several"."""
    expect: str
    reason: str = ""
    """Of a refusal, in a few words of ours."""
    model: str = ""
    """The variable of the model its author plainly means."""
    rows: str = ""
    """In the names that the notebook leaves: rows as a caller has them."""
    answer: str = ""
    """In the names that the notebook leaves, with `rows`: what is right for them."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Files that the notebook looks for elsewhere than they are."""
    repairs: tuple[Repair, ...] = ()

    @property
    def folder(self) -> str:
        """The folder of its repository."""
        return self.repo.replace("/", "__")

    @property
    def name(self) -> str:
        return f"{self.repo}: {self.path}"


def public_notebooks(path: Path = LIST) -> tuple[PublicNotebook, ...]:
    """The list; ValueError where something in it is not of its form."""
    found = []
    for one in json.loads(path.read_text(encoding="utf-8"))["notebooks"]:
        repairs = tuple(Repair(**repair) for repair in one.pop("repairs", ()))
        made = PublicNotebook(**one, repairs=repairs)
        if made.expect not in EXPECTATIONS or made.models not in ("none", "one", "several"):
            raise ValueError(f"{made.name}: not an expectation or a count of models")
        found.append(made)
    return tuple(found)


def missing(notebook: PublicNotebook, folder: Path) -> str:
    """Why a notebook of the list cannot be used from a folder, in a sentence; empty where it can."""
    for path, sha256 in ((notebook.path, notebook.sha256), *notebook.files.items()):
        file = folder / notebook.folder / path
        if not file.is_file():
            return f"{notebook.folder}/{path} is not in the folder of public notebooks."
        if hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            return f"{notebook.folder}/{path} is another version than the one in public.json."
    return ""


def staged(notebook: PublicNotebook, folder: Path, place: Path) -> str:
    """Copy a notebook and its files into a workspace, mended; the path of the notebook there."""
    for path in (notebook.path, *notebook.files):
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / notebook.folder / path, target)
    for target_path, path in notebook.places.items():
        target = place / target_path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / notebook.folder / path, target)
    file = place / notebook.path
    document = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [cell for cell in document.cells if cell.cell_type == "code" and cell.source.strip()]
    for number, cell in enumerate(cells, start=1):
        for repair in _of(notebook, number):
            cell.source = repair.mended(cell.source, where=notebook.name)
        cell.outputs, cell.execution_count = [], number
    nbformat.write(document, file)  # type: ignore[no-untyped-call]
    return notebook.path


def _of(notebook: PublicNotebook, number: int) -> Iterator[Repair]:
    yield from (one for one in notebook.repairs if one.cell in (None, number))
