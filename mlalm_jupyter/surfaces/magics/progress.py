"""Progress under a cell while a long verb works."""

from __future__ import annotations

import time
from html import escape
from typing import Any

_PAUSE_S = 0.2
"""Between two updates that only count on."""


class CellProgress:
    """One display that is updated in place, and empty once the verb has answered."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._handle: Any = None
        self._last = ("", 0.0)

    def __call__(self, text: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if not self._is_shown or (text == self._last[0] and now_s - self._last[1] < _PAUSE_S):
            return
        self._last = (text, now_s)
        told = f"{text}: {done} of {total}" if total else f"{text}..."
        bar = (
            f'<progress value="{done}" max="{total}" aria-label="{escape(text)}"></progress> '
            if total
            else ""
        )
        self._show({"text/plain": told, "text/html": f"<div>{bar}{escape(told)}</div>"})

    def clear(self) -> None:
        if self._handle is not None:
            self._show({"text/plain": "", "text/html": ""})

    def _show(self, bundle: dict[str, str]) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython's
        else:
            self._handle.update(bundle, raw=True)
