"""Asking the code of a service in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlalm_jupyter.adapters import exact_frames
from mlalm_jupyter.adapters.slice_process import ANSWERS, ASKED, hung_at
from mlalm_jupyter.adapters.tracked_notebook import thing_told
from mlalm_jupyter.notebook.predictive.proof import KeptFrame, KeptThing

_SAID = "said.txt"
_STARTING_S = 60.0
"""What the process may take to start and to tell where it hung, beyond the time for its answers."""


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
            "timeout_s": self.timeout_s,
            "parent": os.getpid(),
        }
        (folder / ASKED).write_text(json.dumps(told), encoding="utf-8")
        return _read(folder, len(questions), self._said(folder, empty))

    def _said(self, folder: Path, cwd: Path) -> str:
        """What became of the process that answers, where it did not come to its end; nothing of it stays."""
        with open(folder / _SAID, "wb") as into:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mlalm_jupyter.adapters.slice_process", str(folder)],
                cwd=cwd,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=into,
                # whatever it starts is ended with it
                start_new_session=True,
            )
            try:
                status = process.wait(None if self.timeout_s is None else self.timeout_s + _STARTING_S)
            except subprocess.TimeoutExpired:
                return f"it took longer than {self.timeout_s:g} s"
            finally:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        said = (folder / _SAID).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if status < 0:
            return f"its process was ended by {_name_of(-status)}"
        return said[-1] if said else f"the process ended with status {status}"


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _read(folder: Path, count: int, said: str) -> list[Answer]:
    file = folder / ANSWERS
    found: list[Answer] = []
    for line in file.read_text(encoding="utf-8").splitlines()[:count] if file.exists() else []:
        try:
            told = json.loads(line)
        except ValueError:
            break  # it was ended in the midst of it
        if "file" in told:
            frame = exact_frames.read(folder / Path(told["file"]).name, told["types"])
            found.append(Answer(frame, given=tuple(told["given"]), made=str(told["made"])))
        else:
            found.append(Answer(None, str(told["error"]), told.get("line")))
    if len(found) < count and (hung := hung_at(folder)):
        return found + [Answer(None, *hung)] * (count - len(found))
    return found + [Answer(None, said[:300])] * (count - len(found))
