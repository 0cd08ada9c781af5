"""Whatever dies, hangs, fills up or comes between while a service is set up: nothing half-done, and it can be repeated."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from mlalm_jupyter.adapters import exact_frames, slice_answers
from mlalm_jupyter.adapters.conversion import NotebookConversion
from mlalm_jupyter.adapters.slice_answers import Slices
from mlalm_jupyter.api import predictive_notebooks, setting_up
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from mlalm_jupyter.notebook.predictive.proof import KeptFrame
from mlalm_jupyter.workspace import Workspace
from tests.faults.small_disks import small_disk

pytestmark = [
    pytest.mark.prove_conversion,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        sys.platform != "linux", reason="small disks and processes are looked at as Linux has them"
    ),
]

TRAIN = (
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\n"
    "from sklearn.preprocessing import StandardScaler",
    "df = pd.read_csv('rows.csv')",
    "X = df[['a', 'b']]\nscaler = StandardScaler().fit(X)",
    "model = LinearRegression().fit(scaler.transform(X), df.y)",
    "predictions = model.predict(scaler.transform(X))",
)
PREDICTIVE = "line.predictive.ipynb"


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go, so that what is left there is seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def prepared(ws: Workspace, *cells: str) -> Workspace:
    table = pd.DataFrame({"a": range(40), "b": [one * 7 % 11 for one in range(40)]})
    table.assign(y=table.a * 3 - table.b).to_csv(ws.path / "rows.csv", index=False)
    nbformat.write(new_notebook(cells=[new_code_cell(one) for one in cells or TRAIN]), ws.path / "line.ipynb")
    ws.experiments.run("line")
    return ws


@pytest.fixture
def ws(hosted: Any) -> Workspace:
    return prepared(hosted)


@pytest.fixture
def small(home: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace on a disk of 8 MB, with the server's files elsewhere."""
    with small_disk(tmp_path / "disk", megabytes=8) as disk, Workspace.init(disk / "ws") as workspace:
        yield prepared(workspace)


def fill(disk: Path) -> None:
    with open(disk / "filling", "ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def beside(ws: Workspace) -> list[str]:
    return sorted(
        one.name for one in ws.path.iterdir() if one.name not in (".mlalm", "rows.csv", "__pycache__")
    )


def assets(ws: Workspace) -> list[str]:
    return sorted(one.reference for kind in (ws.models, ws.transforms, ws.datasets) for one in kind.list())


COMPLETE = ["line-rows:1", "line-scaler:1", "line:1"]


def started_here(scratch: Path) -> dict[int, str]:
    """The processes whose temporary folder is this test's, which all that a set-up starts are, with what they run."""
    found = {}
    for one in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = f"TMPDIR={scratch}".encode() in (one / "environ").read_bytes().split(b"\0")
            said = (one / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if is_ours and said and int(one.name) != os.getpid():
            found[int(one.name)] = said
    return found


def left_of(scratch: Path, *, but: Collection[int], within_s: float = 30.0) -> list[str]:
    """What still runs of this test after some time, besides what ran before."""
    until = time.monotonic() + within_s
    while True:
        left = [said for pid, said in started_here(scratch).items() if pid not in but]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.2)


# a full disk


@pytest.mark.full
@pytest.mark.parametrize("name", ["kept_things", "kept_rows", "written"])
def test_a_disk_that_fills_up_meanwhile_leaves_nothing_half_written(
    small: Workspace, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(setting_up, name)

    def on_a_full_disk(*given: Any, **named: Any) -> Any:
        fill(small.path)
        return real(*given, **named)

    monkeypatch.setattr(setting_up, name, on_a_full_disk)
    before = (small.path / "line.ipynb").read_bytes()
    with pytest.raises(Unavailable, match=r"[Tt]he disk.* is full\. Free some room there"):
        small.services.setup("predictive", "line")
    assert beside(small) == ["filling", "line.ipynb"]
    (small.path / "filling").unlink()
    monkeypatch.undo()
    assert small.workspaces.doctor().findings == ()
    assert (small.path / "line.ipynb").read_bytes() == before
    assert small.services.setup("predictive", "line").experiment.path == PREDICTIVE
    assert assets(small) == COMPLETE
    assert small.workspaces.doctor().findings == ()


@pytest.mark.full
def test_a_notebook_that_is_made_again_on_a_full_disk_stays_as_it_was(
    small: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.services.setup("predictive", "line")
    file = small.path / PREDICTIVE
    notebook = nbformat.read(file, as_version=4)
    notebook.cells[-1].source += "\n# mine"
    notebook.metadata["mlalm"]["run"] = "another"
    nbformat.write(notebook, file)
    before = file.read_bytes()
    real = predictive_notebooks.replaced

    def on_a_full_disk(*given: Any, **named: Any) -> Any:
        fill(small.path)
        return real(*given, **named)

    monkeypatch.setattr(predictive_notebooks, "replaced", on_a_full_disk)
    with pytest.raises(Unavailable, match=r"'line\.predictive\.ipynb' was not changed\. The disk.* is full"):
        small.services.setup("predictive", "line")
    assert file.read_bytes() == before
    assert beside(small) == ["filling", "line.ipynb", PREDICTIVE]
    (small.path / "filling").unlink()
    monkeypatch.undo()
    again = small.services.setup("predictive", "line")
    assert "# mine" in file.read_text()
    assert len(again.by_hand) == 1
    assert small.workspaces.doctor().findings == ()


@pytest.mark.full
@pytest.mark.parametrize("method", ["trace", "prove"])
def test_temporary_files_that_find_no_room_are_told(
    small: Workspace, method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = small.path.parent / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    real = getattr(NotebookConversion, method)

    def on_a_full_disk(*given: Any, **named: Any) -> Any:
        fill(folder.parent)
        return real(*given, **named)

    monkeypatch.setattr(NotebookConversion, method, on_a_full_disk)
    with pytest.raises((Unavailable, Conflict, InvalidInput), match=r"is full|No space left on device"):
        small.services.setup("predictive", "line")
    assert list(folder.iterdir()) == []
    assert beside(small) == ["line.ipynb"]
    assert assets(small) == []
    (folder.parent / "filling").unlink()
    assert small.workspaces.doctor().findings == ()


# several at once


SETS_UP = """
import sys
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.workspace import Workspace
with Workspace.open(sys.argv[1]) as ws:
    try:
        print(ws.services.setup("predictive", "line").experiment.path)
    except MlalmError as error:
        print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.full
def test_of_two_that_set_up_the_same_one_is_told_of_the_other(ws: Workspace) -> None:
    command = [sys.executable, "-c", SETS_UP, str(ws.path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(one.communicate(timeout=400)[0].strip() for one in both)
    assert said == [
        "Conflict: The notebook line.ipynb was not set up as a service. Somebody is setting it up as a service, "
        "or deploying it, at this moment. Wait until that is done, then repeat this if it is still wanted.",
        PREDICTIVE,
    ]
    assert beside(ws) == ["line.ipynb", PREDICTIVE]
    assert assets(ws) == COMPLETE
    assert ws.workspaces.doctor().findings == ()


@pytest.mark.full
def test_what_is_saved_deployed_or_removed_while_it_is_made_again_is_not_lost(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.services.setup("predictive", "line")
    file = ws.path / PREDICTIVE
    whole = file.read_text()
    ws.experiments.run("line.predictive")
    real = setting_up.kept_rows
    happens: list[Any] = []

    def meanwhile(*given: Any, **named: Any) -> Any:
        happens[0]()
        return real(*given, **named)

    monkeypatch.setattr(setting_up, "kept_rows", meanwhile)

    edited = nbformat.reads(whole, as_version=4)
    edited.cells[-1].source += "\n# mine"
    happens[:] = [lambda: nbformat.write(edited, file)]
    # what would be written has to differ for there to be anything to lose
    other = nbformat.reads(whole, as_version=4)
    other.metadata["mlalm"]["run"] = "another"
    nbformat.write(other, file)
    with pytest.raises(Conflict, match=r"Somebody saved it at the same moment\. Repeat it"):
        ws.services.setup("predictive", "line")
    assert "# mine" in file.read_text()

    happens[:] = [file.unlink]
    with pytest.raises(Conflict, match=r"Somebody took it away at the same moment\. Repeat it"):
        ws.services.setup("predictive", "line")
    file.write_text(whole)

    found: list[str] = []

    def deploys() -> None:
        try:
            with Workspace.open(ws.path) as other:
                other.services.deploy("line.predictive", "line")
        except Conflict as error:
            found.append(str(error))

    def in_another_thread() -> None:
        thread = threading.Thread(target=deploys)
        thread.start()
        thread.join()

    happens[:] = [in_another_thread]
    ws.services.setup("predictive", "line")
    assert len(found) == 1
    assert found[0].startswith("The notebook line.ipynb was not deployed. Somebody is setting it up")
    assert ws.services.list() == ()
    monkeypatch.undo()
    ws.experiments.run("line.predictive")
    ws.services.deploy("line.predictive", "line")
    before = file.read_bytes()
    assert ws.services.setup("predictive", "line").experiment.path == "line.predictive-2.ipynb"
    assert file.read_bytes() == before
    assert [one for one in assets(ws) if not one.endswith(":1")] == []


# what dies or hangs


@pytest.mark.full
def test_a_kernel_that_is_killed_is_told_with_its_cell_and_nothing_stays(hosted: Any, scratch: Path) -> None:
    dies = "import os, signal\nif os.environ.get('MLALM_TRACE'):\n    os.kill(os.getpid(), signal.SIGKILL)"
    ws = prepared(hosted, *TRAIN[:3], dies, *TRAIN[3:])
    others = started_here(scratch)
    with pytest.raises(InvalidInput, match=r"Cell 4 .*Its kernel died in cell 4: it was ended by SIGKILL"):
        ws.services.setup("predictive", "line")
    assert left_of(scratch, but=others) == []
    assert [one.name for one in scratch.iterdir() if one.name.startswith("mlalm-")] == []
    assert beside(ws) == ["line.ipynb"]
    assert assets(ws) == []


def asked(code: str, folder: Path, *, timeout_s: float | None = None) -> slice_answers.Answer:
    rows = pd.DataFrame({"a": [1, 2]})
    file = folder / "rows.parquet"
    tables = {"rows": KeptFrame(file, exact_frames.written(rows, file))}
    first, second = Slices([], tables, folder, timeout_s).ask(code, [{"table": "rows"}] * 2)
    assert first.frame is None
    assert (second.error, second.line) == (first.error, first.line)
    return first


def test_a_slice_that_is_killed_says_so(tmp_path: Path) -> None:
    found = asked("import os\n\ndef run(df):\n    os.kill(os.getpid(), 9)\n", tmp_path)
    assert found.error == "its process was ended by SIGKILL"


def test_a_slice_that_hangs_is_ended_with_all_it_started_and_says_where(
    tmp_path: Path, scratch: Path
) -> None:
    others = started_here(scratch)
    code = (
        "import os, time\n\ndef endless():\n    while True:\n        pass\n\n"
        "def run(df):\n    if not os.fork():\n        time.sleep(300)\n    endless()\n    return df\n"
    )
    begun = time.monotonic()
    found = asked(code, tmp_path, timeout_s=3)
    assert found.error == "it took longer than 3 s, and was in `endless` then"
    assert found.line in (4, 5)
    assert time.monotonic() - begun < 60
    assert left_of(scratch, but=others) == []


@pytest.mark.full
def test_a_helper_that_never_ends_for_some_rows_is_refused_with_its_name(hosted: Any, scratch: Path) -> None:
    (hosted.path / "beside.py").write_text(
        "def settled(column):\n    while len(column) == 1:\n        pass\n    return column * 2\n"
    )
    cells = (f"import beside\n{TRAIN[0]}", TRAIN[1], "df['b'] = beside.settled(df.b)", *TRAIN[2:])
    ws = prepared(hosted, *cells)
    others = started_here(scratch)
    with pytest.raises(
        Conflict, match=r"beside\.settled.*it took longer than 15 s, and was in `settled` of beside"
    ):
        ws.services.setup("predictive", "line", timeout_s=15)
    assert left_of(scratch, but=others) == []
    assert list(scratch.glob("mlalm-setup-*")) == []
    assert beside(ws) == ["beside.py", "line.ipynb"]


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("where", ["kernel", "slice"])
def test_whoever_is_interrupted_leaves_no_kernel_behind(
    ws: Workspace, scratch: Path, number: int, where: str
) -> None:
    others = started_here(scratch)
    wanted = "ipykernel_launcher" if where == "kernel" else "slice_process"
    process = subprocess.Popen(
        [sys.executable, "-m", "mlalm_jupyter.surfaces.cli.main", "service", "setup", "predictive", "line"],
        cwd=ws.path,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 120
    while not any(wanted in said for pid, said in started_here(scratch).items() if pid not in others):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    if number == signal.SIGINT:
        assert process.returncode == 130
        told = "Interrupted. No predictive notebook was cut out of line.ipynb. Nothing was written."
        assert told in said.splitlines()
        assert "Traceback" not in said
        assert list(scratch.glob("mlalm-setup-*")) == []
    assert left_of(scratch, but=others) == []
    assert beside(ws) == ["line.ipynb"]
    shutil.rmtree(scratch)
    scratch.mkdir()
    assert ws.services.setup("predictive", "line").experiment.path == PREDICTIVE
    assert assets(ws) == COMPLETE


# a deployment that is killed


@pytest.mark.full
def test_whoever_is_killed_while_a_notebook_is_deployed_leaves_a_whole_service_or_none(ws: Workspace) -> None:
    ws.services.setup("predictive", "line")
    ws.experiments.run("line.predictive")
    rows = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    answers: list[Any] = []
    for number, (module, name, is_after) in enumerate(
        [
            ("deployables", "notebook_code", True),
            ("deploying", "prepared", False),
            ("deploying", "prepared", True),
            ("deploying", "note_move", True),  # everything is written, and nothing of it committed
            ("deploying", "published", False),
            ("deploying", "published", True),
        ]
    ):
        program = f"""
import os, signal, sys
from mlalm_jupyter.api import {module}
from mlalm_jupyter.workspace import Workspace

real = {module}.{name}

def die(*given, **named):
    if {is_after}:
        real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)

{module}.{name} = die
with Workspace.open(sys.argv[1]) as ws:
    ws.services.deploy("line.predictive", sys.argv[2])
"""
        service = f"line-{number}"
        done = subprocess.run(
            [sys.executable, "-c", program, str(ws.path), service], timeout=200, check=False
        )
        assert done.returncode == -signal.SIGKILL
        is_there = service in [one.name for one in ws.services.list()]
        assert is_there == (name == "published"), (name, is_after)
        with Workspace.open(ws.path) as another:
            assert another.workspaces.doctor().findings == ()
            # who was killed between the two has others see it a little later
            answered = scored_soon(another, service, rows) if is_there else None
            again = another.services.deploy("line.predictive", service)
            assert again.default.revision == 1
            assert ("Nothing changed" in str(again.default.note)) == is_there
            answers.append(another.services.score(service, rows).rows)
            assert answered in (None, answers[0])
            assert another.workspaces.doctor().findings == ()
    assert answers == answers[:1] * 6
    assert len(ws.services.list()) == 6


def scored_soon(ws: Workspace, service: str, rows: pd.DataFrame) -> object:
    until = time.monotonic() + 60
    while True:
        try:
            return ws.services.score(service, rows).rows
        except NotFound:
            assert time.monotonic() < until
            time.sleep(0.5)
