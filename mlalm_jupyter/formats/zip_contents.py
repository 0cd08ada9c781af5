"""Zip files as datasets: listed, and read where they hold one table; nothing is ever extracted to a disk."""

from __future__ import annotations

import io
import zipfile
from typing import BinaryIO

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.profile import Member
from mlalm_jupyter.formats.archive import first_line

MOST_BYTES = 4 << 30
MOST_TIMES = 200
"""A file that says it is so many times larger than the zip around it is made to fill a memory."""


def members_of(stream: BinaryIO, *, name: str) -> tuple[Member, ...]:
    """The files in a zip."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return tuple(
                Member(info.filename, info.file_size) for info in archive.infolist() if not info.is_dir()
            )
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, OverflowError) as error:
        raise InvalidInput(
            f"The file '{name}'", expected="a zip", got=f"none ({first_line(error)})"
        ) from error


def unread(member: Member, *, size_bytes: int) -> str:
    """Why a member is not opened, or nothing."""
    if member.size_bytes > min(MOST_BYTES, MOST_TIMES * max(size_bytes, 1 << 16)):
        return (
            f"'{shown(member.name)}' says that it holds {member.size_bytes} bytes, which is too much for a zip of "
            f"{size_bytes}."
        )
    return ""


def member_stream(stream: BinaryIO, member: Member, *, name: str) -> BinaryIO:
    """The bytes of one member, in memory."""
    stream.seek(0)
    where = f"'{shown(member.name)}' in '{name}'"
    try:
        with zipfile.ZipFile(stream) as archive, archive.open(member.name) as inner:
            # never more than it says it is, whatever comes out of it
            data = inner.read(member.size_bytes)
            if len(data) != member.size_bytes or inner.read(1):
                raise InvalidInput(where, expected=f"{member.size_bytes} bytes", got="another number")
            return io.BytesIO(data)
    except RuntimeError as error:  # zipfile says so of encrypted members
        raise InvalidInput(where, expected="a file without a password", got=first_line(error)) from error
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise InvalidInput(where, expected="an undamaged file", got=first_line(error)) from error


def shown(name: str) -> str:
    """A member's name as one line: it may hold anything.

    >>> shown("../../evil" + chr(27))
    '../../evil?'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:120]
