"""What a run depends on besides its notebook: interpreter, packages, git."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from mlalm_jupyter.adapters.git_state import git_state


class MachineSurroundings:
    """The interpreter and machine this process runs on."""

    def environment(self) -> tuple[dict[str, object], bytes]:
        facts: dict[str, object] = {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": platform.platform(),
            "executable": sys.executable,
        }
        return facts, _lock()

    def git(self, folder: Path) -> dict[str, object]:
        return git_state(folder)


def _lock() -> bytes:
    """The installed packages, one a line; as long as no folder of packages changes they are the same."""
    global _known
    folders = tuple((folder, _changed_ns(folder)) for folder in sys.path)
    if _known is None or _known[0] != folders or any(_changed_ns(file) != ns for file, ns in _known[1]):
        pins: set[str] = set()
        developed: list[tuple[str, int]] = []
        for one in importlib.metadata.distributions():
            if pin := _pin(one):
                pins.add(pin)
            # what is installed appears anew in its folder; what is being developed there is written over
            place = str(getattr(one, "_path", ""))
            if place.endswith(".egg-info"):
                file = os.path.join(place, "PKG-INFO") if os.path.isdir(place) else place
                developed.append((file, _changed_ns(file)))
        text = "\n".join(sorted(pins, key=str.lower)) + "\n"
        _known = folders, tuple(developed), text.encode()
    return _known[2]


_Changed = tuple[tuple[str, int], ...]
_known: tuple[_Changed, _Changed, bytes] | None = None


def _changed_ns(place: str) -> int:
    try:
        return os.stat(place or ".").st_mtime_ns
    except OSError:
        return -1


def _pin(distribution: importlib.metadata.Distribution) -> str | None:
    # `distribution.metadata` also parses the description, which for all packages takes longer than a snapshot may
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    facts = dict(line.split(": ", 1) for line in text.partition("\n\n")[0].splitlines() if ": " in line)
    name, version = facts.get("Name"), facts.get("Version")
    return f"{name.strip()}=={version.strip()}" if name and version else None
