"""How a definition goes live: trusted, loaded by every scorer, one compare-and-swap, seen by all."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.definition import ModelAsset, ServiceDefinition
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, NotFound
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.policy import SIGNED_MODELS, check_signed
from mlalm_jupyter.domain.projection import Projection, Servable, ServableModel, ServedEndpoint
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


def model_asset(model: TrainedModel, asset: str = "asset1") -> ModelAsset:
    """A registered model as a definition names it."""
    return ModelAsset(asset, model.name, model.version, model.model_hash)


def held_model(tx: Transaction, asset: ModelAsset) -> TrainedModel:
    """The registered model a definition names; its hash must be the one the definition says."""
    model = tx.models.get(AssetRef("model", asset.name, asset.version))
    if model.model_hash != asset.model_hash:
        raise InvalidInput(
            f"The model location of asset '{asset.asset}'",
            expected=f"the hash of {model.reference}, {model.model_hash[:12]}...",
            got=f"{asset.model_hash[:12]}...",
            fix="Export the definition again, or name the version you mean.",
        )
    return model


def servable(
    context: Context, tx: Transaction, definition: ServiceDefinition, *, seal: Seal | None = None
) -> Servable:
    """A definition with what scorers need; refused when it holds anything this workspace did not sign."""
    found = _as_kept(context, tx, definition, seal=seal)
    check_code(definition, is_sealed=found.seal is not None)
    policy = signing_policy(tx)
    for asset, kept in zip(definition.models, found.models, strict=True):
        model = held_model(tx, asset)
        _check_model(context, model, kept)
        check_signed(policy, model.reference, is_sealed=kept.seal is not None)
    return found


def _check_model(context: Context, model: TrainedModel, kept: ServableModel) -> None:
    """Refuse a model that is neither data, nor signed, nor data with objects of classes that are trusted by name."""
    trusted = {name for name, _ in kept.types}
    types = None if kept.seal else _wanted_types(context, model)
    missing = [name for name in types or () if name not in trusted]
    check_payload(
        model.reference,
        format=model.format,
        model_hash=model.model_hash,
        is_data_only=model.is_data_only or (types is not None and not missing),
        is_sealed=kept.seal is not None,
        types=missing,
    )


def _type_seals(context: Context, tx: Transaction, model: TrainedModel) -> tuple[tuple[str, str], ...]:
    """The classes in a package that are trusted by name, each with the signature over it."""
    found = [(name, valid_seal(context, tx, TYPE, name)) for name in _wanted_types(context, model) or ()]
    return tuple((name, signature) for name, signature in found if signature is not None)


def _wanted_types(context: Context, model: TrainedModel) -> tuple[str, ...] | None:
    """The classes in a package that are all it wants beyond the allow-list; None where it wants something else."""
    if model.is_data_only:
        return None
    try:
        return _types_in(context.blobs.path(model.bundle_digest))
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
    models = []
    for asset in definition.models:
        model = held_model(tx, asset)
        sealed = valid_seal(context, tx, "model", model.model_hash)
        models.append(
            ServableModel(
                reference=model.reference,
                model_hash=model.model_hash,
                bundle_digest=model.bundle_digest,
                bundle_path=str(context.blobs.path(model.bundle_digest)),
                seal=sealed,
                types=() if sealed else _type_seals(context, tx, model),
            )
        )
    path = str(context.blobs.path(definition.digest))
    return Servable(digest=definition.digest, path=path, seal=signature, models=tuple(models))


def kept_definition(context: Context, digest: str) -> ServiceDefinition:
    """A definition of this workspace by its hash."""
    return ServiceDefinition.from_text(context.blobs.get(digest).decode(), where=f"Definition {digest[:12]}")


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


def projection(context: Context) -> Projection:
    """The workspace as the scorers see it."""
    with context.catalog.read() as tx:
        endpoints = tx.endpoints.find()
        served = tuple(
            ServedEndpoint(
                id=endpoint.id,
                reference=endpoint.reference,
                revision=endpoint.revision,
                definition_hash=endpoint.definition_hash,
                key_digests=tuple(key.digest for key in tx.endpoints.keys(endpoint.id)),
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
        )
