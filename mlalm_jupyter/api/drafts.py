"""The editable draft of an experiment: its notebook, as it is in its file now."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.run import Cells, Run, RunStatus, Snapshot
from mlalm_jupyter.notebook.document import read_notebook

_SETTLED_S = 2.0
"""A file that was written less than this ago may be written again without looking different."""


def draft_of(context: Context, experiment_id: str, path: str) -> tuple[Run, ...]:
    """The one line of a history that can be edited; none when the notebook is gone."""
    file = context.path / path
    try:
        facts = file.stat()
        if time.time() - max(facts.st_mtime, facts.st_ctime) > _SETTLED_S:
            key = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
            digest, total = _seen(file, key)
        else:
            digest, total = _looked_at(file)
    except OSError:
        return ()  # moved, or deleted by its owner; the locked ones remain
    return (
        Run(
            id=experiment_id,
            experiment_id=experiment_id,
            path=path,
            status=RunStatus.DRAFT,
            snapshot=Snapshot(digest),
            origin="file",
            created_at=_utc(facts.st_mtime),
            created_by=context.who,
            cells=Cells(total=total),
            is_editable=True,
        ),
    )


@lru_cache(maxsize=64)
def _seen(file: Path, _key: tuple[int, ...]) -> tuple[str, int]:
    return _looked_at(file)


def _looked_at(file: Path) -> tuple[str, int]:
    """The hash of a notebook, and how many code cells it has."""
    content = file.read_bytes()
    try:
        total = len(read_notebook(content).code_cells)
    except InvalidInput:
        total = 0
    return hashlib.sha256(content).hexdigest(), total


def _utc(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
