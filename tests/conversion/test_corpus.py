"""The corpus through the whole of it: run, cut out, run again, deployed, asked; right or refused, never wrong."""

from __future__ import annotations

import ast
import random
import re
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
import requests

from mlalm_jupyter.domain.errors import InvalidInput, MlalmError
from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.document import read_notebook, source
from mlalm_jupyter.notebook.predictive.plan import is_predictive, plan_of
from mlalm_jupyter.workspace import Workspace
from tests.conversion.corpus_reader import (
    FOLDER,
    CorpusNotebook,
    as_notebook,
    corpus_paths,
    read_corpus_file,
    run_plainly,
)
from tests.frameworks import need

pytestmark = [pytest.mark.prove_conversion, pytest.mark.timeout(900)]

NOTEBOOKS = [read_corpus_file(path) for path in corpus_paths()]
USUAL = ("07",)
"""Those that are taken through all of it in `make test`."""


def bytes_of(corpus: CorpusNotebook) -> bytes:
    return nbformat.writes(as_notebook(corpus)).encode()  # type: ignore[no-any-return, no-untyped-call]


@pytest.fixture
def ws(hosted: Any) -> Workspace:
    found: Workspace = hosted
    for name in ("data", "modules"):
        shutil.copytree(FOLDER / name, found.path / name)
    return found


@pytest.fixture
def plainly(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Notebooks run in this process as in a kernel that has just begun, and leave nothing behind."""
    monkeypatch.chdir(ws.path)
    monkeypatch.syspath_prepend(str(ws.path))
    backend, options = plt.get_backend(), np.get_printoptions()
    plt.switch_backend("agg")
    random.seed(7)
    np.random.seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    plt.close("all")
    plt.switch_backend(backend)
    np.set_printoptions(**options)


@pytest.mark.parametrize("corpus", NOTEBOOKS, ids=lambda one: one.name)
def test_what_must_not_be_converted_is_not_planned_or_left_to_the_proof(
    corpus: CorpusNotebook, figures: Counter[str]
) -> None:
    document = read_notebook(bytes_of(corpus))
    refused = None
    try:
        plan_of(document, ran=corpus.ran)
    except InvalidInput as error:
        refused = error
    planned = refused is None
    assert refused is None or (refused.fix and refused.got)
    if corpus.expect == "not-predictive":
        assert not is_predictive(document)
        assert not planned
    figures[f"notebooks of which the text says {'how to cut them' if planned else 'why not'}"] += 1


@pytest.mark.parametrize(
    "corpus",
    [
        pytest.param(one, id=one.name, marks=() if one.name[:2] in USUAL else pytest.mark.full)
        for one in NOTEBOOKS
        if one.expect != "not-predictive"
    ],
)
def test_a_training_notebook_is_converted_rightly_or_not_at_all(
    corpus: CorpusNotebook, ws: Workspace, plainly: None, figures: Counter[str]
) -> None:
    need(*corpus.needs)
    file = ws.path / "train.ipynb"
    file.write_bytes(bytes_of(corpus))
    before = {one.name for one in ws.path.glob("*.ipynb")}
    ws.experiments.run("train", timeout_s=300)
    figures["notebooks with a trained model"] += 1
    figures["notebooks in which a person has to say which model is meant"] += corpus.model is not None
    if corpus.model is not None:
        with pytest.raises(InvalidInput, match=f"%select_model {corpus.model}"):
            ws.services.setup("predictive", "train", timeout_s=300)
    try:
        made = ws.services.setup("predictive", "train", model=corpus.model, timeout_s=300)
    except MlalmError as error:
        told = str(error)
        figures[f"of those that {wanted(corpus)}: refused"] += 1
        figures[f"refused, {corpus.name} ({corpus.expect}): {told}"] += 1
        assert {one.name for one in ws.path.glob("*.ipynb")} == before, "something was written"
        assert ws.models.list() == ()
        for group in corpus.mentions if corpus.expect == "refused" else ():
            assert any(word.lower() in told.lower() for word in group), told
        return
    assert corpus.expect != "refused", "it was to be refused"
    assert file.read_bytes() == bytes_of(corpus), "the training notebook is as it was"
    assert made.proven is not None
    assert not fits_in(ws.path / made.experiment.path)
    ws.experiments.run(made.experiment.path, timeout_s=300)
    service = ws.services.deploy(made.experiment.path, "served")
    ports = requests.get(f"{service.default.address}/openapi.json", timeout=30).json()["components"][
        "schemas"
    ]
    assert list(ports["input1Item"]["properties"]) == list(made.inputs)
    assert list(ports["output1Item"]["properties"]) == list(made.outputs)
    right(corpus, ws, list(made.inputs), list(made.outputs))
    figures[f"of those that {wanted(corpus)}: converted, and right"] += 1


def fits_in(file: Path) -> list[str]:
    """What is fitted in a notebook, as its text says."""
    cells = read_notebook(file.read_bytes()).code_cells
    trees = [code_of(source(one)).tree for one in cells]
    calls = (one.func for tree in trees for one in ast.walk(tree) if isinstance(one, ast.Call))
    return [one.attr for one in calls if isinstance(one, ast.Attribute) and "fit" in one.attr.split("_")]


def wanted(corpus: CorpusNotebook) -> str:
    words = {"converts": "can be", "refused": "must be refused", "either": "may be either"}
    return words[corpus.expect]


def meant(corpus: CorpusNotebook, outputs: list[str]) -> Any:
    """Which columns of the answers the author worked out: the one that is named, where answers have more beside it."""
    named = re.match(r"""\w+\[["']([^"']+)["']\]""", corpus.head.get("output", ""))
    if named is None or len(outputs) == 1:
        return slice(None)
    return [outputs.index(named[1])]


def right(corpus: CorpusNotebook, ws: Workspace, columns: list[str], outputs: list[str]) -> None:
    """The service's answers are those that the author of the notebook worked out by hand."""
    if corpus.ran != tuple(range(1, len(corpus.code) + 1)) or "def answer" not in corpus.answer:
        return
    names = run_plainly(corpus)
    for rows in (names["rows"], names.get("held_rows")):
        if rows is None:
            continue
        rows = fitting(ws, pd.DataFrame(rows).reset_index(drop=True).head(40), columns)
        place = meant(corpus, outputs)
        alike(asked(ws, rows[columns])[:, place], names["answer"](rows))
        alike(asked(ws, rows[columns].head(1))[:, place], names["answer"](rows.head(1)))


def fitting(ws: Workspace, rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The rows without those that have a fraction where the notebook's own rows have whole numbers only."""
    try:
        asked(ws, rows[columns])
    except InvalidInput as error:
        refused = str(error)
    else:
        return rows
    assert "expected a whole number" in refused
    column = refused.partition("Column '")[2].partition("'")[0]
    whole = rows[column] % 1 == 0
    assert not whole.all()
    return rows[whole].astype({column: "int64"}).reset_index(drop=True)


def asked(ws: Workspace, rows: pd.DataFrame) -> Any:
    scored = ws.services.score("served", rows)
    return np.array(scored.rows, dtype=object)


def alike(given: Any, expected: Any) -> None:
    expected = np.asarray(expected.to_numpy() if hasattr(expected, "to_numpy") else expected, dtype=object)
    assert given.size == expected.size, (given.shape, expected.shape)
    for one, other in zip(given.ravel(), expected.ravel(), strict=True):
        if isinstance(other, (int, float, np.number)) and not isinstance(other, bool):
            assert float(one) == pytest.approx(float(other), rel=1e-6, abs=1e-9)
        else:
            assert str(one) == str(other)
