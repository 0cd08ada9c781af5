"""The corpus of training notebooks: percent-format files with a head that says what a converter must do of them.

A head is a block of `# key: value` lines; cells follow, each from a `# %%` line; what stands after `# === answer` is not
part of the notebook: Python that, run in the names the notebook left, defines `answer(rows)` (the right predictions),
`rows` (raw rows to ask with) and, where the notebook predicts rows of its own, `held_rows` and `held_predictions`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode, v4

FOLDER = Path(__file__).parent / "corpus"
EXPECTATIONS = ("converts", "refused", "either", "not-predictive")
KEYS = ("title", "expect", "why", "mentions", "needs", "ran", "fails", "input", "label", "output", "model")
_ANSWER = "# === answer"
_HEAD_LINE = re.compile(r"# (\w+): (.+)")
_SHELL_LINE = re.compile(r"^\s*[%!]")


@dataclass(frozen=True)
class CorpusCell:
    """One cell: its type and its text as its author sees it."""

    kind: Literal["code", "markdown"]
    text: str

    @property
    def plain(self) -> str:
        """The code without the lines that only a kernel understands."""
        return "\n".join("" if _SHELL_LINE.match(line) else line for line in self.text.split("\n"))


@dataclass(frozen=True)
class CorpusNotebook:
    """A file of the corpus, taken apart."""

    path: Path
    head: dict[str, str]
    cells: tuple[CorpusCell, ...]
    answer: str

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def expect(self) -> str:
        """One of `EXPECTATIONS`."""
        return self.head["expect"]

    @property
    def needs(self) -> tuple[str, ...]:
        """The libraries that are not always there."""
        return self._words("needs")

    @property
    def mentions(self) -> tuple[tuple[str, ...], ...]:
        """What the reason of a refusal must say: of each group at least one word, in any case."""
        return tuple(tuple(group.strip().split("|")) for group in self._words("mentions"))

    @property
    def code(self) -> tuple[CorpusCell, ...]:
        """The code cells; the first of them has the number 1."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @property
    def ran(self) -> tuple[int, ...]:
        """The numbers of the code cells in the order in which their author ran them."""
        order = self._words("ran")
        return tuple(int(number) for number in order) if order else tuple(range(1, len(self.code) + 1))

    @property
    def fails(self) -> frozenset[int]:
        """The numbers of the code cells that raise an error, after which their author went on."""
        return frozenset(int(number) for number in self._words("fails"))

    @property
    def model(self) -> str | None:
        """Of several models the variable of the one that is meant, which a person has to say."""
        return self.head.get("model")

    def _words(self, key: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in self.head.get(key, "").split(",") if word.strip())


def corpus_paths() -> list[Path]:
    """The files of the corpus in their order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def read_corpus_file(path: Path) -> CorpusNotebook:
    """Take a file of the corpus apart; ValueError where it is not one."""
    body, _, answer = path.read_text(encoding="utf-8").partition(f"\n{_ANSWER}\n")
    head_text, *blocks = re.split(r"^(?=# %%)", body, flags=re.MULTILINE)
    head: dict[str, str] = {}
    for line in filter(None, head_text.split("\n")):
        match = _HEAD_LINE.fullmatch(line)
        if match is None or match[1] not in KEYS or match[1] in head:
            raise ValueError(f"{path.name}: not a line of a head: {line!r}")
        head[match[1]] = match[2].strip()
    if head.get("expect") not in EXPECTATIONS:
        raise ValueError(f"{path.name}: expect must be one of {EXPECTATIONS}")
    return CorpusNotebook(path, head, tuple(_cell(block) for block in blocks), answer)


def as_notebook(corpus: CorpusNotebook) -> NotebookNode:
    """The notebook its author would have saved, without outputs; the counts tell the order in which its cells were run."""
    counts = {number: count for count, number in enumerate(corpus.ran, start=1)}
    notebook: NotebookNode = v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        }
    )
    number = 0
    for position, cell in enumerate(corpus.cells):
        made: NotebookNode
        if cell.kind == "markdown":
            made = v4.new_markdown_cell(cell.text)
        else:
            number += 1
            made = v4.new_code_cell(cell.text, execution_count=counts.get(number))
            if number in corpus.fails:
                made.metadata["tags"] = ["raises-exception"]
        made["id"] = f"cell-{position + 1}"
        notebook.cells.append(made)
    nbformat.validate(notebook)
    return notebook


def run_plainly(corpus: CorpusNotebook) -> dict[str, Any]:
    """Run the cells in their author's order in this process and folder, then the answer; all names that are left."""
    names: dict[str, Any] = {"__name__": "__main__", "display": lambda *shown: None}
    for number in corpus.ran:
        code = compile(corpus.code[number - 1].plain, f"{corpus.name}[{number}]", "exec")
        if number not in corpus.fails:
            exec(code, names)
            continue
        try:
            exec(code, names)
        except Exception:  # noqa: BLE001 - its author went on after whatever it was
            continue
        raise AssertionError(f"{corpus.name}: code cell {number} was to fail")
    exec(compile(corpus.answer, f"{corpus.name}[answer]", "exec"), names)
    return names


def _cell(block: str) -> CorpusCell:
    first, _, text = block.partition("\n")
    text = text.strip("\n")
    if first.strip() == "# %%":
        return CorpusCell("code", text)
    if first.strip() != "# %% [markdown]":
        raise ValueError(f"not the beginning of a cell: {first!r}")
    return CorpusCell(
        "markdown", "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.split("\n"))
    )
