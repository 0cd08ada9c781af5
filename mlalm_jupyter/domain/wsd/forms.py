"""The published forms of a definition: which version writes what how."""

from __future__ import annotations

import copy

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.wsd.parts import Json

NEWEST = "2017-01-01"
OLDER = "2016-05-01-preview"


def in_form(document: Json, api_version: str) -> Json:
    """A document in its normal form, written as a version of the published schema has it.

    >>> in_form({"properties": {"parameters": {"seed": {"value": "1"}}}}, "2016-05-01-preview")
    {'properties': {'parameters': {'seed': '1'}}}
    """
    if api_version == NEWEST:
        return document
    if api_version != OLDER:
        raise InvalidInput(
            f"The api-version '{api_version}'", expected=f"{NEWEST} or {OLDER}", got=repr(api_version)
        )
    older = copy.deepcopy(document)
    properties = older["properties"]
    holders = [properties]
    for node in ((properties.get("package") or {}).get("nodes") or {}).values():
        holders.append(node)
    for holder in holders:
        given = holder.get("parameters")
        if given:
            holder["parameters"] = {name: body.get("value", "") for name, body in given.items()}
    return older
