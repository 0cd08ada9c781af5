"""The settings of an estimator beside its native file: its class by name, and values that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlalm_jupyter.domain.errors import NotSerialisable
from mlalm_jupyter.formats.archive import damaged_payload, json_text, read_json

FILE = "estimator.json"


@dataclass(frozen=True)
class Estimator:
    """A class of a library, by a name from a list of ours, and how it was set."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    fitted: Mapping[str, Any] = field(default_factory=dict)


def settings_of(model: Any) -> dict[str, Any]:
    """How an estimator was set; what is no plain value cannot be kept beside a native file."""
    found = {}
    for name, value in sorted(model.get_params(deep=False).items()):
        value = value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value
        if isinstance(value, float) and math.isnan(value) and name == "missing":
            continue  # the default, for which JSON has no word
        if not _is_plain(value):
            raise NotSerialisable(
                f"The {type(model).__name__}",
                attribute=name,
                because=f"a {type(value).__name__} is no plain setting",
            )
        found[name] = value
    return found


def read_estimator(payload: Mapping[str, bytes], native: str, *, classes: Collection[str]) -> Estimator:
    """What stands beside a native file."""
    if set(payload) != {native, FILE}:
        raise damaged_payload(f"It should hold '{native}' and '{FILE}'.")
    told = read_json(payload[FILE], f"payload/{FILE}")
    name, settings, fitted = told.get("class"), told.get("settings", {}), told.get("fitted", {})
    if name not in classes or not isinstance(settings, dict) or not isinstance(fitted, dict):
        raise damaged_payload(f"It names a class '{str(name)[:40]}' that it cannot be of.")
    if not all(_is_plain(value) for value in (*settings.values(), *fitted.values())):
        raise damaged_payload("Its settings are no plain values.")
    if told != {key: value for key, value in told.items() if key in ("class", "settings", "fitted")}:
        raise damaged_payload(f"Its '{FILE}' says more than is known here.")
    if reads := [key for key, value in settings.items() if value and _names_a_place(key)]:
        raise damaged_payload(f"Its setting '{reads[0][:40]}' would read or write files.")
    return Estimator(str(name), settings, fitted)


def estimator_text(name: str, **parts: Mapping[str, Any]) -> bytes:
    """The text that `read_estimator` reads."""
    return json_text({"class": name, **parts})


def _names_a_place(key: str) -> bool:
    words = ("file", "dir", "path", "input_model", "output_model", "machine", "snapshot", "url", "host")
    return any(word in key.lower() for word in words)


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(one) for one in value)
    return value is None or isinstance(value, (str, bool, int, float))
