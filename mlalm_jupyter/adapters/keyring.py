"""The workspace's keys as files of mode 0600: Ed25519 signs, AES-GCM hides service keys at rest."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from mlalm_jupyter.adapters.folder_blobs import translated
from mlalm_jupyter.domain.errors import Corrupt


class FolderKeyring:
    """Keys in a folder that only its owner reads."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def create(cls, root: Path) -> FolderKeyring:
        with translated(root):
            root.mkdir(mode=0o700, exist_ok=True)
            private = Ed25519PrivateKey.generate()
            _write(
                root / "signing.key", private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
            )
            _write(root / "signing.pub", private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
            _write(root / "master.key", AESGCM.generate_key(256))
            _write(root / "management.token", secrets.token_bytes(48))
        return cls(root)

    @cached_property
    def _public(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self._read("signing.pub"))

    @property
    def key_id(self) -> str:
        return hashlib.sha256(self._read("signing.pub")).hexdigest()[:16]

    @property
    def public_key(self) -> str:
        return base64.b64encode(self._read("signing.pub")).decode()

    def sign(self, statement: bytes) -> str:
        private = Ed25519PrivateKey.from_private_bytes(self._read("signing.key"))
        return base64.b64encode(private.sign(statement)).decode()

    def verifies(self, statement: bytes, signature: str) -> bool:
        try:
            self._public.verify(base64.b64decode(signature), statement)
        except (InvalidSignature, ValueError):
            return False
        return True

    def encrypt(self, secret: str, *, context: str) -> str:
        nonce = os.urandom(12)
        sealed = AESGCM(self._read("master.key")).encrypt(nonce, secret.encode(), context.encode())
        return base64.b64encode(nonce + sealed).decode()

    def decrypt(self, ciphertext: str, *, context: str) -> str:
        raw = base64.b64decode(ciphertext)
        try:
            plain = AESGCM(self._read("master.key")).decrypt(raw[:12], raw[12:], context.encode())
        except InvalidTag as error:
            raise Corrupt(
                "A stored service key", why="It does not open with this workspace's master key."
            ) from error
        return plain.decode()

    def new_service_key(self) -> str:
        return base64.b64encode(secrets.token_bytes(64)).decode()

    def management_token(self) -> str:
        return base64.urlsafe_b64encode(self._read("management.token")).decode()

    def _read(self, name: str) -> bytes:
        try:
            return base64.b64decode((self.root / name).read_bytes().strip(), validate=True)
        except (OSError, ValueError) as error:
            raise Corrupt(
                f"The key file '{name}'",
                why=f"It cannot be read: {error}.",
                fix="Restore it from a copy of the workspace.",
            ) from error


def _write(path: Path, raw: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(raw) + b"\n")
        file.flush()
        os.fsync(file.fileno())
