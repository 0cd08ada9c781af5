"""The tour, run by papermill from a terminal, without JupyterLab; then what it left is asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = [pytest.mark.prove_skeleton, pytest.mark.timeout(900)]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Place:
    """A workspace with the examples in it and a server's home of its own."""

    folder: Path
    env: dict[str, str]

    def run(self, *command: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def ask(self, *words: str) -> Any:
        """What a verb answers, as JSON."""
        done = self.run("mlalm", "--json", *words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def papermill(self, notebook: str) -> subprocess.CompletedProcess[str]:
        out = f"out-{notebook}"
        return self.run("papermill", "--engine", "mlalm", "--no-progress-bar", notebook, out, timeout_s=600)


def place_at(root: Path) -> Place:
    folder = root / "ws"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns(".*"))
    env = {name: value for name, value in os.environ.items() if not name.startswith("MLALM_")}
    env |= {"MLALM_HOME": str(root / "home"), "PATH": f"{PROGRAMS}:{env['PATH']}"}
    return Place(folder, env)


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = place_at(tmp_path_factory.mktemp("tour"))
    assert place.run("mlalm", "workspace", "init", ".").returncode == 0
    try:
        done = place.papermill("tour.ipynb")
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        yield place
    finally:
        place.run("mlalm", "server", "stop")


def told(place: Place, source: str) -> str:
    """What the cell that begins so printed or showed, as text."""
    notebook = nbformat.read(place.folder / "out-tour.ipynb", as_version=4)
    cell = next(one for one in notebook.cells if one.cell_type == "code" and one.source.startswith(source))
    shown = []
    for output in cell.outputs:
        if output.output_type == "stream":
            shown.append(output.text)
        elif "data" in output:
            shown.append(output.data.get("text/plain", ""))
    return "\n".join(shown)


def answered_by(place: Place, endpoint: str) -> dict[str, Any]:
    rows = place.folder / "one-row.json"
    rows.write_text(
        json.dumps(
            {
                "month": 10,
                "weekday": "Sat",
                "hour": 17,
                "holiday": False,
                "weather": "clear",
                "temperature": 18.0,
                "humidity": 50,
                "wind": 10,
            }
        )
    )
    answer = place.ask("service", "score", endpoint, str(rows))
    assert isinstance(answer, dict)
    return answer


def test_every_cell_ran_without_an_error(toured: Place) -> None:
    notebook = nbformat.read(toured.folder / "out-tour.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [one for cell in cells for one in cell.outputs if one.output_type == "error"] == []
    assert [one.name for cell in cells for one in cell.outputs if one.get("name") == "stderr"] == []


def test_the_plot_of_both_models_is_in_it(toured: Place) -> None:
    notebook = nbformat.read(toured.folder / "out-tour.ipynb", as_version=4)
    pictures = [
        one
        for cell in notebook.cells
        for one in cell.get("outputs", [])
        if "image/png" in one.get("data", {})
    ]
    assert len(pictures) == 1


def test_it_leaves_a_finished_snapshot_of_itself_and_two_of_the_training(toured: Place) -> None:
    runs = {name: toured.ask("experiment", "history", name) for name in ("tour.ipynb", "train.ipynb")}
    assert [run["status"] for run in runs["tour.ipynb"]] == ["Draft", "Finished"]
    assert [run["status"] for run in runs["train.ipynb"]] == ["Draft", "Finished", "Finished"]
    _, retrained, trained = runs["train.ipynb"]
    assert trained["snapshot"] == retrained["snapshot"], "retraining runs the same snapshot"
    assert (trained["parameters"]["dataset"], retrained["parameters"]["dataset"]) == ("bikes:1", "bikes:2")


def test_it_leaves_two_versions_of_the_model_each_with_its_data(toured: Place) -> None:
    models = {model["reference"]: model for model in toured.ask("model", "list", "--name", "bikes")}
    assert sorted(models) == ["bikes:1", "bikes:2"]
    assert models["bikes:1"]["lineage"]["datasets"] == ["dataset bikes:1"]
    assert models["bikes:2"]["lineage"]["datasets"] == ["dataset bikes:2"]
    assert models["bikes:1"]["model_hash"] != models["bikes:2"]["model_hash"]


def test_the_endpoint_s_history_shows_add_patch_rollback(toured: Place) -> None:
    moves = toured.ask("endpoint", "history", "bikes/autumn")
    assert [(move["action"], move["model"]) for move in moves] == [
        ("add", "bikes:1"),
        ("patch", "bikes:2"),
        ("rollback", "bikes:1"),
    ]
    default = toured.ask("endpoint", "history", "bikes/default")
    assert [(move["action"], move["model"]) for move in default] == [("deploy", "bikes:1")]


def test_both_endpoints_answer_with_what_the_record_says(toured: Place) -> None:
    for endpoint in ("bikes/default", "bikes/autumn"):
        kept = toured.ask("endpoint", "show", endpoint)
        answer = answered_by(toured, endpoint)
        assert (answer["endpoint"], answer["definition_hash"], answer["model"], answer["model_hash"]) == (
            endpoint,
            kept["definition_hash"],
            "bikes:1",
            kept["model_hash"],
        )
        assert answer["rows"][0][answer["columns"].index("Scored Labels")] > 0


def test_the_service_without_a_model_answers(toured: Place) -> None:
    answer = answered_by(toured, "comfort")
    assert answer["model"] is None
    assert answer["columns"] == ["hour", "weather", "temperature", "comfort"]
    assert answer["rows"] == [[17, "clear", 18.0, 7.9]]


def test_the_printed_curl_line_answers_and_holds_no_key(toured: Place) -> None:
    line = told(toured, "%consume bikes").strip()
    keys = toured.ask("endpoint", "keys", "bikes/default")
    assert keys["primary"] not in line
    assert keys["secondary"] not in line
    done = toured.run("bash", "-c", line)
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)["Results"]["output1"]["value"]
    assert output["ColumnNames"][-1] == "Scored Labels"
    assert float(output["Values"][0][-1]) > 0


def test_no_key_is_written_into_the_executed_notebook(toured: Place) -> None:
    text = (toured.folder / "out-tour.ipynb").read_text(encoding="utf-8")
    for endpoint in ("bikes/default", "bikes/autumn", "comfort/default"):
        keys = toured.ask("endpoint", "keys", endpoint)
        assert keys["primary"] not in text
        assert keys["secondary"] not in text


@pytest.mark.parametrize(
    "victim",
    [
        pytest.param("os.getpid()", id="kernel"),
        pytest.param("os.getppid()", id="papermill", marks=pytest.mark.full),
    ],
)
def test_after_kill_9_of_the_notebook_its_endpoint_still_answers(toured: Place, victim: str) -> None:
    name = "kernelkilled" if victim == "os.getpid()" else "papermillkilled"
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        cells=[
            nbformat.v4.new_code_cell(f"%load_ext mlalm_jupyter\n%deploy bikes:2 {name}"),
            nbformat.v4.new_code_cell(
                f"import os, signal, time\nos.kill({victim}, signal.SIGKILL)\ntime.sleep(60)"
            ),
        ],
    )
    nbformat.write(notebook, toured.folder / f"{name}.ipynb")
    done = toured.papermill(f"{name}.ipynb")
    assert done.returncode != 0
    assert answered_by(toured, name)["model"] == "bikes:2"


def test_the_doctor_finds_nothing_wrong(toured: Place) -> None:
    checkup = toured.ask("workspace", "doctor")
    assert checkup["findings"] == []
    assert checkup["checked"]["endpoints"] >= 3
    assert checkup["checked"]["server processes"] >= 3


def test_no_model_has_seen_the_day_that_is_plotted(toured: Place) -> None:
    def table(name: str) -> list[str]:
        return (toured.folder / "data" / name).read_text(encoding="utf-8").splitlines()

    whole, seen = table("bikes-whole-year.csv"), table("bikes-but-one-friday.csv")
    left_out = [row for row in whole if row not in set(seen)]
    assert [row.split(",")[:3] for row in left_out] == [["10", "Fri", str(hour)] for hour in range(24)]
    assert len(seen) == len(whole) - 24
    (data,) = (one for one in toured.ask("dataset", "list") if one["reference"] == "bikes:2")
    assert data["row_count"] == len(seen) - 1
    notebook = nbformat.read(toured.folder / "tour.ipynb", as_version=4)
    plot = next(cell for cell in notebook.cells if "plt.show()" in cell.source)
    assert "rows = friday.drop" in plot.source
