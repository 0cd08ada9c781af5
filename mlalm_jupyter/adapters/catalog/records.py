"""Rows that were changed by another hand: what cannot be read as a record is damaged, and said to be."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from mlalm_jupyter.domain.errors import Corrupt, InvalidInput

Noun = TypeVar("Noun")
More = ParamSpec("More")
Reading = Callable[Concatenate[Sequence[Any], More], Noun]


def record(kind: str) -> Callable[[Reading[More, Noun]], Reading[More, Noun]]:
    """Mark a function that makes a noun of a row, which begins with its id."""

    def marked(read: Reading[More, Noun]) -> Reading[More, Noun]:
        @functools.wraps(read)
        def reading(row: Sequence[Any], /, *more: More.args, **named: More.kwargs) -> Noun:
            try:
                return read(row, *more, **named)
            except (ValueError, TypeError, KeyError, AttributeError, InvalidInput) as error:
                why = f"It holds what no {kind} does: {error}."
                raise Corrupt(f"The record of {kind} {str(row[0])[:12]}", why=why) from error

        return reading

    return marked


def an_object(value: Any) -> dict[str, Any]:
    """A value of a JSON column that is an object."""
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {value!r}"[:100])
    return value
