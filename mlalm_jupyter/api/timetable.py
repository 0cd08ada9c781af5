"""Timetables: the times that a cron text stands for in a time zone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from mlalm_jupyter.domain.errors import InvalidInput, nearest

_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31 or L for the last one, in a month that has it",
    "month": "1 to 12 or JAN to DEC",
    "day-of-week": "0 to 7 or SUN to SAT (0 and 7 are Sunday)",
}
_LONGEST = 200
_COUNTED = 10_000
_WINDOWS = tuple(timedelta(hours=hours) for hours in (2, 24, 24 * 8, 24 * 40, 24 * 400, 24 * 366 * 9))


class Timetable:
    """The times of a cron text in a time zone.

    Where the text names hours, its times are those of the clock on the wall: one that the clock leaves out, in
    spring, is moved to the next moment there is, and one that it shows twice, in autumn, counts once. A text
    that takes every hour goes by the time that passes.

    >>> Timetable("30 2 * * *", "Europe/Berlin").after("2026-03-28T12:00:00.000000Z")
    '2026-03-29T01:00:00.000000Z'
    """

    def __init__(self, cron: str, timezone: str) -> None:
        self.cron = " ".join(cron.split())
        self.timezone = timezone
        self._zone = _zone(timezone)
        parsed = self._parsed
        if next(self._after(datetime(2000, 1, 1, tzinfo=UTC)), None) is None:
            raise _refused("day-of-month", self.cron, parts=parsed.parts[1:])

    def after(self, at: str) -> str | None:
        """The first time later than a moment; None when there are no more."""
        return next((_said(one) for one in self._after(datetime.fromisoformat(at))), None)

    def coming(self, at: str, *, count: int) -> tuple[str, ...]:
        """The next few times after a moment, as the clocks of the time zone show them."""
        found = itertools.islice(self._after(datetime.fromisoformat(at)), count)
        return tuple(one.astimezone(self._zone).isoformat(timespec="seconds") for one in found)

    def latest(self, first: str, now: str) -> tuple[str, int]:
        """The last of the times from `first`, which is one, until now, and how many came before that one.

        It stops counting at ten thousand.
        """
        start, end = datetime.fromisoformat(first), datetime.fromisoformat(now)
        last = start
        for window in _WINDOWS:
            since = max(start, end - window)
            found = list(itertools.takewhile(lambda one: one <= end, self._after(since)))
            if found:
                last = found[-1]
                break
            if since == start:
                break
        earlier = itertools.chain([start], self._after(start))
        count = sum(
            1 for _ in itertools.islice(itertools.takewhile(lambda one: one < last, earlier), _COUNTED)
        )
        return _said(last), count

    @cached_property
    def _parsed(self) -> CronSim:
        parts = self.cron.split()
        if len(self.cron) > _LONGEST or len(parts) != len(_FIELDS):
            got = f"{len(parts)} field{'s' if len(parts) != 1 else ''}"
            raise InvalidInput(
                f"The cron text '{self.cron[:40]}'",
                expected=f"five fields ({', '.join(_FIELDS)}), such as '0 3 * * 1-5'",
                got=got if len(self.cron) <= _LONGEST else f"{len(self.cron)} characters",
            )
        for number, name in enumerate(_FIELDS):
            alone = ["*"] * len(_FIELDS)
            alone[number] = parts[number]
            try:
                CronSim(" ".join(alone), datetime(2000, 1, 1))
            except CronSimError:
                raise _refused(name, self.cron, parts=parts) from None
        try:
            return CronSim(self.cron, datetime(2000, 1, 1))
        except CronSimError as error:
            raise _refused("day-of-month", self.cron, parts=parts) from error

    @property
    def _takes_every_hour(self) -> bool:
        return len(self._parsed.hours) == 24

    def _after(self, moment: datetime) -> Iterator[datetime]:
        """The times later than a moment, in UTC."""
        last = moment.astimezone(UTC)
        here = moment.astimezone(self._zone)
        if self._takes_every_hour:
            # with a field for seconds the library leaves the hours to the time that passes
            candidates: Iterator[datetime] = iter(CronSim(f"0 {self.cron}", here))
        else:
            candidates = map(self._on_the_wall, CronSim(self.cron, here.replace(tzinfo=None)))
        for candidate in candidates:
            time = candidate.astimezone(UTC)
            if time > last:
                last = time
                yield time

    def _on_the_wall(self, shown: datetime) -> datetime:
        """The first moment at which the clocks of the zone show a time, or a later one if they never do."""
        moment = shown.replace(tzinfo=self._zone)
        while moment.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != shown:
            shown += timedelta(minutes=1)
            moment = shown.replace(tzinfo=self._zone)
        return moment


def _zone(name: str) -> ZoneInfo:
    known = available_timezones()
    if name not in known:
        near = nearest(name, known)
        raise InvalidInput(
            f"The time zone '{name}'",
            expected="a name such as Europe/Berlin or UTC",
            got="one that the time zone database does not have",
            fix=f"Perhaps {' or '.join(f'`{one}`' for one in near)} is meant." if near else "",
        )
    return ZoneInfo(name)


def _refused(field: str, cron: str, *, parts: list[str]) -> InvalidInput:
    return InvalidInput(
        f"The {field} in the cron text '{cron}'",
        expected=f"{_FIELDS[field]}; * for every one, and lists (1,3), ranges (1-5) and steps (*/2) of them",
        got=repr(parts[list(_FIELDS).index(field)]),
    )


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
