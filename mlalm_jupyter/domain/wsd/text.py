"""The one form of a document that is hashed and kept in git."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.wsd.places import Path, fault


def canonical_text(document: object) -> str:
    """The form that is hashed and kept in git: sorted keys, two spaces, a newline at the end.

    The columns of a port keep their order, because it means something.
    """
    return json.dumps(_ordered(document, ()), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def written(document: object) -> str:
    """The canonical text, or which value keeps it from being one."""
    try:
        text = canonical_text(document)
        text.encode()
    except RecursionError as error:
        raise too_deep("$") from error
    except (ValueError, TypeError) as error:
        raise _unwritable(document) or InvalidInput("$", expected="JSON", got=str(error)) from error
    return text


def too_deep(where: str) -> InvalidInput:
    return InvalidInput(where, expected="JSON nested at most a few hundred deep", got="deeper nesting")


def _unwritable(document: object, path: Path = ()) -> InvalidInput | None:
    """Which value of a document JSON in UTF-8 cannot say."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            if not isinstance(key, str) or not _is_text(key):
                return fault(path, expected="names that are text", got=f"{key!r}"[:60])
            if found := _unwritable(value, (*path, key)):
                return found
    elif isinstance(document, (list, tuple)):
        for index, value in enumerate(document):
            if found := _unwritable(value, (*path, index)):
                return found
    elif isinstance(document, float) and not math.isfinite(document):
        return fault(path, expected="a number that JSON has, or null", got=repr(document))
    elif isinstance(document, str):
        if not _is_text(document):
            return fault(path, expected="text that UTF-8 can hold", got=f"{document!r}"[:60])
    elif document is not None and not isinstance(document, (bool, int, float)):
        return fault(path, expected="what JSON can say", got=f"a {type(document).__name__}")
    return None


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ordered(value: object, path: tuple[str, ...]) -> object:
    if isinstance(value, Mapping):
        keys: Iterable[Any] = value if _holds_columns(path) else sorted(value)
        return {key: _ordered(value[key], (*path, key)) for key in keys}
    if isinstance(value, (list, tuple)):
        return [_ordered(item, (*path, "[]")) for item in value]
    return value


def _holds_columns(path: tuple[str, ...]) -> bool:
    """Whether `path` is properties.input.properties.PORT.properties, or the same of output."""
    return len(path) == 5 and path[0] == path[2] == path[4] == "properties" and path[1] in ("input", "output")
