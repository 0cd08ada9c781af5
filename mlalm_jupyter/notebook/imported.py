"""Reading the text of an exported experiment; what is wrong with it is said with its line and path."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from mlalm_jupyter.domain.asset import Pin
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.json_spans import span_at, twice
from mlalm_jupyter.notebook.exported import FORMAT, ExportedExperiment, Parent
from mlalm_jupyter.notebook.exported_cells import ExportedCell

_KEYS = frozenset(
    {"format", "id", "name", "kind", "kernel", "language", "metadata", "parent", "assets", "cells"}
)
_PIN_KEYS = frozenset({"kind", "name", "version", "id", "digest", "wanted"})
_CELL_KEYS = frozenset({"id", "type", "source"})
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ANY_VERSION = re.compile(r"mlalm-experiment/(\d+)")
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.M)

Path = tuple[str | int, ...]


def imported(text: str, *, name: str = "The experiment's text") -> ExportedExperiment:
    """An experiment out of its text; `name` is what a refusal calls that.

    >>> imported("{}")
    Traceback (most recent call last):
    ...
    mlalm_jupyter.domain.errors.InvalidInput: ...
    """
    return _Reading(text, name).experiment()


class _Reading:
    """One text, and what it should look like."""

    def __init__(self, text: str, called: str) -> None:
        self._called = called
        self._text = text.removeprefix("\ufeff")

    def experiment(self) -> ExportedExperiment:
        content = self._content()
        found = self._mapping(content, ())
        self._check_format(found)
        self._check_keys(found, (), _KEYS)
        parent = found["parent"]
        cells = self._list(found["cells"], ("cells",))
        read = tuple(self._cell(cell, ("cells", index)) for index, cell in enumerate(cells))
        seen: set[str] = set()
        for index, cell in enumerate(read):
            if cell.id in seen:
                self._refuse(("cells", index, "id"), "an id that no other cell has", repr(cell.id))
            seen.add(cell.id)
        return ExportedExperiment(
            self._name(found, (), "id"),
            self._name(found, (), "name"),
            self._name(found, (), "kind"),
            self._mapping(found["kernel"], ("kernel",)),
            self._name(found, (), "language"),
            self._mapping(found["metadata"], ("metadata",)),
            None if parent is None else self._parent(parent),
            tuple(
                self._pin(pin, ("assets", index))
                for index, pin in enumerate(self._list(found["assets"], ("assets",)))
            ),
            read,
        )

    def _content(self) -> Any:
        try:
            content = json.loads(self._text, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            conflict = _CONFLICT.search(self._text)
            line = self._line(conflict.start()) if conflict else error.lineno
            raise InvalidInput(
                f"{self._called}, line {line},",
                expected="JSON",
                got=f"the mark of an unfinished merge, {conflict[1]}"
                if conflict
                else f"text that is none ({error.msg[:1].lower()}{error.msg[1:]})",
                fix="Finish the merge, and take out its marks."
                if conflict
                else "Export it again with `mlalm experiment export`.",
            ) from error
        except (ValueError, RecursionError) as error:
            got = str(error) or "text nested too deeply"
            raise InvalidInput(self._called, expected="JSON", got=got) from error
        double = twice(self._text)
        if double:
            raise InvalidInput(
                f"{self._called}, line {self._line(double[1])},",
                expected="each name once",
                got=f"'{double[0]}' again",
            )
        return content

    def _check_format(self, found: Mapping[str, Any]) -> None:
        given = found.get("format")
        if given == FORMAT:
            return
        version = _ANY_VERSION.fullmatch(given) if isinstance(given, str) else None
        if version and int(version[1]) > 1:
            self._refuse(
                ("format",),
                f"'{FORMAT}' or older",
                f"'{given}', which a newer mlalm wrote",
                "Install the newer mlalm that wrote it, and try again.",
            )
        if "nbformat" in found:
            fix = "Copy a notebook into the workspace; it needs no import."
            self._refuse(("nbformat",), "an exported experiment", "a notebook", fix)
        self._refuse(("format",), f"'{FORMAT}'", repr(given) if "format" in found else "no format")

    def _cell(self, value: Any, path: Path) -> ExportedCell:
        cell = self._mapping(value, path)
        self._check_keys(cell, path, _CELL_KEYS, optional=frozenset({"tags", "metadata"}))
        metadata = dict(self._mapping(cell.get("metadata", {}), (*path, "metadata")))
        if "tags" in metadata:
            self._refuse((*path, "metadata", "tags"), "tags beside the metadata, not in it", "them in it")
        if "tags" in cell:
            metadata["tags"] = self._lines(cell["tags"], (*path, "tags"))
        lines = self._lines(cell["source"], (*path, "source"))
        for index, line in enumerate(lines):
            if "\n" in line:
                self._refuse((*path, "source", index), "one line", "several")
        kind = self._name(cell, path, "type")
        if kind not in ("code", "markdown", "raw"):
            self._refuse((*path, "type"), "'code', 'markdown' or 'raw'", repr(kind))
        id = self._name(cell, path, "id")
        if not _CELL_ID.fullmatch(id):
            self._refuse((*path, "id"), "1 to 64 letters, digits, '-' or '_'", repr(id))
        return ExportedCell(id, kind, "\n".join(lines), dict(sorted(metadata.items())))

    def _pin(self, value: Any, path: Path) -> Pin:
        pin = self._mapping(value, path)
        self._check_keys(pin, path, _PIN_KEYS)
        for name in _PIN_KEYS - {"version"}:
            self._name(pin, path, name)
        version = pin["version"]
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            self._refuse((*path, "version"), "a version, from 1", repr(version))
        return Pin.from_dict(pin)

    def _parent(self, value: Any) -> Parent:
        path: Path = ("parent",)
        parent = self._mapping(value, path)
        self._check_keys(parent, path, frozenset({"path", "id", "run_id"}))
        run_id = None if parent["run_id"] is None else self._name(parent, path, "run_id")
        return Parent(self._name(parent, path, "path"), self._name(parent, path, "id"), run_id)

    # shapes

    def _check_keys(
        self,
        found: Mapping[str, Any],
        path: Path,
        keys: frozenset[str],
        *,
        optional: frozenset[str] = frozenset(),
    ) -> None:
        missing, more = sorted(keys - found.keys()), sorted(found.keys() - keys - optional)
        if missing:
            self._refuse(path, f"{', '.join(repr(key) for key in missing)} here too", "an object without")
        if more:
            self._refuse((*path, more[0]), f"only {', '.join(sorted(keys | optional))}", repr(more[0]))

    def _mapping(self, value: Any, path: Path) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._refuse(path, "an object", _kind(value))
        return value

    def _list(self, value: Any, path: Path) -> Sequence[Any]:
        if not isinstance(value, list):
            self._refuse(path, "a list", _kind(value))
        return value

    def _lines(self, value: Any, path: Path) -> list[str]:
        for index, line in enumerate(self._list(value, path)):
            if not isinstance(line, str):
                self._refuse((*path, index), "text", _kind(line))
        return list(value)

    def _name(self, found: Mapping[str, Any], path: Path, key: str) -> str:
        value = found[key]
        if not isinstance(value, str) or not value:
            self._refuse((*path, key), "a text that is not empty", _kind(value))
        return value

    def _refuse(self, path: Path, expected: str, got: str, fix: str = "") -> NoReturn:
        line = self._line(span_at(self._text, path)[0])
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        raise InvalidInput(f"{self._called}, line {line}, at ${steps},", expected=expected, got=got, fix=fix)

    def _line(self, place: int) -> int:
        return self._text.count("\n", 0, place) + 1


def _kind(value: Any) -> str:
    if value is None or value == "":
        return "null" if value is None else "an empty text"
    names = {dict: "an object", list: "a list", str: "a text", bool: "a yes or no"}
    return names.get(type(value), "a number")


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text}, which is no number in JSON")
