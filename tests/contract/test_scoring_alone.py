"""What scores only answers: code that writes, starts programs or asks others meanwhile is refused, wherever it does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter.adapters import exact_frames
from mlalm_jupyter.adapters.slice_answers import Slices
from mlalm_jupyter.domain.errors import Conflict, InvalidInput
from mlalm_jupyter.formats.confined import FILES, OTHERS, PROGRAMS, Outreach, confined
from mlalm_jupyter.notebook.predictive.proof import KeptFrame
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_conversion, pytest.mark.timeout(300)]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    found = tmp_path / "elsewhere"
    found.mkdir()
    (found / "mine.txt").write_text("mine")
    return found


@pytest.fixture
def website() -> Iterator[str]:
    class Says30(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"30")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Says30)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def left(folder: Path) -> dict[str, str]:
    return {one.name: one.read_text() for one in folder.iterdir()}


WAYS = {
    "writes": "df.to_csv('{elsewhere}/x.csv')",
    "opens": "open('{elsewhere}/mine.txt', 'a').write('more')",
    "hides": "try:\n    open('{elsewhere}/x.txt', 'w')\nexcept Exception:\n    pass",
    "removes": "import os; os.remove('{elsewhere}/mine.txt')",
    "moves": "import shutil; shutil.move('{elsewhere}/mine.txt', '{elsewhere}/x.txt')",
    "clears": "import shutil; shutil.rmtree('{elsewhere}')",
    "runs": "import subprocess; subprocess.run(['touch', '{elsewhere}/x.txt'])",
    "calls": "import os; os.system('touch {elsewhere}/x.txt')",
    "asks": "import urllib.request; urllib.request.urlopen('{website}').read()",
}


def test_the_slice_is_refused_whatever_it_does_besides_answering(
    elsewhere: Path, website: str, tmp_path: Path
) -> None:
    rows = pd.DataFrame({"way": range(len(WAYS))})
    file = tmp_path / "rows.parquet"
    tables = {"rows": KeptFrame(file, exact_frames.written(rows, file))}
    code = "def run(df):\n"
    for number, way in enumerate(WAYS.values()):
        lines = way.format(elsewhere=elsewhere, website=website).splitlines()
        body = "\n".join(f"        {one}" for one in lines)
        code += f"    if df.way.iloc[0] == {number}:\n{body}\n"
    questions = [{"table": "rows", "rows": [number]} for number in range(len(WAYS))]
    answers = Slices([], tables, tmp_path).ask(f"{code}    return df\n", questions)
    assert [name for name, one in zip(WAYS, answers, strict=True) if one.frame is not None] == []
    assert [name for name, one in zip(WAYS, answers, strict=True) if one.line is None] == []
    found = {name: one.error for name, one in zip(WAYS, answers, strict=True)}
    assert left(elsewhere) == {"mine.txt": "mine"}
    assert {name for name, said in found.items() if "scoring writes no files" in said} == {
        *("writes", "opens", "hides", "removes", "moves", "clears")
    }
    assert found["runs"] == found["calls"] == "it starts another program"
    assert found["asks"] == "it asks 127.0.0.1, which may say something else tomorrow"


def test_what_libraries_do_for_themselves_is_no_reach_outside(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from mlalm_jupyter.formats.confined import *\n"
            "with confined(FILES, PROGRAMS, OTHERS):\n"
            "    import matplotlib.pyplot as plt\n"
            "    from sklearn.cluster import KMeans\n"
            "    from sklearn.ensemble import RandomForestClassifier\n"
            "    import numpy as np\n"
            "    rows = np.arange(40.0).reshape(20, 2)\n"
            "    KMeans(2, n_init=1).fit(rows).predict(rows)\n"
            "    RandomForestClassifier(5, n_jobs=2).fit(rows, rows[:, 0] > 9).predict(rows)\n"
            "    open('/dev/null', 'w').write('gone')\n"
            "open('after.txt', 'w').write('seen')\n",
        ],
        env={**os.environ, "MPLCONFIGDIR": str(tmp_path / "new"), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr[-800:]) == (0, "")
    assert (tmp_path / "after.txt").exists()


def test_only_what_is_named_is_refused_and_only_meanwhile(tmp_path: Path) -> None:
    with confined(FILES):
        subprocess.run(["true"], check=True)
    file = tmp_path / "x.txt"
    with pytest.raises(Outreach, match=r"it writes '.*x\.txt', and scoring writes no files"), confined(FILES):
        file.write_text("x")
    assert not file.exists()
    file.write_text("x")
    with confined(PROGRAMS, OTHERS):
        file.unlink()
    assert not file.exists()


MARKED = (
    "%load_ext mlalm_jupyter\nimport pandas as pd\nimport beside",
    "rows = pd.DataFrame({'a': [1.0, 2.0]})",
    "%web_input rows",
    "rows['b'] = beside.more(rows.a)",
    "%web_output rows",
)


def write(ws: Workspace, name: str, *cells: str) -> None:
    nbformat.write(new_notebook(cells=[new_code_cell(one) for one in cells]), ws.path / name)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("def more(c):\n    open('{elsewhere}/log', 'a').write('x')\n    return c", "it writes '.*log'"),
        ("import os\nLIMIT = float(os.popen('echo 2').read())\ndef more(c):\n    return c * LIMIT", "another program"),
        pytest.param(
            "from urllib.request import urlopen\nLIMIT = float(urlopen('{website}').read())\n"
            "def more(c):\n    return c * LIMIT",
            "it asks 127",
            marks=pytest.mark.full,
        ),
    ],
)  # fmt: skip
def test_a_notebook_written_by_hand_does_not_reach_outside_either(
    hosted: Any, elsewhere: Path, website: str, module: str, said: str
) -> None:
    ws: Workspace = hosted
    (ws.path / "beside.py").write_text(module.format(elsewhere=elsewhere, website=website))
    write(ws, "odd.ipynb", *MARKED)
    ws.experiments.run("odd")
    before = left(elsewhere)
    with pytest.raises(InvalidInput, match=f"Expected a service that writes no files, .* got .*{said}"):
        ws.services.deploy("odd", "odd")
    assert left(elsewhere) == before
    assert ws.services.list() == ()


@pytest.mark.full
@pytest.mark.parametrize("is_needed", [True, False])
def test_trying_a_notebook_on_other_rows_writes_nothing_elsewhere(
    hosted: Any, elsewhere: Path, is_needed: bool
) -> None:
    ws: Workspace = hosted
    table = pd.DataFrame({"a": range(40)})
    table.assign(y=table.a * 3 % 7).to_csv(ws.path / "rows.csv", index=False)
    (ws.path / "beside.py").write_text(
        f"def kept(table):\n    table.to_csv('{elsewhere}/report.csv')\n    return table\n"
    )
    write(
        ws,
        "line.ipynb",
        "import pandas as pd\nimport beside\nfrom sklearn.linear_model import LinearRegression",
        "df = pd.read_csv('rows.csv')",
        "X = beside.kept(df[['a']])" if is_needed else "X = df[['a']]",
        "model = LinearRegression().fit(X, df.y)",
        "predictions = model.predict(X)",
        "shown = beside.kept(df.assign(predictions=predictions))",
    )
    ws.experiments.run("line")
    before = left(elsewhere)
    if is_needed:
        with pytest.raises(Conflict, match=r"`X = beside\.kept\(df\[\['a'\]\]\)`: it writes '.*report\.csv'"):
            ws.services.setup("predictive", "line")
        assert sorted(one.name for one in ws.path.glob("*.ipynb")) == ["line.ipynb"]
    else:
        ws.services.setup("predictive", "line")
    assert left(elsewhere) == before
