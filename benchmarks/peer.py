"""Programs we measure ourselves against, each in a virtual environment of its own, made when it is first needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from types import TracebackType
from typing import Any

_HERE = Path(__file__).resolve().parent
_PEERS = _HERE.parent / ".cache" / "peers"


def environment(name: str) -> Path:
    """The interpreter of a peer's environment, with the newest release of it that pip gives.

    BENCH_PEERS names a folder that holds such environments already.
    """
    folder = Path(os.environ.get("BENCH_PEERS", _PEERS)) / name
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        venv.create(folder, clear=True, symlinks=True)
        # by the pip that runs us, and with nothing compiled before it is imported: that takes most of the time
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, name], check=True)
        done.touch()
    return python


class PeerProcess:
    """A peer that answers one request after another, so that it is measured warm."""

    def __init__(self, name: str, folder: Path, *, of: str = "runs") -> None:
        folder.mkdir()
        program = _HERE / "peers" / f"{name}_{of}.py"
        self._process = subprocess.Popen(
            [environment(name), program, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sys.stderr if os.environ.get("BENCH_LOUD") else subprocess.DEVNULL,
            text=True,
        )

    def ask(self, request: str, **given: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([request, given]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"The peer ended at '{request}'; BENCH_LOUD=1 shows what it says.")
        return json.loads(answer)

    def __enter__(self) -> PeerProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
