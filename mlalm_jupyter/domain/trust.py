"""Trust: code and pickles run here only when this workspace's key signed their hash."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature by the workspace's key over the hash of some content, and why it was given."""

    digest: str
    kind: str
    key_id: str
    signature: str
    reason: str
    at: str
    by: str

    def to_dict(self) -> dict[str, object]:
        return {
            "digest": self.digest,
            "kind": self.kind,
            "key_id": self.key_id,
            "reason": self.reason,
            "at": self.at,
            "by": self.by,
        }


def sealed_statement(kind: str, digest: str) -> bytes:
    """The exact bytes that are signed.

    >>> sealed_statement("definition", "ab")
    b'mlalm-seal-1\\ndefinition\\nab\\n'
    """
    return f"mlalm-seal-1\n{kind}\n{digest}\n".encode()
