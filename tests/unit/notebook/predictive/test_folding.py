"""What is made of fitted things alone is kept as it came out."""

from __future__ import annotations

import pytest

from mlalm_jupyter.notebook.predictive.folding import folded
from mlalm_jupyter.notebook.predictive.parts import Fitted, Place, Plan, Port, Statement

pytestmark = pytest.mark.prove_conversion


def plan_of_lines(*lines: str, fitted: tuple[str, ...] = ("stats",)) -> Plan:
    kept = tuple(Statement(Place(number, 0), one, one) for number, one in enumerate(lines, start=2))
    return Plan(
        inputs=(Port("input1", "df", Place(1, 0)),),
        outputs=(Port("output1", "z", Place(len(lines) + 1, 0)),),
        program=kept,
        kept=kept,
        fitted=tuple(Fitted(name, "value", Place(1, 1), name) for name in fitted),
    )


def told(plan: Plan) -> tuple[list[str], list[tuple[str, int]]]:
    return [one.frozen for one in plan.kept], [(one.name, one.place.cell) for one in plan.fitted]


def test_what_changes_a_fitted_value_in_place_is_part_of_it() -> None:
    plan = folded(plan_of_lines("stats.pop('y')", "stats = stats.transpose()", "z = df - stats['mean']"))
    assert told(plan) == (["z = df - stats['mean']"], [("stats", 3)])
    assert [one.frozen for one in plan.program] == ["", "", "z = df - stats['mean']"]


def test_what_is_made_of_it_is_kept_instead_of_it() -> None:
    plan = folded(plan_of_lines("low = stats - 2", "z = df.clip(low)"))
    assert told(plan) == (["z = df.clip(low)"], [("stats", 1), ("low", 2)])


def test_what_rows_have_a_part_in_stays() -> None:
    lines = ("near = df.a - stats", "near.pop('b')", "z = near")
    assert told(folded(plan_of_lines(*lines)))[0] == [*lines]


def test_a_name_that_rows_go_into_later_stays_as_typed() -> None:
    lines = ("low = stats - 2", "low = low + df.a", "z = low")
    assert told(folded(plan_of_lines(*lines)))[0] == [*lines]


def test_a_name_that_is_read_between_its_changes_stays_as_typed() -> None:
    lines = ("stats.pop('y')", "a = df - stats", "stats.pop('x')", "z = a - stats")
    assert told(folded(plan_of_lines(*lines)))[0] == [*lines]


def test_constants_imports_and_functions_stay() -> None:
    lines = ("import math", "limit = 3", "def f(x):\n    return x - stats - limit", "z = f(df.a)")
    assert told(folded(plan_of_lines(*lines)))[0] == [*lines]
