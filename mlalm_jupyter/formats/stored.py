"""A zip read strictly: stored members one after the other and nothing else, as `archive.zipped` writes it.

What two readers of zips could understand differently is refused: gaps, overlaps, second names, links, sizes that
do not agree, anything packed. Only the directory is read to find that out, and it is of a bounded size.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mlalm_jupyter.domain.errors import Corrupt

MOST_MEMBERS = 10_000
MOST_DIRECTORY = 4 << 20
MOST_BYTES = (1 << 31) - (1 << 24)
"""Beyond two GiB zips need extensions, which other readers may not know."""
_CHUNK = 1 << 20
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_KINDS = {0: "", 0o100000: "", 0o120000: "a link", 0o040000: "a folder"}

ReadAt = Callable[[int, int], bytes]


class Malformed(Exception):
    """What is wrong with a zip, as half a sentence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the bytes of one member are."""

    name: str
    offset: int
    size: int


class Members(Mapping[str, bytes]):
    """The members of a zip by name, read when they are asked for."""

    def __init__(self, entries: Mapping[str, Entry], read_at: ReadAt) -> None:
        self._entries = dict(entries)
        self._read_at = read_at
        self._hashes: dict[str, str] = {}

    def __getitem__(self, name: str) -> bytes:
        entry = self._entries[name]
        data = self._read_at(entry.offset, entry.size)
        if (known := self._hashes.get(name)) and sha256(data).hexdigest() != known:
            raise Corrupt("The .ilearner file", why=f"Its member '{name}' was changed while it was read.")
        return data

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def size(self, name: str) -> int:
        return self._entries[name].size

    def head(self, name: str, size: int) -> bytes:
        """The first bytes of a member."""
        entry = self._entries[name]
        return self._read_at(entry.offset, min(size, entry.size))

    def hash(self, name: str) -> str:
        """The sha256 of a member; the whole is never in memory."""
        entry, hasher = self._entries[name], sha256()
        for start in range(0, entry.size, _CHUNK):
            hasher.update(self._read_at(entry.offset + start, min(_CHUNK, entry.size - start)))
        return hasher.hexdigest()

    def without(self, name: str) -> Members:
        return Members({key: entry for key, entry in self._entries.items() if key != name}, self._read_at)

    def held_to(self, hashes: Mapping[str, str]) -> Members:
        """The same members, each checked again when it is read: a file may change after it was looked at."""
        held = Members(self._entries, self._read_at)
        held._hashes = dict(hashes)
        return held


def members_of_bytes(data: bytes) -> Members:
    """The members of a zip in memory."""
    view = memoryview(data)
    return _members(lambda offset, size: bytes(view[offset : offset + size]), len(data))


def members_of_file(path: Path) -> Members:
    """The members of a zip in a file, which stays open as long as they are held."""
    file = _OpenFile(path)
    return _members(file.read_at, file.size)


class _OpenFile:
    def __init__(self, path: Path) -> None:
        self._number = -1  # as long as it is not open
        self._number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._number).st_size

    def read_at(self, offset: int, size: int) -> bytes:
        parts = []
        while size > 0 and (part := os.pread(self._number, size, offset)):
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def __del__(self) -> None:
        if self._number >= 0:
            os.close(self._number)


def _members(read_at: ReadAt, size: int) -> Members:
    if size < _END.size:
        raise Malformed("it is no readable zip: it is too short")
    mark, disk, first, here, count, length, start, comment = _END.unpack(read_at(size - _END.size, _END.size))
    if mark != b"PK\5\6":
        raise Malformed("it is no readable zip: it does not end as one, so it was cut or added to")
    if disk or first or here != count or comment:
        raise Malformed("it is no readable zip: its end speaks of other files")
    if count > MOST_MEMBERS or length > MOST_DIRECTORY:
        raise Malformed(f"it lists {count} members in {length} bytes, more than we read")
    if start + length != size - _END.size:
        raise Malformed(
            "it is no readable zip: its directory is not where its end says, so it was cut or added to"
        )
    found: dict[str, Entry] = {}
    folded: set[str] = set()
    place = 0
    for name, at, stored in _entries(read_at(start, length), count):
        if name in found:
            raise Malformed(f"it holds {_told(name)} twice")
        if name.lower() in folded:
            raise Malformed(f"it holds {_told(name)} twice, in other capitals")
        if at != place:
            raise Malformed(f"its member {_told(name)} does not begin where the one before it ends")
        begin = at + _header(read_at(at, _LOCAL.size), read_at, at, name, stored)
        found[name] = Entry(name, begin, stored)
        folded.add(name.lower())
        place = begin + stored
    if place != start:
        raise Malformed("it holds bytes that belong to none of its members")
    return Members(found, read_at)


def _entries(directory: bytes, count: int) -> Iterator[tuple[str, int, int]]:
    place = 0
    for _ in range(count):
        if place + _ENTRY.size > len(directory):
            raise Malformed("it is no readable zip: its directory is cut")
        fields = _ENTRY.unpack_from(directory, place)
        mark, _version, _needs, flags, method, _time, _date, _crc, packed, size = fields[:10]
        long_name, long_extra, long_comment, disk, _inner, outer, at = fields[10:]
        place += _ENTRY.size
        raw = directory[place : place + long_name]
        name = _decoded(raw)
        if mark != b"PK\1\2" or len(raw) != long_name:
            raise Malformed("it is no readable zip: its directory is damaged")
        if method or packed != size:
            raise Malformed(f"its member {_told(name)} is compressed, which we never write")
        if flags & ~0x800 or disk or long_extra or long_comment:
            raise Malformed(f"its member {_told(name)} has additions that we never write")
        if kind := _KINDS.get((outer >> 16) & 0o170000, "a device"):
            raise Malformed(f"its member {_told(name)} is {kind}, no plain file")
        place += long_name
        yield name, at, size
    if place != len(directory):
        raise Malformed("it is no readable zip: its directory is longer than what it lists")


def _header(fixed: bytes, read_at: ReadAt, at: int, name: str, size: int) -> int:
    """How long the header before a member is; it must say what the directory says."""
    if len(fixed) != _LOCAL.size:
        raise Malformed(f"its member {_told(name)} begins behind its end")
    mark, _needs, flags, method, _time, _date, _crc, packed, full, long_name, long_extra = _LOCAL.unpack(
        fixed
    )
    same = (
        mark == b"PK\3\4"
        and not method
        and not flags & ~0x800
        and packed == full == size
        and not long_extra
        and long_name <= 4096
        and _decoded(read_at(at + _LOCAL.size, long_name)) == name
    )
    if not same:
        raise Malformed(f"its member {_told(name)} is not what its directory says")
    return _LOCAL.size + int(long_name)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _told(name: str) -> str:
    return repr(name[:80])
