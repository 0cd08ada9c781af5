"""UBJSON as XGBoost writes it, read without making more of it than it holds."""

from __future__ import annotations

from typing import Any

import numpy as np

DEEPEST = 64
MOST_VALUES = 2_000_000
_NUMBERS: dict[bytes, np.dtype[Any]] = {
    b"i": np.dtype("i1"), b"U": np.dtype("u1"), b"I": np.dtype(">i2"), b"u": np.dtype(">u2"), b"l": np.dtype(">i4"),
    b"m": np.dtype(">u4"), b"L": np.dtype(">i8"), b"M": np.dtype(">u8"), b"d": np.dtype(">f4"), b"D": np.dtype(">f8"),
}  # fmt: skip
_WHOLE = b"iUIulmLM"
_PLAIN = {b"T": True, b"F": False, b"Z": None}


class NotUbjson(Exception):
    """Where bytes stop being UBJSON, as half a sentence."""


def read_ubjson(data: bytes) -> Any:
    """The value in UBJSON; arrays of one type of number are numpy arrays over the same bytes.

    >>> read_ubjson(b"{i" + b"\\x01" + b"aU" + b"\\x05" + b"}")
    {'a': 5}
    """
    reader = _Reader(data)
    value = reader.value(reader.take(1), 0)
    if reader.place != len(data):
        raise NotUbjson("something follows its end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.count = 0

    def take(self, size: int) -> bytes:
        part = self.data[self.place : self.place + size]
        if len(part) != size or size < 0:
            raise NotUbjson(f"it is cut at byte {self.place}")
        self.place += size
        return part

    def value(self, mark: bytes, depth: int) -> Any:
        self.count += 1
        if depth > DEEPEST or self.count > MOST_VALUES:
            raise NotUbjson("it is nested too deeply, or has too many parts")
        if mark in _NUMBERS:
            kind = _NUMBERS[mark]
            return np.frombuffer(self.take(kind.itemsize), kind)[0].item()
        if mark == b"S":
            return self.text()
        if mark == b"[":
            return self.array(depth)
        if mark == b"{":
            return self.object(depth)
        if mark in _PLAIN:
            return _PLAIN[mark]
        raise NotUbjson(f"byte {self.place} is no type")

    def length(self) -> int:
        mark = self.take(1)
        if mark not in _NUMBERS or mark not in [bytes([one]) for one in _WHOLE]:
            raise NotUbjson(f"byte {self.place} is no length")
        kind = _NUMBERS[mark]
        size = int(np.frombuffer(self.take(kind.itemsize), kind)[0])
        if not 0 <= size <= len(self.data):
            raise NotUbjson(f"the length at byte {self.place} is more than there is")
        return size

    def text(self) -> str:
        return self.take(self.length()).decode("utf-8", "surrogateescape")

    def array(self, depth: int) -> Any:
        if self.data[self.place : self.place + 1] == b"$":
            self.take(1)
            mark = self.take(1)
            if self.take(1) != b"#" or mark not in _NUMBERS:
                raise NotUbjson(f"the array at byte {self.place} is of no type of number")
            size = self.length()
            kind = _NUMBERS[mark]
            return np.frombuffer(self.take(size * kind.itemsize), kind)
        if self.data[self.place : self.place + 1] == b"#":
            self.take(1)
            return [self.value(self.take(1), depth + 1) for _ in range(self.length())]
        found = []
        while (mark := self.take(1)) != b"]":
            found.append(self.value(mark, depth + 1))
        return found

    def object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.data[self.place : self.place + 1] != b"}":
            name = self.text()
            if name in found:
                raise NotUbjson(f"it says '{name[:40]}' twice")
            found[name] = self.value(self.take(1), depth + 1)
        self.take(1)
        return found
