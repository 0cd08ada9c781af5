"""Files of code that are deployed: what is wrong with them is said of them, not of us."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from mlalm_jupyter.domain.errors import InvalidInput, MissingDependency, MlalmError
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.timeout(120)
ROWS = pd.DataFrame({"a": [1.0, 2.0]})


@pytest.mark.parametrize(
    ("code", "error", "why"),
    [
        ("import nowhere_at_all\ndef f(rows):\n    return rows\n", MissingDependency, "'nowhere_at_all'"),
        (
            "import math\nmath.nothing\ndef f(rows):\n    return rows\n",
            InvalidInput,
            r"AttributeError.*line 2 of",
        ),
        ("def f(rows):\n    return rows\nimport sys\nsys.exit(2)\n", InvalidInput, "SystemExit: 2"),
        ("def f(rows):\n    return rows\nf = 3\n", InvalidInput, "a function 'f'"),
        ("def f(rows):\n    return rows\ndel f\n", InvalidInput, "a function 'f'"),
        ("def f(rows):\n    return rows['nope']\n", InvalidInput, r"KeyError: 'nope' \(line 2 of its code"),
        ("def f(rows):\n    import nowhere_at_all\n", MissingDependency, "'nowhere_at_all'"),
        ("def f(rows):\n    raise SystemExit(3)\n", InvalidInput, r"SystemExit: 3"),
        ("# Zürich\ndef f(rows):\n    return rows\n", InvalidInput, "Line 1 of .*0xfc"),
    ],
)
def test_what_is_wrong_with_a_file_of_code_is_said(
    hosted: Workspace, tmp_path: Path, code: str, error: type[MlalmError], why: str
) -> None:
    (tmp_path / "f.py").write_bytes(code.encode("latin-1"))
    with pytest.raises(error, match=why):
        hosted.services.deploy(str(tmp_path / "f.py"), "mine", sample=ROWS)
    assert not hosted.services.list()
    assert not [name for name in sys.modules if name.startswith("mlalm_f_")]


def test_a_function_of_a_notebook_that_fails_on_its_sample_is_said(hosted: Workspace) -> None:
    def broken(rows: pd.DataFrame) -> pd.DataFrame:
        return rows["nope"]

    with pytest.raises(InvalidInput, match="KeyError: 'nope'"):
        hosted.services.deploy(broken, "mine", sample=ROWS)


def test_a_file_with_a_dataclass_is_deployed(hosted: Workspace, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n"
        "@dataclass\nclass Rate:\n    value: float\n\n"
        "def f(rows):\n    return rows.assign(b=rows['a'] * Rate(2.0).value)\n"
    )
    hosted.services.deploy(str(tmp_path / "f.py"), "mine", sample=ROWS)
    assert hosted.services.score("mine", ROWS).rows == ((1.0, 2.0), (2.0, 4.0))
