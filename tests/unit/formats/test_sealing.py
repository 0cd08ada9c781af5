"""Seals of packages: over the manifest, and through that over every member."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mlalm_jupyter.domain.errors import Corrupt
from mlalm_jupyter.formats import bundle
from mlalm_jupyter.formats.sealing import sealed
from tests.faults.tampering import good_package, members, relisted, zipped


class Key:
    """A workspace's key."""

    def __init__(self) -> None:
        self.private = Ed25519PrivateKey.generate()
        self.public = base64.b64encode(self.private.public_key().public_bytes_raw()).decode()

    def sign(self, statement: bytes) -> str:
        return base64.b64encode(self.private.sign(statement)).decode()

    def seal(self, package: bundle.Bundle) -> bundle.Bundle:
        return sealed(package, key_id="ours", public_key=self.public, sign=self.sign)


def test_a_sealed_package_names_its_key_and_is_the_same_model() -> None:
    key, plain = Key(), bundle.read(good_package())
    made = key.seal(plain)
    assert made.seal is not None
    assert (made.seal.key_id, made.seal.is_whole, made.seal.is_by(key.public)) == ("ours", True, True)
    assert made.model_hash == plain.model_hash
    assert plain.seal is None


def test_a_seal_is_by_no_other_key() -> None:
    made = Key().seal(bundle.read(good_package()))
    assert made.seal is not None
    assert not made.seal.is_by(Key().public)
    assert not made.seal.is_by("no key")


def test_sealing_again_takes_the_place_of_the_seal_before() -> None:
    first, second = Key(), Key()
    made = second.seal(first.seal(bundle.read(good_package())))
    assert made.seal is not None
    assert made.seal.is_by(second.public)
    assert not made.seal.is_by(first.public)


def test_a_changed_manifest_breaks_the_seal_and_changes_nothing_else() -> None:
    """A lineage that someone rewrote is still a readable package, and no longer a sealed one."""
    parts = members(Key().seal(bundle.read(good_package())).data)
    seal = parts.pop("seal.json")
    changed = bundle.read(zipped({**relisted(parts, lineage={"run": "another"}), "seal.json": seal}))
    assert changed.seal is not None
    assert not changed.seal.is_whole


def test_the_seal_of_one_package_says_nothing_of_another() -> None:
    key = Key()
    seal = members(key.seal(bundle.read(good_package())).data)["seal.json"]
    other = relisted(members(good_package()), framework="another")
    moved = bundle.read(zipped({**other, "seal.json": seal})).seal
    assert moved is not None
    assert not moved.is_by(key.public)


@pytest.mark.parametrize(
    "told",
    [{}, {"algorithm": "rsa"}, {"algorithm": "ed25519", "key_id": "a b", "public_key": "", "signature": 3}],
)
def test_a_seal_that_says_nothing_is_refused(told: dict[str, object]) -> None:
    data = zipped({**members(good_package()), "seal.json": json.dumps(told).encode()})
    with pytest.raises(Corrupt, match="no signature that we know"):
        bundle.read(data)
