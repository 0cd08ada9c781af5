"""Time and ids from the operating system."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock; its ids are UUIDv7 without dashes."""

    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def time_s(self) -> float:
        return time.time()

    def new_id(self) -> str:
        milliseconds = time.time_ns() // 1_000_000
        random = int.from_bytes(os.urandom(10))
        value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64
        value |= 0b10 << 62 | random & (2**62 - 1)
        return f"{value:032x}"
