"""The seal of a package: a workspace's signature over its manifest, and through that over every member.

It says who wrote a package, to a workspace that knows the key. It is no permission: what runs where is for the
seals of the workspace that opens it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlalm_jupyter.formats.archive import SEAL, damaged, json_text, read_json, unzipped, zipped

if TYPE_CHECKING:
    from mlalm_jupyter.formats.bundle import Bundle

ALGORITHM = "ed25519"
_TEXT = re.compile(r"[A-Za-z0-9+/=:._-]{1,200}")


@dataclass(frozen=True, slots=True)
class PackageSeal:
    """A signature over the manifest of one package, and the key that its writer says made it."""

    key_id: str
    public_key: str
    signature: str
    manifest_hash: str

    @property
    def is_whole(self) -> bool:
        """Whether the key it names made it; whose key that is, it cannot tell."""
        return self.is_by(self.public_key)

    def is_by(self, public_key: str) -> bool:
        """Whether the key made it whose public half (base64) is given."""
        # a reader that verifies nothing need not have it
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
            key.verify(base64.b64decode(self.signature, validate=True), statement(self.manifest_hash))
        except (InvalidSignature, ValueError):
            return False
        return True


def statement(manifest_hash: str) -> bytes:
    """The exact bytes that are signed.

    >>> statement("ab")
    b'mlalm-package-1\\nab\\n'
    """
    return f"mlalm-package-1\n{manifest_hash}\n".encode()


def sealed(bundle: Bundle, *, key_id: str, public_key: str, sign: Callable[[bytes], str]) -> Bundle:
    """The same package with a seal, in place of the one it may have."""
    from mlalm_jupyter.formats.bundle import read

    members = unzipped(bundle.source)
    signature = sign(statement(members.hash("manifest.json")))
    told = {"algorithm": ALGORITHM, "key_id": key_id, "public_key": public_key, "signature": signature}
    kept = {name: data for name, data in members.items() if name != SEAL}
    return read(zipped({**kept, SEAL: json_text(told)}))


def read_seal(data: bytes, manifest: bytes) -> PackageSeal:
    """What a package's seal says; nothing is verified yet."""
    told = read_json(data, SEAL)
    values = [told.get(key) for key in ("algorithm", "key_id", "public_key", "signature")]
    if values[0] != ALGORITHM or not all(isinstance(one, str) and _TEXT.fullmatch(one) for one in values):
        raise damaged(f"Its member '{SEAL}' is no signature that we know")
    return PackageSeal(str(values[1]), str(values[2]), str(values[3]), hashlib.sha256(manifest).hexdigest())
