"""Timetables: which times a cron text stands for, also on the days when the clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlalm_jupyter.api.timetable import Timetable
from mlalm_jupyter.domain.errors import InvalidInput

BERLIN = "Europe/Berlin"


def shown(cron: str, after: str, *, count: int, timezone: str = BERLIN) -> list[str]:
    """Coming times without their year and seconds."""
    return [f"{one[5:16]}{one[19:]}" for one in Timetable(cron, timezone).coming(after, count=count)]


def test_a_time_that_the_clock_leaves_out_is_kept_at_the_next_moment_there_is() -> None:
    assert shown("30 2 * * *", "2026-03-28T12:00:00Z", count=2) == ["03-29T03:00+02:00", "03-30T02:30+02:00"]
    assert shown("0 2,3 * * *", "2026-03-28T12:00:00Z", count=2) == ["03-29T03:00+02:00", "03-30T02:00+02:00"]
    lord_howe = shown("15 2 * * *", "2026-10-03T00:00:00Z", count=2, timezone="Australia/Lord_Howe")
    assert lord_howe == ["10-04T02:30+11:00", "10-05T02:15+11:00"]
    no_such_day = shown("0 12 30 12 *", "2011-12-01T00:00:00Z", count=1, timezone="Pacific/Apia")
    assert no_such_day == ["12-31T00:00+14:00"], "the islands went from the 29th to the 31st"


@pytest.mark.parametrize("cron", ["30 2 * * *", "*/30 2 * * *", "30 */2 * * *"])
def test_a_time_that_the_clock_shows_twice_counts_once(cron: str) -> None:
    found = shown(cron, "2026-10-24T22:30:00Z", count=30)
    assert [one for one in found if one.startswith("10-25T02:30")] == ["10-25T02:30+02:00"]
    within = Timetable(cron, BERLIN).after("2026-10-25T01:10:00Z")
    assert within is not None
    assert within > "2026-10-25T01:59", "not again in the second of the two hours"


def test_what_takes_every_hour_goes_by_the_time_that_passes() -> None:
    found = shown("30 * * * *", "2026-10-24T23:45:00Z", count=3)
    assert found == ["10-25T02:30+02:00", "10-25T02:30+01:00", "10-25T03:30+01:00"]
    assert shown("0 0-23 * * *", "2026-03-29T00:30:00Z", count=2) == [
        "03-29T03:00+02:00",
        "03-29T04:00+02:00",
    ]


def test_the_same_text_means_other_moments_elsewhere() -> None:
    at = "2026-11-21T00:00:00.000000Z"
    assert Timetable("0 3 * * *", "UTC").after(at) == "2026-11-21T03:00:00.000000Z"
    assert Timetable("0 3 * * *", BERLIN).after(at) == "2026-11-21T02:00:00.000000Z"
    assert Timetable(" 0  3 * * *", "Asia/Kolkata").after(at) == "2026-11-21T21:30:00.000000Z"


@pytest.mark.parametrize(
    ("cron", "field"),
    [
        ("60 3 * * *", "minute"),
        ("0 25 * * *", "hour"),
        ("0 3 0 * *", "day-of-month"),
        ("0 3 * 13 *", "month"),
        ("0 3 * * FOO", "day-of-week"),
        ("5-1 3 * * *", "minute"),
        ("0 */0 * * *", "hour"),
        ("0 0 31 2 *", "day-of-month"),
        ("* * */20 * 1L", "day-of-month"),
    ],
)
def test_what_is_wrong_in_a_cron_text_is_said_with_the_name_of_the_field(cron: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Timetable(cron, "UTC")
    assert caught.value.where == f"The {field} in the cron text '{cron}'"
    wrong = cron.split()[["minute", "hour", "day-of-month", "month", "day-of-week"].index(field)]
    assert caught.value.got == repr(wrong)


@pytest.mark.parametrize(
    ("cron", "got"),
    [
        ("", "0 fields"),
        ("@daily", "1 field"),
        ("* * * *", "4 fields"),
        ("0 0 3 * * *", "6 fields"),
        ("*/" + "9" * 5000 + " * * * *", "5010 characters"),
    ],
)
def test_a_cron_text_has_five_fields(cron: str, got: str) -> None:
    with pytest.raises(InvalidInput, match="five fields") as caught:
        Timetable(cron, "UTC")
    assert caught.value.got == got


@pytest.mark.parametrize("name", ["Europe/Berlim", "", "../etc/passwd", "Europe", "berlin"])
def test_a_time_zone_that_nobody_has_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="time zone") as caught:
        Timetable("0 3 * * *", name)
    assert name != "Europe/Berlim" or "`Europe/Berlin`" in caught.value.fix


@given(st.lists(st.text("0123456789*/-,L#WSUNMOJA", max_size=8), min_size=5, max_size=5).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_any_text_is_either_a_timetable_or_refused_in_our_words(cron: str) -> None:
    try:
        timetable = Timetable(cron, BERLIN)
    except InvalidInput:
        return
    assert len(timetable.coming("2026-01-01T00:00:00Z", count=2)) == 2


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    return st.one_of(
        st.just("*"),
        numbers.map(str),
        st.integers(2, high).map(lambda step: f"*/{step}"),
        st.lists(numbers, min_size=1, max_size=3).map(lambda some: ",".join(map(str, some))),
    )


CRONS = st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 6)).map(" ".join)
ZONES = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo"]
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@given(CRONS, ZONES, MOMENTS)
@settings(max_examples=200, deadline=None)
def test_no_time_is_lost_or_told_twice_wherever_one_begins_to_look(
    cron: str, timezone: str, moment: datetime
) -> None:
    timetable = Timetable(cron, timezone)
    coming = [datetime.fromisoformat(one) for one in timetable.coming(_text(moment), count=6)]
    assert coming == sorted(set(coming))
    assert all(one > moment for one in coming)
    one_by_one, at = [], _text(moment)
    for _ in coming:
        at = str(timetable.after(at))
        one_by_one.append(datetime.fromisoformat(at))
    assert one_by_one == coming
    halfway = coming[2] - (coming[2] - coming[1]) / 2
    again = [datetime.fromisoformat(one) for one in timetable.coming(_text(halfway), count=4)]
    assert again == coming[2:]


@given(CRONS, ZONES, MOMENTS, st.integers(0, 60 * 24 * 500))
@settings(max_examples=100, deadline=None)
def test_the_latest_of_many_missed_times_is_found_and_the_others_are_counted(
    cron: str, timezone: str, moment: datetime, minutes: int
) -> None:
    timetable = Timetable(cron, timezone)
    first = str(timetable.after(_text(moment)))
    now = _text(datetime.fromisoformat(first) + timedelta(minutes=minutes))
    latest, earlier = timetable.latest(first, now)
    assert latest <= now
    assert str(timetable.after(latest)) > now
    if earlier < 500:
        passed = [first]
        while (following := str(timetable.after(passed[-1]))) <= now:
            passed.append(following)
        assert (passed[-1], len(passed) - 1) == (latest, earlier)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
