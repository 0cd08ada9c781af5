"""The generation counter: one number in shared memory that says whether anything changed.

Whoever publishes raises it; each scorer compares it on every request and writes down which one it has
taken over. Layout, all little-endian 64 bit: magic, generation, number of slots, then from byte 64 on
two numbers per slot: process id and acknowledged generation.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path

from mlalm_jupyter.domain.errors import Corrupt

_MAGIC = int.from_bytes(b"mlalmgn1", "little")
_SIZE = 4096
_FIRST_SLOT = 8
MAX_SLOTS = (_SIZE // 8 - _FIRST_SLOT) // 2


class Generation:
    """The shared counter, seen from one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        handle = os.open(path, os.O_RDWR)
        try:
            if os.fstat(handle).st_size != _SIZE:
                raise _damaged(path, "It has the wrong size.")
            self._map = mmap.mmap(handle, _SIZE)
        finally:
            os.close(handle)
        # one aligned native load or store per number: no process ever sees half of one
        self._words = memoryview(self._map).cast("Q")
        if self._words[0] != _MAGIC:
            self.close()
            raise _damaged(path, "It does not begin as one.")

    @classmethod
    def create(cls, path: Path, *, slots: int) -> Generation:
        """Open the counter for a new set of scorers; the number itself goes on from where it was."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            found = os.pread(handle, 24, 0)
            if len(found) < 24 or int.from_bytes(found[:8], "little") != _MAGIC:
                os.ftruncate(handle, 0)
                os.ftruncate(handle, _SIZE)
                os.pwrite(handle, _MAGIC.to_bytes(8, "little") + (1).to_bytes(8, "little"), 0)
            os.ftruncate(handle, _SIZE)
            os.pwrite(handle, slots.to_bytes(8, "little"), 16)
            os.pwrite(handle, bytes(_SIZE - 8 * _FIRST_SLOT), 8 * _FIRST_SLOT)
        finally:
            os.close(handle)
        return cls(path)

    @property
    def slots(self) -> int:
        """How many scorers there should be."""
        return self._words[2]

    def grow(self, slots: int) -> None:
        """Expect more scorers from now on."""
        self._words[2] = max(self._words[2], slots)

    def current(self) -> int:
        return self._words[1]

    def bump(self) -> int:
        """Raise the counter; the new number."""
        handle = os.open(self.path, os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._words[1] = bumped = self._words[1] + 1
        finally:
            os.close(handle)
        return bumped

    def is_taken(self, slot: int) -> bool:
        """Whether a process sits in a slot."""
        return self._words[_FIRST_SLOT + 2 * slot] != 0

    def claim(self, slot: int, pid: int) -> None:
        """Say which process sits in a slot, before it reads anything: from then on publishers wait for it."""
        self._words[_FIRST_SLOT + 2 * slot + 1] = 0
        self._words[_FIRST_SLOT + 2 * slot] = pid

    def release(self, slot: int) -> None:
        """Empty a slot whose process is gone."""
        self._words[_FIRST_SLOT + 2 * slot] = 0

    def ack(self, slot: int, generation: int) -> None:
        """Say that a slot serves this generation."""
        self._words[_FIRST_SLOT + 2 * slot + 1] = generation

    def acks(self) -> dict[int, tuple[int, int]]:
        """The process and the acknowledged generation of each slot that is taken."""
        words, first = self._words, _FIRST_SLOT
        return {
            slot: (words[first + 2 * slot], words[first + 2 * slot + 1])
            for slot in range(min(self.slots, MAX_SLOTS))
            if words[first + 2 * slot]
        }

    def close(self) -> None:
        self._words.release()
        self._map.close()


def _damaged(path: Path, why: str) -> Corrupt:
    return Corrupt(f"The generation file '{path}'", why=why, fix="Restart the server; it is made anew.")
