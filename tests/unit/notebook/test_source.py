"""The source of a notebook's function: it stands alone and gives the same answers."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.source import function_in, source_of

pytestmark = pytest.mark.prove_experiments

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

import enum
import sklearn.linear_model
from dataclasses import dataclass

BASE = np.float64(4.5)
MEAN = np.float64(2.5)
FAR = float("inf")
WORDS = {"b", "a", "c"}

class Level(enum.Enum):
    LOW = 1

@dataclass
class Point:
    x: float = BASE

@dataclass
class Stale:
    x: float = MEAN

class Odd(Exception):
    pass

def reaches_inside(table):
    model = sklearn.linear_model.LinearRegression().fit(table[["a"]], table["a"])
    return table.assign(b=model.predict(table[["a"]]).round(6))

def uses_odd_things(table):
    if table["a"].max() > FAR or "a" not in WORDS:
        raise Odd
    return table.assign(b=Point().x + Level.LOW.value)

def uses_stale(table):
    return table.assign(b=Stale().x)

def marked(function):
    return function

@marked
def decorated(table):
    return table.assign(b=1)

async def later_on(table):
    return table

def shows(table):
    display(table)
    return table

def lists_files(table):
    found = !ls
    return table

def limited(table, most=MEAN):
    return table[table["a"] < most]
"""
LAZY = """
from __future__ import annotations
def lazy(table: Unknown) -> Nobody:
    return table.assign(b=2)
"""


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    shell = InteractiveShell.instance()
    for cell in (CELLS, LAZY, "MEAN = 3.5", "%%time\ndef timed(table):\n    return table"):
        assert shell.run_cell(cell).success
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


@pytest.mark.parametrize("name", ["reaches_inside", "uses_odd_things", "decorated", "lazy"])
def test_what_travels_gives_the_same_answers_elsewhere(
    cells: dict[str, Any], name: str, tmp_path: Path
) -> None:
    """Elsewhere is another process, in another folder, which has imported nothing yet."""
    frame = pd.DataFrame({"a": [1.0, 4.0]})
    ask = f"import pandas\nprint({name}(pandas.DataFrame({{'a': [1.0, 4.0]}})).to_csv())"
    (tmp_path / "alone.py").write_text(f"{source_of(cells[name])}\n\n{ask}")
    command = [sys.executable, "-P", "-W", "error", "alone.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == cells[name](frame).to_csv().strip()


def test_the_same_function_gives_the_same_text(cells: dict[str, Any]) -> None:
    """The text is hashed, and a set is shown in another order by each process."""
    assert "WORDS = {'a', 'b', 'c'}" in source_of(cells["uses_odd_things"])
    assert "FAR = float('inf')" in source_of(cells["uses_odd_things"])


def test_what_it_takes_from_a_file_beside_the_notebook_travels_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside_one.py").write_text(
        "import beside_two\nfrom beside_two import halved as half\nBY = 3\n\n"
        "def scaled(table):\n    return table.assign(b=half(table['a']) * BY)\n\n"
        "def by_module(table):\n    return beside_two.halved(table['a'])\n"
    )
    (tmp_path / "beside_two.py").write_text("BY = 2\n\ndef halved(column):\n    return column / 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("beside_one")
    alone: dict[str, Any] = {"__name__": "elsewhere"}
    exec(compile(source_of(module.scaled), "<alone>", "exec"), alone)
    assert list(alone["scaled"](pd.DataFrame({"a": [2.0]}))["b"]) == [3.0]
    with pytest.raises(InvalidInput, match="from beside_two import"):
        source_of(module.by_module)


def test_two_things_with_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twice_one.py").write_text(
        "from twice_two import halved\nBY = 3\n\ndef scaled(table):\n    return halved(table['a']) * BY\n"
    )
    (tmp_path / "twice_two.py").write_text("BY = 2\n\ndef halved(column):\n    return column / BY\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InvalidInput, match="two different things called 'BY'"):
        source_of(importlib.import_module("twice_one").scaled)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("later_on", "an `async def`"),
        ("shows", "'display', which only a notebook has"),
        ("lists_files", "'get_ipython', which only a notebook has"),
        ("limited", "'most', whose default was made of an older MEAN"),
        ("uses_stale", "'x', whose default was made of an older MEAN"),
        ("timed", "without a %% line"),
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
    assert caught.value.fix


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
        ("x = '\0'\n", None, "The code"),
        ("(" * 10_000, None, "The code"),
    ],
)
def test_a_file_without_that_function_is_refused(text: str, name: str | None, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        function_in(text, name)
