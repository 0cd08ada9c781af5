"""The workspace's keys as files of mode 0600: Ed25519 signs, AES-GCM hides service keys at rest."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import stat
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from mlalm_jupyter.adapters.folder_blobs import translated
from mlalm_jupyter.domain.errors import Corrupt
from mlalm_jupyter.domain.workspace import Finding

_RESTORE = "Restore it from a copy of the workspace."
_BYTES = {"signing.key": 32, "signing.pub": 32, "master.key": 32, "management.token": 48}
"""The key files, and how many bytes each holds."""


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

    def faults(self) -> list[Finding]:
        found = []
        for name in _BYTES:
            try:
                self._read(name)
                if stat.S_IMODE((self.root / name).stat().st_mode) & 0o077:
                    fix = f"Run `chmod 600 '{self.root / name}'`."
                    found.append(Finding(f"key file {name}", "Others may read it.", fix))
            except (Corrupt, OSError) as error:
                why = error.why if isinstance(error, Corrupt) else f"It cannot be read: {error.strerror}."
                found.append(Finding(f"key file {name}", why, _RESTORE))
        if not any(one.fix == _RESTORE for one in found):
            try:
                self._private()
            except Corrupt as error:
                found.append(Finding("key file signing.key", error.why, error.fix))
        return found

    def _private(self) -> Ed25519PrivateKey:
        private = Ed25519PrivateKey.from_private_bytes(self._read("signing.key"))
        if private.public_key().public_bytes_raw() != self._read("signing.pub"):
            raise Corrupt(
                "The key file 'signing.key'", why="It is not the other half of 'signing.pub'.", fix=_RESTORE
            )
        return private

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
        return base64.b64encode(self._private().sign(statement)).decode()

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
        master = AESGCM(self._read("master.key"))
        try:
            raw = base64.b64decode(ciphertext, validate=True)
            plain = master.decrypt(raw[:12], raw[12:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise Corrupt(
                "A stored secret", why="It does not open with this workspace's master key."
            ) from error
        return plain.decode()

    def new_service_key(self) -> str:
        return base64.b64encode(secrets.token_bytes(64)).decode()

    def management_token(self) -> str:
        return base64.urlsafe_b64encode(self._read("management.token")).decode()

    def _read(self, name: str) -> bytes:
        try:
            raw = base64.b64decode((self.root / name).read_bytes().strip(), validate=True)
        except FileNotFoundError as error:
            raise _damaged(name, "It is missing.") from error
        except OSError as error:
            raise _damaged(name, f"It cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise _damaged(name, "It is not text in base64.") from error
        if len(raw) != _BYTES[name]:
            raise _damaged(name, f"It holds {len(raw)} bytes, and a whole one {_BYTES[name]}.")
        return raw


def _damaged(name: str, why: str) -> Corrupt:
    return Corrupt(f"The key file '{name}'", why=why, fix=_RESTORE)


def _write(path: Path, raw: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(raw) + b"\n")
        file.flush()
        os.fsync(file.fileno())
