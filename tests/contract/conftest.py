"""A catalog for the contract tests, in each form it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlalm_jupyter.adapters.catalog import SqlCatalog

WORKSPACE_ID = "0193ab00000070008000000000000001"


@pytest.fixture
def file_catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    made = SqlCatalog.create(
        tmp_path / "catalog.sqlite",
        workspace_id=WORKSPACE_ID,
        workspace_path=tmp_path,
        at="2026-01-01T00:00:00.000000Z",
    )
    yield made
    made.close()


@pytest.fixture(params=["file", "memory"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlCatalog]:
    if request.param == "file":
        yield request.getfixturevalue("file_catalog")
        return
    made = SqlCatalog.in_memory(
        workspace_id=WORKSPACE_ID, workspace_path=tmp_path, at="2026-01-01T00:00:00.000000Z"
    )
    yield made
    made.close()
