"""The code of a cell: its Python as a syntax tree, and beside it the lines that only IPython understands."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

PYTHON_BODIES = ("capture", "memit", "mprun", "prun", "time", "timeit")
"""Magics whose text is Python that runs in the notebook."""

_MASK = "__line_for_ipython_{}__"
_LINE_END = re.compile(r"\r\n|\r|\n")
_TIMED = re.compile(rf"%(?:{'|'.join(PYTHON_BODIES)})[ \t]+(?:-\w+(?:[ \t]*\d+)?[ \t]+)*")
_MOST_LINES = 500
_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass(frozen=True, slots=True)
class Magic:
    """A line for IPython: `%name rest`, `!rest`, `thing?`, or the `%%name rest` that has a whole cell."""

    form: str
    name: str
    rest: str
    row: int
    start: int
    """Where `rest` begins in the cell's text."""
    body: str = ""


@dataclass(frozen=True, slots=True)
class CellCode:
    """What a cell says, with every place in its tree traceable to the text as typed."""

    text: str
    tree: ast.Module
    magics: tuple[Magic, ...]
    fault: str | None
    _masked: tuple[str, ...]
    _starts: tuple[int, ...]

    def magic_behind(self, node: ast.AST | None) -> Magic | None:
        """The magic that a name in the tree stands for."""
        if isinstance(node, ast.Name):
            for index, magic in enumerate(self.magics):
                if node.id == _MASK.format(index):
                    return magic
        return None

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """First and last offset of a piece of the tree in the text."""
        end_row, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self._offset(node.lineno, node.col_offset), self._offset(end_row, end_column)

    def text_of(self, node: ast.expr | ast.stmt) -> str:
        """A piece of the tree as typed, with its line for IPython instead of the mask."""
        magic = next((found for one in ast.walk(node) if (found := self.magic_behind(one))), None)
        start, end = self.span(node)
        if magic is not None:
            end = self.text.find("\n", max(start, magic.start))
            end = len(self.text) if end < 0 else end
        return self.text[start:end]

    def _offset(self, row: int, column: int) -> int:
        before = self._masked[row - 1].encode()[:column].decode(errors="ignore")
        return self._starts[row - 1] + len(before)


@lru_cache(maxsize=512)
def code_of(text: str) -> CellCode:
    """A cell's text, taken apart as IPython would before running it.

    >>> [(magic.name, magic.rest) for magic in code_of("rides = %dataset bikes").magics]
    [('dataset', 'bikes')]
    """
    starts, lines = _lines(text)
    for index, magic_free in enumerate(_cleaned(lines)):
        starts[index] += len(lines[index]) - len(magic_free)
        lines[index] = magic_free
    magics: list[Magic] = []
    _take_cell_magics(lines, starts, magics)
    _take_line_magics(lines, starts, magics)
    tree, fault = _tree("".join(lines))
    return CellCode(text, tree, tuple(magics), fault, tuple(lines), tuple(starts))


def _lines(text: str) -> tuple[list[int], list[str]]:
    """Where each line starts, and the lines, each ended by a newline alone."""
    starts, lines, here = [], [], 0
    for end in _LINE_END.finditer(text):
        starts.append(here)
        lines.append(text[here : end.start()] + "\n")
        here = end.end()
    if here < len(text):
        starts.append(here)
        lines.append(text[here:] + "\n")
    return starts, lines


def _cleaned(lines: Sequence[str]) -> list[str]:
    """The lines without prompts and common indentation, which IPython takes off as well."""
    from IPython.core.inputtransformer2 import classic_prompt, ipython_prompt

    blank = next((index for index, line in enumerate(lines) if not line.isspace()), len(lines))
    body: list[str] = list(lines[blank:])
    if body:
        body = [line + "\n" for line in textwrap.dedent("".join(body)).split("\n")[:-1]]
    prompts: tuple[Callable[[list[str]], list[str]], ...] = (classic_prompt, ipython_prompt)
    for stripped in prompts:
        without = stripped(list(body))
        if len(without) == len(body):
            body = without
    # what is not the end of its line as typed would lose its place
    shortened = zip(lines[blank:], body, strict=True)
    return ["\n"] * blank + [new if old.endswith(new) else old for old, new in shortened]


def _take_cell_magics(lines: list[str], starts: list[int], magics: list[Magic]) -> None:
    for index, line in enumerate(lines):
        if line.isspace():
            continue
        found = re.match(r"%%(\w+)(?!\w*\?)[ \t]*(.*)\n", line)
        if found is None:
            return
        body = "".join(lines[index + 1 :])
        name, rest = found.groups()
        magics.append(Magic("cell", name, rest.rstrip(), index + 1, starts[index] + found.start(2), body))
        lines[index] = "\n"
        if name not in PYTHON_BODIES:
            lines[index + 1 :] = ["\n"] * (len(lines) - index - 1)
            return


def _take_line_magics(lines: list[str], starts: list[int], magics: list[Magic]) -> None:
    if not any(mark in line for line in lines for mark in "%!?/,;"):
        return
    # of a cell without end IPython gives up as well
    for _ in range(_MOST_LINES):
        place = _next_magic(lines)
        if place is None:
            return
        row, column, last = place
        timed = _TIMED.match(lines[row][column:])
        rest = "".join(lines[row : last + 1])[column + timed.end() :] if timed else ""
        if timed and _tree(rest)[1] is None and rest.strip():
            # the same length, so that what is timed keeps its place
            lines[row] = lines[row][:column] + "if 1:".ljust(timed.end()) + lines[row][column + timed.end() :]
            continue
        magics.append(_magic(lines, starts, (row, column, last)))
        lines[row : last + 1] = [
            lines[row][:column] + _MASK.format(len(magics) - 1) + "\n",
            *["\n"] * (last - row),
        ]


def _next_magic(lines: Sequence[str]) -> tuple[int, int, int] | None:
    """Row, column and last row of the first line for IPython."""
    from IPython.core import inputtransformer2 as ipython

    kinds: tuple[Any, ...] = (
        ipython.MagicAssign,
        ipython.SystemAssign,
        ipython.EscapedCommand,
        ipython.HelpEnd,
    )
    tokens = ipython.make_tokens_by_line(list(lines))
    found = [one for kind in kinds if (one := kind.find(tokens)) is not None]
    for one in sorted(found, key=ipython.TokenTransformBase.sortby):
        try:
            one.transform(list(lines))
        except SyntaxError:
            continue
        row: int = one.start_line
        last = one.q_line if isinstance(one, ipython.HelpEnd) else row
        while last + 1 < len(lines) and lines[last].endswith("\\\n"):
            last += 1
        return row, one.start_col, last
    return None


def _magic(lines: Sequence[str], starts: Sequence[int], place: tuple[int, int, int]) -> Magic:
    row, column, last = place
    joined = "".join(lines[row : last + 1])[column:].replace("\\\n", " ").strip()
    start = starts[row] + column
    if joined.endswith("?") or joined.startswith("?"):
        return Magic("help", "", joined.strip("?"), row + 1, start)
    if joined.startswith("!"):
        rest = joined.lstrip("!")
        return Magic("shell", "", rest, row + 1, start + len(joined) - len(rest))
    found = re.match(r"%%?([\w.]*)[ \t]*", joined)
    if found is None:  # `/f x`, `,f x` and `;f x` call f
        return Magic("call", re.split(r"\W", joined[1:].strip())[0], joined[1:], row + 1, start)
    return Magic("magic", found.group(1), joined[found.end() :], row + 1, start + found.end())


def _tree(text: str) -> tuple[ast.Module, str | None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the compiler thinks of the text is for those who run it
            tree = compile(text, "<cell>", "exec", _FLAGS)
    except SyntaxError as error:
        return ast.Module([], []), f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return ast.Module([], []), str(error) or "nested too deeply"
    assert isinstance(tree, ast.Module)
    return tree, None


def dotted(node: ast.AST) -> str:
    """`a.b.c` as a text, looking through calls and subscripts; empty when it does not begin with a name."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, (ast.Subscript, ast.Starred)):
            node = node.value
        else:
            break
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def root_name(node: ast.AST) -> str | None:
    """The name that an expression such as `a.b[0].c` hangs from."""
    return dotted(node).partition(".")[0] or None


def calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """Every call in a piece of the tree, inner ones included."""
    return (one for one in ast.walk(node) if isinstance(one, ast.Call))
