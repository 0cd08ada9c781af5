"""Public notebooks of other people: what came of each when the list was made still comes of it, and nothing is wrong."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.conversion.public import CONVERTS, ONE_WORD, REFUSED, Outcome, outcome_of, summary, table
from tests.conversion.public_reader import (
    PublicNotebook,
    Repair,
    missing,
    public_notebooks,
)

pytestmark = pytest.mark.prove_conversion

NOTEBOOKS = public_notebooks()
HERE = [one for one in NOTEBOOKS if one.expect != "not here"]
BY_EXPECTATION = {"converts": CONVERTS, "one word": ONE_WORD, "refused": REFUSED}


@pytest.mark.full
@pytest.mark.timeout(1800)
# what libraries warn of in other people's code is none of the list's business, and to a server it is no error
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("notebook", HERE, ids=lambda one: one.name)
def test_a_public_notebook_is_converted_rightly_or_refused_as_before(
    notebook: PublicNotebook,
    shared_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    figures: Counter[str],
) -> None:
    named = os.environ.get("MLALM_PUBLIC_NOTEBOOKS", "")
    if not named:
        pytest.skip("MLALM_PUBLIC_NOTEBOOKS names no folder; docs/reference/conversion.md says what is in it")
    if why := missing(notebook, Path(named)):
        pytest.skip(why)
    monkeypatch.setenv("MLALM_HOME", str(shared_home))
    for name in ("MLALM_WORKSPACE", "MLALM_RUN", "MLALM_JOB"):
        monkeypatch.delenv(name, raising=False)
    found = outcome_of(notebook, Path(named), tmp_path / "ws")
    if found.outcome == "does not run" and "ModuleNotFoundError" in found.told:
        pytest.skip(found.told)
    assert found.outcome == BY_EXPECTATION[notebook.expect], found.told
    assert bool(found.compared) == (notebook.expect != "refused")
    figures[f"public notebooks that hold {notebook.models} trained model(s): {found.outcome}"] += 1


def test_the_list_has_twenty_notebooks_of_ten_people_that_run_and_reasons_for_the_others() -> None:
    assert len(HERE) >= 20
    assert len({one.repo.partition("/")[0] for one in HERE}) >= 10
    assert all(one.reason for one in NOTEBOOKS if one.expect not in ("converts", "one word"))
    assert all(one.answer and one.rows for one in HERE if one.expect != "refused")
    assert all(one.model for one in HERE if one.expect == "one word")
    assert all(
        re.fullmatch("[0-9a-f]{64}", sha) for one in NOTEBOOKS for sha in (one.sha256, *one.files.values())
    )


def test_a_notebook_that_is_not_there_or_is_another_version_is_told(tmp_path: Path) -> None:
    first = HERE[0]
    assert "is not in the folder" in missing(first, tmp_path)
    file = tmp_path / first.folder / first.path
    file.parent.mkdir(parents=True)
    file.write_text("{}", encoding="utf-8")
    assert "another version" in missing(first, tmp_path)


def test_a_repair_changes_what_it_names_and_says_where_there_is_nothing_to_change() -> None:
    assert Repair("gone", cell=2, find="a(", put="b(").mended("x = a(1)", where="n") == "x = b(1)"
    assert Repair("moved", cell=2, file="t.csv", put="../t.csv").mended("read('C:/me/t.csv')", where="n") == (
        'read("../t.csv")'
    )
    assert Repair("none", put="import os").mended("os.sep", where="n") == "import os\nos.sep"
    assert Repair("draws", cell=1, drop=True).mended("plot()", where="n") == "pass"
    for repair in (Repair("", cell=2, find="y"), Repair("", cell=2, file="t.csv")):
        with pytest.raises(ValueError, match="cell 2"):
            repair.mended("x", where="n")


def test_the_report_counts_those_that_convert_of_those_that_hold_a_model() -> None:
    made = [
        Outcome("a/b", "1.ipynb", "project", "one", CONVERTS, compared=40),
        Outcome("a/b", "2.ipynb", "project", "several", REFUSED, told="Several | models."),
        Outcome("a/c", "3.ipynb", "course", "several", ONE_WORD, compared=3),
    ]
    told = summary(made)
    assert (
        "1 hold one trained model: 1 convert by themselves, 0 with one word from a person, 0 are refused."
        in told
    )
    assert (
        "2 hold several trained models: 0 convert by themselves, 1 with one word from a person, 1 are" in told
    )
    assert "Wrong: 0." in told
    assert "| a/b, `2.ipynb` | several | refused |  | Several \\| models. |" in table(made)
