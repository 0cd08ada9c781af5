"""The CI examples: the steps of the GitHub Actions file and the shell script, run for real."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

pytestmark = [pytest.mark.prove_skeleton, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
WORKFLOW = yaml.safe_load((EXAMPLES / "ci" / "github-actions.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = WORKFLOW["jobs"]["train"]["steps"]
SKIPPED = {"Install": "the package under test is installed already; a test of its own installs it"}
Runner = tuple[Path, dict[str, str]]
"""A checkout and the environment of its commands."""
DEFAULT = re.compile(r"\$\{\{ inputs\.\w+ \|\| '([^']*)' \}\}")


def checkout(tmp_path: Path) -> Runner:
    """A fresh checkout of a repository that copied the examples, and the environment of a runner."""
    folder = tmp_path / "checkout"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns(".*"))
    env = {name: value for name, value in os.environ.items() if not name.startswith("MLALM_")}
    programs = Path(sys.executable).parent
    return folder, env | {"MLALM_HOME": str(tmp_path / "home"), "PATH": f"{programs}:{env['PATH']}"}


def run(folder: Path, env: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def ask(folder: Path, env: dict[str, str], *words: str) -> Any:
    done = run(folder, env, "mlalm", "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def break_training(folder: Path) -> None:
    """Somebody broke a cell of the notebook."""
    path = folder / "train.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = next(one for one in notebook.cells if "model.fit(" in one.source)
    cell.source = cell.source.replace("model.fit(", "model.fitt(")
    nbformat.write(notebook, path)


def workflow_env() -> dict[str, str]:
    """The workflow's variables as they are without inputs: what follows `||`."""
    found = {name: DEFAULT.fullmatch(value) for name, value in WORKFLOW["env"].items()}
    assert all(found.values()), "each has a default that the test can read"
    return {name: match[1] for name, match in found.items() if match}


def test_the_workflow_installs_this_package_from_where_its_variable_says(tmp_path: Path) -> None:
    install = next(step for step in STEPS if step.get("name") == "Install")
    assert install["env"]["PACKAGE"] == "${{ vars.PACKAGE }}"
    folder, env = checkout(tmp_path)
    # without network: what it depends on, and what builds it, is here already
    quick = {"PIP_TARGET": str(tmp_path / "there"), "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    said = {"PACKAGE": str(ROOT), "SKIP_JUPYTER_BUILDER": install["env"]["SKIP_JUPYTER_BUILDER"]}
    done = run(folder, env | quick | said, "bash", "-e", "-c", install["run"])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "there" / "mlalm_jupyter" / "surfaces" / "cli" / "main.py").exists()
    done = run(folder, env | quick | said | {"PACKAGE": ""}, "bash", "-e", "-c", install["run"])
    assert done.returncode != 0
    assert "Say in this repository variable" in done.stderr


def test_the_workflow_uses_the_oldest_python_and_checks_the_repository_out_first() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert STEPS[0]["uses"].startswith("actions/checkout@")
    python = next(step for step in STEPS if step.get("uses", "").startswith("actions/setup-python@"))
    assert project["requires-python"] == f">={python['with']['python-version']}"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A checkout in which every step of the workflow was run, one after the other."""
    folder, env = checkout(tmp_path_factory.mktemp("workflow"))
    env |= workflow_env()
    for step in STEPS:
        if "run" in step and step["name"] not in SKIPPED:
            done = run(folder, env, "bash", "-e", "-c", step["run"])
            assert done.returncode == 0, f"{step['name']}: {done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return folder, env


def test_the_workflow_s_steps_train_register_and_package_a_model(
    trained: Runner,
) -> None:
    folder, env = trained
    history = ask(folder, env, "experiment", "history", "train.ipynb")
    assert [run["status"] for run in history] == ["Draft", "Finished"]
    assert [model["reference"] for model in ask(folder, env, "model", "list")] == ["bikes:1"]
    artifact = next(step for step in STEPS if step.get("uses", "").startswith("actions/upload-artifact@"))
    kept = artifact["with"]["path"].split()
    assert kept == ["bikes.ilearner", "trained.ipynb"]
    assert zipfile.ZipFile(folder / kept[0]).testzip() is None
    assert nbformat.read(folder / kept[1], as_version=4).cells[-1].execution_count
    assert not (Path(env["MLALM_HOME"]) / "server.json").exists(), "no server is needed"


@pytest.mark.full
def test_the_package_that_ci_made_serves_in_another_workspace(trained: Runner, tmp_path: Path) -> None:
    folder, env = trained
    (trained_there,) = ask(folder, env, "model", "list")
    env = env | {"MLALM_WORKSPACE": str(tmp_path / "here"), "MLALM_HOME": str(tmp_path / "home")}
    assert run(folder, env, "mlalm", "workspace", "init", str(tmp_path / "here")).returncode == 0
    try:
        registered = ask(folder, env, "model", "register", "bikes.ilearner", "bikes")
        assert registered["model_hash"] == trained_there["model_hash"]
        assert registered["lineage"]["origin"] == "external"
        deployed = run(folder, env, "mlalm", "service", "deploy", "bikes:1", "bikes")
        assert deployed.returncode == 0, deployed.stderr
    finally:
        run(folder, env, "mlalm", "server", "stop")


@pytest.mark.full
def test_the_workflow_fails_when_a_cell_fails(tmp_path: Path) -> None:
    folder, env = checkout(tmp_path)
    env |= workflow_env()
    break_training(folder)
    codes = {}
    for step in STEPS:
        if "run" in step and step["name"] not in SKIPPED:
            codes[step["name"]] = run(folder, env, "bash", "-e", "-c", step["run"]).returncode
            if codes[step["name"]]:
                break
    assert list(codes) == ["Workspace", "Data", "Train"]
    assert codes["Train"] != 0
    assert (folder / "trained.ipynb").exists()


@pytest.mark.full
def test_the_script_trains_a_model_and_can_be_run_again(tmp_path: Path) -> None:
    folder, env = checkout(tmp_path)
    script = folder / "ci" / "train.sh"
    for version in (1, 2):
        done = run(tmp_path, env, str(script), str(folder))
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        assert f"bikes:{version}" in done.stdout
    history = ask(folder, env, "experiment", "history", "train.ipynb")
    assert [run["status"] for run in history] == ["Draft", "Finished", "Finished"]
    models = {model["reference"]: model for model in ask(folder, env, "model", "list", "--name", "bikes")}
    assert sorted(models) == ["bikes:1", "bikes:2"]
    assert models["bikes:2"]["equal_to"] == 1, "the same data gives the same model"


@pytest.mark.full
def test_the_script_fails_when_a_cell_fails_and_the_record_says_where(tmp_path: Path) -> None:
    folder, env = checkout(tmp_path)
    break_training(folder)
    done = run(folder, env, "sh", "ci/train.sh", ".")
    assert done.returncode != 0
    assert "fitt" in done.stderr
    _, failed = ask(folder, env, "experiment", "history", "train.ipynb")
    assert failed["status"] == "Failed"
    assert "fitt" in failed["cause"]
    assert ask(folder, env, "model", "list") == []


def test_the_script_fails_without_its_table_and_runs_nothing(tmp_path: Path) -> None:
    folder, env = checkout(tmp_path)
    done = run(folder, env, "sh", "ci/train.sh", ".", "data/none.csv")
    assert done.returncode != 0
    assert ask(folder, env, "experiment", "list") == []


def test_the_script_is_plain_sh() -> None:
    text = (EXAMPLES / "ci" / "train.sh").read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in text
    assert os.access(EXAMPLES / "ci" / "train.sh", os.X_OK)


@pytest.mark.skipif(shutil.which("dash") is None, reason="no dash here to read it as plain sh")
def test_the_script_is_read_by_a_shell_that_knows_nothing_but_sh() -> None:
    done = subprocess.run(
        ["dash", "-n", EXAMPLES / "ci" / "train.sh"], capture_output=True, check=False, timeout=30
    )
    assert done.returncode == 0
