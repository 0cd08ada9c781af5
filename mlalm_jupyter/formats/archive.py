"""The zip of a package: stored members under plain names, the same bytes each time; JSON in one form."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlalm_jupyter.domain.errors import Corrupt
from mlalm_jupyter.formats.stored import Malformed, Members, members_of_bytes, members_of_file

DESCRIPTIONS = ("manifest.json", "signature.json", "sample.json")
SEAL = "seal.json"
MOST_TEXT = 8 << 20
MOST_PARTS = 500_000
"""JSON of more parts takes more memory and time than looking through a file may."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PAYLOAD = re.compile(r"payload/[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_MARKS = (b"[", b"{", b",", b":")


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of these members, in this order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # the same bytes from every platform
            archive.writestr(info, data)
    return out.getvalue()


def unzipped(source: bytes | Path) -> Members:
    """The members of a zip such as we write it; anything else is refused before it is read."""
    try:
        members = members_of_bytes(source) if isinstance(source, bytes) else members_of_file(source)
    except Malformed as error:
        raise damaged(_sentence(str(error))) from error
    for name in members:
        if name not in (*DESCRIPTIONS, SEAL) and not (_PAYLOAD.fullmatch(name) and ".." not in name):
            raise damaged(f"It holds a member {name[:80]!r} that does not belong there")
        if not name.startswith("payload/") and members.size(name) > MOST_TEXT:
            raise damaged(
                f"Its member '{name}' has {members.size(name)} bytes, more than we read of a description"
            )
    return members


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def damaged(why: str, *, fix: str = "Download it again from where it was made.") -> Corrupt:
    """The error for a package that is not as it was written."""
    return Corrupt("The .ilearner file", why=f"{why.rstrip('.')}.", fix=fix)


def damaged_payload(why: str) -> Corrupt:
    """The error for a model whose files do not hold what they should."""
    return Corrupt("The model's payload", why=why, fix="Get the file again from where it was made.")


def first_line(error: BaseException) -> str:
    """What an error says, short enough for a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def read_json(data: bytes, name: str) -> dict[str, Any]:
    """The object in a member."""
    if parts(data) > MOST_PARTS:
        raise damaged(f"Its member '{name}' has {parts(data)} parts, more than we look through")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(f"Its member '{name}' is no readable JSON") from error
    if not isinstance(value, dict):
        raise damaged(f"Its member '{name}' is no object")
    return value


def parts(data: bytes) -> int:
    """At most so many values are in a JSON text; counted without making any of them."""
    return sum(data.count(mark) for mark in _MARKS)


def json_text(value: object) -> bytes:
    """A value as JSON in one form."""
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
