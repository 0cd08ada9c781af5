"""A process of its own in which the code of a service answers tables, with nothing of a notebook around it.

`python -P -m mlalm_jupyter.adapters.slice_process FOLDER` reads `slice.json` in that folder: the code, the fitted
things, and what to ask, in their order. What came of each is written to `answers.jsonl` as it is known.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import re
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mlalm_jupyter.adapters import exact_frames
from mlalm_jupyter.adapters.descendants import signal_at_death_of
from mlalm_jupyter.adapters.traced_things import thing_from
from mlalm_jupyter.adapters.watched_things import Watching, unlike
from mlalm_jupyter.formats import frames
from mlalm_jupyter.formats.code import CodeModule
from mlalm_jupyter.formats.confined import FILES, OTHERS, PROGRAMS, Outreach, confined
from mlalm_jupyter.formats.samples import as_served
from mlalm_jupyter.notebook.predictive.code import ENTRY
from mlalm_jupyter.notebook.predictive.modules import LOADER

ASKED, ANSWERS, HUNG = "slice.json", "answers.jsonl", "hung.txt"
_FILE = "<service>"
_LONGEST_S = 600.0
"""How long one question may take where nobody has set a limit: the notebook itself came to its end."""
_FRAME = re.compile(r'  File "(.*)", line (\d+) in (\S+)')


def main(folder: Path) -> None:
    """Answer all that is asked in a folder."""
    told = json.loads((folder / ASKED).read_text(encoding="utf-8"))
    if not signal_at_death_of(told["parent"], signal.SIGKILL):
        return
    things = {one["name"]: thing_from(one) for one in told["things"]}
    tables = {
        name: exact_frames.read(Path(one["file"]), one["types"]) for name, one in told["tables"].items()
    }
    watching = Watching(things.values())
    end_s = time.monotonic() + (told["timeout_s"] or 0)
    with (
        open(folder / ANSWERS, "w", encoding="utf-8") as answers,
        open(folder / HUNG, "w", encoding="utf-8") as hung,
    ):
        for number, question in enumerate(told["questions"]):
            line: dict[str, Any] = {}
            limit_s = max(0.1, end_s - time.monotonic()) if told["timeout_s"] else _LONGEST_S
            faulthandler.dump_traceback_later(limit_s, exit=True, file=hung)
            try:
                with (
                    contextlib.redirect_stdout(io.StringIO()),
                    warnings.catch_warnings(),
                    confined(FILES, PROGRAMS, OTHERS),
                ):
                    warnings.simplefilter("ignore")
                    # a new one each time, so that nothing it keeps for itself comes from an earlier question
                    module = CodeModule(told["code"], name="mlalm_slice", file=_FILE)
                    if question.get("is_watched"):
                        watching.begin()
                    table = _table(tables, question)
                    if question.get("is_each"):
                        _check_each(module, things, table, watching)
                    found = _asked(module, things, table)
                given, made = watching.ended()
                file = folder / f"answer-{number}.parquet"
                types = exact_frames.written(found, file)
                line = {"file": file.name, "types": types, "given": given, "made": made}
            except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's code may raise anything
                watching.ended()
                why = str(error) if isinstance(error, Outreach) else f"{type(error).__name__}: {error}"
                line = {"error": why[:300], "line": _line(error)}
            faulthandler.cancel_dump_traceback_later()
            answers.write(json.dumps(line) + "\n")
            answers.flush()


def hung_at(folder: Path) -> tuple[str, int | None] | None:
    """What the process in a folder was at when its time was over, and the line of its code; None where it was not."""
    file = folder / HUNG
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    if not text:
        return None
    limit_s = json.loads((folder / ASKED).read_text(encoding="utf-8"))["timeout_s"] or _LONGEST_S
    frames = [one for one in _FRAME.findall(text) if one[0].startswith("<") and one[2] != LOADER]
    lines = [int(line) for name, line, _ in frames if name == _FILE]
    said = f"it took longer than {limit_s:g} s"
    inner = next(((name, where) for name, _, where in frames if where not in ("<module>", ENTRY)), None)
    if inner:
        module = "" if inner[0] == _FILE else f" of {inner[0].strip('<>')}"
        said += f", and was in `{inner[1]}`{module} then"
    return said, lines[0] if lines else None


def _asked(module: CodeModule, things: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    found = module[ENTRY](table, **things)
    assert isinstance(found, pd.DataFrame)
    return found


def _check_each(
    module: CodeModule, things: Mapping[str, Any], table: pd.DataFrame, watching: Watching
) -> None:
    """ValueError says which row reaches a fitted thing otherwise when it is alone.

    A class that stays the same does not show that a row is worked out alone: it may only be far from the border.
    """
    whole = watching.calls_of(lambda: _asked(module, things, table.copy()))
    for row in range(len(table)):
        lone = table.iloc[[row]].reset_index(drop=True)
        try:
            alone = watching.calls_of(lambda lone=lone: _asked(module, things, lone))  # type: ignore[misc]
        except Exception:  # noqa: BLE001  # what fails alone is asked about elsewhere
            continue
        if told := unlike(whole, alone, row, len(table)):
            raise ValueError(told)


def _table(tables: Mapping[str, pd.DataFrame], question: Mapping[str, Any]) -> pd.DataFrame:
    """The table that a question is about: rows and columns of one that is kept, changed as it says."""
    table = tables[question["table"]]
    if (rows := question.get("rows")) is not None:
        table = table.iloc[rows]
    if (column := question.get("changed")) is not None:
        table = table.copy()
        other = tables[question["with"]]
        other = other if rows is None else other.iloc[rows]
        table.isetitem(
            list(table.columns).index(column),
            other[column].to_numpy(copy=True)
            if other[column].dtype == object
            else other[column].array.copy(),
        )
    if (columns := question.get("columns")) is not None:
        table = table[columns]
    if question.get("is_plain"):
        table = table.reset_index(drop=True)
    if question.get("is_served"):
        table = table.reset_index(drop=True)
        table = as_served(frames.schema_of(table), table)
    return table.copy()


def _line(error: BaseException) -> int | None:
    lines = [
        one.lineno
        for one in traceback.extract_tb(error.__traceback__)
        if one.filename == _FILE and not one.name.startswith(LOADER)
    ]
    return lines[-1] if lines else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
