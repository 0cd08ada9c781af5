"""Notebooks as documents, and the values they take."""

from __future__ import annotations

import json

import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.document import check_parameters, read_notebook


def notebook(*cells: tuple[str, list[str]], language: str = "python") -> bytes:
    made = [{"cell_type": "code", "source": text, "metadata": {"tags": tags}} for text, tags in cells]
    return json.dumps(
        {"nbformat": 4, "metadata": {"language_info": {"name": language}}, "cells": made}
    ).encode()


PARAMETERS = (
    'dataset: str = "wine:1"\ndepth: int | None = None  # levels\nrate = 0.1; fast = True\nnames = []\nfree = None',
    ["parameters"],
)


def test_parameters_are_read_with_their_types() -> None:
    found = read_notebook(notebook(("import os", []), PARAMETERS)).parameters
    assert found is not None
    assert {one.name: one.type for one in found.values()} == {
        "dataset": "str",
        "depth": "int | None",
        "rate": "float",
        "fast": "bool",
        "names": "list",
        "free": None,
    }


def test_fitting_values_pass() -> None:
    document = read_notebook(notebook(PARAMETERS))
    check_parameters(document, {"dataset": "wine:2", "rate": 1, "fast": False, "free": 3, "depth": 4})
    check_parameters(document, {})


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_parameters(read_notebook(notebook(PARAMETERS)), {"datset": "x", "rate": "fast", "fast": 1})
    sentence = str(caught.value)
    assert "'datset', which it does not take (did you mean 'dataset'?)" in sentence
    assert "rate = 'fast', which is no float" in sentence
    assert "fast = 1, which is no bool" in sentence


def test_a_notebook_without_parameters_cell_takes_none() -> None:
    with pytest.raises(InvalidInput, match="no cell tagged 'parameters'"):
        check_parameters(read_notebook(notebook(("x = 1", []))), {"x": 2})


def test_another_language_is_not_looked_into() -> None:
    check_parameters(read_notebook(notebook(("x <- 1", ["parameters"]), language="R")), {"x": 2})


def test_empty_code_cells_do_not_count() -> None:
    assert len(read_notebook(notebook(("  \n", []), ("x", []))).code_cells) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "which is JSON"),
        (b"[1]", "with a list of cells"),
        (b'{"cells": []}', "format None"),
        (b'{"nbformat": 3, "cells": []}', "nbconvert"),
        (b'{"nbformat": 4, "cells": [1]}', "cells that are objects"),
        (b"[" * 100_000, "which is JSON"),
    ],
)
def test_what_is_no_notebook_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_notebook(data)
