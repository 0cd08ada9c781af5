"""What a display is made of, before it becomes HTML or plain text."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

Tone = Literal["good", "busy", "bad", "idle"]


@dataclass(frozen=True, slots=True)
class Status:
    """A state in words, and how it is meant; colour only repeats what symbol and word say."""

    word: str
    tone: Tone

    @property
    def symbol(self) -> str:
        return {"good": "✓", "busy": "●", "bad": "✗", "idle": "○"}[self.tone]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, as ISO 8601."""

    at: str

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.at)

    @property
    def absolute(self) -> str:
        return self.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

    @property
    def short(self) -> str:
        return self.absolute.removesuffix(" UTC")

    def relative(self, now: datetime) -> str:
        """How long ago it was, or how soon it will be.

        >>> Moment("2026-01-01T10:00:00Z").relative(datetime(2026, 1, 1, 12, 30, tzinfo=UTC))
        '2 h ago'
        >>> Moment("2026-01-01T15:00:00Z").relative(datetime(2026, 1, 1, 12, 30, tzinfo=UTC))
        'in 2 h'
        """
        passed_s = (now - self.time).total_seconds()
        is_ahead = passed_s < -1
        passed_s = abs(passed_s)
        if passed_s < 45:
            return "in a moment" if is_ahead else "just now"
        for unit, length_s, limit in (("min", 60, 60), ("h", 3600, 24), ("days", 86400, 14)):
            count = max(1, int(passed_s // length_s))
            if count < limit:
                told = f"{count} {'day' if (unit, count) == ('days', 1) else unit}"
                return f"in {told}" if is_ahead else f"{told} ago"
        return self.absolute[:10]


@dataclass(frozen=True, slots=True)
class Digest:
    """A hash or an id, of which people read the beginning."""

    text: str

    @property
    def short(self) -> str:
        return self.text[:12]


@dataclass(frozen=True, slots=True)
class Code:
    """Something to be typed or copied as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A file that a notebook opens; `beside` is one that lies in the folder of whoever reads this."""

    path: str
    beside: str = ""

    @property
    def target(self) -> str:
        """The file as a page beside it names it.

        >>> Link("teams/my churn.predictive.ipynb", "teams/my churn.ipynb").target
        'my%20churn.predictive.ipynb'
        """
        folder = posixpath.dirname(self.beside) or "."
        return quote(posixpath.relpath(self.path, folder))


@dataclass(frozen=True, slots=True)
class Secret:
    """A key: whole only for whoever asked in a place that keeps nothing."""

    text: str

    @property
    def masked(self) -> str:
        return f"••••••••{self.text.rstrip('=')[-4:]}"


@dataclass(frozen=True, slots=True)
class Spark:
    """A small drawing of counts beside each other, and what it shows in words."""

    counts: Sequence[int]
    told: str

    @property
    def text(self) -> str:
        """The drawing in letters; what is there at all is never drawn as nothing.

        >>> Spark((0, 1, 4), "").text
        ' ▂█'
        """
        most = max(self.counts, default=0)
        return "".join(
            _HEIGHTS[max(1, round(count / most * (len(_HEIGHTS) - 1)))] if count else " "
            for count in self.counts
        )


_HEIGHTS = " ▁▂▃▄▅▆▇█"

Cell = str | int | float | bool | None | Status | Moment | Digest | Code | Link | Secret | Spark


@dataclass(frozen=True, slots=True)
class Facts:
    """One thing: its title, and what there is to say of it; rows without a value are left out."""

    title: str
    rows: Sequence[tuple[str, Cell]]

    @property
    def told(self) -> list[tuple[str, Cell]]:
        return [(label, cell) for label, cell in self.rows if cell is not None and cell != ""]


@dataclass(frozen=True, slots=True)
class Grid:
    """Several things of a kind, one a row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    is_data: bool = False
    """Whether the columns are those of somebody's table, whose names are kept as they are."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence; one that warns is set apart."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that are kept as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Numbers to be seen beside each other; what has none is left empty, and infinity is as long as they get."""

    title: str
    labels: Sequence[str]
    values: Sequence[float | None]

    @property
    def shares(self) -> list[float | None]:
        """Each value as a share of the largest one, without its sign."""
        finite = [abs(value) for value in self.values if value is not None and math.isfinite(value)]
        largest = max(finite, default=0.0)
        return [None if value is None else _share(abs(value), largest) for value in self.values]


def _share(value: float, largest: float) -> float:
    if not math.isfinite(value):
        return 0.0 if math.isnan(value) else 1.0
    return value / largest if largest else 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing of our own making as SVG, and the same in words."""

    svg: str
    text: str


Part = Facts | Grid | Note | Block | Bars | Picture
View = Sequence[Part]


def size(count: int) -> str:
    """Bytes for people.

    >>> size(51200)
    '50 kB'
    """
    for unit, length in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count >= length:
            value = count / length
            return f"{value:.1f} {unit}" if value < 10 and value != int(value) else f"{value:.0f} {unit}"
    return f"{count} bytes"


def seconds_between(start: str | None, end: str | None) -> str | None:
    """How long something took, for people."""
    if not start or not end:
        return None
    taken_s = (Moment(end).time - Moment(start).time).total_seconds()
    if taken_s < 60:
        return f"{taken_s:.1f} s"
    minutes, rest_s = divmod(round(taken_s), 60)
    return f"{minutes} min {rest_s} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def joined(words: Sequence[str], *, limit: int = 12) -> str:
    """A list on one line; a long one says how many more there are.

    >>> joined(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    more = len(words) - limit
    return ", ".join(words) if more <= 0 else f"{', '.join(words[:limit])} and {more} more"
