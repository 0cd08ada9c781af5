"""Papermill as it comes, from a terminal and from Python: `--engine mlalm` records each run, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillExecutionError

from mlalm_jupyter.adapters import descendants
from mlalm_jupyter.domain.errors import InvalidInput, WorkspaceNotFound
from mlalm_jupyter.domain.job import JobState
from mlalm_jupyter.domain.run import Run, RunStatus
from mlalm_jupyter.surfaces.engine.origin import Origin

pytestmark = pytest.mark.prove_experiments

WAIT_S = 60.0
PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write(path: Path, *sources: str, tags: tuple[str, ...] = ()) -> Path:
    """A notebook file; its first cell carries the tags."""
    cells = [new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = list(tags)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(new_notebook(cells=cells, metadata=PYTHON)))
    return path


def until(condition: Callable[[], Any], *, what: str) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {WAIT_S:g} s for {what}"
        time.sleep(0.02)
    return value


def runs(workspace: Any) -> list[Run]:
    with workspace.catalog.read() as tx:
        return list(tx.runs.find())


def the_run(workspace: Any) -> Run:
    (run,) = runs(workspace)
    return run


def job_state(workspace: Any, run: Run) -> JobState:
    state: JobState = workspace.jobs.show(run.job_id).state
    return state


def execute(notebook: Path, **options: Any) -> Any:
    """As `papermill --engine mlalm` does it, without starting a Python for it."""
    output = notebook.with_suffix(".out.ipynb")
    return papermill.execute_notebook(
        str(notebook), str(output), engine_name="mlalm", progress_bar=False, **options
    )


def start(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "papermill", "--engine", "mlalm", "--no-progress-bar", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def papermills() -> Iterator[list[subprocess.Popen[str]]]:
    """Whatever a test starts here is ended."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def test_a_run_from_a_terminal_is_recorded_with_all_it_was(workspace: Any) -> None:
    place = workspace.path / "work"
    notebook = write(
        place / "train.ipynb",
        "depth = 1",
        "import json, os\n"
        "names = ('MLALM_RUN', 'MLALM_WORKSPACE', 'MLALM_HOME', 'MLALM_JOB')\n"
        "print(json.dumps([depth, os.getcwd(), *(os.environ.get(name) for name in names)]))",
        tags=("parameters",),
    )
    content = notebook.read_bytes()
    process = start("train.ipynb", "out.ipynb", "-p", "depth", "4", cwd=place)
    told, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, told
    run = the_run(workspace)
    assert f"Recorded as run {run.id[:12]}" in told
    assert (run.status, run.path, run.origin) == (RunStatus.FINISHED, "work/train.ipynb", "papermill")
    assert run.snapshot.parameters == {"depth": 4}
    assert workspace.blobs.get(run.snapshot.digest) == content
    assert (run.cells.done, run.cells.total) == (2, 2)
    assert notebook.read_bytes() == content
    executed = nbformat.reads((place / "out.ipynb").read_text(), as_version=4)
    mark = descendants.mark(str(run.job_id), 1)
    seen = [4, str(place), run.id, str(workspace.path), os.environ["MLALM_HOME"], mark]
    assert json.loads(executed.cells[2].outputs[0].text) == seen
    kept = nbformat.reads(workspace.blobs.get(run.executed_digest).decode(), as_version=4)
    assert [cell.source for cell in kept.cells] == [cell.source for cell in executed.cells]
    assert job_state(workspace, run) is JobState.FINISHED
    assert list((Path(os.environ["MLALM_HOME"]) / "workers").iterdir()) == []


def test_a_failure_fails_the_command_and_the_record_says_why(workspace: Any) -> None:
    notebook = write(workspace.path / "bad.ipynb", "x = 1", "x + y")
    process = start(notebook, workspace.path / "out.ipynb", cwd=workspace.path.parent)
    told, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode != 0
    assert "NameError" in told
    run = the_run(workspace)
    assert (run.status, run.path, run.failed_cell) == (RunStatus.FAILED, "bad.ipynb", 2)
    assert run.cause == "NameError: name 'y' is not defined"
    assert job_state(workspace, run) is JobState.FAILED


def test_outside_every_workspace_it_says_so_and_executes_nothing(tmp_path: Path, home: Path) -> None:
    notebook = write(tmp_path / "lone.ipynb", "open('it ran', 'w')")
    process = start(notebook, tmp_path / "out.ipynb", cwd=tmp_path)
    told, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode != 0
    assert f"No workspace at '{tmp_path}'." in told
    assert "mlalm workspace init" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lone.ipynb"]


def test_the_workspace_may_be_named(workspace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = write(tmp_path / "elsewhere" / "a.ipynb", "1")
    with pytest.raises(WorkspaceNotFound):
        execute(notebook)
    monkeypatch.setenv("MLALM_WORKSPACE", str(workspace.path))
    execute(notebook)
    assert the_run(workspace).path == str(notebook)


def test_papermill_may_be_told_to_work_in_another_folder(
    workspace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(workspace.path / "deep" / "a.ipynb", "import os; print(os.getcwd())")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(workspace.path)
    done = execute(Path("deep/a.ipynb"), cwd=str(other))
    assert done.cells[0].outputs[0].text.strip() == str(other)
    run = the_run(workspace)
    assert run.path == "deep/a.ipynb"
    assert workspace.blobs.get(run.snapshot.digest) == Path("deep/a.ipynb").read_bytes()


def test_parameters_that_the_notebook_does_not_take_are_refused_before_it_runs(workspace: Any) -> None:
    notebook = write(
        workspace.path / "a.ipynb", "depth: int = 1", "open('it ran', 'w')", tags=("parameters",)
    )
    with pytest.raises(InvalidInput, match="deepth"):
        execute(notebook, parameters={"deepth": 4})
    assert runs(workspace) == []
    assert not Path("it ran").exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [(("-p", "deepth", "4"), "deepth"), (("-k", "fortran"), "Expected one that is installed ('python3'")],
)
def test_what_we_refuse_papermill_tells_in_a_line_as_its_own_errors(
    workspace: Any, options: tuple[str, ...], why: str
) -> None:
    notebook = write(workspace.path / "a.ipynb", "depth: int = 1", tags=("parameters",))
    process = start(notebook, workspace.path / "out.ipynb", *options, cwd=workspace.path)
    told, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode != 0
    assert "Traceback" not in told
    (line,) = [line for line in told.splitlines() if line.startswith("Error: ")]
    assert why in line


def test_leaving_with_status_0_finishes_a_part_and_the_command_succeeds(workspace: Any) -> None:
    execute(write(workspace.path / "a.ipynb", "import sys; sys.exit(0)", "1"))
    run = the_run(workspace)
    assert (run.status, run.cause) == (RunStatus.FINISHED_PARTIAL, None)


def test_a_cell_that_may_raise_is_recorded_as_papermill_reports_it(workspace: Any) -> None:
    notebook = write(workspace.path / "a.ipynb", "1/0", "print('after')", tags=("raises-exception",))
    with pytest.raises(PapermillExecutionError):
        execute(notebook)
    run = the_run(workspace)
    assert run.status is RunStatus.FAILED
    assert run.cause is not None
    assert run.cause.startswith("ZeroDivisionError: division by zero")
    assert "raises-exception" in run.cause


def test_a_killed_kernel_is_recorded_and_the_output_shows_where(workspace: Any) -> None:
    notebook = write(
        workspace.path / "a.ipynb", "import os, signal", "os.kill(os.getpid(), signal.SIGKILL)", "1"
    )
    with pytest.raises(DeadKernelError):
        execute(notebook)
    run = the_run(workspace)
    assert (run.status, run.failed_cell) == (RunStatus.FAILED, 2)
    assert run.cause is not None
    assert run.cause.startswith("Its kernel died in cell 2")
    output = nbformat.reads(notebook.with_suffix(".out.ipynb").read_text(), as_version=4)
    assert [cell.metadata.papermill.status for cell in output.cells] == ["completed", "failed", "pending"]


def test_a_kernel_that_is_not_installed_is_recorded_as_the_failure_it_is(workspace: Any) -> None:
    with pytest.raises(InvalidInput, match="python3"):
        execute(write(workspace.path / "a.ipynb", "1"), kernel_name="fortran")
    run = the_run(workspace)
    assert run.status is RunStatus.FAILED
    assert run.cause is not None
    assert "'fortran'" in run.cause


def test_a_notebook_that_was_saved_again_meanwhile_is_recorded_as_it_was_executed(workspace: Any) -> None:
    notebook = write(workspace.path / "a.ipynb", "x = 1", "print(x)", tags=("parameters",))
    loaded = nbformat.reads(notebook.read_text(), as_version=4)
    write(notebook, "x = 2", "print('changed')")
    origin = Origin.of(loaded, input_path=str(notebook), output_path=None)
    recorded = nbformat.reads(origin.notebook.decode(), as_version=4)
    assert [cell.source for cell in recorded.cells] == ["x = 1", "print(x)"]
    assert origin.file == notebook


def test_a_notebook_that_never_was_in_a_file_is_recorded_too(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.path)
    cells = [new_code_cell("x = 1", metadata={"tags": ["parameters"]}), new_code_cell("print(x)")]
    made = new_notebook(cells=cells, metadata=PYTHON)
    papermill.execute_notebook(
        made, "made.ipynb", parameters={"x": 5}, engine_name="mlalm", progress_bar=False
    )
    run = the_run(workspace)
    assert (run.status, run.path) == (RunStatus.FINISHED, "made.ipynb")
    snapshot = nbformat.reads(workspace.blobs.get(run.snapshot.digest).decode(), as_version=4)
    assert [cell.source for cell in snapshot.cells] == ["x = 1", "print(x)"]
    assert run.cells.total == 2


WAITS = "import os, subprocess, time\naway = subprocess.Popen(['sleep', '600'], start_new_session=True)"
TELLS = "open('pids', 'w').write(f'{os.getpid()} {away.pid} .')\ntime.sleep(600)"


def waiting(workspace: Any, process: subprocess.Popen[str]) -> list[int]:
    """The kernel and a child of it in a session of its own, once they are there."""
    place = workspace.path / "pids"

    def told() -> str | None:
        assert process.poll() is None, process.communicate()[0]
        return text if place.exists() and (text := place.read_text()).endswith(".") else None

    return [int(one) for one in until(told, what="the notebook to wait").split()[:2]]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="descendants are found through /proc")
def test_a_canceled_run_ends_the_kernel_and_the_command(
    workspace: Any, papermills: list[subprocess.Popen[str]]
) -> None:
    notebook = write(workspace.path / "a.ipynb", WAITS, TELLS)
    process = start(notebook, workspace.path / "out.ipynb", cwd=workspace.path)
    papermills.append(process)
    pids = waiting(workspace, process)
    workspace.runs.cancel(the_run(workspace).id)
    told, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode != 0
    assert "Error: The run of 'a.ipynb' failed. It was canceled." in told
    run = the_run(workspace)
    assert (run.status, run.cause) == (RunStatus.CANCELED, "It was canceled.")
    assert job_state(workspace, run) is JobState.CANCELED
    assert [pid for pid in pids if lives(pid)] == []


def ends_interrupted(workspace: Any, process: subprocess.Popen[str], kernel: int) -> None:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT_S)
    assert process.returncode != 0
    run = the_run(workspace)
    assert (run.status, run.cause) == (
        RunStatus.CANCELED,
        "It was interrupted where papermill was started.",
    )
    assert not lives(kernel)


@pytest.mark.full
def test_an_interrupted_run_is_canceled(workspace: Any, papermills: list[subprocess.Popen[str]]) -> None:
    notebook = write(workspace.path / "a.ipynb", WAITS, TELLS)
    process = start(notebook, workspace.path / "out.ipynb", cwd=workspace.path)
    papermills.append(process)
    kernel, away = waiting(workspace, process)
    os.kill(away, signal.SIGKILL)
    ends_interrupted(workspace, process, kernel)


@pytest.mark.full
def test_an_interrupt_that_got_lost_in_a_callback_still_ends_the_run(
    workspace: Any, papermills: list[subprocess.Popen[str]]
) -> None:
    notebook = write(workspace.path / "a.ipynb", WAITS, TELLS)
    script = (
        "import sys, papermill\n"
        "from mlalm_jupyter.adapters.watched_papermill import WatchedClient\n"
        "receives = WatchedClient.execute_cell\n"
        "def deaf(self, *cell):\n"
        "    while True:\n"
        "        try:\n"
        "            return receives(self, *cell)\n"
        "        except KeyboardInterrupt:\n"
        "            pass\n"
        "WatchedClient.execute_cell = deaf\n"
        "papermill.execute_notebook(*sys.argv[1:], engine_name='mlalm', progress_bar=False)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(notebook), str(workspace.path / "out.ipynb")],
        cwd=workspace.path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    papermills.append(process)
    kernel, _ = waiting(workspace, process)
    ends_interrupted(workspace, process, kernel)


def test_a_run_whose_papermill_was_killed_does_not_stay_running(
    workspace: Any, papermills: list[subprocess.Popen[str]]
) -> None:
    notebook = write(workspace.path / "a.ipynb", WAITS, TELLS)
    process = start(notebook, workspace.path / "out.ipynb", cwd=workspace.path)
    papermills.append(process)
    pids = waiting(workspace, process)
    run = the_run(workspace)
    assert run.status is RunStatus.RUNNING
    assert run.cells.current == 2
    process.kill()
    process.wait()
    # whoever runs a notebook here next sees to it; a server, where one runs, does so at once
    execute(write(workspace.path / "b.ipynb", "1"))
    run = next(one for one in runs(workspace) if one.id == run.id)
    assert (run.status, run.cause) == (RunStatus.FAILED, "The process that ran it is gone.")
    if sys.platform == "linux":
        assert [pid for pid in pids if lives(pid)] == []


def test_a_run_inside_a_run_is_recorded_on_its_own_and_carries_both_marks(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLALM_JOB", "outer:2")
    done = execute(write(workspace.path / "a.ipynb", "import os; print(os.environ['MLALM_JOB'])"))
    run = the_run(workspace)
    assert done.cells[0].outputs[0].text.strip() == f"outer:2,{run.job_id}:1"


def test_importing_papermill_brings_nothing_heavy_of_ours() -> None:
    script = (
        "import sys, papermill\n"
        "print(sorted(name for name in sys.modules if name.startswith('mlalm_jupyter.')), 'sqlalchemy' in sys.modules)"
    )
    assert python(script) == "['mlalm_jupyter.surfaces', 'mlalm_jupyter.surfaces.engine'] False"


def test_the_engine_can_be_imported_before_papermill() -> None:
    script = (
        "import mlalm_jupyter.surfaces.engine.recorded\n"
        "from papermill.engines import papermill_engines\n"
        "print(papermill_engines.get_engine('mlalm').__name__)"
    )
    assert python(script) == "MlalmEngine"


def python(script: str) -> str:
    """What a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=WAIT_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
