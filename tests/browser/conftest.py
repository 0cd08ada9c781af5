"""A real JupyterLab on a real workspace, in a real Chromium; once for all tests here."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
import requests
from nbformat import v4

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOTS = Path(__file__).parent / "shots"


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that is up. It serves a folder with the workspace `rides` and a notebook outside of it."""

    url: str
    token: str
    root: Path
    env: dict[str, str]

    @property
    def workspace(self) -> Path:
        return self.root / "rides"

    def page(self, path: str = "") -> str:
        return f"{self.url}/lab{path}?token={self.token}&reset"

    def mlalm(self, *words: str) -> str:
        """The terminal's answer, in the workspace."""
        command = [
            sys.executable,
            "-m",
            "mlalm_jupyter.surfaces.cli.main",
            "--workspace",
            str(self.workspace),
        ]
        done = subprocess.run([*command, *words], env=self.env, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"mlalm {' '.join(words)}: {done.stderr}"
        return done.stdout

    def write(self, path: str, *cells: str) -> None:
        """A notebook of these code cells, below the served folder."""
        notebook = v4.new_notebook(
            cells=[v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, self.root / path)


def chromium() -> str:
    """The browser; where a run requires one, its absence is a failure and not a skip."""
    named = os.environ.get("MLALM_CHROMIUM") or next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    if named is None:
        says = "no Chromium here; `apt-get install --no-install-recommends chromium` brings one"
        (pytest.fail if os.environ.get("MLALM_REQUIRE_BROWSER") == "1" else pytest.skip)(says)
    return named


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab, above a workspace that holds a trained and deployed model; it ends before other tests begin."""
    chromium()  # nothing is set up for a browser that is not there
    base = tmp_path_factory.mktemp("lab")
    env = {**os.environ, "MLALM_HOME": str(base / "home"), "JUPYTER_CONFIG_DIR": str(base / "config")}
    env |= {"JUPYTERLAB_SETTINGS_DIR": str(base / "config/lab/user-settings"), "PYTHONUNBUFFERED": "1"}
    for name in ("MLALM_WORKSPACE", "MLALM_RUN", "MLALM_JOB"):
        env.pop(name, None)
    port = _free_port()
    up = Lab(f"http://127.0.0.1:{port}", "browser-test", base / "served", env)
    try:
        _fill(up)
        with (base / "jupyter.log").open("wb") as log:
            server = subprocess.Popen(_command(up, port=port), env=env, stdout=log, stderr=log)
            try:
                _wait_until_up(up, server, base / "jupyter.log")
                yield up
            finally:
                server.terminate()
                server.wait(30)
    finally:
        up.mlalm("server", "stop")


def _fill(lab: Lab) -> None:
    notes = Path(lab.env["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab/apputils-extension"
    _settings(notes / "notification.jupyterlab-settings", {"fetchNews": "false"})
    lab.root.mkdir()
    lab.write("alone.ipynb", "1 + 1")
    lab.mlalm("workspace", "init", str(lab.workspace))
    shutil.copy(EXAMPLES / "train.ipynb", lab.workspace)
    lab.mlalm("dataset", "upload", str(EXAMPLES / "data/bikes-first-half.csv"), "bikes")
    lab.mlalm("experiment", "run", str(lab.workspace / "train.ipynb"))
    lab.mlalm("service", "deploy", "bikes:1", "bikes")
    lab.mlalm("endpoint", "add", "bikes/autumn")


def _command(lab: Lab, *, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={lab.token}"),
        *(f"--ServerApp.root_dir={lab.root}", "--expose-app-in-browser"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]


def _settings(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def _wait_until_up(lab: Lab, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if server.poll() is not None:
            break
        try:
            if requests.get(f"{lab.url}/api", timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not come up:\n{log.read_text(errors='replace')[-3000:]}")


# Playwright keeps an event loop running in this thread, so it must be gone before other tests want theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    SHOTS.mkdir(exist_ok=True)
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=[*flags, *quiet])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, lab: Lab) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    context.close()
