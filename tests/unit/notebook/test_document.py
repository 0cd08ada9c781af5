"""Notebooks as documents, and the values they take."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.document import check_parameters, pieces, read_notebook, source

pytestmark = pytest.mark.prove_experiments


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
    assert sentence.startswith("Each of the parameters 'datset', 'rate', 'fast' is not valid.")


def test_one_problem_names_its_parameter() -> None:
    with pytest.raises(InvalidInput, match=r"^The parameter 'rate' is not valid\."):
        check_parameters(read_notebook(notebook(PARAMETERS)), {"rate": "fast", "depth": 4})
    with pytest.raises(InvalidInput, match=r"^The parameter 'rate' is not valid\. Expected none, because"):
        check_parameters(read_notebook(notebook()), {"rate": 1})


@pytest.mark.parametrize(
    ("annotation", "fits", "not_"),
    [
        ("int | None", [3, None], ["3", 1.5, True]),
        ("Optional[str]", ["a", None], [1]),
        ("Union[int, str]", [1, "a"], [1.5]),
        ("list[str]", [["a"], []], ["a"]),
        ("typing.List[int]", [[1]], [1]),
        ("'float'", [1, 1.5], ["1"]),
        ("bool", [True], [1]),
        ("Path", [1, "a", None], []),
        ("int | Path", [1, "a"], []),
    ],
)
def test_annotations_say_what_fits(annotation: str, fits: list[object], not_: list[object]) -> None:
    document = read_notebook(notebook((f"x: {annotation} = None", ["parameters"])))
    for value in fits:
        check_parameters(document, {"x": value})
    for value in not_:
        with pytest.raises(InvalidInput, match="which is no"):
            check_parameters(document, {"x": value})


def test_lines_for_the_notebook_itself_do_not_hide_the_parameters() -> None:
    document = read_notebook(notebook(("%matplotlib inline\n!ls\nrate = 0.1", ["parameters"])))
    assert document.parameters is not None
    assert list(document.parameters) == ["rate"]


def test_a_parameters_cell_that_is_no_python_is_refused_by_its_line() -> None:
    with pytest.raises(InvalidInput, match="The parameters cell, line 2,"):
        check_parameters(read_notebook(notebook(("a = 1\nb =", ["parameters"]))), {"a": 2})


def test_odd_metadata_is_no_obstacle() -> None:
    """Some tools write null, or a list, where an object belongs."""
    cell = {"cell_type": "code", "source": ["a = 1\r\n", "b = 2"], "metadata": None}
    for metadata in (None, [], {"kernelspec": None, "language_info": "python"}):
        data = {"nbformat": 4, "metadata": metadata, "cells": [cell, {**cell, "metadata": {"tags": None}}]}
        document = read_notebook(json.dumps(data).encode())
        assert (document.language, document.parameters) == ("python", None)
        assert [source(one) for one in document.code_cells] == ["a = 1\nb = 2"] * 2


def test_the_hash_of_the_code_follows_the_code_alone() -> None:
    first = read_notebook(notebook(("a = 1", []), ("b = 2", [])))
    laid_out = read_notebook(notebook(("a = 1\n", ["x"]), ("", []), ("b = 2", [])))
    turned = read_notebook(notebook(("b = 2", []), ("a = 1", [])))
    joined = read_notebook(notebook(("a = 1b = 2", [])))
    assert first.code_hash == laid_out.code_hash
    assert len({first.code_hash, turned.code_hash, joined.code_hash}) == 3


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
        (b'{"nbformat": 3, "worksheets": []}', "nbconvert"),
        (b'{"nbformat": 4, "worksheets": []}', "with a list of cells"),
        (
            b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}',
            "cell 1, .*a source that is text",
        ),
        (b'{"nbformat": 4, "cells": [1]}', "cells that are objects"),
        (b"[" * 100_000, "which is JSON"),
    ],
)
def test_what_is_no_notebook_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_notebook(data)


def large_notebook(cells: list[str]) -> bytes:
    content = {
        "cells": [{"cell_type": "code", "metadata": {}, "source": text, "outputs": []} for text in cells],
        "metadata": {},
        "nbformat": 4,
    }
    return json.dumps(content, indent=1).encode()


@given(st.lists(st.text(max_size=30).map(lambda text: text * 400), max_size=40))
def test_the_pieces_of_a_notebook_are_its_bytes(cells: list[str]) -> None:
    data = large_notebook(cells)
    assert b"".join(pieces(data)) == data


def test_notebooks_that_differ_in_one_cell_share_almost_all_pieces() -> None:
    cells = [f"cell {number} " * (20 if number % 3 else 800) for number in range(100)]
    before = pieces(large_notebook(cells))
    for change in ([*cells[:50], "another", *cells[51:]], [*cells[:7], "one more", *cells[7:]]):
        after = pieces(large_notebook(change))
        new = [piece for piece in after if piece not in set(before)]
        assert len(before) > 40
        assert len(new) <= 3
        assert sum(map(len, new)) < 20_000


def test_a_small_notebook_stays_in_one_piece() -> None:
    assert len(pieces(large_notebook(["a"] * 100))) == 1
