"""The kinds of file a dataset may be: seen from ending or word, read, and hostile ones harmless."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.formats import tables
from mlalm_jupyter.formats.tables import Content

RDATA = b"RDX2\nX\n\x00\x00\x00\x02\x00\x04\x02\x00\x00\x02\x03\x00\x00\x00\x00\xfe"
"""What `save(list = character(), file = F, compress = FALSE)` of R writes: its head, and no objects."""


def read(data: bytes, kind: str) -> Content:
    return tables.read_content(io.BytesIO(data), kind, name="file", size_bytes=len(data))


def zipped(members: dict[str, bytes], *, compress: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("file", "said", "header", "kind"),
    [
        ("a.CSV", None, True, "GenericCSV"),
        ("a.csv", None, False, "GenericCSVNoHeader"),
        ("a.tsv", None, True, "GenericTSV"),
        ("a.arff", None, True, "ARFF"),
        ("a.parquet", None, True, "Parquet"),
        ("a.zip", None, True, "Zip"),
        ("a.txt", None, True, "PlainText"),
        ("a.rda", None, True, "RData"),
        ("a.data", "csv", False, "GenericCSVNoHeader"),
        ("a.csv", "Text", True, "PlainText"),
        ("a.csv", "generictsvnoheader", True, "GenericTSVNoHeader"),
    ],
)
def test_a_kind_is_the_one_that_is_said_or_that_of_the_ending(
    file: str, said: str | None, header: bool, kind: str
) -> None:
    assert tables.format_of(file, said=said, header=header) == kind


@pytest.mark.parametrize(
    ("file", "said", "header", "got"),
    [("a", None, True, "no ending"), ("a.foo", None, True, "'.foo'"), ("a.csv", "xls", True, "'xls'"),
     ("a.zip", None, False, "Zip")],
)  # fmt: skip
def test_a_kind_that_nobody_knows_is_refused(file: str, said: str | None, header: bool, got: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        tables.format_of(file, said=said, header=header)
    assert caught.value.got == got


def test_parquet_keeps_its_types() -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2024-01-01"]), "n": pd.array([None], dtype="Int64")})
    out = io.BytesIO()
    frame.to_parquet(out)
    pd.testing.assert_frame_equal(read(out.getvalue(), "Parquet").frame, frame)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"a,b\n1,2\n", b"PAR1" + os.urandom(400) + b"PAR1"])
def test_what_is_no_parquet_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="Expected Parquet"):
        read(data, "Parquet")


def test_text_is_lines() -> None:
    frame = read(b"one\n\n  two,2\r\nthree", "PlainText").frame
    assert frame is not None
    assert frame["line"].tolist() == ["one", "", "  two,2", "three"]


def test_text_that_is_no_utf8_is_refused_with_its_line() -> None:
    with pytest.raises(InvalidInput, match=r"Line 2 of 'file' .*0xe9"):
        read(b"one\ncaf\xe9\n", "PlainText")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_rdata_is_known_by_its_first_letters_however_it_is_packed(pack: object) -> None:
    assert callable(pack)
    content = read(pack(RDATA), "RData")
    assert content.frame is None
    assert "R" in content.note


@pytest.mark.parametrize(
    "data", [b"", b"PK\3\4", b"\x1f\x8b\0", gzip.compress(b"a,b", mtime=0), b"BZh9", b"\xfd7zXZ\0"]
)
def test_what_is_no_rdata_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="Expected RData"):
        read(data, "RData")


def test_a_zip_lists_its_files_and_one_with_one_table_is_that_table() -> None:
    content = read(zipped({"notes.txt": b"hello", "data/rides.csv": b"a,b\n1,2\n"}), "Zip")
    assert [(one.name, one.size_bytes) for one in content.members] == [
        ("notes.txt", 5),
        ("data/rides.csv", 8),
    ]
    assert content.frame is not None
    assert content.frame.to_dict("list") == {"a": [1], "b": [2]}


@pytest.mark.parametrize("members", [{}, {"a.txt": b"x"}, {"a.csv": b"a\n1\n", "b.tsv": b"a\n1\n"}])
def test_a_zip_with_no_table_or_several_is_kept_as_bytes(members: dict[str, bytes]) -> None:
    content = read(zipped(members), "Zip")
    assert content.frame is None
    assert content.note.startswith("It holds")


def test_what_a_desktop_adds_to_a_zip_is_no_table() -> None:
    content = read(zipped({"a.csv": b"a\n1\n", "__MACOSX/._a.csv": b"junk", ".b.csv": b"junk"}), "Zip")
    assert content.frame is not None


def test_a_wrong_line_inside_a_zip_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"Line 3 of 'file/in/a.csv'"):
        read(zipped({"in/a.csv": b"a,b\n1,2\n3\n"}), "Zip")


def test_names_that_lead_out_of_a_zip_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "deep" / "deeper"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    absolute = str(tmp_path / "absolute.csv")
    for name in ("../../evil.csv", absolute, "..\\evil.csv", "a/../../evil.csv"):
        content = read(zipped({name: b"a,b\n1,2\n"}), "Zip")
        assert [one.size_bytes for one in content.members] == [8]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_bomb_is_listed_and_never_opened() -> None:
    data = zipped({"bomb.csv": b"a" * (64 << 20)})
    assert len(data) < 100_000
    content = read(data, "Zip")
    assert content.frame is None
    assert content.members[0].size_bytes == 64 << 20
    assert "too much" in content.note


def test_a_zip_that_lies_about_a_size_is_refused() -> None:
    """A member that says it is small and is not gives no more than it said."""
    data = bytearray(zipped({"a.csv": b"a,b\n" + b"1,2\n" * 50_000}))
    for mark, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = data.index(mark) + place
        data[at : at + 4] = (16).to_bytes(4, "little")
    with pytest.raises(InvalidInput, match=r"a\.csv"):
        read(bytes(data), "Zip")


@pytest.mark.parametrize("data", [b"", b"PK\5\6", b"PK\3\4" + b"\0" * 100, os.urandom(500)])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="Expected a zip"):
        read(data, "Zip")


def test_a_locked_table_in_a_zip_is_refused_and_says_why() -> None:
    data = bytearray(zipped({"a.csv": b"a,b\n1,2\n"}, compress=zipfile.ZIP_STORED))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + place] |= 1
    with pytest.raises(InvalidInput, match="password"):
        read(bytes(data), "Zip")


def test_a_flipped_bit_in_a_zip_is_found() -> None:
    data = bytearray(zipped({"a.csv": b"a,b\n1,2\n"}, compress=zipfile.ZIP_STORED))
    data[data.index(b"1,2")] ^= 1
    with pytest.raises(InvalidInput, match="undamaged"):
        read(bytes(data), "Zip")
