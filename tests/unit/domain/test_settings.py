from __future__ import annotations

import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.settings import (
    EndpointSettings,
    checked_description,
    checked_diagnostics,
    checked_level,
)

NONE = EndpointSettings()
LOW = NONE.throttled("Low", None)
HIGH = NONE.throttled("High", 50)


@pytest.mark.parametrize(
    ("before", "level", "calls", "after"),
    [
        (NONE, None, None, (None, None)),
        (NONE, "low", None, ("Low", 4)),
        (NONE, "Low", 4, ("Low", 4)),
        (NONE, "HIGH", None, ("High", None)),
        (NONE, "High", 1, ("High", 1)),
        (NONE, "High", 200, ("High", 200)),
        (NONE, None, 20, (None, 20)),
        (LOW, "High", None, ("High", None)),
        (LOW, "high", 7, ("High", 7)),
        (LOW, "none", None, (None, None)),
        (LOW, None, 4, ("Low", 4)),
        (HIGH, None, 9, ("High", 9)),
        (HIGH, "High", None, ("High", None)),
        (HIGH, "Low", None, ("Low", 4)),
        (HIGH, None, None, ("High", 50)),
    ],
)
def test_a_level_brings_its_own_limit_unless_another_is_given(
    before: EndpointSettings, level: str | None, calls: int | None, after: tuple[str | None, int | None]
) -> None:
    found = before.throttled(level, calls)
    assert (found.throttle_level, found.max_concurrent_calls) == after


@pytest.mark.parametrize(
    ("before", "level", "calls", "said"),
    [
        (NONE, "Low", 5, "4, which throttle level Low fixes"),
        (LOW, None, 20, "Give --throttle High as well"),
        (NONE, "High", 0, "1 to 200"),
        (NONE, "High", 201, "1 to 200"),
        (NONE, None, -1, "1 to 200"),
        (NONE, "Medium", None, "Low, High or none"),
    ],
)
def test_limits_that_do_not_exist_are_refused(
    before: EndpointSettings, level: str | None, calls: int | None, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        before.throttled(level, calls)


def test_only_what_differs_is_told() -> None:
    assert NONE.changed_to(NONE) == {}
    assert NONE.changed_to(LOW) == {"throttle_level": "Low", "max_concurrent_calls": 4}
    assert LOW.changed_to(NONE) == {"throttle_level": None, "max_concurrent_calls": None}


@pytest.mark.parametrize("text", ["", "Räder\nim Herbst\t🚲", "x" * 1000])
def test_a_description_is_any_text(text: str) -> None:
    assert checked_description(text) == text


@pytest.mark.parametrize("text", ["x" * 1001, "\x1b[2J", "a\x00", "\ud800"])
def test_a_description_that_nobody_could_show_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="The description"):
        checked_description(text)


def test_words_are_read_in_any_case() -> None:
    assert (checked_level(" hIGH "), checked_diagnostics("ALL")) == ("High", "All")
    with pytest.raises(InvalidInput, match="None, Error or All"):
        checked_diagnostics("Some")
