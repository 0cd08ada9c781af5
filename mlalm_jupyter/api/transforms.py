"""Transforms: fitted preprocessing steps, kept by version as packages and loaded by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets, sample_frame
from mlalm_jupyter.api.dependents import serving_asset
from mlalm_jupyter.api.files import readable_file
from mlalm_jupyter.api.golive import keep_seal, new_seal
from mlalm_jupyter.api.lineages import lineage_graph
from mlalm_jupyter.api.packages import lineage_of, opened_package
from mlalm_jupyter.api.pins import used
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.asset import Transform, check_unused
from mlalm_jupyter.domain.errors import InvalidInput, Unconfirmed
from mlalm_jupyter.domain.lineage import LineageGraph
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.model import Lineage
from mlalm_jupyter.domain.names import AssetRef, checked_name
from mlalm_jupyter.domain.outcome import Removed


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
        if_changed: Annotated[
            bool, Arg("answer the newest version, and make none, where it holds exactly this")
        ] = False,
    ) -> Transform:
        """Keep a fitted preprocessing step as the next version of a name.

        >>> ws.transforms.register(scaler, "scale", sample=frame.head()).reference  # doctest: +SKIP
        'scale:1'
        """
        from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

        ctx = self._context
        checked_name("transform", name)
        is_ours = not isinstance(transform, str)
        frame = None
        if isinstance(transform, str):
            data = readable_file(ctx, transform).read_bytes()
        else:
            if not callable(getattr(transform, "transform", None)):
                raise InvalidInput(
                    "The transform",
                    expected="a fitted object that has `transform`",
                    got=f"a {type(transform).__name__}",
                )
            frame = sample_frame(ctx, self._datasets, sample, where="The sample")
            ctx.progress("Packing the transform", 0, 0)
            data = bundles.pack(transform, sample=frame).data
        opened = bundles.read(data)
        bundle_digest = ctx.blobs.put(data)
        lineage = lineage_of(ctx, frame) if is_ours else Lineage("external")
        with ctx.catalog.write() as tx:
            versions = tx.transforms.find(name=name) if if_changed else []
            newest = max(versions, key=lambda one: one.version, default=None)
            if newest is not None and newest.transform_hash == opened.model_hash:
                return newest
            kept = Transform(
                id=ctx.clock.new_id(),
                name=name,
                version=tx.transforms.next_version(name),
                transform_hash=opened.model_hash,
                bundle_digest=bundle_digest,
                size_bytes=len(data),
                format=opened.format,
                framework=opened.framework,
                is_data_only=opened.is_data_only and not opened.wants(),
                signature=opened.signature,
                lineage=lineage,
                created_at=ctx.clock.now(),
                created_by=ctx.who,
                tags={str(key): str(value) for key, value in (tags or {}).items()},
                description=description,
                equal_to=tx.transforms.equal_to(name, opened.model_hash),
            )
            tx.transforms.add(kept)
            if is_ours:
                # one seal for a package, whether its bytes are a model or a transform
                reason = f"registered here as transform {kept.reference}"
                keep_seal(ctx, tx, new_seal(ctx, "model", kept.transform_hash, reason=reason))
            ctx.note(
                tx,
                "transform",
                "register",
                subject_id=kept.id,
                subject=kept.reference,
                data={"transform_hash": kept.transform_hash, "equal_to": kept.equal_to},
            )
        return kept

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
        """Delete one version that no snapshot and no model refers to; its number is not given again."""
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
            check_unused("transform", found.reference, [*serving, *tx.transforms.users(found)])
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
        return opened_package(
            self._context,
            f"Transform {found.reference}",
            bundle_digest=found.bundle_digest,
            package_hash=found.transform_hash,
        )
