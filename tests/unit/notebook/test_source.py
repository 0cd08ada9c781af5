"""The source of a notebook's function: it stands alone and gives the same answers."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.source import function_in, source_of

CELLS = """
import math
import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler as Scaler
from collections import Counter

LIMITS = {"low": 1, "high": [2, 3]}
scaler = Scaler().fit([[1.0], [2.0]])
rows = pd.DataFrame({"a": [1.0, 4.0, 9.0]})

class Doubler:
    factor = 2
    times = factor + 1
    def __call__(self, x):
        return x * self.factor * self.times

def helper(x):
    return np.sqrt(x) + math.floor(LIMITS["low"])

def again(n):
    return 1 if n <= 0 else n * again(n - 1)

def tidy(table, wanted=LIMITS):
    scale = lambda v: v * len(wanted)
    table = table.copy()
    table["b"] = [scale(v) for v in helper(table["a"])]
    table["c"] = Doubler()(again(3)) + sum(Counter("aab").values())
    return pd.DataFrame(table)

def uses_fitted(table):
    return scaler.transform(table)

def uses_frame(table):
    return table.merge(rows)

def uses_nothing_known(table):
    return later(table)

def outer():
    kept = 3
    def inner(table):
        return table * kept
    return inner

inner = outer()
short = lambda table: table
"""


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    shell = InteractiveShell.instance()
    assert shell.run_cell(CELLS).success
    return dict(shell.user_ns)


def test_a_function_travels_with_its_imports_constants_helpers_and_classes(cells: dict[str, Any]) -> None:
    text = source_of(cells["tidy"])
    assert "import numpy as np" in text
    assert "LIMITS = {'low': 1, 'high': [2, 3]}" in text
    assert "from collections import Counter" in text
    assert "scaler" not in text
    alone: dict[str, Any] = {"__name__": "elsewhere"}
    exec(compile(text, "<alone>", "exec"), alone)
    frame = pd.DataFrame({"a": [1.0, 4.0]})
    pd.testing.assert_frame_equal(alone["tidy"](frame), cells["tidy"](frame))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("uses_fitted", "'scaler', a StandardScaler"),
        ("uses_frame", "'rows', a DataFrame"),
        ("uses_nothing_known", "'later', which is not"),
        ("inner", "one that keeps kept of the function around it"),
        ("short", "a lambda"),
    ],
)
def test_what_cannot_travel_is_refused_by_name(cells: dict[str, Any], name: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        source_of(cells[name])
    assert says in str(caught.value)
    assert caught.value.fix or name == "uses_nothing_known"


def test_the_only_public_function_of_a_file_is_the_one() -> None:
    text = "def _help(x):\n    return x\n\ndef tidy(rows):\n    return _help(rows)\n"
    assert function_in(text, None) == (text, "tidy")
    assert function_in(text, "_help") == (text, "_help")


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("x = 1\n", None, "got none"),
        ("def a(): ...\ndef b(): ...\n", None, "got 2: a, b"),
        ("def a(): ...\n", "b", "Expected one of a, got 'b'"),
        ("def a(:\n", None, "line 1"),
    ],
)
def test_a_file_without_that_function_is_refused(text: str, name: str | None, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        function_in(text, name)
