"""Transforms: fitted preprocessing steps, kept by version as packages and loaded by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets, sample_frame
from mlalm_jupyter.api.dependents import loading_asset, serving_asset
from mlalm_jupyter.api.files import readable_file
from mlalm_jupyter.api.golive import keep_seal, new_seal
from mlalm_jupyter.api.lineages import lineage_graph
from mlalm_jupyter.api.packages import lineage_of, opened_package
from mlalm_jupyter.api.pins import used
from mlalm_jupyter.api.registering import stored
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.asset import SET_UP_OF, Transform, check_kept_for, check_unused, unchanged
from mlalm_jupyter.domain.errors import InvalidInput, Unconfirmed
from mlalm_jupyter.domain.lineage import LineageGraph
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.model import Lineage
from mlalm_jupyter.domain.names import AssetRef, checked_name
from mlalm_jupyter.domain.outcome import Removed
from mlalm_jupyter.formats.held import Held


class Transforms:
    """The transforms of a workspace."""

    def __init__(self, context: Context, datasets: Datasets) -> None:
        self._context = context
        self._datasets = datasets

    @verb("transform", "register")
    def register(
        self,
        transform: Annotated[
            object, Arg("a fitted object with `transform`, or an .ilearner file", metavar="TRANSFORM")
        ],
        name: Annotated[str, Arg("the transform's name; a name that exists gets its next version")],
        *,
        sample: Annotated[object, Arg("rows as it takes them: a frame, a dataset or a table file")] = None,
        tags: Annotated[Mapping[str, str] | None, Arg("words to find it by", metavar="KEY=VALUE")] = None,
        description: Annotated[str, Arg("one sentence about it")] = "",
        if_changed: Annotated[bool, Arg("give the version that has the same bytes, if there is one")] = False,
    ) -> Transform:
        """Keep a fitted preprocessing step as the next version of a name.

        >>> ws.transforms.register(scaler, "scale", sample=frame.head()).reference  # doctest: +SKIP
        'scale:1'
        """
        ctx = self._context
        checked_name("transform", name)
        is_ours = not isinstance(transform, (str, os.PathLike))
        package: bytes | Path
        if isinstance(transform, (str, os.PathLike)):
            package = readable_file(ctx, os.fspath(transform))
            lineage = Lineage("external", source={"file": package.name})
        else:
            if not callable(getattr(transform, "transform", None)):
                raise InvalidInput(
                    "The transform",
                    expected="a fitted object that has `transform`",
                    got=f"a {type(transform).__name__}",
                )
            frame = sample_frame(ctx, self._datasets, sample, where="The sample")
            lineage = lineage_of(ctx, frame)
            ctx.progress("Packing the transform", 0, 0)
            from mlalm_jupyter.formats import (
                bundle as bundles,
            )  # costs half a second, which listing need not pay

            package = bundles.pack(transform, sample=frame, lineage=lineage.told).data
        return kept_transform(
            ctx,
            name,
            package,
            lineage,
            is_ours=is_ours,
            tags=tags,
            description=description,
            if_changed=if_changed,
        )

    @verb("transform", "list")
    def list(
        self, *, name: Annotated[str | None, Arg("all versions of this name", completes="transform")] = None
    ) -> Listing[Transform]:
        """List the newest version of each transform, or every version of one."""
        with self._context.catalog.read() as tx:
            return Listing("transform", tx.transforms.find(name=name))

    @verb("transform", "show")
    def show(
        self, transform: Annotated[str, Arg("NAME or NAME:VERSION", completes="transform")]
    ) -> Transform:
        """Show one version of a transform: what it takes and gives, and where it came from."""
        with self._context.catalog.read() as tx:
            return tx.transforms.get(AssetRef.parse("transform", transform))

    @verb("transform", "lineage")
    def lineage(
        self, transform: Annotated[str, Arg("NAME or NAME:VERSION", completes="transform")]
    ) -> LineageGraph:
        """Follow a version back to its data, and on to the models that were made with it and what answers with those."""
        return lineage_graph(self._context, AssetRef.parse("transform", transform))

    @verb("transform", "delete")
    def delete(
        self,
        transform: Annotated[str, Arg("NAME:VERSION", completes="transform")],
        *,
        yes: Annotated[bool, Arg("delete without asking")] = False,
    ) -> Removed:
        """Delete one version that no snapshot, no model and no predictive notebook refers to; its number is not given again."""
        ctx = self._context
        ref = AssetRef.parse("transform", transform)
        if ref.version is None:
            raise InvalidInput(
                f"The transform '{transform}'",
                expected="NAME:VERSION, so that one version goes",
                got="a name alone",
            )
        with ctx.catalog.write() as tx:
            found = tx.transforms.get(ref)
            serving = serving_asset(ctx, tx, "transform", found.transform_hash)
            loading = loading_asset(ctx, tx, "transform", found.reference)
            check_unused("transform", found.reference, [*serving, *loading, *tx.transforms.users(found)])
            if not yes:
                goes = f"{found.reference}, {found.size_bytes} bytes"
                raise Unconfirmed(f"Transform {found.reference}", goes=[goes])
            tx.transforms.delete(found.id)
            ctx.note(tx, "transform", "delete", subject_id=found.id, subject=found.reference)
        return Removed("transform", found.reference)

    def load(self, transform: str) -> object:
        """The fitted object itself; a run that loads one keeps the reference.

        >>> ws.transforms.load("scale:1").transform(frame)  # doctest: +SKIP
        """
        found = used(self._context, "transform", transform, lambda tx, ref: tx.transforms.get(ref))
        opened = opened_package(
            self._context,
            f"Transform {found.reference}",
            bundle_digest=found.bundle_digest,
            package_hash=found.transform_hash,
        )
        return Held.out_of(opened)


def kept_transform(
    context: Context,
    name: str,
    package: bytes | Path,
    lineage: Lineage,
    *,
    is_ours: bool,
    tags: Mapping[str, str] | None = None,
    description: str = "",
    if_changed: bool = False,
    kept_for: str | None = None,
) -> Transform:
    """Keep a package as the next version of a transform's name.

    `kept_for` is the training notebook whose set-up keeps it; a name that somebody else has is not taken.
    """
    if kept_for:
        tags = {**(tags or {}), SET_UP_OF: kept_for}
    looked, bundle_digest, size_bytes = stored(context, package)
    with context.catalog.write() as tx:
        equal_to = tx.transforms.equal_to(name, looked.model_hash)
        if equal_to is not None and if_changed:
            same = tx.transforms.get(AssetRef("transform", name, equal_to))
            newest = tx.transforms.get(AssetRef("transform", name)).version
            return replace(same, note=unchanged(same.reference, same.version, newest=newest))
        if kept_for:
            check_kept_for(kept_for, "transform", name, (one.tags for one in tx.transforms.find(name=name)))
        kept = Transform(
            id=context.clock.new_id(),
            name=name,
            version=tx.transforms.next_version(name),
            transform_hash=looked.model_hash,
            bundle_digest=bundle_digest,
            size_bytes=size_bytes,
            format=looked.format,
            framework=looked.framework,
            is_data_only=looked.is_data_only,
            signature=looked.signature,
            lineage=lineage if is_ours else looked.told(lineage),
            created_at=context.clock.now(),
            created_by=context.who,
            tags={str(key): str(value) for key, value in (tags or {}).items()},
            description=description,
            equal_to=equal_to,
        )
        tx.transforms.add(kept)
        if is_ours:
            # one seal for a package, whether its bytes are a model or a transform
            reason = f"registered here as transform {kept.reference}"
            keep_seal(context, tx, new_seal(context, "model", kept.transform_hash, reason=reason))
        context.note(
            tx,
            "transform",
            "register",
            subject_id=kept.id,
            subject=kept.reference,
            data={"transform_hash": kept.transform_hash, "equal_to": kept.equal_to},
        )
    return kept
