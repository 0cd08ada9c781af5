"""How far long verbs are that a page has asked for, by the ticket that it gave each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from mlalm_jupyter.api.context import Progress, silent


class Tickets:
    """What was last said of each verb that is under way; many threads may say it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._said: dict[str, dict[str, Any]] = {}

    @contextmanager
    def telling(self, ticket: str) -> Iterator[Progress]:
        """What a verb tells its progress to; nothing is kept of it once it has ended."""
        if not ticket:
            yield silent
            return

        def tell(text: str, done: int, total: int) -> None:
            with self._lock:
                self._said[ticket] = {"text": text, "done": done, "total": total}

        try:
            yield tell
        finally:
            with self._lock:
                self._said.pop(ticket, None)

    def said(self, ticket: str) -> dict[str, Any] | None:
        """How far a verb is; None before it has said anything, and after its end."""
        with self._lock:
            return self._said.get(ticket)
