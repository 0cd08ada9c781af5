"""What a run depends on besides its notebook: interpreter, packages, git."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path


class MachineSurroundings:
    """The interpreter and machine this process runs on."""

    def environment(self) -> tuple[dict[str, object], bytes]:
        pins = {pin for one in importlib.metadata.distributions() if (pin := _pin(one))}
        facts: dict[str, object] = {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": platform.platform(),
            "executable": sys.executable,
        }
        return facts, ("\n".join(sorted(pins, key=str.lower)) + "\n").encode()

    def git(self, folder: Path) -> dict[str, object]:
        commit = _git(folder, "rev-parse", "HEAD")
        if commit is None:
            return {}
        return {
            "commit": commit,
            "is_dirty": bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
        }


def _pin(distribution: importlib.metadata.Distribution) -> str | None:
    # `distribution.metadata` also parses the description, which for all packages takes longer than a snapshot may
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    facts = dict(line.split(": ", 1) for line in text.partition("\n\n")[0].splitlines() if ": " in line)
    name, version = facts.get("Name"), facts.get("Version")
    return f"{name.strip()}=={version.strip()}" if name and version else None


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
