"""What a kernel knows of its notebook when a real Jupyter server has started it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_experiments

pytest_plugins = ["pytest_jupyter.jupyter_server"]
Fetch = Callable[..., Awaitable[Any]]
Cell = Callable[[str], Awaitable[str]]

WHERE = """
import os
from mlalm_jupyter.surfaces.magics.notebook_here import notebook_here
here = notebook_here(globals(), os.environ)
print(here.source, here.path)
"""


def notebook(path: Path) -> Path:
    code = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": "1",
        "outputs": [],
        "execution_count": None,
    }
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": spec}, "cells": [code]}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return path


@asynccontextmanager
async def opened(path: str, fetch: Fetch, server: Any) -> AsyncIterator[Cell]:
    """A notebook as a page opens it: what runs a cell of it and gives what that prints."""
    body = {"path": path, "name": Path(path).name, "type": "notebook", "kernel": {"name": "python3"}}
    session = json.loads((await fetch("api", "sessions", method="POST", body=json.dumps(body))).body)
    kernel = session["kernel"]["id"]
    client = server.kernel_manager.get_kernel(kernel).client()
    client.start_channels()

    async def cell(code: str) -> str:
        lines: list[str] = []

        def heard(message: dict[str, Any]) -> None:
            content = message["content"]
            lines.extend(content.get("traceback") or [content.get("text", "")])

        await client.execute_interactive(code, output_hook=heard, timeout=60)
        return "".join(lines)

    try:
        await client.wait_for_ready(timeout=60)
        yield cell
    finally:
        client.stop_channels()
        await server.kernel_manager.shutdown_kernel(kernel, now=True)


async def test_a_kernel_knows_its_notebook_until_that_is_renamed(
    jp_fetch: Fetch, jp_serverapp: Any, jp_root_dir: Path
) -> None:
    path = notebook(jp_root_dir / "deep" / "train.ipynb")
    async with opened("deep/train.ipynb", jp_fetch, jp_serverapp) as cell:
        assert await cell(WHERE) == f"jupyter {path}\n"
        path.rename(path.with_name("renamed.ipynb"))
        assert await cell(WHERE) == "unknown None\n"


async def test_magics_mean_this_notebook(
    jp_fetch: Fetch, jp_serverapp: Any, jp_root_dir: Path, hosted: Workspace
) -> None:
    Workspace.init(jp_root_dir).close()
    notebook(jp_root_dir / "train.ipynb")
    async with opened("train.ipynb", jp_fetch, jp_serverapp) as cell:
        shown = await cell("%load_ext mlalm_jupyter\n%runs")
        assert "No experiment" in shown
        assert "train.ipynb" in shown
        assert (await cell("run = %run_all\nprint(run.status)")).endswith("Finished\n")
        assert await cell("runs = %runs\nprint(runs[0].is_editable, runs[1].id == run.id)") == "True True\n"
    with Workspace.open(jp_root_dir) as workspace:
        assert [run.path for run in workspace.experiments.history("train.ipynb") if not run.is_editable] == [
            "train.ipynb"
        ]
