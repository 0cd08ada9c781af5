"""One change in the text of a definition that a person keeps; everything else stays as it was typed."""

from __future__ import annotations

import json

from mlalm_jupyter.domain.definition import ModelAsset
from mlalm_jupyter.domain.json_spans import Span, members
from mlalm_jupyter.domain.wsd.parts import trained_model_name


def with_model_in(text: str, held: ModelAsset, model: ModelAsset) -> str:
    """The text of a definition with another trained model in place of one it holds."""
    start = len(text) - len(text.lstrip())
    for name in ("properties", "assets"):
        start = _member(text, start, name)[0]
    start = members(text, start)[held.asset][0]
    location = _member(text, start, "locationInfo")[0]
    spans = [
        (_member(text, location, "uri"), model.uri),
        (_member(text, start, "name"), trained_model_name(model.name)),
    ]
    for (begin, end), value in sorted(spans, reverse=True):
        text = f"{text[:begin]}{json.dumps(value, ensure_ascii=False)}{text[end:]}"
    return text


def _member(text: str, start: int, name: str) -> Span:
    held = members(text, start)
    return held.get(name) or {each.lower(): span for each, span in held.items()}[name.lower()]
