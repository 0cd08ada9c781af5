"""Packages made to do harm, each with a canary that is shown to fire when opened plainly."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import skops.io as sio
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import Corrupt, MlalmError, UntrustedContent
from mlalm_jupyter.formats import bundle

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.path, "sang"))


@pytest.fixture
def good() -> bytes:
    return bundle.pack(LinearRegression().fit(ROWS, ROWS["a"]), sample=ROWS).data


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
    hasher = hashlib.sha256()
    for name in sorted(name for name in parts if name.startswith(("payload/", "signature."))):
        hasher.update(f"{name}\n{len(parts[name])}\n".encode() + parts[name])
    told["model_hash"] = hasher.hexdigest()
    return {**parts, "manifest.json": json.dumps(told).encode()}


def test_a_pickle_called_skops_is_never_opened(good: bytes, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    evil = pickle.dumps(Canary(canary))
    data = zipped(relisted({**members(good), "payload/model.skops": evil}))
    opened = bundle.read(data)
    with pytest.raises(Corrupt, match="no readable skops"):
        opened.load(trusted=False)
    assert not canary.exists()
    pickle.loads(evil)
    assert canary.read_text() == "sang"


def test_a_pickle_that_says_it_is_only_data_is_refused(good: bytes, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    parts = members(good)
    parts.pop("payload/model.skops")
    evil = pickle.dumps(Canary(canary))
    data = zipped(relisted({**parts, "payload/model.pkl": evil}, format="cloudpickle", is_data_only=True))
    opened = bundle.read(data)
    assert not opened.is_data_only
    with pytest.raises(UntrustedContent, match="arbitrary Python"):
        opened.load(trusted=False)
    assert not canary.exists()
    pickle.loads(evil)
    assert canary.exists()


def test_a_skops_file_that_names_other_types_is_refused_by_their_names(good: bytes, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    inner = members(sio.dumps(LinearRegression()))
    schema = json.loads(inner["schema.json"])
    schema["content"]["content"]["fit_intercept"] = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "content": {"module_path": "os", "function": "system"},
        "__id__": 1,
    }
    evil = zipped({**inner, "schema.json": json.dumps(schema).encode()})
    opened = bundle.read(zipped(relisted({**members(good), "payload/model.skops": evil})))
    assert any("system" in one for one in opened.wants())
    with pytest.raises(UntrustedContent, match="system"):
        opened.load(trusted=False)
    assert not canary.exists()


def test_a_skops_file_that_grows_is_refused(good: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"[" + b" " * 50_000_000)
    opened = bundle.read(zipped(relisted({**members(good), "payload/model.skops": out.getvalue()})))
    with pytest.raises(Corrupt, match="compressed"):
        opened.wants()


def test_a_bomb_is_refused_unopened(good: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members(good).items():
            archive.writestr(name, data)
        archive.writestr("payload/zeros", b"\0" * 50_000_000)
    with pytest.raises(Corrupt, match="compressed"):
        bundle.read(out.getvalue())


@pytest.mark.parametrize(
    "name", ["../evil", "payload/../../evil", "/etc/evil", "payload\\..\\evil", "evil.py", "payload/"]
)
def test_a_member_that_would_land_elsewhere_is_refused(good: bytes, name: str) -> None:
    with pytest.raises(Corrupt, match="does not belong there"):
        bundle.read(zipped({**members(good), name: b"x"}))


def test_a_link_is_refused(good: bytes) -> None:
    def link(info: zipfile.ZipInfo) -> None:
        info.create_system = 3
        if info.filename == "sample.json":
            info.external_attr = (stat.S_IFLNK | 0o777) << 16

    with pytest.raises(Corrupt, match="no plain file"):
        bundle.read(zipped(members(good), link))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(good: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members(good).items():
            archive.writestr(zipfile.ZipInfo(name), data)
        archive.writestr(zipfile.ZipInfo("sample.json"), b"{}")
    with pytest.raises(Corrupt, match="twice"):
        bundle.read(out.getvalue())


def test_every_member_is_held_to_its_hash(good: bytes) -> None:
    parts = members(good)
    for name in parts:
        if name == "manifest.json":
            continue
        changed = bytearray(parts[name])
        changed[len(changed) // 2] ^= 1
        with pytest.raises(Corrupt, match=f"'{name}'"):
            bundle.read(zipped({**parts, name: bytes(changed)}))


def test_a_file_cut_anywhere_is_refused(good: bytes) -> None:
    for length in range(0, len(good), max(1, len(good) // 200)):
        with pytest.raises(Corrupt):
            bundle.read(good[:length])


def test_one_changed_byte_anywhere_is_refused_or_changes_nothing(good: bytes) -> None:
    """A zip has bytes that mean nothing (dates, say); the model itself must be what it was."""
    whole = bundle.read(good)
    for place in range(0, len(good), max(1, len(good) // 400)):
        changed = bytearray(good)
        changed[place] ^= 0x40
        try:
            opened = bundle.read(bytes(changed))
        except MlalmError:
            continue
        assert opened.model_hash == whole.model_hash


def test_another_format_version_is_refused_by_number(good: bytes) -> None:
    with pytest.raises(Corrupt, match="Its format version is 2; this version of mlalm reads 1"):
        bundle.read(zipped(relisted(members(good), format_version=2)))
