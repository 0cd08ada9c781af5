"""Checking, where things are about to run, that the workspace's key signed them."""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mlalm_jupyter.domain.trust import sealed_statement


def is_sealed(kind: str, digest: str, *, seal: str | None, public_key: str) -> bool:
    """Whether `seal` is a signature over this hash by the key whose public half (base64) is given."""
    if not seal:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(seal, validate=True), sealed_statement(kind, digest))
    except (InvalidSignature, ValueError):
        return False
    return True
