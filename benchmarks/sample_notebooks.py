"""Notebooks for the benchmarks, laid out as Jupyter saves them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

CELLS = 100
SIZE = 1_000_000


def large_notebook(*, seed: int = 7, edits: int = 0, last: str = "") -> bytes:
    """A hundred cells and a megabyte: four code cells to a text, with tables, prints and pictures below them.

    `edits` says how often one cell of it has been edited since; the others stay as they were. `last` is one cell
    more, without outputs.
    """
    chance = random.Random(seed)
    cells: list[dict[str, Any]] = []
    for number in range(CELLS):
        if number % 5 == 0:
            text = " ".join(chance.choice(_WORDS) for _ in range(80))
            cells.append(_cell("markdown", number, seed, f"## Part {number}\n\n{text}"))
            continue
        code = (
            f"# step {number}\n"
            f"frame_{number} = frame.assign(score_{number}=frame['hours-per-week'] * {chance.random():.6f})\n"
            f"grouped = frame_{number}.groupby('workclass', observed=True).agg(['mean', 'std', 'count'])\n"
            f"if grouped.shape[0] > {number}:\n"
            f"    grouped.to_csv('grouped-{number}.csv', index=False)\n"
            "    print(f'{len(grouped)} groups written')\n"
            "grouped.head(20)"
        )
        cell = _cell("code", number, seed, code)
        cell["execution_count"] = number + 1
        cell["outputs"] = list(_outputs(chance, number))
        cells.append(cell)
    edited = cells[51]
    edited["source"] = [*edited["source"][:-1], f"grouped.head({20 + edits})"]
    if last:
        cells.append(_cell("code", CELLS, seed, last) | {"execution_count": None, "outputs": []})
    return _saved(cells)


def five_cells(*, work: str = "") -> bytes:
    """A notebook that does next to nothing, or the work it is given."""
    codes = [
        "depth = 2",
        "rows = list(range(1000))",
        work or "total = sum(rows)",
        "print(len(rows))",
        "depth",
    ]
    cells = [_cell("code", number, 1, code) for number, code in enumerate(codes)]
    for cell in cells:
        cell |= {"execution_count": None, "outputs": []}
    return _saved(cells)


def big_frame() -> bytes:
    """A table of 50 MB that nine cells look at or hand to a function."""
    codes = [
        "import numpy as np, pandas as pd",
        "big = pd.DataFrame(np.random.default_rng(7).random((625_000, 10)), columns=list('abcdefghij'))",
        "def top(rows): return rows['a'].max()",
        *["big.mean()", "top(big)", "big['b'].sum()", "big.describe()", "top(big)"],
        *["big.head()", "len(big)", "top(big)", "print(big.shape)"],
    ]
    cells = [_cell("code", number, 1, code) for number, code in enumerate(codes)]
    for cell in cells:
        cell |= {"execution_count": None, "outputs": []}
    return _saved(cells)


COMPUTE = """
import time
until = time.process_time() + {seconds}
value = 0
while time.process_time() < until:
    value = (value * 31 + 7) % 1_000_003
""".strip()
"""Work that takes so much of a processor's time, whatever else the machine does."""


def _cell(kind: str, number: int, seed: int, text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)
    return {"cell_type": kind, "id": f"{seed:04x}{number:04x}", "metadata": {}, "source": lines}


def _outputs(chance: random.Random, number: int) -> Any:
    """About twelve kilobytes; every fourth cell shows a picture instead of a table."""
    room = SIZE // (CELLS * 4 // 5) - 300
    yield {"output_type": "stream", "name": "stdout", "text": [f"{number} groups written\n"]}
    if number % 4 == 0:
        picture = "".join(chance.choices(_BASE64, k=room))
        data: dict[str, object] = {"image/png": picture, "text/plain": ["<Figure size 640x480 with 1 Axes>"]}
        yield {"output_type": "display_data", "data": data, "metadata": {}}
        return
    line = "      <td>{}</td>\n"
    lines = [line.format(f"{chance.random():.6f}") for _ in range(room * 3 // 4 // 32)]
    html = ["<table>\n", *lines, "</table>"]
    data = {"text/html": html, "text/plain": [f"{chance.random():.6f}\n" for _ in range(40)]}
    yield {
        "output_type": "execute_result",
        "data": data,
        "metadata": {},
        "execution_count": number + 1,
    }


def _saved(cells: list[dict[str, Any]]) -> bytes:
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "version": "3.11.7"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


_WORDS = [
    "census",
    "income",
    "hours",
    "age",
    "model",
    "split",
    "mean",
    "bias",
    "groups",
    "weight",
    "column",
    "value",
    "rows",
    "tree",
    "fold",
]
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
