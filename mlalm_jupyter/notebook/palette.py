"""Colours of the graph, readable on light and dark, in a notebook, in a browser and in a file of its own."""

from __future__ import annotations

_LIGHT = {
    "import": "#0a69c7",
    "transform": "#7a4fd0",
    "train": "#b4500a",
    "score": "#0b7a75",
    "evaluate": "#a8327d",
    "output": "#2c7a2f",
    "none": "#6a737d",
    "asset": "#57606a",
    "line": "#8c959f",
    "ink": "#1f2328",
    "paper": "#ffffff",
}
_DARK = {
    "import": "#58a6ff",
    "transform": "#b392f0",
    "train": "#f0883e",
    "score": "#39c5bb",
    "evaluate": "#f778ba",
    "output": "#56d364",
    "none": "#8b949e",
    "asset": "#adbac7",
    "line": "#768390",
    "ink": "#e6edf3",
    "paper": "#111418",
}


def _properties(colours: dict[str, str]) -> str:
    return "".join(f"--mlalm-{name}:{colour};" for name, colour in colours.items())


_ROLES = (
    "".join(
        f".mlalm-role-{name}{{--mlalm-own:var(--mlalm-{name})}}"
        for name in ("import", "transform", "train", "score", "evaluate", "output", "none")
    )
    + ".mlalm-role-other{--mlalm-own:var(--mlalm-none)}"
)

STYLE = (
    f".mlalm-graph{{{_properties(_LIGHT)}font-family:system-ui,sans-serif;color:var(--mlalm-ink)}}"
    f"@media (prefers-color-scheme:dark){{.mlalm-graph{{{_properties(_DARK)}}}}}"
    # JupyterLab and VS Code have themes of their own, whatever the system's is
    f"[data-jp-theme-light=true] .mlalm-graph{{{_properties(_LIGHT)}}}"
    f"[data-jp-theme-light=false] .mlalm-graph{{{_properties(_DARK)}}}"
    f".vscode-light .mlalm-graph{{{_properties(_LIGHT)}}}.vscode-dark .mlalm-graph{{{_properties(_DARK)}}}"
    f"{_ROLES}.mlalm-asset{{--mlalm-own:var(--mlalm-asset)}}"
    ".mlalm-input-port{--mlalm-own:var(--mlalm-import)}.mlalm-output-port{--mlalm-own:var(--mlalm-output)}"
    ".mlalm-input-port .mlalm-box,.mlalm-output-port .mlalm-box{stroke-width:2.2}"
    # the panel has classes of these names, too, and a page may have anything
    ".mlalm-graph text{fill:currentColor;color:inherit;font-weight:400}"
    ".mlalm-paper{fill:var(--mlalm-paper)}"
    ".mlalm-box{fill:var(--mlalm-own);fill-opacity:.1;stroke:var(--mlalm-own);stroke-width:1.3}"
    ".mlalm-asked .mlalm-box{fill-opacity:.22;stroke-width:2.6}"
    ".mlalm-role-none .mlalm-box{fill-opacity:.04;stroke-dasharray:4 3}"
    ".mlalm-graph .mlalm-role{font-size:11px}"
    ".mlalm-graph .mlalm-word{font-weight:600;fill:var(--mlalm-own)}"
    ".mlalm-by-hand .mlalm-box{stroke-width:2.2}"
    ".mlalm-graph .mlalm-origin{font-size:11px;text-anchor:end;fill:var(--mlalm-none)}"
    ".mlalm-title{font-size:13px}"
    ".mlalm-port rect{fill:var(--mlalm-paper);stroke:var(--mlalm-own);stroke-width:.8}"
    ".mlalm-port text{font:11px ui-monospace,Menlo,Consolas,monospace;text-anchor:middle}"
    ".mlalm-graph .mlalm-kind{font-size:10px;text-anchor:middle;fill:var(--mlalm-asset)}"
    ".mlalm-name{font-size:12px;text-anchor:middle}"
    ".mlalm-graph .mlalm-beside{text-anchor:start}"
    ".mlalm-graph .mlalm-aside{font-size:12px;fill:var(--mlalm-none)}"
    ".mlalm-edge{fill:none;stroke:var(--mlalm-line);stroke-width:1.3}"
    ".mlalm-edge-function{stroke-dasharray:2 3}"
    ".mlalm-arrow{fill:var(--mlalm-line)}"
)
"""Every colour is a property, so that a page can set its own."""
