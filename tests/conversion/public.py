"""Public notebooks through the whole of it: run, cut out, run again, deployed, asked; and a report of what came of each.

    python -m tests.conversion.public FOLDER [--only WORD] [--json FILE]

FOLDER has them as public.json beside this file says; what is not there, or is another version, is told and left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.predictive.plan import is_predictive
from mlalm_jupyter.workspace import Workspace
from tests.conversion.public_reader import LIST, PublicNotebook, missing, public_notebooks, staged

CONVERTS, ONE_WORD, REFUSED, WRONG = "converts", "one word", "refused", "wrong"
NOT_RUN, NOTHING_TRAINED, ABSENT = "does not run", "trains nothing", "not here"
_SOURCES = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 600


@dataclass(frozen=True)
class Outcome:
    """What came of a notebook."""

    repo: str
    path: str
    kind: str
    models: str
    outcome: str
    told: str = ""
    """The sentence of a refusal, or of what went wrong."""
    told_first: str = ""
    """Where a word was needed: what was said without it."""
    inputs: tuple[str, ...] = ()
    proven: str = ""
    compared: int = 0
    """Answers of the service that were compared with those of the notebook itself."""
    repairs: int = 0
    seconds: float = 0.0


def outcome_of(notebook: PublicNotebook, folder: Path, place: Path) -> Outcome:
    """Take a notebook through all of it, in a workspace that is made at `place`."""
    begun = time.monotonic()
    with Workspace.init(place) as ws:
        made = _outcome(notebook, folder, ws)
    return dataclasses.replace(
        made, repairs=len(notebook.repairs), seconds=round(time.monotonic() - begun, 1)
    )


def _outcome(notebook: PublicNotebook, folder: Path, ws: Workspace) -> Outcome:
    base = Outcome(notebook.repo, notebook.path, notebook.kind, notebook.models, NOT_RUN)
    path = staged(notebook, folder, ws.path)
    before = (ws.path / path).read_bytes()
    try:
        ws.experiments.run(path, timeout_s=_TIMEOUT_S)
    except MlalmError as error:
        return dataclasses.replace(base, told=str(error))
    if not is_predictive(read_notebook(before)):
        return dataclasses.replace(base, outcome=NOTHING_TRAINED)
    first = ""
    try:
        made = ws.services.setup("predictive", path, timeout_s=_TIMEOUT_S)
    except MlalmError as error:
        first = str(error)
        if not notebook.model:
            return dataclasses.replace(base, outcome=REFUSED, told=first)
        try:
            made = ws.services.setup("predictive", path, model=notebook.model, timeout_s=_TIMEOUT_S)
        except MlalmError as again:
            return dataclasses.replace(base, outcome=REFUSED, told=str(again), told_first=first)
    base = dataclasses.replace(
        base, outcome=ONE_WORD if first else CONVERTS, told_first=first, inputs=made.inputs
    )
    if made.proven is not None:
        rows = (made.proven.rows, made.proven.perturbed_rows, made.proven.single_rows)
        base = dataclasses.replace(base, proven=" + ".join(str(one) for one in rows))
    if (ws.path / path).read_bytes() != before:
        return dataclasses.replace(base, outcome=WRONG, told="The training notebook was changed.")
    try:
        ws.experiments.run(made.experiment.path, timeout_s=_TIMEOUT_S)
        ws.services.deploy(made.experiment.path, "served")
        compared = _compared(notebook, ws, made.inputs)
    except (MlalmError, AssertionError) as error:
        return dataclasses.replace(base, outcome=WRONG, told=f"{type(error).__name__}: {error}")
    return dataclasses.replace(base, compared=compared)


def _compared(notebook: PublicNotebook, ws: Workspace, columns: Sequence[str]) -> int:
    """How many answers of the service are those of the notebook, all of them; AssertionError where one is not."""
    if not notebook.answer:
        return 0
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "answers"
        env = os.environ | {"PYTHONPATH": os.pathsep.join([str(_SOURCES), os.environ.get("PYTHONPATH", "")])}
        cwd = (ws.path / notebook.path).parent
        command = [sys.executable, "-m", "tests.conversion.public_answers", Path(notebook.path).name]
        command += [notebook.rows, notebook.answer, str(file)]
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, timeout=_TIMEOUT_S, text=True)
        assert not done.returncode, f"The notebook's own answers could not be had: {done.stderr[-300:]}"
        rows, right = pickle.loads(file.read_bytes())
    asked = rows.rename(columns=str)
    assert {*columns} <= {*asked.columns}, (
        f"the rows of the list have {list(asked.columns)}, not {list(columns)}"
    )
    asked = asked[list(columns)]
    count = _alike(ws.services.score("served", asked).rows, right)
    _alike(ws.services.score("served", asked.head(1)).rows, right[:1])
    return count


def _alike(given: Any, right: Any) -> int:
    one, other = np.array(given, dtype=object), np.asarray(pd.DataFrame(right), dtype=object)
    assert one.size == other.size, f"{one.shape} instead of {other.shape}"
    for number, (left, wanted) in enumerate(zip(one.ravel(), other.ravel(), strict=True)):
        if isinstance(wanted, (int, float, np.number)) and not isinstance(wanted, bool):
            is_alike = bool(np.isclose(float(left), float(wanted), rtol=1e-6, atol=1e-9, equal_nan=True))
        else:
            is_alike = str(left) == str(wanted)
        assert is_alike, f"{left} instead of {wanted} in answer {number}"
    return len(one)


def table(outcomes: Sequence[Outcome]) -> str:
    """A line for each notebook, in Markdown."""
    lines = ["| notebook | trained models | outcome | compared | told |", "|---|---|---|---|---|"]
    for one in outcomes:
        told = one.told.replace("|", "\\|").replace("\n", " ")
        lines.append(
            f"| {one.repo}, `{one.path}` | {one.models} | {one.outcome} | {one.compared or ''} | {told} |"
        )
    return "\n".join(lines)


def summary(outcomes: Sequence[Outcome]) -> str:
    """The figures: how many convert, of those that hold one trained model and of those that hold several."""
    lines = []
    for models in ("one", "several"):
        those = [one for one in outcomes if one.models == models and one.outcome not in (NOT_RUN, ABSENT)]
        counts = Counter(one.outcome for one in those)
        lines.append(
            f"{len(those)} hold {models} trained model{'s' if models == 'several' else ''}: "
            f"{counts[CONVERTS]} convert by themselves, {counts[ONE_WORD]} with one word from a person, "
            f"{counts[REFUSED] + counts[NOTHING_TRAINED]} are refused."
        )
    counts = Counter(one.outcome for one in outcomes)
    lines.append(f"{counts[NOT_RUN] + counts[ABSENT]} cannot be run. Wrong: {counts[WRONG]}.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the public notebooks are")
    parser.add_argument("--list", type=Path, default=LIST, help="another list than public.json")
    parser.add_argument("--only", default="", help="those with this word in their repository or path")
    parser.add_argument("--json", type=Path, help="write the outcomes here, too")
    parser.add_argument("--keep", type=Path, help="leave the workspaces in this folder")
    args = parser.parse_args()
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="mlalm-public-") as scratch:
        root = args.keep or Path(scratch)
        os.environ.setdefault("MLALM_HOME", str(root / "home"))
        for number, one in enumerate(public_notebooks(args.list)):
            if args.only not in one.name:
                continue
            why = missing(one, args.folder)
            if why or one.expect == ABSENT:
                made = Outcome(one.repo, one.path, one.kind, one.models, ABSENT, why or one.reason)
            else:
                made = outcome_of(one, args.folder, root / f"ws-{number}")
            outcomes.append(made)
            print(f"{made.outcome:>14}  {one.name}  {made.told}", file=sys.stderr, flush=True)
            if args.json:
                args.json.write_text(json.dumps([dataclasses.asdict(each) for each in outcomes], indent=1))
        _stop_server()
    print(table(outcomes))
    print()
    print(summary(outcomes))


def _stop_server() -> None:
    from mlalm_jupyter.plugins import service_host

    service_host()().stop()


if __name__ == "__main__":
    main()
