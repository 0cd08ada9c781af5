"""The rooms' import contracts hold, and a planted violation is found and named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.prove_skeleton

ROOT = Path(__file__).resolve().parents[2]
ROOMS = "Rooms stack one way"
SURFACES = "Surfaces do not know each other; they share only display"
DOMAIN = "The domain knows nothing of Jupyter, HTTP, SQL or any third party"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package and its contracts, free to be damaged."""
    shutil.copytree(
        ROOT / "mlalm_jupyter",
        tmp_path / "mlalm_jupyter",
        ignore=shutil.ignore_patterns("__pycache__", "labextension"),
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def verdict(house: Path) -> tuple[int, list[str], str]:
    """Exit code, the names of the broken contracts, and the whole report."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    report = done.stdout + done.stderr
    broken = [line.removesuffix("BROKEN").strip() for line in report.splitlines() if line.endswith("BROKEN")]
    return done.returncode, broken, report


def plant(house: Path, module: str, line: str) -> None:
    path = house / "mlalm_jupyter" / module
    path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")


def test_the_package_keeps_its_contracts(house: Path) -> None:
    code, broken, report = verdict(house)
    assert (code, broken) == (0, []), report


def test_a_database_in_the_domain_is_found(house: Path) -> None:
    plant(house, "domain/names.py", "import sqlite3")
    code, broken, report = verdict(house)
    assert code == 1, report
    assert DOMAIN in broken
    assert ROOMS not in broken, "sqlite3 is no room"
    assert "mlalm_jupyter.domain.names -> sqlite3" in report


def test_a_surface_that_knows_another_is_found(house: Path) -> None:
    plant(house, "surfaces/magics/__init__.py", "import mlalm_jupyter.surfaces.cli")
    code, broken, report = verdict(house)
    assert (code, broken) == (1, [SURFACES]), report
    assert "mlalm_jupyter.surfaces.magics -> mlalm_jupyter.surfaces.cli" in report


def test_a_room_that_looks_up_is_found(house: Path) -> None:
    plant(house, "api/context.py", "import mlalm_jupyter.workspace")
    code, broken, report = verdict(house)
    assert code == 1, report
    assert ROOMS in broken


def test_a_room_that_no_contract_knows_is_found(house: Path) -> None:
    (house / "mlalm_jupyter" / "attic.py").write_text("", "utf-8")
    code, _, report = verdict(house)
    assert code == 1, report
    assert "mlalm_jupyter.attic" in report
