"""The kept statements of a plan as one function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.formats.code import CodeModule
from mlalm_jupyter.notebook.predictive.code import Shape, code_text
from mlalm_jupyter.notebook.predictive.parts import Fitted, Place, Plan, Port, Statement

pytestmark = pytest.mark.prove_conversion

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]})


def plan(*kept: str, fitted: tuple[str, ...] = (), output: str = "z") -> Plan:
    statements = tuple(Statement(Place(1, index + 1), text, text) for index, text in enumerate(kept))
    return Plan(
        (Port("input", "df", Place(1, 0)),),
        (Port("output", output, Place(1, len(kept))),),
        statements,
        statements,
        tuple(Fitted(name, "value", Place(1, 0), name) for name in fitted),
    )


def answers(text: str, rows: pd.DataFrame = ROWS, **fitted: Any) -> dict[str, list[Any]]:
    given = rows.copy()
    found = CodeModule(text, name="slice", file="<slice>")["run"](rows, **fitted)
    pd.testing.assert_frame_equal(given, rows)
    return dict(found.to_dict("list"))


def test_what_is_fitted_comes_by_name_and_the_rows_that_were_given_stay_as_they_are() -> None:
    text = code_text(plan("df['c'] = df['a'] - mean", "z = df[['c']]", fitted=("mean",)))
    assert "def run(df, *, mean):" in text
    assert answers(text, mean=2.0) == {"c": [-1.0, 0.0, 1.0]}


def test_helpers_that_need_nothing_fitted_are_made_once_and_the_others_with_each_call() -> None:
    text = code_text(
        plan(
            "import numpy as np",
            "def logged(column):\n    return np.log(column)",
            "def scaled(column):\n    return logged(column) * factor",
            "z = scaled(df['a'])",
            fitted=("factor",),
        )
    )
    above, _, inside = text.partition("def run(")
    assert "def logged(column):" in above
    assert "    def scaled(column):" in inside
    assert answers(text, factor=2.0) == {"z": [2 * value for value in np.log(ROWS["a"])]}


def test_a_constant_that_something_changes_is_made_anew_for_each_call() -> None:
    text = code_text(
        plan("FIXED = ['a']", "names = ['b']", "names.append('a')", "z = df[names + FIXED].sum(axis=1)")
    )
    assert text.index("FIXED = ") < text.index("def run(") < text.index("names = ['b']")
    module = CodeModule(text, name="slice", file="<slice>")
    assert [list(module["run"](ROWS)["z"]) for _ in range(2)] == [[6.0, 9.0, 12.0]] * 2


def test_a_helper_that_sets_what_is_global_sets_it_for_its_own_call() -> None:
    text = code_text(
        plan("def look():\n    global most, z\n    most = df['a'].max()\n    z = df['a'] / most", "look()")
    )
    module = CodeModule(text, name="slice", file="<slice>")
    assert list(module["run"](ROWS)["z"]) == [1 / 3, 2 / 3, 1.0]
    assert module["most"] is None
    assert module["z"] is None


def test_text_of_several_lines_keeps_its_own_spaces() -> None:
    text = code_text(plan('df["t"] = """one\n  two\nthree"""', "z = df['t']"))
    assert answers(text)["z"] == ["one\n  two\nthree"] * 3


@pytest.mark.parametrize(
    ("last", "found"),
    [
        ("z = df['a']", {"z": [1.0, 2.0, 3.0]}),
        ("z = df['a'].to_numpy()", {"z": [1.0, 2.0, 3.0]}),
        ("z = df[['a']].to_numpy()", {"z": [1.0, 2.0, 3.0]}),
        ("z = df.to_numpy()", {"z_0": [1.0, 2.0, 3.0], "z_1": [4.0, 5.0, 6.0]}),
        ("z = df['a'].tolist()", {"z": [1.0, 2.0, 3.0]}),
        ("z = df[['b']]", {"b": [4.0, 5.0, 6.0]}),
        ("z = df[['a']].rename(columns={'a': 0})", {"0": [1.0, 2.0, 3.0]}),
    ],
)
def test_answers_are_a_table_whatever_the_notebook_has_them_in(last: str, found: dict[str, Any]) -> None:
    assert answers(code_text(plan(last))) == found


def test_columns_that_change_nothing_are_filled_where_they_are_missing() -> None:
    shape = Shape(columns=("a", "b", "label"), fills={"label": "'no'"})
    text = code_text(plan("z = df.drop(columns='label').sum(axis=1)"), shape=shape)
    assert answers(text) == {"z": [5.0, 7.0, 9.0]}
    assert answers(text, ROWS.assign(label="yes")[["label", "b", "a"]]) == {"z": [5.0, 7.0, 9.0]}


def test_columns_that_are_numbers_in_the_notebook_are_texts_in_the_service() -> None:
    text = code_text(plan("z = df[0] + df[1]"), shape=Shape(labels={"0": 0, "1": 1}))
    assert answers(text, pd.DataFrame({"0": [1], "1": [2]})) == {"z": [3]}


def test_an_array_is_made_of_the_table_where_the_notebook_had_one() -> None:
    assert answers(code_text(plan("z = df[:, 0] * 2"), shape=Shape("array"))) == {"z": [2.0, 4.0, 6.0]}
    assert answers(code_text(plan("z = df * 2"), shape=Shape("column")), ROWS[["b"]]) == {
        "z": [8.0, 10.0, 12.0]
    }


def test_a_line_for_ipython_is_refused_with_its_cell() -> None:
    with pytest.raises(InvalidInput, match=r"Cell 1 is `?.*outside of a notebook.*%time"):
        code_text(plan("%time z = df"))


def test_two_places_that_give_answers_are_refused() -> None:
    two = plan("z = df")
    more = Plan(two.inputs, (*two.outputs, Port("o", "y", Place(3, 1))), two.program, two.kept, two.fitted)
    with pytest.raises(InvalidInput, match=r"'z' in cell 1, 'y' in cell 3"):
        code_text(more)
