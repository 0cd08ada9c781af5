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

import pytest
import requests

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOTS = Path(__file__).parent / "shots"


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that is up."""

    url: str
    token: str
    root: Path

    def page(self, path: str = "") -> str:
        return f"{self.url}/lab{path}?token={self.token}&reset"


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
        (pytest.fail if os.environ.get("CI") else pytest.skip)(says)
    return named


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab, served from a workspace that holds a trained and deployed model."""
    base = tmp_path_factory.mktemp("lab")
    root, home = base / "rides", base / "home"
    env = {
        **os.environ,
        "MLALM_HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(base / "config"),
        "PYTHONUNBUFFERED": "1",
    }
    for name in ("MLALM_WORKSPACE", "MLALM_RUN", "MLALM_JOB"):
        env.pop(name, None)
    mlalm = [sys.executable, "-m", "mlalm_jupyter.surfaces.cli.main", "--workspace", str(root)]
    run = lambda *words: subprocess.run([*mlalm, *words], env=env, check=True, capture_output=True, text=True)  # noqa: E731
    run("workspace", "init", str(root))
    shutil.copy(EXAMPLES / "train.ipynb", root)
    run("dataset", "upload", str(EXAMPLES / "data/bikes-first-half.csv"), "bikes")
    run("experiment", "run", str(root / "train.ipynb"))
    run("service", "deploy", "bikes:1", "bikes")
    run("endpoint", "add", "bikes/autumn")
    token, port = "browser-test", _free_port()
    settings = base / "config/lab/user-settings/@jupyterlab"
    _settings(settings / "apputils-extension/notification.jupyterlab-settings", {"fetchNews": "false"})
    log = (base / "jupyter.log").open("wb")
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={root}",
            "--expose-app-in-browser",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        env={**env, "JUPYTERLAB_SETTINGS_DIR": str(base / "config/lab/user-settings")},
        stdout=log,
        stderr=log,
    )
    up = Lab(f"http://127.0.0.1:{port}", token, root)
    try:
        _wait_until_up(up, server, base / "jupyter.log")
        yield up
    finally:
        server.terminate()
        server.wait(20)
        log.close()
        subprocess.run([*mlalm[:3], "server", "stop"], env=env, check=False, capture_output=True)


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    SHOTS.mkdir(exist_ok=True)
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=[*flags, *quiet])
        yield opened
        opened.close()
