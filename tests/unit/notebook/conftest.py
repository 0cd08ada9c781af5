"""What tests of notebooks share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.notebook.predictive_notebooks import write_people


@pytest.fixture
def people_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the table of people, which is the current one."""
    write_people(tmp_path)
    monkeypatch.chdir(tmp_path)
