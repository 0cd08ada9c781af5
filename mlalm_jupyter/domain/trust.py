"""Trust: code and pickles run here only when this workspace's key signed their hash."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import InvalidInput, UntrustedContent

TYPE = "type"
"""The kind of a seal over the name of a class; what has it in place of a hash."""
LONGEST_TYPE = 255
_TYPE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")


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

    @property
    def short(self) -> str:
        """As it is named in a sentence: the beginning of a hash, the whole name of a type."""
        return self.digest if self.kind == TYPE else self.digest[:12]

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


def is_type_name(text: str) -> bool:
    """Whether a text has the form of a class with its module.

    >>> is_type_name("features.ratios.Ratio"), is_type_name("Ratio"), is_type_name("features.Ratio with more")
    (True, False, False)
    """
    return len(text) <= LONGEST_TYPE and _TYPE_NAME.fullmatch(text) is not None


def is_trustable(name: str) -> bool:
    """Whether a class may be trusted by its name, for every file that holds objects of it.

    Never one of Python's own library, where a class may start programs or remove files as it comes and goes.

    >>> is_trustable("features.Ratio"), is_trustable("subprocess.Popen")
    (True, False)
    """
    return is_type_name(name) and name.partition(".")[0] not in {*sys.stdlib_module_names, "__main__"}


def check_trustable(name: str) -> None:
    """Refuse to trust a class by name that may do more than hold what a file gives it."""
    if not is_trustable(name):
        raise InvalidInput(
            f"The type '{name}'",
            expected="a class of a library or of your own, outside Python's own library",
            got=f"one of '{name.partition('.')[0]}'",
            fix="Trust the hash of the file instead, which lets in those bytes and no others.",
        )


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
    reference: str,
    *,
    format: str,
    model_hash: str,
    is_data_only: bool,
    is_sealed: bool,
    types: Sequence[str] = (),
) -> None:
    """Refuse a model whose payload could run something and is not signed.

    The types are those that nobody trusts here, where objects of them are all that it wants.
    """
    if not is_data_only and not is_sealed:
        wants = types or [f"what its {format} payload says"]
        raise UntrustedContent(f"Model {reference}", wants=wants, digest=model_hash, types=types)
