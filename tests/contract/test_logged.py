"""Metrics and figures that a notebook logs, read back from what it showed; in a real kernel."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import mlalm_jupyter
from mlalm_jupyter.adapters.papermill_runner import PapermillRunner
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.run import RunStatus
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.findings import SCRAP, figures_in, metrics_in

pytestmark = pytest.mark.prove_experiments

LOGGING = """
import base64
from mlalm_jupyter import log_figure, log_metric
log_metric("auc", 0.5)
log_metric("auc", 0.75)
log_metric("loss", float("nan"))
log_metric("gain", float("-inf"))
import numpy
log_metric("rows", numpy.int64(10))
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
log_figure(PNG, "dot")
"""


def test_what_a_notebook_logs_is_read_back_from_its_outputs(tmp_path: Path) -> None:
    content = nbformat.writes(new_notebook(cells=[new_code_cell(LOGGING)])).encode()
    execution = PapermillRunner().execute(
        content, parameters={}, env={}, cwd=tmp_path, on_cell=lambda _: None
    )
    assert execution.status is RunStatus.FINISHED, execution.cause
    document = read_notebook(execution.notebook)
    assert list(metrics_in(document)) == ["auc", "loss", "gain", "rows"]
    metrics = metrics_in(document)
    assert (metrics["auc"], metrics["gain"], metrics["rows"]) == (0.75, -math.inf, 10.0)
    assert math.isnan(metrics["loss"])
    (dot,) = figures_in(document)
    assert (dot.name, dot.media_type, dot.data[:4]) == ("dot", "image/png", b"\x89PNG")
    texts = [one["data"]["text/plain"] for one in document.code_cells[0]["outputs"]]
    assert [str("".join(text)) for text in texts] == [
        "auc: 0.5", "auc: 0.75", "loss: nan", "gain: -inf", "rows: 10", "figure dot"
    ]  # fmt: skip


def shown(*outputs: Any) -> Any:
    cell = {"cell_type": "code", "source": "1", "outputs": list(outputs)}
    return read_notebook(json.dumps({"nbformat": 4, "cells": [cell]}).encode())


def test_what_scrapbook_glued_counts_and_what_is_odd_does_not() -> None:
    glued = {"data": {SCRAP: {"name": "f1", "data": 0.5, "encoder": "json"}}}
    text = {"data": {SCRAP: {"name": "note", "data": "inf"}}}
    odd = {"data": {"application/vnd.mlalm.metric+json": {"name": 3, "value": True}}}
    assert metrics_in(shown(glued, text, odd, None, {"data": None}, 7)) == {"f1": 0.5}


@pytest.mark.parametrize("value", [True, "0.5", None, [1.0], np.array([1.0, 2.0])])
def test_a_metric_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="Expected a number, got a "):
        mlalm_jupyter.log_metric("auc", value)


@pytest.mark.parametrize("name", ["", " ", 3, "a\nb", "x" * 201])
def test_a_name_that_cannot_be_listed_is_refused(name: Any) -> None:
    with pytest.raises(InvalidInput, match="name"):
        mlalm_jupyter.log_metric(name, math.pi)


def test_something_that_is_no_figure_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Expected a matplotlib figure"):
        mlalm_jupyter.log_figure({"a": 1}, "mine")


def test_outside_a_notebook_a_metric_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    mlalm_jupyter.log_metric("auc", np.float32(0.5))
    assert capsys.readouterr().out == "auc: 0.5\n"
