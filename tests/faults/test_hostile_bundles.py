"""Package files made to do harm, or damaged: refused before anything in them is opened."""

from __future__ import annotations

import io
import json
import stat
import zipfile

import pytest
import skops.io as sio
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import Corrupt, MlalmError
from mlalm_jupyter.formats import bundle
from tests.faults.tampering import (
    good_package,
    members,
    relisted,
    rewritten,
    zipped,
)


@pytest.fixture
def good() -> bytes:
    return good_package()


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


def test_members_that_overlap_are_refused(good: bytes) -> None:
    """Many entries over the same bytes would make much of little."""
    parts = members(good)
    data = bytearray(zipped(parts))
    place = data.index(b"PK\x01\x02")
    size = len(parts["manifest.json"])
    for at in (place + 20, place + 24, 18, 22):  # what the first entry says of its size, in both places
        data[at : at + 4] = (len(data) - 100).to_bytes(4, "little")
    assert size < len(data) - 100
    with pytest.raises(Corrupt):
        bundle.read(bytes(data))


@pytest.mark.parametrize("name", ["manifest.json", "signature.json", "sample.json", "payload/model.skops"])
def test_a_missing_member_is_named(good: bytes, name: str) -> None:
    parts = members(good)
    parts.pop(name)
    told = parts if name == "manifest.json" else relisted(parts)
    with pytest.raises(Corrupt, match="It lacks " + ("a payload" if "payload" in name else name)):
        bundle.read(zipped(told))


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("signature.json", b"{}", "'signature.json' describes no columns"),
        ("signature.json", b"\xff", "'signature.json' is no readable JSON"),
        ("signature.json", b'{"inputs": [{"name": "a", "type": "Thing"}], "outputs": []}', "signature.json"),
        ("sample.json", b"[]", "'sample.json' is no object"),
        ("sample.json", b"{}", "'sample.json' has no rows of 1 cells"),
        ("sample.json", b'{"inputs": [[1, 2]]}', "'sample.json' has no rows of 1 cells"),
    ],
)
def test_a_member_that_says_nothing_is_named(good: bytes, name: str, body: bytes, says: str) -> None:
    with pytest.raises(Corrupt, match=says):
        bundle.read(zipped(relisted({**members(good), name: body})))


def test_a_manifest_with_another_model_hash_is_refused(good: bytes) -> None:
    parts = members(good)
    told = json.loads(parts["manifest.json"])
    told["model_hash"] = "0" * 64
    with pytest.raises(Corrupt, match="another model hash"):
        bundle.read(zipped({**parts, "manifest.json": json.dumps(told).encode()}))


def test_a_file_never_tells_a_person_what_to_install(good: bytes) -> None:
    """What a payload raises is said together with versions, of libraries that we name."""
    libraries = {"evil-package": "1.0", "skops": "1.0; rm -rf /", "scikit-learn": "0.1"}
    broken = rewritten(
        sio.dumps(LinearRegression()), lambda schema, inner: schema["content"].pop("key_types")
    )
    parts = relisted({**members(good), "payload/model.skops": broken}, libraries=libraries)
    opened = bundle.read(zipped(parts))
    with pytest.raises(MlalmError) as caught:
        opened.load(trusted=True)
    assert "evil-package" not in str(caught.value)
    assert "rm -rf" not in str(caught.value)
    assert "pip install scikit-learn==0.1" in str(caught.value)


def test_another_format_version_is_refused_by_number(good: bytes) -> None:
    with pytest.raises(Corrupt, match="Its format version is 3; this version of mlalm reads 1 to 2"):
        bundle.read(zipped(relisted(members(good), format_version=3)))
