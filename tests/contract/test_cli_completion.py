"""Completion in a real bash."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mlalm_jupyter.surfaces.cli.main import main
from mlalm_jupyter.workspace import Workspace


@pytest.fixture
def rides(workspace: Workspace) -> Workspace:
    table = workspace.path / "rides.csv"
    table.write_text("a\n1\n")
    workspace.datasets.upload(str(table), "rides")
    workspace.datasets.upload(str(table), "wine")
    return workspace


def completed(line: str, *, cwd: Path, tools: Path) -> list[str]:
    """What bash would put in at the end of a line."""
    tools.mkdir(exist_ok=True)
    mlalm = tools / "mlalm"
    command = shlex.join([sys.executable, "-m", "mlalm_jupyter.surfaces.cli.main"])
    mlalm.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    mlalm.chmod(0o755)
    script = (
        "source <(mlalm completion bash); complete -p mlalm >&2; "
        f"COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)}; _mlalm; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=cwd,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == "complete -o default -F _mlalm mlalm\n"
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mlalm data", ["dataset"]),
        ("mlalm endpoint ro", ["rollback"]),
        ("mlalm dataset show r", ["rides", "rides:1"]),
        ("mlalm dataset show rides:", ["1"]),
        ("mlalm dataset show rides --ro", ["--rows"]),
        ("mlalm --json dataset list --name w", ["wine", "wine:1"]),
        ("mlalm dataset upload ", []),
        ("mlalm nonsense more ", []),
    ],
)
def test_bash_completes(rides: Workspace, tmp_path: Path, line: str, words: list[str]) -> None:
    assert completed(line, cwd=rides.path, tools=tmp_path / "tools") == words


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "fish"]) == 2
    assert "Expected `mlalm completion bash`, got 'fish'." in capsys.readouterr().err
