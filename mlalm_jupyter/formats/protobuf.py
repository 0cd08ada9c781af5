"""The wire form of protocol buffers, walked without a library and without making what it describes."""

from __future__ import annotations

from collections.abc import Iterator

_WIDTHS = {1: 8, 5: 4}


class NotProtobuf(Exception):
    """Where bytes stop being a message, as half a sentence."""


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Each field of a message by its number: whole numbers as such, everything else as its bytes.

    >>> [(number, value) for number, value in fields(memoryview(bytes([8, 5])))]
    [(1, 5)]
    """
    place = 0
    while place < len(data):
        key, place = _whole(data, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _whole(data, place)
            yield number, value
            continue
        if kind == 2:
            size, place = _whole(data, place)
        elif kind in _WIDTHS:
            size = _WIDTHS[kind]
        else:
            raise NotProtobuf(f"a field of kind {kind}")
        if not number or place + size > len(data):
            raise NotProtobuf("a field that is longer than what holds it")
        yield number, data[place : place + size]
        place += size


def _whole(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise NotProtobuf("a number that does not end")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
