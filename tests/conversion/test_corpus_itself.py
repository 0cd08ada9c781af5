"""The corpus says what is right; here it is asked whether it is right itself. No converter takes part."""

from __future__ import annotations

import importlib.util
import random
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from tests.conversion.corpus_reader import (
    FOLDER,
    CorpusNotebook,
    as_notebook,
    corpus_paths,
    read_corpus_file,
    run_plainly,
)

NOTEBOOKS = [read_corpus_file(path) for path in corpus_paths()]
ANSWERED = [corpus for corpus in NOTEBOOKS if corpus.expect == "converts" or "def answer" in corpus.answer]
NOT_ANSWERED = [corpus for corpus in NOTEBOOKS if corpus not in ANSWERED]


def named(corpora: list[CorpusNotebook]) -> list[Any]:
    return [pytest.param(corpus, id=corpus.name) for corpus in corpora]


def run_in_proofs(corpora: list[CorpusNotebook]) -> list[Any]:
    """The corpus changes seldom, so that `make test` runs every tenth of its notebooks."""
    return [
        pytest.param(corpus, id=corpus.name, marks=() if corpus.name[1] == "7" else pytest.mark.full)
        for corpus in corpora
    ]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the corpus' folder to run in: notebooks write files; and no module of theirs stays behind."""
    import matplotlib.pyplot as plt

    shutil.copytree(FOLDER / "data", tmp_path / "data")
    shutil.copytree(FOLDER / "modules", tmp_path / "modules")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before, path_before = set(sys.modules), list(sys.path)
    backend, options = plt.get_backend(), np.get_printoptions()
    plt.switch_backend("agg")
    random.seed(7)
    np.random.seed(7)
    with warnings.catch_warnings(), pd.option_context("display.max_columns", None):
        warnings.simplefilter("ignore")
        yield tmp_path
    plt.close("all")
    plt.switch_backend(backend)
    np.set_printoptions(**options)
    sys.path[:] = path_before
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)) or name == "modules":
            del sys.modules[name]


def ran(corpus: CorpusNotebook) -> dict[str, Any]:
    for library in corpus.needs:
        pytest.importorskip(library)
    importlib.invalidate_caches()
    return run_plainly(corpus)


def agree(one: Any, other: Any) -> None:
    """Numbers to the last digits that adding in another order moves; everything else exactly."""
    left, right = np.asarray(one), np.asarray(other)
    assert left.shape == right.shape
    if left.dtype.kind in "iufb" and right.dtype.kind in "iufb":
        np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)
    else:
        assert left.tolist() == right.tolist()


def test_the_corpus_has_every_expectation_and_each_number_once() -> None:
    expectations = Counter(corpus.expect for corpus in NOTEBOOKS)
    # pytest would take such a file for tests
    assert not [corpus.name for corpus in NOTEBOOKS if corpus.name.endswith("_test")]
    numbers = [int(corpus.name[:2]) for corpus in NOTEBOOKS]
    assert numbers == list(range(1, len(NOTEBOOKS) + 1))
    assert len(NOTEBOOKS) >= 70
    assert expectations["converts"] >= 40
    assert min(expectations[kind] for kind in ("refused", "either", "not-predictive")) >= 3


@pytest.mark.parametrize("corpus", named(NOTEBOOKS))
def test_a_file_says_all_that_its_expectation_needs(corpus: CorpusNotebook) -> None:
    assert {"title", "why", "input", "label", "output"} <= corpus.head.keys()
    assert bool(corpus.mentions) == (corpus.expect == "refused")
    assert ("def answer" in corpus.answer) == (corpus.expect in ("converts", "either"))
    assert set(corpus.ran) <= set(range(1, len(corpus.code) + 1))
    text = "\n".join(cell.text for cell in corpus.cells)
    assert "=== answer" not in text
    notebook = as_notebook(corpus)
    again = nbformat.reads(nbformat.writes(notebook), as_version=4)
    assert [cell.source for cell in again.cells] == [cell.text for cell in corpus.cells]


def test_the_counts_of_a_notebook_tell_that_a_cell_ran_twice() -> None:
    [corpus] = [corpus for corpus in NOTEBOOKS if corpus.name.startswith("26_")]
    counts = [cell.execution_count for cell in as_notebook(corpus).cells if cell.cell_type == "code"]
    assert counts == [1, 4, 3, 5, 6]


def test_the_data_is_what_its_generator_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("make_data", FOLDER / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    make_data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_data)
    monkeypatch.setattr(make_data, "DATA", tmp_path)
    make_data.main()
    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.*")}
    assert written == {path.relative_to(FOLDER / "data") for path in (FOLDER / "data").rglob("*.*")}
    for path in written:  # line by line; the last digits are the affair of a machine's mathematics
        ours, theirs = (folder / path for folder in (tmp_path, FOLDER / "data"))
        assert len(ours.read_bytes().splitlines()) == len(theirs.read_bytes().splitlines())
        assert ours.read_bytes().split(b"\n")[0] == theirs.read_bytes().split(b"\n")[0]


@pytest.mark.parametrize(
    "text",
    [
        "# expect: maybe\n# %%\n1\n",
        "# expect: converts\n# colour: red\n# %%\n1\n",
        "# expect: converts\nimport os\n# %%\n1\n",
        "# expect: converts\n# expect: refused\n# %%\n1\n",
        "# expect: converts\n# %% [raw]\n1\n",
    ],
)
def test_a_file_that_is_none_of_the_corpus_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "01_x.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"01_x|beginning of a cell"):
        read_corpus_file(path)


@pytest.mark.parametrize("corpus", run_in_proofs(NOT_ANSWERED))
def test_a_notebook_without_an_answer_runs_all_the_same(corpus: CorpusNotebook, desk: Path) -> None:
    assert ran(corpus)


@pytest.mark.parametrize("corpus", run_in_proofs(ANSWERED))
def test_an_answer_is_what_the_notebook_itself_said(corpus: CorpusNotebook, desk: Path) -> None:
    names = ran(corpus)
    answer, rows, label = names["answer"], names["rows"], corpus.head["label"]
    shutil.rmtree(desk / "data")  # what was learned is learned: an answer reads no file

    held = names["held_rows"]
    agree(answer(held), names["held_predictions"])
    assert len(held) >= 5
    assert len({str(one) for one in np.asarray(answer(held)).tolist()}) > 1, "a constant is no oracle"

    before = rows.copy(deep=True)
    given = np.asarray(answer(rows))
    pd.testing.assert_frame_equal(rows, before)
    assert len(given) == len(rows) >= 2
    assert not pd.isna(given).any()
    agree(answer(rows.drop(columns=label, errors="ignore")), given)
    for position in range(len(rows)):  # no row looks at its neighbours
        agree(answer(rows.iloc[[position]]), given[[position]])
    agree(answer(rows.iloc[::-1]), given[::-1])
    assert set(rows.columns) - {label} == set(held.columns) - {label}

    columns = [column for column in rows.columns if column != label]
    seen = set(map(str, held[columns].to_numpy().tolist()))
    assert not seen & set(map(str, rows[columns].to_numpy().tolist())), (
        "rows to ask with are not the notebook's own"
    )
