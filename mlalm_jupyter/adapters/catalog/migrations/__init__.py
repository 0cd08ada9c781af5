"""How the catalog's tables came to be, step by step; Alembic runs the steps."""

from __future__ import annotations

from pathlib import Path

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""Every schema this version knows, oldest first; a file in `versions/` makes each from the one before."""

FOLDER = Path(__file__).parent
VERSIONS = (FOLDER / "versions",)
