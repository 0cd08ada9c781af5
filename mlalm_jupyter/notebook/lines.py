"""What the lines for IPython in a cell do with names and files."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from mlalm_jupyter.notebook.code import PYTHON_BODIES, CellCode, Magic
from mlalm_jupyter.notebook.effects import Flow
from mlalm_jupyter.notebook.knowledge import Knowledge
from mlalm_jupyter.notebook.known_calls import (
    FOREIGN_BODIES,
    MAGIC_READING_OPTIONS,
    MAGIC_READS,
    QUIET_MAGICS,
)

_EXPANDED = re.compile(r"(?<![\\$])\$(?:\{)?([A-Za-z_]\w*)|(?<!\{)\{([A-Za-z_]\w*)[^{}]*\}")
_OUT = re.compile(r"--(?:out|err)[ =](\w+)")


def opening_flow(code: CellCode, known: Knowledge) -> Flow:
    """What a cell does before its first statement: its cell magics, and whether it can be read at all."""
    flow = Flow()
    for magic in code.magics:
        if magic.form == "cell":
            flow = flow.then(magic_flow(magic, known))
    if code.fault:
        flow = flow.then(Flow(unknowns=(f"this cell is no Python ({code.fault})",)))
    return flow


def magic_flow(magic: Magic, known: Knowledge) -> Flow:
    """What one line for IPython does; what it is assigned to is not told here."""
    flow = _effect(magic, known)
    for name in flow.writes:
        known.forget(name)
    return replace(flow, magics=(magic,))


def _effect(magic: Magic, known: Knowledge) -> Flow:
    words = magic.rest.split()
    if magic.form == "help":
        return Flow()
    if magic.form == "call":
        return Flow(reads=frozenset({magic.name}) if magic.name.isidentifier() else frozenset())
    reads = frozenset(one or other for one, other in _EXPANDED.findall(magic.rest)) & known.written
    if magic.form == "shell":
        return Flow(reads=reads, unknowns=("a shell line may read and write any file",))
    if magic.form == "cell":
        return _cell_effect(magic, words, reads)
    if magic.name in (
        "store",
        "pylab",
        "run",
        "load",
        "cd",
        "reset",
        "reset_selective",
        "macro",
        "rerun",
        "R",
    ):
        return _known_trouble(magic, words, reads)
    if magic.name not in QUIET_MAGICS:
        return Flow(reads=reads, unknowns=(f"what %{magic.name} does is not known",))
    position = MAGIC_READS.get(magic.name)
    if position is not None and position < len(words) and words[position].isidentifier():
        reads |= {words[position]} if magic.name != "deploy" else {words[position]} & known.written
    for option, value in pairwise(words):
        if option in MAGIC_READING_OPTIONS and value in known.written:
            reads |= {value}
    return Flow(reads=reads)


def _cell_effect(magic: Magic, words: list[str], reads: frozenset[str]) -> Flow:
    if magic.name == "capture":
        taken = frozenset(word for word in words[:1] if word.isidentifier())
        return Flow(writes=taken, certain=taken)
    if magic.name in PYTHON_BODIES:
        return Flow()
    if magic.name in ("writefile", "file"):
        files = [word for word in words if not word.startswith("-")]
        return Flow(files_written=frozenset(files[:1]))
    if magic.name == "R":
        return _r_effect(words)
    if magic.name in FOREIGN_BODIES:
        taken = frozenset(_OUT.findall(magic.rest))
        runs = magic.name not in ("html", "HTML", "javascript", "js", "latex", "svg", "SVG", "markdown")
        unknown = (f"a %%{magic.name} cell may read and write any file",) if runs else ()
        return Flow(reads=reads, writes=taken, certain=taken, unknowns=unknown)
    return Flow(reads=reads, unknowns=(f"what %%{magic.name} does is not known",))


def _known_trouble(magic: Magic, words: list[str], reads: frozenset[str]) -> Flow:
    if magic.name == "R":
        return _r_effect(words)
    if magic.name == "store":
        names = frozenset(word for word in words if word.isidentifier())
        if "-r" in words:
            return Flow(writes=names, certain=names, unknowns=() if names else ("%store -r sets any name",))
        return Flow(reads=names)
    why = {
        "cd": "after %cd, paths begin in another folder",
        "pylab": "%pylab sets many names",
        "reset": "%reset deletes names",
        "reset_selective": "%reset_selective deletes names",
    }
    return Flow(reads=reads, unknowns=(why.get(magic.name, f"%{magic.name} runs code that is not here"),))


def _r_effect(words: list[str]) -> Flow:
    """`%R -i table -o result` hands names to R and takes others back."""
    pairs = list(pairwise(words))
    given = {name for option, names in pairs if option in ("-i", "--input") for name in names.split(",")}
    taken = frozenset(
        name for option, names in pairs if option in ("-o", "--output") for name in names.split(",")
    )
    return Flow(reads=frozenset(given), writes=taken, certain=taken)
