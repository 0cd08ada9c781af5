"""The backward pass: which pieces an output needs, down to rows that come in and to what was fitted."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable
from dataclasses import dataclass

from mlalm_jupyter.notebook.code import CellCode, code_of
from mlalm_jupyter.notebook.effects import Flow
from mlalm_jupyter.notebook.knowledge import Knowledge
from mlalm_jupyter.notebook.predictive import refusals
from mlalm_jupyter.notebook.predictive.drafts import Asset, Found
from mlalm_jupyter.notebook.statements import statement_flow

_FILES = ("the file ", "whether open ")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece as it stands in the slice."""

    line: int
    text: str
    flow: Flow
    asset: Asset | None = None
    is_definition: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """Where an output is taken: a variable after a line, which may be one that the slice sets itself there."""

    variable: str
    line: int
    text: str = ""
    """What sets it, where the notebook has no variable for it."""
    expression: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """What outputs need."""

    parts: tuple[Part, ...]
    assets: tuple[Asset, ...]
    sources: tuple[tuple[int, str], ...]
    gone: tuple[tuple[str, int], ...] = ()
    """Names that nothing defines, with the line that needs them."""
    dark: tuple[tuple[int, str], ...] = ()
    """Lines that may do anything to what is needed, with why."""


def unknowable(flow: Flow) -> list[str]:
    """What cannot be known of a statement, apart from its files."""
    return [one for one in flow.unknowns if not one.startswith(_FILES)]


class Slicer:
    """Slices of one program, for one output after another."""

    def __init__(self, found: Found, *, is_kept: bool = True) -> None:
        """`is_kept` has each selection of rows be the identity; without it they are selected as typed."""
        self._found = found
        known, self._parts = Knowledge(), list[Part]()
        for line in range(len(found.program.lines)):
            for piece in found.pieces.get(line, ()):
                if piece.asset is not None and piece.asset.is_direct:
                    self._parts.append(Part(line, "", Flow(), piece.asset))
                elif piece.in_kept if is_kept else piece.in_program:
                    text = found.rendered(piece, is_kept=is_kept)
                    is_typed = piece.text is None and piece.asset is None
                    if not is_kept and line in found.troubles and is_typed:
                        text = found.program.lines[line].code.text[piece.start : piece.end]
                    self._parts += self._read(line, text, known)

    def _read(self, line: int, text: str, known: Knowledge) -> list[Part]:
        code = code_of(text)
        found: list[Part] = []
        if code.fault:
            whole = self._found.program.lines[line]
            self._found.trouble(
                line, refusals.unreadable(whole.place.cell, "a statement that could not be taken apart")
            )
            return [Part(line, whole.typed, whole.flow)]
        for node in code.tree.body:
            if _is_idle(node):
                continue
            flow = statement_flow(node, code, known)
            is_definition = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            found.append(Part(line, _text(code, node), flow, is_definition=is_definition))
        return found

    def slice(self, outputs: Iterable[Output], *, ports: Iterable[tuple[int, str]] | None = None) -> Slice:
        """What some outputs need; where `ports` are given, other tables are brought in as typed, such as labels."""
        chosen, only = list(outputs), None if ports is None else frozenset(ports)
        first = self._pass(chosen, frozenset(), only)
        extra = self._definitions(first.assets)
        return self._pass(chosen, extra, only) if extra else first

    def _pass(
        self, outputs: list[Output], extra: frozenset[str], only: frozenset[tuple[int, str]] | None
    ) -> Slice:
        found = self._found
        assets = {one.name: one for one in [*found.hoisted, *found.assets]}
        live: dict[str, int] = dict.fromkeys(extra, -1)
        kept: list[Part] = []
        needed: dict[str, Asset] = {}
        reached: list[tuple[int, str]] = []
        dark: list[tuple[int, str]] = []
        parts = list(self._parts)
        for one in outputs:
            if one.text:
                place = next((i for i, part in enumerate(parts) if part.line > one.line), len(parts))
                parts[place:place] = self._read(one.line, f"{one.variable} = {one.text}", _knowledge(parts))
        by_line: dict[int, list[Part]] = {}
        for part in parts:
            by_line.setdefault(part.line, []).append(part)
        for line in range(len(found.program.lines) - 1, -1, -1):
            for one in outputs:
                if one.line == line:
                    live.setdefault(one.variable, line)
            flow = found.program.lines[line].flow
            words = set(re.findall(r"\w+", found.program.lines[line].typed))
            is_by_hand = found.program.lines[line].hand in ("train", "skip", "evaluate")
            if not is_by_hand and (why := unknowable(flow)) and words & live.keys():
                dark.append((line, why[0]))
            sources = [name for name in found.sources.get(line, []) if only is None or (line, name) in only]
            for part in reversed(by_line.get(line, [])):
                if part.asset is not None:
                    if part.asset.variable in live:
                        needed[part.asset.name] = part.asset
                        live.pop(part.asset.variable, None)
                    continue
                touched = part.flow.writes | part.flow.changes
                hits = [name for name in sources if name in live and name in touched]
                for name in hits:
                    reached.append((line, name))
                    live.pop(name)
                if touched & live.keys():
                    kept.append(part)
                    for name in part.flow.certain:
                        live.pop(name, None)
                    for name in part.flow.reads | (part.flow.changes - part.flow.certain):
                        live.setdefault(name, line)
            for name in sources:
                if name in live:
                    reached.append((line, name))
                    live.pop(name)
        for name in list(live):
            if name in assets:
                needed[name] = assets[name]
                live.pop(name)
        gone = tuple(
            (name, line) for name, line in live.items() if not hasattr(builtins, name) and name != "__file__"
        )
        order = sorted(needed.values(), key=lambda one: (one.line, not one.is_before, one.name))
        return Slice(tuple(reversed(kept)), tuple(order), tuple(reversed(reached)), gone, tuple(dark))

    def _definitions(self, assets: Iterable[Asset]) -> frozenset[str]:
        """Classes and functions of the notebook that fitted things are made of."""
        lines = self._found.program.lines
        defined = {name for line in lines for name in line.flow.defines}
        classes = {one.node.name for one in lines if isinstance(one.node, ast.ClassDef)}
        wanted: set[str] = set()
        for asset in assets:
            waiting, seen = [(asset.variable, asset.line)] if asset.variable else [], set[str]()
            if not asset.variable:
                _collect(ast.parse(asset.expression.strip()), defined, classes, wanted)
            while waiting:
                name, last = waiting.pop()
                if name in seen:
                    continue
                seen.add(name)
                for index, line in enumerate(lines[: last + 1]):
                    if name not in line.flow.writes | line.flow.changes or line.flow.defines:
                        continue
                    _collect(line.node, defined, classes, wanted)
                    made = {
                        piece.unfitted
                        for earlier in range(index)
                        for piece in self._found.pieces.get(earlier, ())
                        if piece.unfitted
                    }
                    waiting += [(one, index) for one in sorted(line.flow.reads & made)]
        return frozenset(wanted)


def _is_idle(node: ast.stmt) -> bool:
    """`df = df`, which is left of `df = df.dropna()`."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Name)
        and all(isinstance(one, ast.Name) and one.id == node.value.id for one in node.targets)
    )


def _collect(tree: ast.AST, defined: set[str], classes: set[str], wanted: set[str]) -> None:
    """Names of classes, and of functions that are handed on rather than called."""
    called = {id(one.func) for one in ast.walk(tree) if isinstance(one, ast.Call)}
    for one in ast.walk(tree):
        if isinstance(one, ast.Name) and one.id in defined and (one.id in classes or id(one) not in called):
            wanted.add(one.id)


def _knowledge(parts: Iterable[Part]) -> Knowledge:
    """What is known after some parts."""
    known = Knowledge()
    for part in parts:
        code = code_of(part.text)
        for node in code.tree.body:
            statement_flow(node, code, known)
    return known


def _text(code: CellCode, node: ast.stmt) -> str:
    text = code.text_of(node)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.decorator_list:
        start = code.span(node.decorator_list[0])[0] - 1
        return code.text[start : code.span(node)[1]]
    return text
