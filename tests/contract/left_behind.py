"""What a verb leaves behind, without what differs from one workspace to the next."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

_ID = re.compile(r"\b01[0-9a-f]{30}\b")
_ID_BEGINNING = re.compile(r"\b01[0-9a-f]{10}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_KEY = re.compile(r"[A-Za-z0-9+/]{86}==")
_PORT = re.compile(r"(127\.0\.0\.1):\d+")
_OWN = {
    # random keys and what is made with them
    "ciphertext",
    "key_id",
    "public_key",
    "signature",
    "key_digest",
    # a package names the run that it came from; what the model is tells its own hash
    "bundle_digest",
    # who happened to do it, and until when
    "owner",
    "lease_until",
    "pid",
    "request_id",
    # papermill writes times into what it executed
    "executed",
    "executed_digest",
}


def state(workspace: Path) -> dict[str, Any]:
    """Every row of the catalog, every file of the folder, and how many blobs there are."""
    with sqlite3.connect(f"file:{workspace}/.mlalm/catalog.sqlite?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        rows = {
            table: [
                _row(table, dict(row))
                for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY rowid')
            ]
            for table in sorted(tables)
            if not table.startswith("sqlite_")
        }
    connection.close()
    blobs = sum(1 for path in (workspace / ".mlalm" / "blobs").rglob("*") if path.is_file())
    return {"catalog": rows, "files": files(workspace), "blobs": blobs}


def files(folder: Path) -> dict[str, str]:
    """The files of a folder and what is in them; of those that another workspace hides, only the names."""
    found = {}
    # of our own folder nothing counts here, and things in it go while one looks
    tops = [top for top in sorted(folder.iterdir()) if top.name != ".mlalm"]
    for path in sorted(path for top in tops for path in (top, *top.rglob("*"))):
        parts = path.relative_to(folder).parts
        if not path.is_file() or path.name.endswith(("-wal", "-shm")):
            continue
        is_hidden = any(part.startswith(".") for part in parts)
        found["/".join(parts)] = "hidden" if is_hidden else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def alike(value: Any, workspace: Path) -> Any:
    """A value with ids, times, keys, ports and the folder's own name replaced by their kind."""
    seen: dict[str, str] = {}

    def text(word: str) -> str:
        word = word.replace(str(workspace), "WORKSPACE")
        word = _ID.sub(lambda found: seen.setdefault(found[0], f"ID-{len(seen) + 1}"), word)
        word = _ID_BEGINNING.sub("ID", word)
        word = _TIME.sub("TIME", word)
        return _PORT.sub(r"\1:PORT", _KEY.sub("KEY", word))

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                text(key): "OWN"
                if key in _OWN and not isinstance(held, dict) and held is not None
                else walk(held)
                for key, held in value.items()
            }
        if isinstance(value, list):
            return [walk(item) for item in value]
        return text(value) if isinstance(value, str) else value

    return walk(value)


def _row(table: str, row: dict[str, Any]) -> dict[str, Any]:
    if table == "service_keys":
        row["key_digest"] = row.pop("digest")
    return {name: _opened(value) for name, value in row.items()}


def _opened(value: Any) -> Any:
    """JSON columns as what they hold, so that keys inside are seen as keys."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
