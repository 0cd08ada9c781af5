"""What a search among versions asks for: `stage=prod, auc>=0.9, dataset=census:3, created>=2026-11-01`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.run import Sorting

KEPT = ("tag", "property", "metric", "parameter")
"""What a person or a run says of a version by name; a bare name means any of them."""
INPUTS = ("dataset", "transform", "model")
OWN = (
    "framework",
    "format",
    "run",
    "experiment",
    "origin",
    "by",
    "alias",
    "hash",
    "version",
    "size",
    "created",
)
"""What every version has."""
_NUMBERS = ("version", "size")
SORTS = ("created", "name", "size")

_TERM = re.compile(
    r"\s*((?:[a-z]+\.)?(?:\"[^\"]+\"|'[^']+')|[^\s=!<>,]+)\s*(<=|>=|!=|=|<|>)(?!=)\s*(\"[^\"]*\"|'[^']*'|[^,]*?)\s*(?:,|$)"
)
_EXAMPLE = "NAME and =, !=, <, <=, > or >= and a value, such as auc>=0.8 or tag.stage=prod"


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: `kind` is one of the words above, or `any` for a bare name.

    >>> Term.parse("metric.auc >= 0.9")
    Term(kind='metric', name='auc', operator='>=', text='0.9')
    >>> Term.parse("dataset=census:3").text
    'census:3'
    """

    kind: str
    name: str
    operator: str
    text: str

    @property
    def number(self) -> float | None:
        """The value as a number, where it is one.

        >>> Term("any", "year", "=", "2024").number
        2024.0
        """
        try:
            number = float(self.text)
        except ValueError:
            return None
        return None if math.isnan(number) else number

    @classmethod
    def parse(cls, text: str) -> Term:
        found = _TERM.fullmatch(text)
        if not found or not found[3]:
            raise InvalidInput(f"The condition '{text.strip()}'", expected=_EXAMPLE, got=repr(text.strip()))
        word, operator, value = found.groups()
        is_quoted = word[0] in "'\""
        word = word[1:-1] if is_quoted else word
        kind, dot, name = ("", "", "") if is_quoted else word.partition(".")
        name = name[1:-1] if name[:1] in ("'", '"') else name
        if kind not in KEPT or not dot or not name:
            kind, name = (word, "") if word in (*INPUTS, *OWN) and not is_quoted else ("any", word)
        said = value.strip("'\"") if value[:1] in "'\"" else value
        term = cls(kind, name, operator, _moment(said, text.strip()) if kind == "created" else said)
        term._check(text.strip())
        return term

    @classmethod
    def all_in(cls, text: str) -> tuple[Term, ...]:
        """Several conditions, with commas between them; a value with a comma stands in quotes.

        >>> [term.text for term in Term.all_in("note='a, b', year=2024")]
        ['a, b', '2024']
        """
        terms, position = [], 0
        while text[position:].strip():
            found = _TERM.match(text, position)
            end = found.end() if found else len(text)
            terms.append(cls.parse(text[position:end].strip().removesuffix(",")))
            position = end
        return tuple(terms)

    def _check(self, text: str) -> None:
        ordered = self.operator not in ("=", "!=")
        needs_number = self.kind in _NUMBERS or (ordered and self.kind != "created")
        if needs_number and self.number is None:
            raise InvalidInput(
                f"The condition '{text}'", expected=f"a number after {self.operator}", got=f"'{self.text}'"
            )
        if ordered and self.kind in (*INPUTS, *OWN) and self.kind not in (*_NUMBERS, "created"):
            raise InvalidInput(f"The condition '{text}'", expected="= or !=", got=self.operator)


def _moment(said: str, condition: str) -> str:
    """A year, month, day or time as versions note theirs, or the beginning of it."""
    text = said.upper().replace(" ", "T").removesuffix("Z")
    whole = _MOMENT.fullmatch(text)
    try:
        if whole is None:
            raise ValueError(said)
        datetime.fromisoformat(
            text + _REST[text.count("-")] if "T" not in text else f"{whole[1]}{_padded(whole[2])}"
        )
    except ValueError:
        raise InvalidInput(
            f"The condition '{condition}'",
            expected="a year, month, day or time (UTC), such as 2026, 2026-11, 2026-11-01 or 2026-11-01T09:30",
            got=f"'{said}'",
        ) from None
    return text


def _padded(clock: str) -> str:
    """A time of day with its minutes.

    >>> _padded("T09"), _padded("T09:30")
    ('T09:00', 'T09:30')
    """
    return clock if ":" in clock else f"{clock}:00"


_MOMENT = re.compile(r"(\d{4}(?:-\d\d(?:-\d\d)?)?)((?<=-\d\d-\d\d)T\d\d(?::\d\d(?::\d\d(?:\.\d{1,6})?)?)?)?")
_REST = ("-01-01", "-01", "")
NEWEST_FIRST = Sorting("created", is_descending=True)


@dataclass(frozen=True, slots=True)
class Search:
    """Which versions, in which order, and which part of them."""

    name: str | None = None
    terms: tuple[Term, ...] = ()
    sort: Sorting = NEWEST_FIRST
    limit: int | None = None
    offset: int = 0
    is_newest_only: bool = False
    """Of each name the newest version alone."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is said of a version, as it can be searched for."""

    kind: str
    name: str
    text: str
    number: float | None = None


def facts_of(kind: str, values: Mapping[str, object]) -> list[Fact]:
    """Names and values as facts; a number is found as a number and as it is written.

    >>> facts_of("metric", {"auc": 0.5})
    [Fact(kind='metric', name='auc', text='0.5', number=0.5)]
    """
    return [Fact(kind, name, told(value), _number(value)) for name, value in values.items()]


def input_facts(inputs: tuple[str, ...]) -> list[Fact]:
    """What something was made of, such as `dataset census:3`.

    >>> input_facts(("dataset census:3",))
    [Fact(kind='dataset', name='census', text='3', number=None)]
    """
    found = []
    for one in inputs:
        kind, space, reference = one.rpartition(" ")
        name, _, version = reference.partition(":")
        found.append(Fact(kind if space else "dataset", name, version))
    return list(dict.fromkeys(found))


def told(value: object) -> str:
    """A plain value as a person writes it in a condition.

    >>> told(True), told(None), told(3)
    ('true', 'none', '3')
    """
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever is no number says so
    except (TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number
