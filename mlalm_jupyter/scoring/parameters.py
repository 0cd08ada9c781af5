"""The GlobalParameters of a request: each known, none lacking, each of its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from mlalm_jupyter.domain.definition import ServiceParameter
from mlalm_jupyter.scoring.errors import Refusal, named

_HERE = "GlobalParameters"
Given = dict[str, dict[str, object]]
"""Settings by node and name."""


def given_settings(parameters: Sequence[ServiceParameter], given: Mapping[str, msgspec.Raw] | None) -> Given:
    """What the caller sets, at the steps that it is for."""
    if not parameters and not given:
        return {}
    known = {one.name: one for one in parameters}
    folded = {one.name.lower(): one for one in parameters}
    read: Given = {}
    seen = set()
    for name, raw in (given or {}).items():
        parameter = known.get(name) or folded.get(name.lower())
        if parameter is None:
            takes = f"; it takes {named(known)}" if known else ""
            raise _refused("UnexpectedParameter", f"The service has no parameter {named([name])}{takes}.")
        if parameter.name in seen:
            raise _refused("UserParameterInvalid", f"The parameter {named([name])} is given twice.")
        seen.add(parameter.name)
        value = _value(parameter, raw)
        for node, key in parameter.links:
            read.setdefault(node, {})[key] = value
    if lacking := [one.name for one in parameters if one.is_required and one.name not in seen]:
        raise _refused(
            "MissingRequiredGlobalParameters",
            f"The parameter {named(lacking)} has no default; give it in GlobalParameters.",
        )
    return read


def _value(parameter: ServiceParameter, raw: msgspec.Raw) -> object:
    try:
        return parameter.read(msgspec.json.decode(raw))
    except ValueError as error:
        message = f"The parameter {named([parameter.name])}: expected {error}, got {bytes(raw)[:60].decode(errors='replace')}."
        raise _refused("UserParameterInvalid", message) from None


def _refused(cause: str, message: str) -> Refusal:
    return Refusal(400, "BadUserArgument", cause, message, target=_HERE)
