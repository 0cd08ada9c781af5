"""The commit of a folder and whether it has changes; git itself is asked again only when that may have changed.

Asking takes longer than all the rest of a snapshot. So of a folder with changes one file is remembered that differs
from what git has of it. While it still does, and neither HEAD nor the index has moved, git would say the same again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_S = 10
_Signature = tuple[tuple[int, int, int] | None, ...]


def git_state(folder: Path) -> dict[str, object]:
    """Commit and whether tracked files have changes; empty outside a repository, and before its first commit."""
    if any(name in os.environ for name in _ELSEWHERE):
        return _answer(*_asked(folder))
    if not any((one / ".git").exists() for one in (folder, *folder.parents)):
        return {}
    known = _known.get(folder)
    if known is not None and known.still_holds():
        return _answer(known.commit, True)
    places = _places(folder)
    before = _signature(places)
    commit, changes = _asked(folder)
    _known.pop(folder, None)
    if commit and changes and places and (witness := _witness(folder, changes)):
        _known[folder] = _Changed(commit, places, before, witness)
    return _answer(commit, bool(changes))


_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CEILING_DIRECTORIES")


@dataclass(frozen=True, slots=True)
class _Witness:
    """A file that differs from what git has of it, and what git has: so many bytes, with that name."""

    file: str
    size: int
    name: str

    def still_differs(self) -> bool:
        try:
            if os.stat(self.file).st_size != self.size:
                return True
            content = Path(self.file).read_bytes()
        except OSError:
            return True
        # git's own name for these bytes, which is no secret and nothing is trusted for
        hasher = hashlib.new("sha1" if len(self.name) == 40 else "sha256", usedforsecurity=False)
        hasher.update(f"blob {len(content)}\0".encode() + content)
        return hasher.hexdigest() != self.name


@dataclass(frozen=True, slots=True)
class _Changed:
    """A folder with changes, as it was seen."""

    commit: str
    places: tuple[str, ...]
    signature: _Signature
    witness: _Witness

    def still_holds(self) -> bool:
        return _signature(self.places) == self.signature and self.witness.still_differs()


_known: dict[Path, _Changed] = {}


def _answer(commit: str | None, is_dirty: object) -> dict[str, object]:
    return {"commit": commit, "is_dirty": bool(is_dirty)} if commit else {}


def _asked(folder: Path) -> tuple[str | None, list[str]]:
    """The commit, and a line for each tracked file with changes."""
    said = _git(folder, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no")
    if said is None:
        return _git(folder, "rev-parse", "HEAD"), []
    lines = [line for line in said.split("\0") if line]
    heads = [line.split()[-1] for line in lines if line.startswith("# branch.oid ")]
    commit = heads[0] if heads and heads[0] != "(initial)" else None
    return commit, [line for line in lines if not line.startswith("#")]


def _places(folder: Path) -> tuple[str, ...]:
    """The files that change when HEAD, the index, or what git thinks of a file's contents does."""
    said = _git(folder, "rev-parse", "--absolute-git-dir", "--git-common-dir", "--show-toplevel")
    if said is None or said.count("\n") != 2:
        return ()
    own, common, top = said.split("\n")
    common = os.path.join(folder, common)
    try:
        head = Path(own, "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ()
    if os.path.exists(os.path.join(common, "reftable")):
        return ()  # there branches are no files
    branch = [os.path.join(common, head.removeprefix("ref: "))] if head.startswith("ref: ") else []
    return (
        *(os.path.join(own, name) for name in ("HEAD", "index")),
        *(os.path.join(common, name) for name in ("packed-refs", "config", "info/attributes")),
        os.path.join(top, ".gitattributes"),
        *branch,
    )


def _signature(places: tuple[str, ...]) -> _Signature:
    found: list[tuple[int, int, int] | None] = []
    for place in places:
        try:
            facts = os.stat(place)
            found.append((facts.st_ino, facts.st_size, facts.st_mtime_ns))
        except OSError:
            found.append(None)
    return tuple(found)


def _witness(folder: Path, changes: list[str]) -> _Witness | None:
    """A file that was edited, where git compares bytes as they are."""
    for line in changes:
        parts = line.split(" ", 8)
        if parts[:3] != ["1", ".M", "N..."] or len(parts) != 9:
            continue
        named = _git(folder, "rev-parse", "--show-toplevel")
        size = _git(folder, "cat-file", "-s", parts[7])
        if named is None or size is None:
            return None
        found = _Witness(os.path.join(named, parts[8]), int(size), parts[7])
        attributes = _git(folder, "-C", named, "check-attr", "-z", *_CONVERTING, "--", parts[8])
        is_converted = attributes is None or {*attributes.split("\0")[2::3]} != {"unspecified"}
        if found.still_differs() and not is_converted and _git(folder, "config", "core.autocrlf") in _OFF:
            return found
        return None
    return None


_CONVERTING = ("text", "crlf", "eol", "ident", "filter", "working-tree-encoding")
_OFF = (None, "false")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None when it refuses, takes too long or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            # looking must not get in the way of what the person does with git meanwhile
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape").strip() if done.returncode == 0 else None
