"""Sending a file to a server in parts; ended on either side, it goes on where it stopped."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import requests

from mlalm_jupyter.domain.errors import Conflict, Unavailable
from mlalm_jupyter.serving.told import error_told

PART_BYTES = 8 << 20
_CHUNK = 1 << 20
_TIMEOUT_S = 120.0
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
Progress = Callable[[str, int, int], None]


def upload_file(
    base_url: str,
    token: str,
    file: str | Path,
    name: str,
    *,
    format: str | None = None,
    header: bool = True,
    tags: Mapping[str, str] | None = None,
    description: str = "",
    part_bytes: int = PART_BYTES,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Upload a file as the next version of a dataset of the workspace whose management token this is.

    What was sent before, by this process or another, is not sent again.

    >>> upload_file("http://127.0.0.1:8321", token, "rides.csv", "rides")["reference"]  # doctest: +SKIP
    'rides:1'
    """
    path = Path(file)
    told = progress or _silent
    with open(path, "rb") as stream, requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {token}"
        size, digest = _hashed(stream, path.name, told)
        root = f"{base_url.rstrip('/')}/mlalm/uploads"
        wanted = {
            "name": name,
            "file": path.name,
            "size_bytes": size,
            "sha256": digest,
            "format": format,
            "header": header,
            "tags": None if tags is None else dict(tags),
            "description": description,
        }
        arrived = _asked(session, "POST", root, json=wanted)
        address = f"{root}/{arrived['upload']}"
        while arrived["offset"] < size:
            offset = int(arrived["offset"])
            told(f"Sending {path.name} (MB)", offset >> 20, size >> 20)
            stream.seek(offset)
            arrived = _sent(session, address, offset, stream.read(part_bytes))
        told(f"Sending {path.name} (MB)", size >> 20, size >> 20)
        return _asked(session, "POST", f"{address}/finish")


def _hashed(stream: BinaryIO, name: str, told: Progress) -> tuple[int, str]:
    hasher, size = hashlib.sha256(), 0
    whole = stream.seek(0, 2)
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        hasher.update(chunk)
        size += len(chunk)
        told(f"Reading {name} (MB)", size >> 20, whole >> 20)
    return size, hasher.hexdigest()


def _sent(session: requests.Session, address: str, offset: int, part: bytes) -> dict[str, Any]:
    """Send a part; when its answer is lost, or somebody else was quicker, ask how much is there."""
    try:
        return _asked(session, "PUT", address, params={"offset": offset}, data=part)
    except Conflict:
        return _asked(session, "GET", address)


def _asked(session: requests.Session, method: str, address: str, **rest: Any) -> dict[str, Any]:
    for pause_s in (*_PAUSES_S, None):
        why = ""
        try:
            answer = session.request(method, address, timeout=_TIMEOUT_S, **rest)
            document = answer.json()
            if answer.status_code == 200:
                result: dict[str, Any] = document["result"]
                return result
            if answer.status_code not in (502, 503, 504):
                raise error_told(document["error"])
            why = f"It answered with status {answer.status_code}."
        except requests.Timeout:
            why = f"No answer came within {_TIMEOUT_S:g} s."
        except requests.ConnectionError:
            why = "Nobody answers at that address."
        except (ValueError, KeyError, TypeError):
            why = "What answers there is no server of ours."
        if pause_s is None:
            break
        time.sleep(pause_s)
    raise Unavailable(
        "The upload was not finished.", why=why, fix="Repeat it; what has arrived is not sent again."
    )


def _silent(_text: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""
