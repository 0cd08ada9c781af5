"""The zip of a package: stored members under plain names, the same bytes each time; JSON in one form."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from typing import Any

from mlalm_jupyter.domain.errors import Corrupt

DESCRIPTIONS = ("manifest.json", "signature.json", "sample.json")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PAYLOAD = re.compile(r"payload/[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of these members, in this order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # the same bytes from every platform
            archive.writestr(info, data)
    return out.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The members of a zip such as we write it; anything else is refused before it is read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            seen: set[str] = set()
            for info in infos:
                _check_member(info, seen)
                seen.add(info.filename)
            if sum(info.file_size for info in infos) > len(data):
                raise damaged("Its members say they hold more than there is")
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise damaged(f"It is no readable zip: {first_line(error)}") from error


def _check_member(info: zipfile.ZipInfo, seen: set[str]) -> None:
    name = info.filename
    if name not in DESCRIPTIONS and not (_PAYLOAD.fullmatch(name) and ".." not in name):
        raise damaged(f"It holds a member {name[:80]!r} that does not belong there")
    if name in seen:
        raise damaged(f"It holds '{name}' twice")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise damaged(f"Its member '{name}' is compressed, which we never write")
    if (info.external_attr >> 16) & 0o170000 not in (0, 0o100000):
        raise damaged(f"Its member '{name}' is no plain file")


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
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise damaged(f"Its member '{name}' is no readable JSON") from error
    if not isinstance(value, dict):
        raise damaged(f"Its member '{name}' is no object")
    return value


def json_text(value: object) -> bytes:
    """A value as JSON in one form."""
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
