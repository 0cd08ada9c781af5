"""What is different between two definitions, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.signature import Column, Schema
from mlalm_jupyter.domain.wsd.parts import CodeCell, HeldAsset, Json, ModelAsset, Step
from mlalm_jupyter.domain.wsd.places import Path, shown

_CONTEXT = 2


@dataclass(frozen=True, slots=True)
class DefinitionChange:
    """One difference: what it is about, how it was, how it is."""

    what: str
    before: str
    after: str
    told: str
    """The difference as a sentence."""
    lines: tuple[str, ...] = ()
    """The lines of code that are different, as `diff -u` tells them."""

    def to_dict(self) -> dict[str, object]:
        return {
            "what": self.what,
            "before": self.before,
            "after": self.after,
            "told": self.told,
            "lines": list(self.lines),
        }


def differences_between(old: ServiceDefinition, new: ServiceDefinition) -> list[DefinitionChange]:
    """Every difference, those that matter most first; none where the two are the same."""
    if old.digest == new.digest:
        return []
    found = [
        *_assets(old, new),
        *_code(old, new),
        *_ports("input", old.inputs, new.inputs),
        *_ports("output", old.outputs, new.outputs),
        *_parameters(old, new),
        *_steps(old, new),
    ]
    return [*found, *_rest(old.to_dict(), new.to_dict(), is_told=bool(found))]


def _change(what: str, before: object, after: object) -> DefinitionChange:
    if before is None:
        return DefinitionChange(what, "", str(after), f"{what} came: {after}.")
    if after is None:
        return DefinitionChange(what, str(before), "", f"{what} went; it was {before}.")
    return DefinitionChange(what, str(before), str(after), f"{what} went from {before} to {after}.")


def _assets(old: ServiceDefinition, new: ServiceDefinition) -> Iterator[DefinitionChange]:
    one, other = _held(old), _held(new)
    for name in dict.fromkeys([*one, *other]):
        was, became = one.get(name), other.get(name)
        if was != became:
            held = became or was
            assert held
            kind = "trained model" if isinstance(held, ModelAsset) else held.kind
            yield _change(f"The {kind} {name}", _reference(was, became), _reference(became, was))


def _held(definition: ServiceDefinition) -> dict[str, ModelAsset | HeldAsset]:
    held: dict[str, ModelAsset | HeldAsset] = {one.asset: one for one in definition.models}
    held.update({one.asset: one for one in (*definition.transforms, *definition.datasets)})
    return held


def _reference(asset: ModelAsset | HeldAsset | None, beside: ModelAsset | HeldAsset | None) -> str | None:
    if asset is None:
        return None
    digest = asset.model_hash if isinstance(asset, ModelAsset) else asset.digest
    is_same = beside is not None and beside.reference == asset.reference
    return f"{asset.reference} ({digest[:12]})" if is_same else asset.reference


def _code(old: ServiceDefinition, new: ServiceDefinition) -> Iterator[DefinitionChange]:
    one, other = ({cell.node: cell for cell in definition.code} for definition in (old, new))
    for node in dict.fromkeys([*one, *other]):
        was, became = one.get(node), other.get(node)
        if was is None or became is None:
            yield _change(f"The code of step {node}", _named(was), _named(became))
            continue
        if was.entry != became.entry:
            yield _change(f"The function of step {node}", was.entry, became.entry)
        if was.source != became.source:
            lines = tuple(
                difflib.unified_diff(
                    was.source.splitlines(), became.source.splitlines(), lineterm="", n=_CONTEXT
                )
            )[2:]
            came = sum(line.startswith("+") for line in lines)
            went = sum(line.startswith("-") for line in lines)
            told = f"The code of step {node} changed: {_count(came, 'line')} came, {went} went."
            yield DefinitionChange(f"The code of step {node}", was.source, became.source, told, lines)


def _named(cell: CodeCell | None) -> str | None:
    return f"function {cell.entry}" if cell else None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _ports(side: str, old: Mapping[str, Schema], new: Mapping[str, Schema]) -> Iterator[DefinitionChange]:
    for name in dict.fromkeys([*old, *new]):
        if name not in old or name not in new:
            columns = (old.get(name) or new[name]).names
            yield _change(
                f"The {side} {name}",
                ", ".join(columns) if name in old else None,
                ", ".join(columns) if name in new else None,
            )
            continue
        was, became = ({column.name: column for column in one.columns} for one in (old[name], new[name]))
        for column in dict.fromkeys([*was, *became]):
            before, after = was.get(column), became.get(column)
            if before != after:
                yield _change(f"The column '{column}' of {name}", _typed(before), _typed(after))
        if was.keys() == became.keys() and list(was) != list(became):
            yield _change(f"The order of the columns of {name}", ", ".join(was), ", ".join(became))


def _typed(column: Column | None) -> str | None:
    if column is None:
        return None
    return f"{column.type}{'' if column.nullable else ', never missing'}"


def _parameters(old: ServiceDefinition, new: ServiceDefinition) -> Iterator[DefinitionChange]:
    one, other = ({each.name: each for each in definition.parameters} for definition in (old, new))
    for name in dict.fromkeys([*one, *other]):
        was, became = (
            f"{each.type}, {'required' if each.is_required else f'{each.default} unless given'}"
            if each
            else None
            for each in (one.get(name), other.get(name))
        )
        if was != became:
            yield _change(f"The parameter '{name}'", was, became)


def _steps(old: ServiceDefinition, new: ServiceDefinition) -> Iterator[DefinitionChange]:
    one, other = ({step.node: step for step in definition.steps} for definition in (old, new))
    for node in dict.fromkeys([*one, *other]):
        was, became = one.get(node), other.get(node)
        if was is None or became is None:
            if not (was or became).code:  # type: ignore[union-attr]  # one of them is there
                yield _change(f"The step {node}", _kind(was), _kind(became))
            continue
        for name in dict.fromkeys([*was.settings, *became.settings]):
            if was.settings.get(name) != became.settings.get(name):
                yield _change(
                    f"The setting '{name}' of step {node}", was.settings.get(name), became.settings.get(name)
                )
        if was.takes != became.takes:
            yield _change(f"What step {node} takes", ", ".join(was.takes), ", ".join(became.takes))


def _kind(step: Step | None) -> str | None:
    return step.module.rpartition("/")[2] if step else None


_TOLD: tuple[Path, ...] = (
    ("properties", "assets"),
    ("properties", "package"),
    ("properties", "input"),
    ("properties", "output"),
    ("properties", "parameters"),
)


def _rest(old: Json, new: Json, *, is_told: bool) -> Iterator[DefinitionChange]:
    """What no sentence above is about, by its path."""
    one, other = dict(_flat(old, ())), dict(_flat(new, ()))
    for path in dict.fromkeys([*one, *other]):
        if one.get(path) == other.get(path):
            continue
        if is_told and any(path[: len(known)] == known for known in _TOLD):
            continue
        yield _change(shown(path), _said(one, path), _said(other, path))


def _said(flat: Mapping[Path, object], path: Path) -> str | None:
    return repr(flat[path]) if path in flat else None


def _flat(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict) and value:
        for name, held in value.items():
            yield from _flat(held, (*path, name))
    elif isinstance(value, list) and value:
        for index, held in enumerate(value):
            yield from _flat(held, (*path, index))
    else:
        yield path, value
