"""Progress on standard error: one line that moves in a terminal, lines that stay elsewhere."""

from __future__ import annotations

import shutil
from typing import TextIO


class ProgressLine:
    """Tells what a long verb is doing, and leaves nothing behind in a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._moves = stream.isatty()
        self._last = ""

    def __call__(self, text: str, done: int, total: int) -> None:
        told = f"{text}: {done} of {total}" if total else f"{text}..."
        if told == self._last:
            return
        self._last = told
        if self._moves:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[K{told[:width]}")
        else:
            self._stream.write(f"{told}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take the moving line away before anything else is written."""
        if self._moves and self._last:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
        self._last = ""
