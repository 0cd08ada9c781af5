"""The kinds of file that a dataset may be, and what each holds: a table, lines, or bytes for others to read."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.profile import Member
from mlalm_jupyter.formats.archive import first_line

if TYPE_CHECKING:
    import pandas as pd

CSV, TSV, ARFF, PARQUET, ZIP, TEXT, RDATA = (
    "GenericCSV",
    "GenericTSV",
    "ARFF",
    "Parquet",
    "Zip",
    "PlainText",
    "RData",
)
NO_HEADER = "NoHeader"
_ENDINGS = {
    ".csv": CSV,
    ".tsv": TSV,
    ".arff": ARFF,
    ".parquet": PARQUET,
    ".zip": ZIP,
    ".txt": TEXT,
    ".rdata": RDATA,
    ".rda": RDATA,
}
_WORDS = {
    "csv": CSV,
    "tsv": TSV,
    "arff": ARFF,
    "parquet": PARQUET,
    "zip": ZIP,
    "text": TEXT,
    "txt": TEXT,
    "rdata": RDATA,
    **{kind.lower(): kind for kind in (CSV, TSV, TEXT)},
    **{f"{kind}{NO_HEADER}".lower(): f"{kind}{NO_HEADER}" for kind in (CSV, TSV)},
}
LISTED = 1000
"""So many files of an archive are told of."""
TABLES = (".csv", ".tsv", ".arff", ".parquet")
Told = Callable[[int], None]


@dataclass(frozen=True)
class Content:
    """What a file holds."""

    frame: pd.DataFrame | None
    members: tuple[Member, ...] = ()
    note: str = ""
    """Why it is no table."""


def format_of(file: str, *, said: str | None = None, header: bool = True) -> str:
    """The kind of a file: the one that is said, else the one of its ending.

    >>> format_of("wine.csv"), format_of("wine.data", said="tsv", header=False)
    ('GenericCSV', 'GenericTSVNoHeader')
    """
    if said is not None:
        kind = _WORDS.get(said.lower())
        if kind is None:
            words = "csv, tsv, arff, parquet, zip, text, rdata"
            raise InvalidInput(f"The format '{said}'", expected=f"one of {words}", got=f"'{said}'")
    else:
        ending = PurePath(file).suffix.lower()
        kind = _ENDINGS.get(ending)
        if kind is None:
            raise InvalidInput(
                f"The file '{file}'",
                expected=f"one that ends in {', '.join(_ENDINGS)}",
                got=f"'{ending}'" if ending else "no ending",
                fix="Say what it is, for example `--format csv`.",
            )
    if not header and not kind.endswith(NO_HEADER):
        if kind not in (CSV, TSV):
            raise InvalidInput("The option --no-header", expected="a file of kind csv or tsv", got=kind)
        kind += NO_HEADER
    return kind


def silent(_done: int) -> None:
    """Progress that nobody watches."""


def read_content(
    stream: BinaryIO,
    kind: str,
    *,
    name: str,
    size_bytes: int,
    is_guessed: bool = False,
    is_checked: bool = False,
    limit: int | None = None,
    as_text: bool = False,
    told: Told = silent,
) -> Content:
    """What a file of a kind holds; InvalidInput names the line where it is of another.

    One that `is_checked` has been read before. With `limit` only the first rows are read, where that is quicker.
    `as_text` leaves the cells of a text file as they are written.
    """
    # pandas costs half a second, which naming formats need not pay
    from mlalm_jupyter.formats import arff, delimited, zip_contents

    if kind.startswith((CSV, TSV)):
        separator, header = "\t" if kind.startswith(TSV) else ",", not kind.endswith(NO_HEADER)
        if not is_checked:
            delimited.check_delimited(
                stream, separator=separator, header=header, is_guessed=is_guessed, name=name, told=told
            )
        frame = delimited.read_delimited(
            stream, separator=separator, header=header, name=name, limit=limit, as_text=as_text
        )
        return Content(frame)
    if kind == ARFF:
        return Content(arff.read_arff(stream, name=name, told=told))
    if kind == PARQUET:
        return Content(_parquet(stream, name))
    if kind == TEXT:
        return Content(_lines(stream, name))
    if kind == RDATA:
        _check_rdata(stream, name)
        return Content(None, note="It holds objects of R; download it and read it there.")
    members = zip_contents.members_of(stream, name=name)
    tables = [one for one in members if _is_table(one.name)]
    if len(tables) != 1:
        note = f"It holds {len(tables) or 'no'} tables, and only a zip with one can be read as one."
        return Content(None, members, note)
    if note := zip_contents.unread(tables[0], size_bytes=size_bytes):
        return Content(None, members, note)
    inner = zip_contents.member_stream(stream, tables[0], name=name)
    whole = f"{name}/{zip_contents.shown(tables[0].name)}"
    read = read_content(inner, format_of(tables[0].name), name=whole, size_bytes=tables[0].size_bytes)
    return Content(read.frame, members)


def _is_table(name: str) -> bool:
    path = PurePath(name)
    return path.suffix.lower() in TABLES and not path.name.startswith(".") and path.parts[0] != "__MACOSX"


def _parquet(stream: BinaryIO, name: str) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(stream)
    except (ValueError, OSError) as error:  # pyarrow's errors are one or the other
        raise InvalidInput(f"The file '{name}'", expected="Parquet", got=first_line(error)) from error


def _lines(stream: BinaryIO, name: str) -> pd.DataFrame:
    import pandas as pd

    from mlalm_jupyter.formats.delimited import undecodable

    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline=None)
    try:
        lines = [line.rstrip("\n") for line in text]
    except UnicodeDecodeError as error:
        raise undecodable(stream, name) from error
    finally:
        text.detach()
    return pd.DataFrame({"line": pd.Series(lines, dtype=pd.Series(["a"]).dtype)})


_PACKINGS: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", lambda data: zlib.decompressobj(wbits=31).decompress(data, 5)),
    (b"BZh", lambda data: bz2.BZ2Decompressor().decompress(data, 5)),
    (b"\xfd7zXZ", lambda data: lzma.LZMADecompressor().decompress(data, 5)),
)
# no less than one block of bzip2
_BEGINNING = 1 << 20


def _check_rdata(stream: BinaryIO, name: str) -> None:
    """The first letters tell; nothing of it is read beyond them."""
    begun = stream.read(_BEGINNING)
    unpacked = next((unpack for magic, unpack in _PACKINGS if begun.startswith(magic)), bytes)
    try:
        first = unpacked(begun)[:5]
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
        first = b""
    if not re.fullmatch(rb"RD[AXB][123]\n", first):
        raise InvalidInput(
            f"The file '{name}'", expected="RData, as R's save() writes it", got="something else"
        )
