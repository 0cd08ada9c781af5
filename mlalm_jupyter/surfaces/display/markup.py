"""Displays as HTML: tables that follow the theme of the notebook, dark or light, and that can be read aloud.

Everything that comes from people or files is escaped here and nowhere else.
"""

from __future__ import annotations

import re
from html import escape

from mlalm_jupyter.surfaces.display.parts import (
    Bars,
    Block,
    Cell,
    Code,
    Digest,
    Facts,
    Grid,
    Link,
    Moment,
    Note,
    Part,
    Picture,
    Secret,
    Spark,
    Status,
    View,
)

_BACKTICKS = re.compile(r"`([^`]*)`")

_SHORT = 16

# JupyterLab's variables first, then VS Code's, then what is legible on white and on black alike.
# The class stands twice where JupyterLab's own rule for table cells would otherwise win.
_STYLE = """
.mlalm{font-size:var(--jp-content-font-size1,13px);line-height:1.45;
color:var(--jp-content-font-color1,var(--vscode-editor-foreground,inherit));overflow-x:auto;max-width:100%}
.mlalm table{border-collapse:collapse;margin:0 0 .6em;border:0;font-size:inherit;table-layout:auto}
.mlalm caption{caption-side:top;text-align:left;font-weight:600;padding:.2em 0 .3em;color:inherit}
.mlalm tr,.mlalm tbody tr:nth-child(odd),.mlalm tbody tr:nth-child(even){background:transparent}
.mlalm tbody tr:hover{background:var(--jp-layout-color2,rgba(127,127,127,.12))}
.mlalm.mlalm th,.mlalm.mlalm td{text-align:left;vertical-align:top;padding:.2em 1.2em .2em 0;border:0;max-width:48em;
color:inherit;background:transparent}
.mlalm thead th{font-weight:600;border-bottom:1px solid var(--jp-border-color1,rgba(127,127,127,.6));
white-space:nowrap}
.mlalm tbody tr{border-bottom:1px solid var(--jp-border-color2,rgba(127,127,127,.25))}
.mlalm tbody th{font-weight:400;opacity:.75;white-space:nowrap}
.mlalm.mlalm .n{text-align:right;font-variant-numeric:tabular-nums}
.mlalm :not(pre)>code,.mlalm pre{font-family:var(--jp-code-font-family,ui-monospace,monospace);
font-size:.92em;color:inherit;background:transparent;padding:0}
.mlalm td code{overflow-wrap:anywhere}
.mlalm td code.d{overflow-wrap:normal;white-space:nowrap}
.mlalm pre{border-left:3px solid var(--jp-border-color1,rgba(127,127,127,.6));padding:.2em 0 .2em .8em;
margin:0 0 .6em;white-space:pre-wrap;overflow-wrap:anywhere}
.mlalm p{margin:0 0 .6em}
.mlalm p.w{border-left:3px solid var(--jp-warn-color1,#d98a00);padding:.1em 0 .1em .8em}
.mlalm.mlalm a{color:var(--jp-content-link-color,var(--vscode-textLink-foreground,#0a69c7))}
.mlalm .s{white-space:nowrap}
.mlalm .s b{font-weight:700}
.mlalm .good b{color:var(--jp-success-color0,var(--jp-success-color1,#2e9e4f))}
[data-jp-theme-light=false] .mlalm .good b{color:var(--jp-success-color2,var(--jp-success-color1,#2e9e4f))}
.mlalm .busy b{color:var(--jp-brand-color1,#2f81f7)}
.mlalm .bad b{color:var(--jp-error-color1,#e5484d)}
.mlalm time{white-space:nowrap}
.mlalm .bar{display:inline-block;height:.8em;background:var(--jp-brand-color1,#2f81f7)}
.mlalm .spark rect{fill:var(--jp-brand-color1,#2f81f7)}
.mlalm .spark path{stroke:currentColor;stroke-opacity:.45;fill:none}
.mlalm iframe.page{display:block;box-sizing:border-box;width:100%;height:32em;
border:1px solid var(--jp-border-color1,rgba(127,127,127,.6))}
.mlalm figure{margin:0 0 .6em}
.mlalm figure svg{max-width:100%;height:auto}
"""


def markup(view: View) -> str:
    """A view as a piece of HTML that stays true when it is kept: times are absolute, keys masked."""
    body = "".join(_part(part) for part in view)
    return f'<div class="mlalm"><style>{_STYLE}</style>{body}</div>'


def _part(part: Part) -> str:
    if isinstance(part, Note):
        text = _BACKTICKS.sub(r"<code>\1</code>", escape(part.text))
        return f'<p class="w"><b>Warning</b> {text}</p>' if part.is_warning else f"<p>{text}</p>"
    if isinstance(part, Block):
        return f"<pre>{escape(part.text)}</pre>"
    if isinstance(part, Picture):
        return f"<figure>{part.svg}</figure>"
    if isinstance(part, Bars):
        return _bars(part)
    if isinstance(part, Facts):
        rows = "".join(
            f'<tr><th scope="row">{escape(label)}</th><td>{_cell(cell, alone=True)}</td></tr>'
            for label, cell in part.told
        )
        return f"<table>{_caption(part.title)}<tbody>{rows}</tbody></table>"
    return _grid(part)


def _grid(grid: Grid) -> str:
    numeric = [
        any(_is_number(row[index]) for row in grid.rows)
        and all(row[index] is None or _is_number(row[index]) for row in grid.rows)
        for index in range(len(grid.columns))
    ]
    kinds = [' class="n"' if right else "" for right in numeric]
    head = "".join(
        f'<th scope="col"{kind}>{escape(column)}</th>'
        for column, kind in zip(grid.columns, kinds, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{_cell(cell)}</td>" for cell, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in grid.rows
    )
    return f"<table>{_caption(grid.title)}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _bars(bars: Bars) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td class="n">{"" if value is None else f"{value:.6g}"}</td>'
        f'<td aria-hidden="true"><span class="bar" style="width:{(share or 0) * 12:.2f}em"></span></td></tr>'
        for label, value, share in zip(bars.labels, bars.values, bars.shares, strict=True)
    )
    return f"<table>{_caption(bars.title)}<tbody>{rows}</tbody></table>"


def _spark(spark: Spark) -> str:
    """Bars on a base line, in a colour that both themes show."""
    most = max(spark.counts, default=0)
    bars = "".join(
        f'<rect x="{index * 6}" y="{24 - height:.1f}" width="5" height="{height:.1f}"/>'
        for index, count in enumerate(spark.counts)
        if count and (height := max(1.5, 23 * count / most))
    )
    width = max(len(spark.counts) * 6, 1)
    return (
        f'<svg class="spark" role="img" aria-label="{escape(spark.told)}" width="{width}" height="26" '
        f'viewBox="0 0 {width} 26"><title>{escape(spark.told)}</title>{bars}'
        f'<path d="M0 25H{width}"/></svg>'
    )


def _caption(title: str) -> str:
    return f"<caption>{escape(title)}</caption>" if title else ""


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def _cell(cell: Cell, *, alone: bool = False) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Status):
        symbol = f'<b aria-hidden="true">{cell.symbol}</b>'
        return f'<span class="s {cell.tone}">{symbol} {escape(cell.word)}</span>'
    if isinstance(cell, Moment):
        shown = cell.absolute if alone else cell.short
        return f'<time datetime="{escape(cell.at)}" title="{cell.absolute}">{escape(shown)}</time>'
    if isinstance(cell, Digest):
        shown = cell.text if alone else cell.short
        return f'<code class="d" title="{escape(cell.text)}">{escape(shown)}</code>'
    if isinstance(cell, Link):
        return f'<a href="{escape(cell.target)}">{escape(cell.path)}</a>'
    if isinstance(cell, Secret):
        return f"<code>{escape(cell.masked)}</code>"
    if isinstance(cell, Code):
        return f"<code>{escape(cell.text)}</code>"
    if isinstance(cell, Spark):
        return _spark(cell)
    if isinstance(cell, float):
        return f"{cell:.6g}"
    text = escape(str(cell)).replace("\n", "<br>")
    # in a narrow window a row of few words is scrolled rather than broken into a tower
    return text if alone or len(text) > _SHORT else text.replace(" ", "&nbsp;")
