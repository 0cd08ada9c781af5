"""The workspace's keys: what they sign verifies, what they hide opens only where it was hidden."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mlalm_jupyter.adapters.keyring import FolderKeyring
from mlalm_jupyter.domain.errors import Corrupt


@pytest.fixture
def keyring(tmp_path: Path) -> FolderKeyring:
    return FolderKeyring.create(tmp_path / "keys")


def test_only_what_this_key_signed_verifies(keyring: FolderKeyring, tmp_path: Path) -> None:
    other = FolderKeyring.create(tmp_path / "other")
    signature = keyring.sign(b"definition")
    assert keyring.verifies(b"definition", signature)
    assert not keyring.verifies(b"definitioN", signature)
    assert not keyring.verifies(b"definition", other.sign(b"definition"))
    assert not keyring.verifies(b"definition", "not base64!")


def test_a_hidden_key_opens_only_in_its_own_row(keyring: FolderKeyring) -> None:
    hidden = keyring.encrypt("secret", context="row1:primary")
    assert "secret" not in hidden
    assert keyring.decrypt(hidden, context="row1:primary") == "secret"
    with pytest.raises(Corrupt, match="does not open"):
        keyring.decrypt(hidden, context="row2:primary")


def test_service_keys_have_the_form_clients_know(keyring: FolderKeyring) -> None:
    key = keyring.new_service_key()
    assert len(key) == 88
    assert key.endswith("==")
    assert key != keyring.new_service_key()


def test_key_files_are_for_their_owner_alone(keyring: FolderKeyring) -> None:
    for file in keyring.root.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(keyring.root.stat().st_mode) == 0o700


def test_a_damaged_key_file_is_named(keyring: FolderKeyring) -> None:
    (keyring.root / "master.key").write_bytes(b"\xff\xff")
    with pytest.raises(Corrupt, match=r"The key file 'master.key' is damaged"):
        keyring.encrypt("secret", context="row")
