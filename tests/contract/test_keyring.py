"""The workspace's keys: what they sign verifies, what they hide opens only where it was hidden."""

from __future__ import annotations

import base64
import stat
from collections.abc import Callable
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


DAMAGES = {
    "missing": lambda file: file.unlink(),
    "cut off": lambda file: file.write_bytes(base64.b64encode(b"short")),
    "no base64": lambda file: file.write_bytes(b"\xff\xfe{}"),
    "empty": lambda file: file.write_bytes(b""),
    "a folder": lambda file: (file.unlink(), file.mkdir(mode=0o700)),
}
USES: dict[str, Callable[[FolderKeyring], object]] = {
    "signing.key": lambda keyring: keyring.sign(b"it"),
    "signing.pub": lambda keyring: keyring.verifies(b"it", "AAAA"),
    "master.key": lambda keyring: keyring.encrypt("secret", context="row"),
    "management.token": lambda keyring: keyring.management_token(),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", USES)
def test_every_damage_of_a_key_file_is_a_fault_and_is_named_where_it_is_used(
    keyring: FolderKeyring, name: str, damage: str
) -> None:
    assert keyring.faults() == []
    DAMAGES[damage](keyring.root / name)
    again = FolderKeyring(keyring.root)
    with pytest.raises(Corrupt, match=f"The key file '{name}' is damaged"):
        USES[name](again)
    (fault,) = again.faults()
    assert fault.where == f"key file {name}"
    assert fault.what
    assert "copy" in fault.fix


def test_halves_of_two_keys_sign_nothing(keyring: FolderKeyring, tmp_path: Path) -> None:
    other = FolderKeyring.create(tmp_path / "other")
    (keyring.root / "signing.pub").write_bytes((other.root / "signing.pub").read_bytes())
    again = FolderKeyring(keyring.root)
    with pytest.raises(Corrupt, match="not the other half"):
        again.sign(b"it")
    assert [fault.where for fault in again.faults()] == ["key file signing.key"]


@pytest.mark.parametrize(
    "ciphertext", ["", "A", "no base64!", "AAAA", "é", base64.b64encode(bytes(40)).decode()]
)
def test_a_damaged_secret_does_not_open(keyring: FolderKeyring, ciphertext: str) -> None:
    with pytest.raises(Corrupt, match="does not open"):
        keyring.decrypt(ciphertext, context="row")


def test_keys_that_others_may_read_are_a_fault(keyring: FolderKeyring) -> None:
    (keyring.root / "management.token").chmod(0o640)
    (fault,) = keyring.faults()
    assert fault.where == "key file management.token"
    assert "chmod 600" in fault.fix
