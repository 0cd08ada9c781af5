"""A snapshot to look at: as one HTML file that runs nothing and needs nothing, and as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

from mlalm_jupyter.notebook.document import INJECTED_TAG, NotebookDocument, source, tagged
from mlalm_jupyter.notebook.inert import inert
from mlalm_jupyter.notebook.outputs import as_text, outputs_of, plain, shown_output, told_output
from mlalm_jupyter.notebook.titles import titled_cells

_MOST_LINES = 30
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_PAGE_STYLE = """
:root{color-scheme:light dark;--ink:#1f2328;--paper:#fff;--soft:#f5f6f8;--line:#d5d9de;--dim:#5a636d;
--bar:#fff4d6;--bar-ink:#4d3800;--bar-line:#e2c15f;--bad:#b3261e;--bad-soft:#fdecea}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9ef;--paper:#111418;--soft:#1a1f25;--line:#333b44;--dim:#9aa5b1;
--bar:#3a2e09;--bar-ink:#ffe7a3;--bar-line:#7a6115;--bad:#ff8a80;--bad-soft:#3a1715}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,sans-serif}
.bar{position:sticky;top:0;z-index:1;background:var(--bar);color:var(--bar-ink);border-bottom:1px solid var(--bar-line);
padding:.6em 1.2em}
.bar p{margin:0;max-width:72em;margin-inline:auto}
.bar b{font-weight:650}
.bar code{background:none;padding:0;user-select:all;overflow-wrap:anywhere}
main{max-width:72em;margin:1.2em auto;padding:0 1.2em}
section{margin:0 0 1.1em;min-width:0}
.code{display:grid;grid-template-columns:3.2em minmax(0,1fr);gap:.2em .6em}
.number{color:var(--dim);text-align:right;font:12px/1.9 ui-monospace,Menlo,Consolas,monospace}
.results{grid-column:2;min-width:0;overflow-x:auto}
.results>*{margin:.2em 0}
pre,code{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace}
pre{margin:0;padding:.5em .8em;white-space:pre-wrap;overflow-wrap:anywhere;border-radius:5px}
.source{background:var(--soft);border:1px solid var(--line)}
.stderr,.error{background:var(--bad-soft)}
.error{border-left:3px solid var(--bad)}
.left-out,.raw-label{color:var(--dim);font-size:13px}
:not(pre)>code{background:var(--soft);border-radius:3px;padding:.1em .3em}
img{max-width:100%;background:#fff}
table{border-collapse:collapse;font-size:13px}
th,td{padding:.25em .7em;text-align:right;border-bottom:1px solid var(--line)}
.text th,.text td{text-align:left}
a{color:inherit}
blockquote{margin-left:0;padding-left:1em;border-left:3px solid var(--line);color:var(--dim)}
@media print{.bar{position:static}}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """What stands above a snapshot: which run it is, how that ended, and how to get one to edit."""

    run: str
    status: str
    taken_at: str
    save_as: str
    """The command that saves it as an experiment of one's own."""


def page(document: NotebookDocument, *, name: str, bar: Bar) -> str:
    """A notebook as one HTML file: nothing in it runs, nothing is fetched.

    >>> bar = Bar("0193ab", "Finished", "2026-01-05 10:00", "mlalm experiment save-as run:0193ab NAME")
    >>> "Locked" in page(NotebookDocument({"nbformat": 4, "cells": []}), name="train", bar=bar)
    True
    """
    cells = "\n".join(_cells(document))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # first of all, so that it holds for everything after it
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{_safe(name)}, run {_safe(bar.run)}</title>\n<style>{_PAGE_STYLE}{_colours()}</style>\n</head>\n<body>\n"
        f'<header class="bar" role="banner"><p><b>Locked.</b> <b>{_safe(name)}</b>, run {_safe(bar.run)}, '
        f"<b>{_safe(bar.status)}</b>, {_safe(bar.taken_at)}. This is the record of what ran and stays as it is. "
        f"To go on from here, save it as an experiment of your own: <code>{_safe(bar.save_as)}</code></p></header>\n"
        f"<main>\n{cells}\n</main>\n</body>\n</html>\n"
    )


def in_terminal(document: NotebookDocument, *, name: str, bar: Bar | None = None) -> str:
    """A notebook as plain text: cells with their numbers, and the first lines of what they printed.

    >>> cell = {"cell_type": "code", "source": "1 + 1"}
    >>> print(in_terminal(NotebookDocument({"nbformat": 4, "cells": [cell]}), name="sum"), end="")
    sum
    <BLANKLINE>
    [1] 1 + 1
    """
    parts = [plain(name)]
    if bar is not None:
        parts[0] = (
            f"{plain(name)}, run {bar.run}, {bar.status}, {bar.taken_at}. Locked.\nSave as: {bar.save_as}"
        )
    numbers = _numbers(document)
    for one in titled_cells(document):
        text = plain(source(one.cell)).rstrip()
        if one.cell.get("cell_type") != "code":
            parts.append(text)
        elif one.number is not None:
            mark = f"[{numbers.get(one.number, 'p')}] "
            lines = _indented(text, len(mark)).split("\n")
            told = [mark + lines[0][len(mark) :], *lines[1:]]
            outputs = "\n".join(
                filter(None, (told_output(output).rstrip() for output in outputs_of(one.cell)))
            )
            told += [f"{'':{len(mark)}}> {line}".rstrip() for line in _first_lines(outputs)]
            parts.append("\n".join(told))
    return "\n\n".join(part for part in parts if part) + "\n"


def _numbers(document: NotebookDocument) -> dict[int, int]:
    """The number of each code cell as its run counts it: the cell that set the parameters is nobody's."""
    injected = set(tagged(document, INJECTED_TAG))
    own = [number for number in range(1, len(document.code_cells) + 1) if number not in injected]
    return {number: place for place, number in enumerate(own, start=1)}


def _cells(document: NotebookDocument) -> Iterator[str]:
    numbers = _numbers(document)
    for one in titled_cells(document):
        text = source(one.cell)
        kind = one.cell.get("cell_type")
        if kind == "markdown":
            yield f'<section class="text">{_markdown(text, _attachments(one.cell))}</section>'
        elif kind != "code":
            yield f'<section><div class="raw-label">Raw</div><pre class="source">{_safe(text)}</pre></section>'
        elif one.number is not None:
            shown = "".join(filter(None, (shown_output(output) for output in outputs_of(one.cell))))
            results = f'<div class="results">{shown}</div>' if shown else ""
            place = numbers.get(one.number)
            label = f"Cell {place}" if place else "Parameters of the run"
            number = f'<div class="number" aria-label="{label}">[{place or "p"}]</div>'
            code = f'<pre class="source">{_coloured(text, document.language)}</pre>'
            yield f'<section class="code">{number}{code}{results}</section>'


def _markdown(text: str, attachments: Mapping[str, str]) -> str:
    import mistune

    renderer = mistune.HTMLRenderer(escape=False, allow_harmful_protocols=True)  # what is harmful goes below
    convert = mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough", "math"])
    return inert(str(convert(plain(text))), attachments=attachments)


def _attachments(cell: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    attached = cell.get("attachments")
    for name, forms in attached.items() if isinstance(attached, Mapping) else ():
        for kind, data in forms.items() if isinstance(forms, Mapping) else ():
            found[str(name)] = f"data:{kind};base64,{''.join(as_text(data).split())}"
    return found


def _coloured(text: str, language: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.lexers.special import TextLexer
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name("ipython3" if language == "python" else language, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    return str(highlight(plain(text), lexer, HtmlFormatter(nowrap=True))).rstrip("\n")


@cache
def _colours() -> str:
    """The colours of code, for light and for dark."""
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(style="default").get_style_defs(".source")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".source")
    own = ".source{background:var(--soft)}"
    return f"{light}@media (prefers-color-scheme:dark){{{dark}}}{own}"


def _indented(text: str, width: int) -> str:
    return "\n".join(f"{'':{width}}{line}".rstrip() for line in text.split("\n"))


def _first_lines(text: str) -> list[str]:
    lines = text.split("\n") if text else []
    more = len(lines) - _MOST_LINES
    return lines if more <= 1 else [*lines[:_MOST_LINES], f"… {more} more lines"]


def _safe(text: str) -> str:
    return escape(plain(text))
