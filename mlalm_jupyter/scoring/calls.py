"""How many calls each limited endpoint answers now: a table in memory that all scorers share.

A row per endpoint that has a limit, a cell in it per scorer. A scorer raises its own cell, then adds up the row;
when that is above the limit it lowers the cell again and refuses. So there are never more calls than the limit says,
whoever came first; two that come at the same moment for the last place may both be asked to come again. Layout, all
little-endian 64 bit: magic, rows, slots, then from byte 64 on for each row the endpoint's id in two numbers and a
number per slot.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from mlalm_jupyter.domain.errors import Corrupt, Unavailable
from mlalm_jupyter.scoring.generation import Generation

_MAGIC = int.from_bytes(b"mlalmcl1", "little")
_FIRST_ROW = 8
_ID = 2
_TRIES = 2
ROWS = 4096


class CallTable:
    """The shared table, seen from the scorer in one slot."""

    def __init__(self, path: Path, generation: Generation, slot: int) -> None:
        self.path = path
        self.slot = slot
        self._generation = generation
        handle = os.open(path, os.O_RDWR)
        try:
            size = os.fstat(handle).st_size
            if size < 8 * _FIRST_ROW:
                raise _damaged(path, "It is too short.")
            self._map = mmap.mmap(handle, size)
        finally:
            os.close(handle)
        # one aligned native load or store per number: no process ever sees half of one
        self._words = memoryview(self._map).cast("Q")
        self.rows, self.slots = self._words[1], self._words[2]
        self._width = _ID + self.slots
        if self._words[0] != _MAGIC or size != _size(self.rows, self.slots):
            self.close()
            raise _damaged(path, "It does not begin as one, or has the wrong size.")
        self._known: dict[str, int] = {}
        self._fence = threading.Lock()

    @classmethod
    def create(cls, path: Path, *, slots: int, rows: int = ROWS) -> None:
        """An empty table in place of whatever is there: a new server answers no calls yet."""
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            os.ftruncate(handle, _size(rows, slots))
            for place, number in enumerate((_MAGIC, rows, slots)):
                os.pwrite(handle, number.to_bytes(8, "little"), 8 * place)
            # what a server before this one still has open is another file from now on
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        finally:
            os.close(handle)

    def clear(self) -> None:
        """Forget the calls of whoever sat in this slot before; they ended with their process."""
        for row in range(self.rows):
            self._words[self._cell(row)] = 0

    def gate(
        self, endpoint_id: str, limit: int, *, in_use: Callable[[], Collection[str]] = tuple[str, ...]
    ) -> Gate:
        """What every call of an endpoint with a limit has to pass.

        When all rows are taken, one is given up that is idle and of no endpoint `in_use`.
        """
        row = self._known.get(endpoint_id)
        if row is None or self._id(row) != endpoint_id:
            with self._alone():
                row = self._found(endpoint_id, in_use)
            self._known[endpoint_id] = row
        return Gate(self, row, limit)

    def enter(self, row: int, limit: int) -> bool:
        """Take a place if there is one."""
        words, mine = self._words, self._cell(row)
        for _ in range(_TRIES):
            words[mine] += 1
            # a processor may read on before others see what it wrote; an atomic operation in between forbids that
            with self._fence:
                pass
            if self.count(row) <= limit:
                return True
            words[mine] -= 1
        return False

    def leave(self, row: int) -> None:
        """Give a place back."""
        self._words[self._cell(row)] -= 1

    def count(self, row: int) -> int:
        """The calls that all living scorers answer now."""
        words, first = self._words, _FIRST_ROW + row * self._width + _ID
        living = self._generation.is_taken
        return sum(words[first + slot] for slot in range(self.slots) if slot == self.slot or living(slot))

    def calls_of(self, endpoint_id: str) -> int:
        """The calls of an endpoint; none are counted of one without a limit."""
        return sum(self.count(row) for row in range(self.rows) if self._id(row) == endpoint_id)

    def close(self) -> None:
        self._words.release()
        self._map.close()

    def _cell(self, row: int) -> int:
        return _FIRST_ROW + row * self._width + _ID + self.slot

    def _id(self, row: int) -> str:
        first = _FIRST_ROW + row * self._width
        return f"{self._words[first]:016x}{self._words[first + 1]:016x}"

    def _found(self, endpoint_id: str, in_use: Callable[[], Collection[str]]) -> int:
        nobody = "0" * 32
        for row in range(self.rows):
            held = self._id(row)
            if held == endpoint_id:
                return row
            if held == nobody:
                return self._taken(row, endpoint_id)
        kept = set(in_use())
        for row in range(self.rows):
            if self._id(row) not in kept and self.count(row) == 0:
                return self._taken(row, endpoint_id)
        raise Unavailable(
            f"The limit of endpoint {endpoint_id[:12]} cannot be kept.",
            why=f"{self.rows} endpoints of this server have one already.",
            fix="Take the limit off some with `mlalm endpoint patch S/EP --throttle none`.",
        )

    def _taken(self, row: int, endpoint_id: str) -> int:
        first = _FIRST_ROW + row * self._width
        self._words[first] = int(endpoint_id[:16], 16)
        self._words[first + 1] = int(endpoint_id[16:], 16)
        return row

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self.path, os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


class Gate:
    """The way into one endpoint that answers only so many calls at once."""

    __slots__ = ("_row", "_table", "limit")

    def __init__(self, table: CallTable, row: int, limit: int) -> None:
        self._table = table
        self._row = row
        self.limit = limit

    def enter(self) -> bool:
        """Whether a call may go on; then it must `leave`."""
        return self._table.enter(self._row, self.limit)

    def leave(self) -> None:
        self._table.leave(self._row)


def _size(rows: int, slots: int) -> int:
    return 8 * (_FIRST_ROW + rows * (_ID + slots))


def _damaged(path: Path, why: str) -> Corrupt:
    return Corrupt(f"The table of calls '{path}'", why=why, fix="Restart the server; it is made anew.")
