"""The papermill runner keeps the promise of `ports.NotebookRunner`: real kernels, every way to end."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mlalm_jupyter.adapters.papermill_runner import PapermillRunner
from mlalm_jupyter.domain.errors import InvalidInput, Unavailable
from mlalm_jupyter.domain.run import Cells, RunStatus
from mlalm_jupyter.ports import Execution

pytestmark = pytest.mark.prove_experiments

PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def notebook(*sources: str, metadata: dict[str, Any] | None = None) -> bytes:
    """A notebook of code cells; the first is tagged `parameters` when it says so."""
    cells = []
    for source in sources:
        tags = ["parameters"] if source.startswith("# parameters") else []
        cells.append(new_code_cell(source, metadata={"tags": tags}))
    made = new_notebook(cells=cells, metadata=PYTHON if metadata is None else metadata)
    return nbformat.writes(made).encode()


def execute(content: bytes, cwd: Path, **options: Any) -> tuple[Execution, list[Cells]]:
    seen: list[Cells] = []
    options = {"parameters": {}, "env": {}, "on_cell": seen.append, "timeout_s": 60} | options
    return PapermillRunner().execute(content, cwd=cwd, **options), seen


def outputs(execution: Execution, cell: int) -> str:
    """What a code cell printed, counting from 0 in the executed notebook."""
    code = [one for one in executed(execution).cells if one.cell_type == "code"]
    return "".join(one.text for one in code[cell].outputs if one.output_type == "stream")


def executed(execution: Execution) -> Any:
    return nbformat.reads(execution.notebook.decode(), as_version=4)


def cell_states(execution: Execution) -> list[str]:
    return [cell.metadata.papermill.status for cell in executed(execution).cells]


def test_a_kernel_that_is_through_says_nothing_of_its_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        assert execute(notebook("1 + 1"), tmp_path)[0].status is RunStatus.FINISHED
    assert "KeyboardInterrupt" not in "".join(capfd.readouterr())


def test_a_notebook_runs_with_its_parameters_in_its_folder_and_tells_how_far_it_is(tmp_path: Path) -> None:
    content = notebook(
        "# parameters\ndepth = 1",
        "import os\nprint(depth, os.getcwd(), os.environ['MLALM_RUN'])",
        "print(os.getpid())",
    )
    execution, seen = execute(content, tmp_path, parameters={"depth": 4}, env={"MLALM_RUN": "r1"})
    assert execution.status is RunStatus.FINISHED
    assert (execution.cause, execution.failed_cell) == (None, None)
    assert outputs(execution, 2).split() == ["4", str(tmp_path), "r1"]
    assert outputs(execution, 3).strip() != str(os.getpid())
    # the cell that sets the parameters is papermill's, not the person's
    assert seen == [Cells(0, 3, 1), Cells(1, 3, 2), Cells(2, 3, 3)]
    assert execution.cells == Cells(3, 3, None)


def test_nobody_listens_in_on_what_is_said_to_a_kernel(tmp_path: Path) -> None:
    asked = "import ipykernel\nprint('curve_secretkey' in open(ipykernel.get_connection_file()).read())"
    execution, _ = execute(notebook(asked), tmp_path)
    assert outputs(execution, 0) == "True\n"


def test_a_run_leaves_nothing_beside_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, scratch = tmp_path / "work", tmp_path / "scratch"
    work.mkdir()
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    execution, _ = execute(notebook("1", "1/0"), work)
    assert execution.status is RunStatus.FAILED
    assert list(work.iterdir()) == []
    assert list(scratch.iterdir()) == []
    assert "input_path" not in executed(execution).metadata.papermill


def test_the_process_that_runs_it_stays_in_its_own_folder(tmp_path: Path) -> None:
    here = Path.cwd()
    during: list[Path] = []
    execute(notebook("1"), tmp_path, on_cell=lambda _: during.append(Path.cwd()))
    assert during == [here]


def test_the_python3_kernel_is_this_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    false = tmp_path / "jupyter" / "kernels" / "python3"
    false.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "x", "language": "python"}
    (false / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    execution, _ = execute(notebook("import sys; print(sys.prefix)"), tmp_path)
    assert outputs(execution, 0).strip() == sys.prefix


def test_a_notebook_that_names_no_kernel_runs_in_this_interpreter(tmp_path: Path) -> None:
    execution, _ = execute(notebook("print(2 * x)", metadata={}), tmp_path, parameters={"x": 21})
    assert outputs(execution, 1).strip() == "42"


def test_an_exception_fails_the_run_and_names_the_cell(tmp_path: Path) -> None:
    content = notebook("# parameters\nx = 1", "print(x)", "undefined_name", "print('never')")
    execution, seen = execute(content, tmp_path, parameters={"x": 2})
    assert execution.status is RunStatus.FAILED
    assert execution.cause == "NameError: name 'undefined_name' is not defined"
    assert execution.failed_cell == 3
    assert execution.cells == Cells(2, 4, None)
    assert seen[-1] == Cells(2, 4, 3)
    assert cell_states(execution) == ["completed", "completed", "completed", "failed", "pending"]
    tags = [tag for cell in executed(execution).cells for tag in cell.metadata.tags]
    assert sorted(tags) == ["injected-parameters", "parameters"]


def test_markdown_and_empty_cells_are_not_counted(tmp_path: Path) -> None:
    cells = [new_markdown_cell("# title"), new_code_cell("1"), new_code_cell(" "), new_code_cell("1/0")]
    content = nbformat.writes(new_notebook(cells=cells, metadata=PYTHON)).encode()
    execution, _ = execute(content, tmp_path)
    assert (execution.failed_cell, execution.cells) == (2, Cells(1, 2, None))


def test_parameters_of_an_earlier_run_are_replaced_and_their_cell_still_counts(tmp_path: Path) -> None:
    first, _ = execute(notebook("# parameters\nx = 1", "print(x)"), tmp_path, parameters={"x": 2})
    again, _ = execute(first.notebook, tmp_path, parameters={"x": 3})
    assert outputs(again, 2).strip() == "3"
    assert again.cells == Cells(3, 3, None)


def test_a_usage_error_of_a_magic_is_told_though_it_has_no_traceback(tmp_path: Path) -> None:
    execution, _ = execute(notebook("%no_such_magic at all"), tmp_path)
    assert execution.status is RunStatus.FAILED
    assert execution.cause == "UsageError: Line magic function `%no_such_magic` not found."


def test_an_error_of_ours_is_told_in_its_own_words(tmp_path: Path) -> None:
    raising = (
        "from mlalm_jupyter.domain.errors import DefaultEndpointNotPatchable\n"
        "raise DefaultEndpointNotPatchable('churn/default')"
    )
    execution, _ = execute(notebook(raising), tmp_path)
    assert execution.cause is not None
    assert execution.cause.startswith("Endpoint 'churn/default' was not patched. The default endpoint")
    assert "\n" not in execution.cause


def test_a_strangers_error_with_a_name_of_ours_keeps_its_name(tmp_path: Path) -> None:
    execution, _ = execute(notebook("class NotFound(Exception): pass\nraise NotFound('a cat')"), tmp_path)
    assert execution.cause == "NotFound: a cat"


def test_leaving_with_status_0_finishes_a_part(tmp_path: Path) -> None:
    for leaving in ("sys.exit(0)", "sys.exit()", "sys.exit(None)"):
        execution, _ = execute(notebook("import sys", leaving, "print('never')"), tmp_path)
        assert execution.status is RunStatus.FINISHED_PARTIAL, leaving
        assert (execution.cause, execution.failed_cell) == (None, None)
        assert execution.cells == Cells(2, 3, None)
        assert cell_states(execution)[2] == "pending"


def test_leaving_with_another_status_fails(tmp_path: Path) -> None:
    execution, _ = execute(notebook("import sys; sys.exit(3)", "print('never')"), tmp_path)
    assert (execution.status, execution.cause) == (RunStatus.FAILED, "SystemExit: 3")
    assert execution.failed_cell == 1


def test_a_cell_that_may_raise_does_not_fail_the_run(tmp_path: Path) -> None:
    cells = [new_code_cell("1/0", metadata={"tags": ["raises-exception"]}), new_code_cell("print('after')")]
    content = nbformat.writes(new_notebook(cells=cells, metadata=PYTHON)).encode()
    execution, _ = execute(content, tmp_path)
    assert (execution.status, execution.cause) == (RunStatus.FINISHED, None)
    assert outputs(execution, 1).strip() == "after"
    assert [cell.cell_type for cell in executed(execution).cells] == ["code", "code"], "no markers are left"


def test_a_killed_kernel_fails_the_run_in_the_cell_that_was_at_work(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    content = notebook(
        "import os, pathlib, time; place = pathlib.Path('pid')",
        "place.write_text(str(os.getpid())); time.sleep(60)",
        "print('never')",
    )

    def kill() -> None:
        for _ in range(3000):
            if pid_file.exists() and (text := pid_file.read_text()):
                os.kill(int(text), signal.SIGKILL)
                return
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    execution, _ = execute(content, tmp_path)
    killer.join()
    assert execution.status is RunStatus.FAILED
    assert execution.cause is not None
    assert execution.cause.startswith("Its kernel died in cell 2: it was ended by SIGKILL")
    assert execution.failed_cell == 2
    assert cell_states(execution) == ["completed", "failed", "pending"]
    assert executed(execution).metadata.papermill.exception is True


@pytest.mark.parametrize(
    ("ending", "cause"),
    [
        ("import os; os._exit(7)", "Its kernel died in cell 2: it exited with status 7."),
        ("exit()", "The code in cell 2 told its kernel to exit; `sys.exit()` ends a run without failing it."),
    ],
)
def test_code_that_ends_its_kernel_fails_the_run(tmp_path: Path, ending: str, cause: str) -> None:
    execution, _ = execute(notebook("1", ending, "print('never')"), tmp_path)
    assert (execution.status, execution.cause, execution.failed_cell) == (RunStatus.FAILED, cause, 2)
    assert cell_states(execution) == ["completed", "failed", "pending"]


def test_a_run_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    content = notebook("import os; print(os.getpid(), flush=True)", "while True: pass", "print('never')")
    execution, _ = execute(content, tmp_path, timeout_s=2)
    assert execution.status is RunStatus.FAILED
    assert execution.cause == "It took longer than 2 s, and was stopped in cell 2."
    assert execution.failed_cell == 2
    assert cell_states(execution) == ["completed", "failed", "pending"]
    kernel = int(outputs(execution, 0))
    assert not Path(f"/proc/{kernel}").exists()


def test_the_time_limit_is_for_the_run_and_not_for_each_cell(tmp_path: Path) -> None:
    content = notebook("import time", *["time.sleep(0.7)"] * 4)
    execution, _ = execute(content, tmp_path, timeout_s=1.5)
    assert execution.status is RunStatus.FAILED
    assert execution.failed_cell is not None


def of_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str]) -> bytes:
    """A notebook whose kernel is started by this command."""
    folder = tmp_path / "jupyter" / "kernels" / "own"
    folder.mkdir(parents=True)
    spec = {"argv": argv, "display_name": "x", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return notebook("1", metadata={"kernelspec": {"name": "own", "display_name": "x"}})


def test_a_kernel_whose_port_was_taken_meanwhile_is_started_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = f"echo began >>{tmp_path}/starts; [ $(wc -l <{tmp_path}/starts) -gt 1 ] || exit 1; exec "
    program += f"{sys.executable} -m ipykernel_launcher -f $0"
    content = of_kernel(tmp_path, monkeypatch, ["/bin/sh", "-c", program, "{connection_file}"])
    execution, _ = execute(content, tmp_path)
    assert (execution.status, execution.cause) == (RunStatus.FINISHED, None)
    assert (tmp_path / "starts").read_text() == "began\n" * 2


def test_a_kernel_that_does_not_start_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = of_kernel(tmp_path, monkeypatch, ["/bin/false", "{connection_file}"])
    execution, seen = execute(content, tmp_path)
    assert execution.status is RunStatus.FAILED
    assert execution.cause is not None
    assert execution.cause.startswith("Its kernel did not start: ")
    assert seen == []


def test_a_kernel_that_is_not_installed_is_refused_with_the_names_of_those_that_are(tmp_path: Path) -> None:
    content = notebook("1", metadata={"kernelspec": {"name": "fortran", "display_name": "x"}})
    with pytest.raises(InvalidInput) as caught:
        execute(content, tmp_path)
    assert "'python3'" in caught.value.why
    assert "'fortran'" in caught.value.why


def test_bytes_that_are_no_notebook_are_refused(tmp_path: Path) -> None:
    for content in (b"", b"{}", b"[1]", b"\xff\xfe", b'{"cells": 3}'):
        with pytest.raises(InvalidInput):
            execute(content, tmp_path)


def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not exist"):
        execute(notebook("1"), tmp_path / "gone")


def test_an_error_of_the_one_who_watches_reaches_the_caller(tmp_path: Path) -> None:
    def on_cell(_: Cells) -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        execute(notebook("1"), tmp_path, on_cell=on_cell)


def test_widgets_leave_no_state_in_the_executed_notebook(tmp_path: Path) -> None:
    execution, _ = execute(notebook("import ipywidgets; ipywidgets.IntSlider()"), tmp_path)
    assert execution.status is RunStatus.FINISHED
    assert "widgets" not in executed(execution).metadata


def test_a_part_runs_to_the_cell_that_was_named_and_claims_nothing_after_it(tmp_path: Path) -> None:
    content = json.loads(notebook("a = 1\nprint('one')", "print('two')", "print('three')"))
    content["cells"][2].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "stale"}])
    execution, _ = execute(json.dumps(content).encode(), tmp_path, until=2)
    assert execution.status is RunStatus.FINISHED_PARTIAL
    assert execution.executed == (1, 2)
    assert execution.cells == Cells(2, 3, None)
    assert [outputs(execution, cell) for cell in range(3)] == ["one\n", "two\n", ""]


def test_a_part_that_fails_is_a_failed_part(tmp_path: Path) -> None:
    execution, _ = execute(notebook("a = 1", "1 / 0", "print('three')"), tmp_path, until=3)
    assert execution.status is RunStatus.FAILED_PARTIAL
    assert (execution.executed, execution.failed_cell) == ((1,), 2)
    whole, _ = execute(notebook("a = 1", "a"), tmp_path)
    assert (whole.status, whole.executed) == (RunStatus.FINISHED, (1, 2))
