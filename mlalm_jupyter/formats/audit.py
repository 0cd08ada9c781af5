"""Reading what a skops file would make, from its text alone: nothing is imported, nothing is made.

skops has an audit of its own, which the loading runs as well. This one does not share its code, takes
its lists from `allowed`, and refuses what it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlalm_jupyter.domain.errors import Corrupt
from mlalm_jupyter.domain.trust import is_trustable
from mlalm_jupyter.formats.allowed import is_allowed
from mlalm_jupyter.formats.archive import damaged_payload

# Two is what skops writes today; a file that claims an older protocol is given older readers.
PROTOCOLS = (1, 2)
_TEXT_READERS = frozenset(
    f"sklearn.feature_extraction.text.{name}Vectorizer" for name in ("Count", "Tfidf", "Hashing")
)
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


@dataclass
class Audit:
    """What a skops file names: what is allowed, what is not, and which files it reads."""

    allowed: set[str] = field(default_factory=set)
    wants: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    """Those of what it wants that are classes of which it makes objects, and that it wants for nothing else."""


def audited(schema: Mapping[str, Any]) -> Audit:
    """Everything the `schema.json` of a skops file would make."""
    if schema.get("protocol") not in PROTOCOLS:
        raise _unreadable(f"it says protocol {schema.get('protocol')!r}, and we read {PROTOCOLS}")
    found, others = Audit(), set()
    for node in _nodes(schema):
        loader, module, name = (node.get(key) for key in ("__loader__", "__module__", "__class__"))
        if not isinstance(loader, str) or not isinstance(module, str) or not isinstance(name, str):
            raise _unreadable("a part of it does not say what it is")
        path = f"{module}.{name}"
        if more := _more(node, loader, path):
            found.wants.add(more)
            others.add(more)
        elif is_allowed(loader, module, name):
            found.allowed.add(path)
        else:
            found.wants.add(path)
            (found.types if loader == "ObjectNode" and is_trustable(path) else others).add(path)
    found.types -= others
    return found


def _nodes(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every object of the text that skops could take for a part, however deep."""
    waiting: list[Any] = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if "__loader__" in one:
                yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _more(node: Mapping[str, Any], loader: str, path: str) -> str | None:
    """What a part would do besides being of its type, where the type alone does not tell."""
    if loader == "MethodNode":
        return f"{path}.{_at(node, 'content', 'func')}"
    if loader == "RandomGeneratorNode":
        # skops calls what this text names
        said = _loaded(_at(node, "content", "bit_generator", "content", "bit_generator", "content"))
        return None if said in _BIT_GENERATORS else f"numpy.random.{said}"
    if loader == "ObjectNode" and path in _TEXT_READERS:
        said = _loaded(_at(node, "content", "content", "input", "content"))
        return None if said == "content" else f"{path} with input={said!r}, which reads files"
    return None


def _at(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _loaded(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def _unreadable(why: str) -> Corrupt:
    return damaged_payload(f"It is no readable skops file: {why}.")
