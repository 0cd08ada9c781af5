"""Events: every change is written once, with who, when and why, and prints as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_PAST = {
    "init": "made",
    "upload": "uploaded",
    "register": "registered",
    "deploy": "deployed",
    "update": "deployed again",
    "add": "added",
    "patch": "patched",
    "refresh": "refreshed",
    "rollback": "rolled back",
    "configure": "set",
    "stop": "stopped",
    "regenerate-key": "made a new key for",
    "snapshot": "took a snapshot of",
    "start": "started",
    "end": "ended",
    "cancel": "asked to cancel",
    "trust": "trusted",
    "sign": "signed",
    "remove": "removed",
    "delete": "deleted",
    "tag": "said more of",
    "move": "moved",
    "follow": "followed",
    "promote": "promoted",
    "copy": "copied",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One fact: `by` did `action` to `subject` at `at`."""

    at: str
    by: str
    noun: str
    action: str
    subject_id: str
    subject: str
    data: Mapping[str, object] = field(default_factory=dict)
    seq: int = 0

    @property
    def verb(self) -> str:
        """The action in the past, as a person says it."""
        return _PAST.get(self.action, self.action)

    def sentence(self) -> str:
        """The event as a person would say it.

        >>> Event("2026-01-01", "ann", "endpoint", "patch", "0", "churn/ep2", {"model": "churn:3"}).sentence()
        '2026-01-01 ann patched endpoint churn/ep2 (model churn:3)'
        """
        told = ", ".join(f"{key} {value}" for key, value in self.data.items() if value not in (None, "", []))
        return f"{self.at} {self.by} {self.verb} {self.noun} {self.subject}" + (f" ({told})" if told else "")

    def to_dict(self) -> dict[str, object]:
        return {
            "seq": self.seq,
            "at": self.at,
            "by": self.by,
            "noun": self.noun,
            "action": self.action,
            "subject_id": self.subject_id,
            "subject": self.subject,
            "data": dict(self.data),
            "sentence": self.sentence(),
        }
