"""Asking the code of a service in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlalm_jupyter.adapters import exact_frames
from mlalm_jupyter.adapters.slice_process import ANSWERS, ASKED
from mlalm_jupyter.adapters.tracked_notebook import thing_told
from mlalm_jupyter.notebook.predictive.proof import KeptFrame, KeptThing


@dataclass(frozen=True)
class Answer:
    """A table, or why there is none."""

    frame: pd.DataFrame | None
    error: str = ""
    line: int | None = None
    """Of the code."""
    given: tuple[Mapping[str, str], ...] = ()
    """Digests of what the fitted things were given, by column where it was a table, if that was watched."""
    made: str = ""
    """A digest of what they made of it."""


@dataclass(frozen=True)
class Slices:
    """The fitted things and tables of one proof, for any code that is asked."""

    things: Sequence[KeptThing]
    tables: Mapping[str, KeptFrame]
    scratch: Path
    timeout_s: float | None = None

    def ask(self, code: str, questions: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """An answer to each question, in their order.

        The process starts in an empty folder, so that code that reads files next to the notebook fails as it would
        in a server.
        """
        folder = Path(tempfile.mkdtemp(prefix="slice-", dir=self.scratch))
        empty = folder / "empty"
        empty.mkdir()
        told = {
            "code": code,
            "things": [thing_told(one) for one in self.things],
            "tables": {
                name: {"file": str(one.file), "types": dict(one.types)} for name, one in self.tables.items()
            },
            "questions": list(questions),
        }
        (folder / ASKED).write_text(json.dumps(told), encoding="utf-8")
        command = [sys.executable, "-P", "-m", "mlalm_jupyter.adapters.slice_process", str(folder)]
        said = ""
        try:
            done = subprocess.run(
                command,
                cwd=empty,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self.timeout_s,
                check=False,
            )
            said = (done.stderr.strip().splitlines() or [f"the process ended with status {done.returncode}"])[
                -1
            ]
        except subprocess.TimeoutExpired:
            said = f"it took longer than {self.timeout_s:g} s"
        return _read(folder, len(questions), said)


def _read(folder: Path, count: int, said: str) -> list[Answer]:
    file = folder / ANSWERS
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    found: list[Answer] = []
    for line in lines[:count]:
        told = json.loads(line)
        if "file" in told:
            frame = exact_frames.read(folder / Path(told["file"]).name, told["types"])
            found.append(Answer(frame, given=tuple(told["given"]), made=str(told["made"])))
        else:
            found.append(Answer(None, str(told["error"]), told.get("line")))
    return found + [Answer(None, said[:300])] * (count - len(found))
