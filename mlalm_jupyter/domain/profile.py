"""What a dataset's values are like, column by column; worked out once, when it is uploaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie in each of several ranges of one width."""

    low: float | str
    high: float | str
    counts: tuple[int, ...]

    def to_dict(self) -> dict[str, object]:
        return {"low": self.low, "high": self.high, "counts": list(self.counts)}


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What one column holds."""

    name: str
    kind: str
    """number, time, flag or text."""
    count: int
    missing: int
    distinct: int
    low: float | str | None = None
    high: float | str | None = None
    mean: float | None = None
    quantiles: tuple[float, ...] = ()
    """A quarter, half and three quarters of the numbers are at most these."""
    histogram: Histogram | None = None
    top: tuple[tuple[str, int], ...] = ()
    """The commonest values and how often each is there."""

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ColumnProfile:
        drawn = stored["histogram"]
        return cls(
            name=stored["name"],
            kind=stored["kind"],
            count=stored["count"],
            missing=stored["missing"],
            distinct=stored["distinct"],
            low=stored["low"],
            high=stored["high"],
            mean=stored["mean"],
            quantiles=tuple(stored["quantiles"]),
            histogram=drawn and Histogram(drawn["low"], drawn["high"], tuple(drawn["counts"])),
            top=tuple((value, count) for value, count in stored["top"]),
        )

    def to_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "kind": self.kind,
            "count": self.count,
            "missing": self.missing,
            "distinct": self.distinct,
            "low": self.low,
            "high": self.high,
            "mean": self.mean,
            "quantiles": list(self.quantiles),
            "histogram": self.histogram.to_dict() if self.histogram else None,
            "top": [[value, count] for value, count in self.top],
        }


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive."""

    name: str
    size_bytes: int

    def to_dict(self) -> dict[str, object]:
        return {"name": self.name, "size_bytes": self.size_bytes}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a dataset holds: its columns, or the files of an archive, and why it is no table if it is none."""

    columns: tuple[ColumnProfile, ...] = ()
    members: tuple[Member, ...] = ()
    member_count: int = 0
    """All of them; `members` has the first ones of a very long list."""
    note: str = ""

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Profile:
        return cls(
            columns=tuple(ColumnProfile.from_dict(one) for one in stored["columns"]),
            members=tuple(Member(one["name"], one["size_bytes"]) for one in stored["members"]),
            member_count=stored["member_count"],
            note=stored["note"],
        )

    def to_dict(self) -> dict[str, object]:
        return {
            "columns": [column.to_dict() for column in self.columns],
            "members": [member.to_dict() for member in self.members],
            "member_count": self.member_count,
            "note": self.note,
        }
