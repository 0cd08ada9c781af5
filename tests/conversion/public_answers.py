"""What is right, from the notebook itself: its cells in one plain process, no part of ours, then a line written by hand.

python -m tests.conversion.public_answers NOTEBOOK ROWS ANSWER FILE
"""

from __future__ import annotations

import pickle
import random
import re
import sys
import warnings
from pathlib import Path
from typing import Any

_SHELL_LINE = re.compile(r"^\s*[%!]")
_MOST_ROWS = 60


def names_left(notebook: Path) -> dict[str, Any]:
    """The names that a notebook leaves when its cells are run from top to bottom."""
    import matplotlib.pyplot as plt
    import nbformat
    import numpy as np

    plt.switch_backend("agg")
    warnings.simplefilter("ignore")
    random.seed(7)
    np.random.seed(7)
    names: dict[str, Any] = {"__name__": "__main__", "display": lambda *shown, **options: None}
    for cell in nbformat.read(notebook, as_version=4).cells:  # type: ignore[no-untyped-call]
        if cell.cell_type != "code":
            continue
        plain = "\n".join("" if _SHELL_LINE.match(line) else line for line in cell.source.split("\n"))
        exec(compile(plain, str(notebook.name), "exec"), names)
        plt.close("all")
    return names


def main(notebook: str, rows: str, answer: str, file: str) -> None:
    import pandas as pd

    sys.path.insert(0, "")
    names = names_left(Path(notebook)) | {"pandas": pd}
    asked = pd.DataFrame(eval(rows, names)).reset_index(drop=True).head(_MOST_ROWS)
    names["rows"] = asked.copy()
    Path(file).write_bytes(pickle.dumps((asked, eval(answer, names))))


if __name__ == "__main__":
    main(*sys.argv[1:])
