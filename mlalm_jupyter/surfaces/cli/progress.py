"""Progress on standard error: one line that moves in a terminal, lines that stay elsewhere."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

_MOVING_PAUSE_S, _STAYING_PAUSE_S = 0.1, 2.0
"""Between two tellings that only count on."""


class ProgressLine:
    """Tells what a long verb is doing, and leaves nothing behind in a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._moves = stream.isatty()
        self._last = ("", 0.0)

    def __call__(self, text: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        pause_s = _MOVING_PAUSE_S if self._moves else _STAYING_PAUSE_S
        if text == self._last[0] and now_s - self._last[1] < pause_s:
            return
        self._last = (text, now_s)
        told = f"{text}: {done} of {total}" if total else f"{text}..."
        if self._moves:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[K{told[:width]}")
        else:
            self._stream.write(f"{told}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take the moving line away before anything else is written."""
        if self._moves and self._last[0]:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
        self._last = ("", 0.0)
