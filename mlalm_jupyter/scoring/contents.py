"""What a definition names, out of its files: each checked against its hash, and trusted before it is opened."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pandas as pd

from mlalm_jupyter.domain.definition import HeldAsset, ModelAsset, ServiceDefinition
from mlalm_jupyter.domain.errors import Corrupt, MlalmError, NotFound
from mlalm_jupyter.domain.projection import Servable, ServableDataset
from mlalm_jupyter.domain.trust import TYPE, check_code, check_payload
from mlalm_jupyter.formats import bundle as bundles
from mlalm_jupyter.formats.tables import read_content
from mlalm_jupyter.scoring.seals import is_sealed


def read_definition(servable: Servable) -> ServiceDefinition:
    """The definition a servable names, its bytes checked against their hash."""
    what = f"Definition {servable.digest[:12]}"
    data = _bytes(servable.path, servable.digest, what)
    try:
        definition = ServiceDefinition.kept(data.decode(), where=what)
    except UnicodeDecodeError as error:
        raise Corrupt(what, why="It is not text.") from error
    return definition


def check_trust(definition: ServiceDefinition, servable: Servable, public_key: str) -> None:
    """Refuse code and payloads that could run something and that the workspace's key did not sign."""
    sealed = is_sealed("definition", definition.digest, seal=servable.seal, public_key=public_key)
    check_code(definition, is_sealed=sealed)


def check_servable(servable: Servable, public_key: str) -> None:
    """Everything `Predictor.load` checks before it opens or runs anything."""
    definition = read_definition(servable)
    check_trust(definition, servable, public_key)
    for asset in packages(definition):
        packed(asset, servable, public_key)
    for dataset in definition.datasets:
        _bytes(_dataset(dataset, servable).path, dataset.digest, f"Dataset {dataset.reference}")


def packages(definition: ServiceDefinition) -> list[ModelAsset | HeldAsset]:
    """What a definition has in packages: its models and transforms."""
    return [*definition.models, *definition.transforms]


def _dataset(asset: HeldAsset, servable: Servable) -> ServableDataset:
    found = next((one for one in servable.datasets if one.digest == asset.digest), None)
    if found is None:
        what = f"Dataset {asset.reference}"
        raise Corrupt(what, why="The server was given no file for the hash its definition names.")
    return found


def table(asset: HeldAsset, servable: Servable) -> pd.DataFrame:
    """A dataset of a definition as a frame."""
    found = _dataset(asset, servable)
    what = f"Dataset {asset.reference}"
    data = _bytes(found.path, found.digest, what)
    content = read_content(io.BytesIO(data), found.format, name=what, size_bytes=len(data))
    if content.frame is None:
        raise Corrupt(what, why=f"It is no table: {content.note}")
    return content.frame


def types_of(asset: ModelAsset | HeldAsset, servable: Servable, public_key: str) -> frozenset[str]:
    """The classes in a package that the workspace's key signed by name."""
    package_hash = _hash_of(asset)
    return frozenset(
        name
        for one in (*servable.models, *servable.transforms)
        if one.model_hash == package_hash
        for name, seal in one.types
        if is_sealed(TYPE, name, seal=seal, public_key=public_key)
    )


def opened_package(
    asset: ModelAsset | HeldAsset, bundle: bundles.Bundle, is_trusted: bool, types: frozenset[str]
) -> object:
    """What is in a package that was checked."""
    try:
        return bundle.load(trusted=is_trusted, digest=bundle.model_hash, allows=types.__contains__)
    except (MlalmError, MemoryError):
        raise
    except Exception as error:  # a payload may raise anything while it is opened
        why = f"Opening it raised {type(error).__name__}: {error}."
        raise Corrupt(_named_asset(asset), why=why) from error


def _hash_of(asset: ModelAsset | HeldAsset) -> str:
    return asset.model_hash if isinstance(asset, ModelAsset) else asset.digest


def _named_asset(asset: ModelAsset | HeldAsset) -> str:
    return f"{'Model' if isinstance(asset, ModelAsset) else 'Transform'} {asset.reference}"


def packed(asset: ModelAsset | HeldAsset, servable: Servable, public_key: str) -> tuple[bundles.Bundle, bool]:
    """The package of a model or transform, checked against digest and hash, and whether it is signed."""
    what = _named_asset(asset)
    package_hash = _hash_of(asset)
    held = (*servable.models, *servable.transforms)
    found = next((one for one in held if one.model_hash == package_hash), None)
    if found is None:
        raise Corrupt(what, why="The server was given no file for the hash its definition names.")
    bundle = bundles.read(_bytes(found.bundle_path, found.bundle_digest, what))
    if bundle.model_hash != package_hash:
        raise Corrupt(what, why="Its file holds something else than its definition names.")
    is_trusted = is_sealed("model", bundle.model_hash, seal=found.seal, public_key=public_key)
    check_payload(
        asset.reference,
        format=bundle.format,
        model_hash=bundle.model_hash,
        is_data_only=bundle.is_data_only,
        is_sealed=is_trusted,
    )
    return bundle, is_trusted


def _bytes(path: str, digest: str, what: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise NotFound("blob", digest, fix="Run `mlalm workspace doctor` to see what misses it.") from error
    except OSError as error:
        raise Corrupt(what, why=f"Its file cannot be read: {error.strerror}.") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise Corrupt(what, why="Its bytes no longer give the hash it is named by.")
    return data
