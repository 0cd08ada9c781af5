"""The lines by which a person says where rows come in, what goes out, and which model answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlalm_jupyter.notebook.predictive.program import Line

INPUT, OUTPUT, SELECTION = "web_input", "web_output", "select_model"
PORTS = {INPUT: "input1", OUTPUT: "output1"}
"""What a port is called that was given no name."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line `%web_input VARIABLE [NAME]`, `%web_output VARIABLE [NAME]` or `%select_model VARIABLE`."""

    line: int
    word: str
    variable: str
    """Empty where the line names none."""
    name: str


def marks_of(lines: Sequence[Line], *words: str) -> list[Mark]:
    """The marks with these words among the statements of a program, in their order."""
    return list(_found(lines, words))


def mark_text(word: str, variable: str, name: str = "") -> str:
    """The line that marks a port; the name is left away where it is the usual one.

    >>> mark_text(OUTPUT, "scores", "output1")
    '%web_output scores'
    """
    return f"%{word} {variable}" + (f" {name}" if name and name != PORTS[word] else "")


def _found(lines: Sequence[Line], words: Sequence[str]) -> Iterator[Mark]:
    for number, line in enumerate(lines):
        magic = line.magic
        if magic is not None and magic.name in words:
            given = magic.rest.partition("#")[0].split()
            variable, *names = given or [""]
            yield Mark(number, magic.name, variable, names[0] if names else PORTS.get(magic.name, ""))
