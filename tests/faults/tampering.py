"""Changing packages the way an attacker would: their lists of members stay truthful."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.formats import bundle

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})


def good_package() -> bytes:
    return bundle.pack(LinearRegression().fit(ROWS, ROWS["a"]), sample=ROWS).data


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.path, "sang"))


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name)
            change(info)
            archive.writestr(info, data)
    return out.getvalue()


def relisted(parts: dict[str, bytes], **manifest: object) -> dict[str, bytes]:
    """The same members under a manifest that lists them truthfully, as an attacker would write it."""
    told = json.loads(parts["manifest.json"])
    told.update(manifest)
    told["members"] = {
        name: hashlib.sha256(data).hexdigest() for name, data in parts.items() if name != "manifest.json"
    }
    hasher = hashlib.sha256(b"mlalm-model-2\n")
    for name in sorted(name for name in parts if name.startswith(("payload/", "signature."))):
        hasher.update(f"{name}\n{len(parts[name])}\n{told['members'][name]}\n".encode())
    told["model_hash"] = hasher.hexdigest()
    return {**parts, "manifest.json": json.dumps(told).encode()}


def rewritten(payload: bytes, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> bytes:
    """A skops file whose text or arrays someone has changed."""
    inner = members(payload)
    schema = json.loads(inner.pop("schema.json"))
    change(schema, inner)
    return zipped({**inner, "schema.json": json.dumps(schema).encode()})


def in_package(good: bytes, payload: bytes) -> bundle.Bundle:
    return bundle.read(zipped(relisted({**members(good), "payload/model.skops": payload})))
