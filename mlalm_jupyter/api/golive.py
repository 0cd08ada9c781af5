"""How a definition goes live: trusted, loaded by every scorer, one compare-and-swap, seen by all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.definition import HeldAsset, ModelAsset, ServiceDefinition
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, NotFound
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.policy import SIGNED_MODELS, check_signed
from mlalm_jupyter.domain.projection import (
    Projection,
    Servable,
    ServableDataset,
    ServableModel,
    ServedEndpoint,
)
from mlalm_jupyter.domain.service import Endpoint, WebService
from mlalm_jupyter.domain.trust import TYPE, Seal, check_code, check_payload, sealed_statement
from mlalm_jupyter.ports import Transaction


def new_seal(context: Context, kind: str, digest: str, *, reason: str) -> Seal:
    """This workspace's signature over a content hash; it is kept by whoever writes it into a transaction."""
    return Seal(
        digest=digest,
        kind=kind,
        key_id=context.keyring.key_id,
        signature=context.keyring.sign(sealed_statement(kind, digest)),
        reason=reason,
        at=context.clock.now(),
        by=context.who,
    )


def valid_seal(context: Context, tx: Transaction, kind: str, digest: str) -> str | None:
    """The kept signature over a hash, if there is one and this workspace's key really made it."""
    seal = tx.seals.get(kind, digest)
    if seal and context.keyring.verifies(sealed_statement(kind, digest), seal.signature):
        return seal.signature
    return None


def is_type_trusted(context: Context, name: str) -> bool:
    """Whether somebody here trusts a class by its name, whatever file has objects of it."""
    with context.catalog.read() as tx:
        return valid_seal(context, tx, TYPE, name) is not None


def keep_seal(context: Context, tx: Transaction, seal: Seal) -> bool:
    """Keep a new signature, unless there is a valid one already; whether it was kept."""
    if valid_seal(context, tx, seal.kind, seal.digest) is not None:
        return False
    tx.seals.add(seal)
    return True


def known_code(
    context: Context,
    definition: ServiceDefinition,
    *,
    also: Callable[[], Iterable[ServiceDefinition]] = tuple[ServiceDefinition, ...],
) -> Seal | None:
    """A signature for a definition whose code and graph this workspace has signed; only models differ in it.

    Without it a model that is replaced in a file would make code untrusted that serves here, or, of the definitions in
    `also`, elsewhere.
    """
    if not definition.code:
        return None
    with context.catalog.read() as tx:
        if valid_seal(context, tx, "definition", definition.digest):
            return None
        for digest in sorted({endpoint.definition_hash for endpoint in tx.endpoints.find()}):
            if valid_seal(context, tx, "definition", digest) is None:
                continue
            try:
                serving = kept_definition(context, digest)
            except (Corrupt, NotFound, InvalidInput):
                continue
            if serving.frame == definition.frame:
                return _as_signed(context, definition, digest)
    for serving in also():
        with context.catalog.read() as tx:
            is_signed = valid_seal(context, tx, "definition", serving.digest) is not None
        if is_signed and serving.frame == definition.frame:
            return _as_signed(context, definition, serving.digest)
    return None


def _as_signed(context: Context, definition: ServiceDefinition, digest: str) -> Seal:
    reason = f"all but its models is as in {digest[:12]}, which is signed"
    return new_seal(context, "definition", definition.digest, reason=reason)


def model_asset(model: TrainedModel, asset: str = "asset1") -> ModelAsset:
    """A registered model as a definition names it."""
    return ModelAsset(asset, model.name, model.version, model.model_hash)


def held_model(tx: Transaction, asset: ModelAsset) -> TrainedModel:
    """The registered model a definition names; its hash must be the one the definition says."""
    try:
        model = tx.models.get(AssetRef("model", asset.name, asset.version))
    except NotFound as error:
        if not (same := tx.models.with_hash(asset.model_hash)):
            raise
        known = same[-1].reference
        raise NotFound(
            "model",
            asset.reference,
            none=f"What the definition means by it is {known} here.",
            fix=f"Put that into the file: `mlalm wsd set-model FILE {known}`.",
        ) from error
    if model.model_hash != asset.model_hash:
        raise InvalidInput(
            f"The model location of asset '{asset.asset}'",
            expected=f"the hash of {model.reference}, {model.model_hash[:12]}...",
            got=f"{asset.model_hash[:12]}...",
            fix="Export the definition again, or name the version you mean.",
        )
    return model


def held_transform(tx: Transaction, asset: HeldAsset) -> Transform:
    """The transform a definition names; its hash must be the one the definition says."""
    found = tx.transforms.get(AssetRef("transform", asset.name, asset.version))
    _check_hash(asset, found.transform_hash)
    return found


def held_dataset(tx: Transaction, asset: HeldAsset) -> Dataset:
    """The dataset a definition names; its bytes must be kept here, and be those the definition says."""
    found = tx.datasets.get(AssetRef("dataset", asset.name, asset.version))
    _check_hash(asset, found.digest)
    if found.source is not None:
        raise InvalidInput(
            f"The dataset {found.reference}",
            expected="one whose bytes are kept here, for a service must not wait for another place",
            got=f"one at {found.source.address}",
            fix="Upload it without --by-reference as the next version, and name that one.",
        )
    return found


def _check_hash(asset: HeldAsset, held: str) -> None:
    if held != asset.digest:
        raise InvalidInput(
            f"The location of asset '{asset.asset}'",
            expected=f"the hash of {asset.kind} {asset.reference}, {held[:12]}...",
            got=f"{asset.digest[:12]}...",
            fix="Export the definition again, or name the version you mean.",
        )


def asset_hash(context: Context, kind: str, name: str, version: int) -> str:
    """The hash of an asset by what a person calls it, for an address that leaves it away."""
    ref = AssetRef(kind, name, version)
    with context.catalog.read() as tx:
        if kind == "model":
            return tx.models.get(ref).model_hash
        return tx.transforms.get(ref).transform_hash if kind == "transform" else tx.datasets.get(ref).digest


def check_assets(tx: Transaction, definition: ServiceDefinition) -> None:
    """Refuse a definition that names what is not here, or is another than it says."""
    for model in definition.models:
        held_model(tx, model)
    for transform in definition.transforms:
        held_transform(tx, transform)
    for dataset in definition.datasets:
        held_dataset(tx, dataset)


def servable(
    context: Context, tx: Transaction, definition: ServiceDefinition, *, seal: Seal | None = None
) -> Servable:
    """A definition with what scorers need; refused when it holds anything this workspace did not sign."""
    found = _as_kept(context, tx, definition, seal=seal)
    check_code(definition, is_sealed=found.seal is not None)
    policy = signing_policy(tx)
    packages = zip(_packages(tx, definition), (*found.models, *found.transforms), strict=True)
    for package, kept in packages:
        _check_package(context, package, kept)
        check_signed(policy, package.reference, is_sealed=kept.seal is not None)
    return found


@dataclass(frozen=True, slots=True)
class _Package:
    """What a model or a transform is kept in."""

    reference: str
    format: str
    package_hash: str
    bundle_digest: str
    is_data_only: bool


def _packages(tx: Transaction, definition: ServiceDefinition) -> list[_Package]:
    """The packages a definition needs: those of its models, then those of its transforms."""
    models = (held_model(tx, asset) for asset in definition.models)
    transforms = (held_transform(tx, asset) for asset in definition.transforms)
    return [
        *(
            _Package(one.reference, one.format, one.model_hash, one.bundle_digest, one.is_data_only)
            for one in models
        ),
        *(
            _Package(one.reference, one.format, one.transform_hash, one.bundle_digest, one.is_data_only)
            for one in transforms
        ),
    ]


def _check_package(context: Context, package: _Package, kept: ServableModel) -> None:
    """Refuse a package that is neither data, nor signed, nor data with objects of classes that are trusted by name."""
    trusted = {name for name, _ in kept.types}
    types = None if kept.seal else _wanted_types(context, package)
    missing = [name for name in types or () if name not in trusted]
    check_payload(
        package.reference,
        format=package.format,
        model_hash=package.package_hash,
        is_data_only=package.is_data_only or (types is not None and not missing),
        is_sealed=kept.seal is not None,
        types=missing,
    )


def _type_seals(context: Context, tx: Transaction, package: _Package) -> tuple[tuple[str, str], ...]:
    """The classes in a package that are trusted by name, each with the signature over it."""
    found = [(name, valid_seal(context, tx, TYPE, name)) for name in _wanted_types(context, package) or ()]
    return tuple((name, signature) for name, signature in found if signature is not None)


def _wanted_types(context: Context, package: _Package) -> tuple[str, ...] | None:
    """The classes in a package that are all it wants beyond the allow-list; None where it wants something else."""
    if package.is_data_only:
        return None
    try:
        return _types_in(context.blobs.path(package.bundle_digest))
    except (OSError, Corrupt):  # whoever opens it says what is wrong with it
        return None


@lru_cache(maxsize=256)
def _types_in(package: Path) -> tuple[str, ...] | None:
    """Packages are kept by their digest: what one wants stays as it is."""
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

    opened = bundles.read(package)
    types = opened.types()
    return tuple(types) if types and set(types) == set(opened.wants()) else None


def signing_policy(tx: Transaction) -> str | None:
    """The name of the policy that only signed models serve, where there is one."""
    return next((one.name for one in tx.policies.find(rule=SIGNED_MODELS)), None)


def _as_kept(
    context: Context, tx: Transaction, definition: ServiceDefinition, *, seal: Seal | None = None
) -> Servable:
    """A definition with the signatures that are kept of it and its models, whether they suffice or not."""
    signature = seal.signature if seal else valid_seal(context, tx, "definition", definition.digest)
    packages = [_as_package(context, tx, one) for one in _packages(tx, definition)]
    count = len(definition.models)
    models, transforms = tuple(packages[:count]), tuple(packages[count:])
    datasets = tuple(
        ServableDataset(one.reference, one.digest, one.format, str(context.blobs.path(one.digest)))
        for one in (held_dataset(tx, asset) for asset in definition.datasets)
    )
    path = str(context.blobs.path(definition.digest))
    return Servable(definition.digest, path, signature, models, transforms, datasets)


def _as_package(context: Context, tx: Transaction, package: _Package) -> ServableModel:
    seal = valid_seal(context, tx, "model", package.package_hash)
    return ServableModel(
        reference=package.reference,
        model_hash=package.package_hash,
        bundle_digest=package.bundle_digest,
        bundle_path=str(context.blobs.path(package.bundle_digest)),
        seal=seal,
        types=() if seal else _type_seals(context, tx, package),
    )


def kept_definition(context: Context, digest: str) -> ServiceDefinition:
    """A definition of this workspace by its hash."""
    return ServiceDefinition.kept(context.blobs.get(digest).decode(), where=f"Definition {digest[:12]}")


def _as_serving(context: Context, tx: Transaction, digest: str) -> Servable | None:
    """A definition that serves already; what can no longer be served must not take the others along.

    Without its seal a scorer that starts later refuses it, and one whose file is damaged is left out.
    """
    try:
        return _as_kept(context, tx, kept_definition(context, digest))
    except (Corrupt, NotFound, InvalidInput):
        return None


def prepared(context: Context, definition: ServiceDefinition, *, seal: Seal | None = None) -> None:
    """Have every scorer load a definition and replay its example, before anything moves."""
    with context.catalog.read() as tx:
        wanted = servable(context, tx, definition, seal=seal)
    context.blobs.put(definition.text.encode())
    context.progress("Making sure that the server runs", 0, 0)
    context.host.ensure(context.info.id, context.path)
    context.progress("Loading the definition on every scorer", 0, 0)
    context.host.prepare(context.info.id, wanted, context.keyring.public_key)


def check_still_servable(
    context: Context, tx: Transaction, definition: ServiceDefinition, *, seal: Seal | None = None
) -> None:
    """Refuse to move to what was prepared when a model or its trust has gone meanwhile."""
    servable(context, tx, definition, seal=seal)


def published(context: Context) -> None:
    """Let the scorers see the catalog as it is now, and wait until they do."""
    context.progress("Publishing", 0, 0)
    context.host.publish(context.info.id, lambda: projection(context))


def _most_calls(context: Context, service: WebService, endpoint: Endpoint) -> int | None:
    """How many calls are answered at once: of a classic endpoint as it is set, of a New service what its plan and its
    definition both allow.
    """
    if service.terms is None:
        return endpoint.settings.max_concurrent_calls
    of_plan = service.terms.plan.max_concurrent_calls
    try:
        of_definition = kept_definition(context, endpoint.definition_hash).max_concurrent_calls
    except (Corrupt, NotFound, InvalidInput):
        return of_plan
    return of_plan if of_definition is None else min(of_plan, of_definition)


def projection(context: Context) -> Projection:
    """The workspace as the scorers see it."""
    with context.catalog.read() as tx:
        endpoints = tx.endpoints.find()
        services = {service.id: service for service in tx.services.find()}
        served = tuple(
            ServedEndpoint(
                id=endpoint.id,
                reference=endpoint.reference,
                revision=endpoint.revision,
                definition_hash=endpoint.definition_hash,
                key_digests=tuple(key.digest for key in tx.endpoints.keys(endpoint.id)),
                state=services[endpoint.service_id].state,
                max_concurrent_calls=_most_calls(context, services[endpoint.service_id], endpoint),
            )
            for endpoint in endpoints
        )
        digests = sorted({endpoint.definition_hash for endpoint in endpoints})
        servables = [_as_serving(context, tx, digest) for digest in digests]
        return Projection(
            workspace_id=context.info.id,
            workspace_path=str(context.path),
            seq=tx.events.last_seq(),
            public_key=context.keyring.public_key,
            endpoints=served,
            servables=tuple(one for one in servables if one),
            subscription=context.host.subscription(),
        )
