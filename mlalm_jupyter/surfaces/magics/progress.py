"""Progress under a cell while a long verb works."""

from __future__ import annotations

from html import escape
from typing import Any


class CellProgress:
    """One display that is updated in place, and empty once the verb has answered."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._handle: Any = None
        self._last = ""

    def __call__(self, text: str, done: int, total: int) -> None:
        told = f"{text}: {done} of {total}" if total else f"{text}..."
        if not self._is_shown or told == self._last:
            return
        self._last = told
        bar = f'<progress value="{done}" max="{total}"></progress> ' if total else ""
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
