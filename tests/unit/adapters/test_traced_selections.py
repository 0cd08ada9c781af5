"""Which rows a notebook takes from others, seen while it takes them."""

from __future__ import annotations

import ast
import builtins
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.adapters.agreement import aligned
from mlalm_jupyter.adapters.traced_selections import HOOK, Selected
from mlalm_jupyter.adapters.traced_splits import Splits
from mlalm_jupyter.notebook.predictive.proof import Rows


class Seen:
    """What stands for a tracer: notes what each expression took from what."""

    def __init__(self) -> None:
        self.splits = Splits(SimpleNamespace(user_ns={}))
        self.rows: list[Rows] = []
        self._sources: dict[int, Any] = {}

    def source(self, number: int, value: Any) -> Any:
        self._sources[number] = value
        return value

    def taken(self, number: int, value: Any) -> Any:
        found = self.splits.chosen(self._sources[number], value)
        if found is not None:
            self.rows.append(Rows(tuple(found["positions"]), found["count"]))
        return value


def run(text: str, monkeypatch: pytest.MonkeyPatch, **names: Any) -> tuple[dict[str, Any], list[Rows]]:
    seen = Seen()
    monkeypatch.setattr(builtins, HOOK, seen, raising=False)
    tree = ast.fix_missing_locations(Selected().visit(ast.parse(text)))
    exec(compile(tree, "<cell>", "exec"), names)
    return names, seen.rows


FRAME = pd.DataFrame({"a": [3, 1, 2, 1], "b": list("wxyz")}, index=list("hijk"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("y = df[2:]", [(2, 3)]),
        ("y = df.iloc[[3, 0]]", [(3, 0)]),
        ("y = df.loc['i':, ['b']]", [(1, 2, 3)]),
        ("y = df[df.a == 1]", [(1, 3)]),
        ("y = df.query('a > 1').loc[lambda d: d.a > 2]", [(0, 2), (0,)]),
        ("y = df.sample(frac=1, random_state=1)", [(3, 2, 0, 1)]),
        ("y = df.sort_values('a', kind='stable').reset_index(drop=True)[:2]", [(1, 3, 2, 0), (0, 1)]),
        # rows without labels are known by what is in them
        ("y = df.to_numpy()[[2, 0]]", [(2, 0)]),
        ("p = [3, 1]\ny = df.to_numpy()[p][1:]", [(3, 1), (1,)]),
        # columns are no rows, and what runs many times over is left as it is
        ("y = df['a']", []),
        ("y = [df[n:] for n in range(2)]", []),
        ("for n in range(2):\n    y = df[n:]", []),
    ],
)
def test_rows_are_told_apart_while_they_are_taken(
    text: str, wanted: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    names, rows = run(text, monkeypatch, df=FRAME.copy())
    plainly: dict[str, Any] = {"df": FRAME.copy()}
    exec(text, plainly)
    assert repr(names["y"]) == repr(plainly["y"])
    assert [one.positions for one in rows] == wanted


def test_equal_rows_are_taken_one_after_the_other_and_a_row_that_is_taken_twice_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    equal = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    assert run("y = x[[0, 2]]", monkeypatch, x=equal)[1] == [Rows((0, 2), 3)]
    assert run("y = x[[1, 1]]", monkeypatch, x=equal)[1] == []
    assert run("y = df.loc[['h', 'h']]", monkeypatch, df=FRAME)[1] == []
    splits = Splits(SimpleNamespace(user_ns={}))
    assert splits.chosen(equal, equal + 1) is None
    assert splits.chosen({"a": 1}, [1]) is None


def test_what_was_taken_is_not_kept_alive() -> None:
    splits = Splits(SimpleNamespace(user_ns={}))
    part = FRAME[2:].copy()
    assert splits.chosen(FRAME, part) == {"positions": [2, 3], "count": 4}
    rows = splits.rows_of(part)
    assert rows is not None
    assert (list(rows[0]), rows[1]) == ([2, 3], 4)
    gone = weakref.ref(part)
    del part
    gc.collect()
    assert gone() is None


def test_rows_that_were_taken_again_and_again_are_followed_to_the_first() -> None:
    whole = pd.DataFrame({"z": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]})
    taken = [Rows((0, 1, 3, 4, 5), 6), Rows((4, 2, 0, 1, 3), 5), Rows((3, 4), 5)]
    answers = pd.DataFrame({"z": [1.0, 4.0]})
    ways = [list(one["z"]) for one in aligned(answers, whole, taken, has_index=False, table=whole)]
    assert [1.0, 4.0] in ways
    assert all(len(one) == 2 for one in ways)
