"""The wheel, built and looked into: what a person installs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel with the panel that set-up has built; without one there is nothing to look into."""
    if not (ROOT / "mlalm_jupyter" / "labextension" / "package.json").exists():
        pytest.skip("the panel is not built here")
    place = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(place),
    ]
    done = subprocess.run(
        [*command, str(ROOT)],
        env=os.environ | {"SKIP_JUPYTER_BUILDER": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = place.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_the_package_the_panel_and_their_settings(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert "mlalm_jupyter/surfaces/cli/main.py" in names
    assert "mlalm_jupyter/schemas/answers.json" in names
    panel = [name.partition("labextensions/mlalm-jupyter/")[2] for name in names if "/labextensions/" in name]
    assert {"package.json", "install.json", "static/style.js"} <= set(panel)
    assert any(name.startswith("static/remoteEntry") for name in panel)
    assert any(name.endswith("jupyter_server_config.d/mlalm_jupyter.json") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "mlalm_jupyter/labextension/"))]


def test_the_wheel_holds_the_panel_as_it_is_for_people_and_not_for_its_makers(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert [name for name in names if name.endswith((".map", "build_log.json", ".tsbuildinfo", ".pyc"))] == []
    assert any(name.endswith("third-party-licenses.json") for name in names), "only builds for people have it"
    here = str(ROOT).encode()
    assert [name for name in names if here in wheel.read(name)] == [], "no place of this machine is in it"
