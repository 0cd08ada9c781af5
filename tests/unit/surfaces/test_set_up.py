"""What setting up a service came to, as a person is shown it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.setup import FittedAsset, Proven, SetUp, SourceCell
from mlalm_jupyter.surfaces.display import html_of, text_of

pytestmark = pytest.mark.prove_conversion

CELLS = (
    SourceCell(1, "Read", "import"),
    SourceCell(2, "Tidy", "transform", ("role:transform",), stays="all"),
    SourceCell(3, "Scale", "transform", stays="part", fitted=("scaler", "mean")),
    SourceCell(4, "Train", "train", fitted=("model",)),
    SourceCell(5, "Score", "score", stays="part"),
)
SET_UP = SetUp(
    Experiment("e", "teams/my churn.predictive.ipynb", "predictive", "2026-11-21T09:30:00Z"),
    "teams/my churn.ipynb",
    "0193ab12cd34",
    inputs=("age", "income"),
    outputs=("predictions",),
    assets=(
        FittedAsset("scaler", "transform", "churn-scaler:1"),
        FittedAsset("mean", "value", "2.5"),
        FittedAsset("model", "model", "churn:1"),
    ),
    kept=(2, 3, 5),
    left_out=(1, 4),
    cells=CELLS,
    not_needed=("id",),
    proven=Proven(20, 20, 46),
    warnings=("Rows that `dropna` left out are answered.",),
)


def test_it_says_at_a_glance_what_comes_in_what_goes_out_and_what_was_fitted() -> None:
    assert text_of(SET_UP).splitlines() == [
        "Predictive notebook teams/my churn.predictive.ipynb",
        "  written             teams/my churn.predictive.ipynb",
        "  cut out of          teams/my churn.ipynb",
        "  rows come in with   age, income",
        "  columns not needed  id",
        "  answers             predictions",
        "  shown               ✓ all answered alike: 20 rows of the notebook, 20 that it never had, 46 rows alone",
        "",
        "Warning: Rows that `dropna` left out are answered.",
        "",
        "What stays of my churn.ipynb in my churn.predictive.ipynb",
        "  in   rows come in: age, income",
        "  1    import       Read   left out",
        "  2    transform ✎  Tidy   stays as it is",
        "  3    transform    Scale  stays in part; what it fitted is loaded: churn-scaler:1, mean",
        "  4    train        Train  what it fitted is loaded: churn:1",
        "  5    score        Score  stays in part",
        "  out  answers go out: predictions",
        "",
        "What was fitted",
        "IN THE NOTEBOOK  IS A       KEPT AS         IN CELL",
        "scaler           transform  churn-scaler:1        3",
        "mean             value      2.5                   3",
        "model            model      churn:1               4",
        "",
        "Run it with `mlalm experiment run 'teams/my churn.predictive.ipynb'`, then deploy it.",
    ]


def test_the_notebook_that_was_written_can_be_opened_from_the_one_it_was_cut_out_of() -> None:
    html = html_of(SET_UP)
    assert '<a href="my%20churn.predictive.ipynb">teams/my churn.predictive.ipynb</a>' in html
    assert "<b>Warning</b> Rows that <code>dropna</code> left out are answered." in html


def test_a_notebook_that_was_made_again_is_not_called_written() -> None:
    text = text_of(replace(SET_UP, is_new=False, by_hand=("a", "b"), held_back=("b",)))
    assert "  made again          teams/my churn.predictive.ipynb" in text
    assert "b     as it was; something else would stand here now" in text
    assert (
        "something else now where your cells stay (b), and was shown to answer alike without them"
        in " ".join(text.split())
    )
    assert "; without what you changed" in text
    assert "without" not in text_of(replace(SET_UP, is_new=False))


def test_one_that_stays_one_notebook_is_not_drawn_as_two() -> None:
    one = SetUp(
        Experiment("e", "tidy.ipynb", "training", ""),
        "tidy.ipynb",
        inputs=("df",),
        outputs=("out",),
        note="Run it.",
    )
    assert text_of(one) == "Notebook tidy.ipynb\n  rows come in as  df\n  answers are in   out\n\nRun it."
    assert "<svg" not in html_of(one)
