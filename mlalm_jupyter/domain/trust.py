"""Trust: code and pickles run here only when this workspace's key signed their hash."""

from __future__ import annotations

from dataclasses import dataclass

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import UntrustedContent


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


CODE_FORMS = frozenset({"pickle"})
"""Forms of kept values that run what their bytes say where they are read."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A version that this workspace's key has signed."""

    model: str
    seal: Seal
    public_key: str
    """What others check it with."""
    note: str = ""

    def to_dict(self) -> dict[str, object]:
        return {
            "model": self.model,
            "seal": self.seal.to_dict(),
            "public_key": self.public_key,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what was found."""

    what: str
    is_well: bool
    told: str

    def to_dict(self) -> dict[str, object]:
        return {"what": self.what, "is_well": self.is_well, "told": self.told}


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look at a package, or at another tool's file, found; nothing in it was opened."""

    what: str
    model_hash: str
    checks: tuple[Check, ...]
    known: tuple[str, ...] = ()
    """The versions here that have the same content."""
    opening: str = ""

    @property
    def is_well(self) -> bool:
        return all(check.is_well for check in self.checks)

    def to_dict(self) -> dict[str, object]:
        return {
            "what": self.what,
            "is_well": self.is_well,
            "model_hash": self.model_hash,
            "checks": [check.to_dict() for check in self.checks],
            "known": list(self.known),
            "opening": self.opening,
        }


def sealed_statement(kind: str, digest: str) -> bytes:
    """The exact bytes that are signed.

    >>> sealed_statement("definition", "ab")
    b'mlalm-seal-1\\ndefinition\\nab\\n'
    """
    return f"mlalm-seal-1\n{kind}\n{digest}\n".encode()


def check_code(definition: ServiceDefinition, *, is_sealed: bool) -> None:
    """Refuse a definition with code in it that is not signed."""
    if definition.code and not is_sealed:
        raise UntrustedContent(
            f"Definition {definition.digest[:12]}",
            wants=[f"the code of node {cell.node} ({cell.entry})" for cell in definition.code],
            digest=definition.digest,
        )


def check_payload(
    reference: str, *, format: str, model_hash: str, is_data_only: bool, is_sealed: bool
) -> None:
    """Refuse a model whose payload could run something and is not signed."""
    if not is_data_only and not is_sealed:
        raise UntrustedContent(
            f"Model {reference}", wants=[f"what its {format} payload says"], digest=model_hash
        )
