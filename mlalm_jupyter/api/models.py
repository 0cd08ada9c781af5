"""Trained models: registered by name and version, kept as `.ilearner` packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets, sample_frame
from mlalm_jupyter.api.files import readable_file, write_new_file
from mlalm_jupyter.api.golive import keep_seal, new_seal
from mlalm_jupyter.api.packages import lineage_of, opened_package
from mlalm_jupyter.api.pins import used
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import InvalidInput, Unconfirmed
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.model import Lineage, TrainedModel, check_deletable
from mlalm_jupyter.domain.names import AssetRef, checked_name
from mlalm_jupyter.domain.outcome import Removed, Written


class Models:
    """The trained models of a workspace."""

    def __init__(self, context: Context, datasets: Datasets) -> None:
        self._context = context
        self._datasets = datasets

    @verb("model", "register")
    def register(
        self,
        model: Annotated[
            object, Arg("a fitted object of this notebook, or an .ilearner file", metavar="MODEL")
        ],
        name: Annotated[str, Arg("the model's name; a name that exists gets its next version")],
        *,
        sample: Annotated[
            object, Arg("rows as the model takes them: a frame, a dataset or a table file")
        ] = None,
        tags: Annotated[Mapping[str, str] | None, Arg("words to find it by", metavar="KEY=VALUE")] = None,
        description: Annotated[str, Arg("one sentence about it")] = "",
    ) -> TrainedModel:
        """Keep a model as the next version of a name; nothing that serves changes by it.

        >>> ws.models.register(pipeline, "wine", sample=frame.head()).reference  # doctest: +SKIP
        'wine:1'
        """
        from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

        ctx = self._context
        checked_name("model", name)
        if isinstance(model, str):
            data = readable_file(ctx, model).read_bytes()
            opened = bundles.read(data)
            is_ours, frame = False, None
        else:
            frame = sample_frame(ctx, self._datasets, sample, where="The sample")
            ctx.progress("Packing the model", 0, 0)
            data = bundles.pack(model, sample=frame).data
            opened = bundles.read(data)
            is_ours = True
        bundle_digest = ctx.blobs.put(data)
        with ctx.catalog.write() as tx:
            lineage = lineage_of(ctx, tx, frame) if is_ours else Lineage("external")
            kept = TrainedModel(
                id=ctx.clock.new_id(),
                name=name,
                version=tx.models.next_version(name),
                model_hash=opened.model_hash,
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
                equal_to=tx.models.equal_to(name, opened.model_hash),
            )
            tx.models.add(kept)
            if is_ours:
                reason = f"registered here as {kept.reference}"
                keep_seal(ctx, tx, new_seal(ctx, "model", kept.model_hash, reason=reason))
            if lineage.run_id:
                tx.runs.add_model(lineage.run_id, kept.reference)
            ctx.note(
                tx,
                "model",
                "register",
                subject_id=kept.id,
                subject=kept.reference,
                data={"model_hash": kept.model_hash, "equal_to": kept.equal_to, "run": lineage.run_id},
            )
        return kept

    @verb("model", "list")
    def list(
        self, *, name: Annotated[str | None, Arg("all versions of this name", completes="model")] = None
    ) -> Listing[TrainedModel]:
        """List the newest version of each model, or every version of one."""
        with self._context.catalog.read() as tx:
            return Listing("model", tx.models.find(name=name))

    @verb("model", "show")
    def show(self, model: Annotated[str, Arg("NAME or NAME:VERSION", completes="model")]) -> TrainedModel:
        """Show one version of a model: what it takes and gives, and where it came from."""
        with self._context.catalog.read() as tx:
            return tx.models.get(AssetRef.parse("model", model))

    @verb("model", "download")
    def download(
        self,
        model: Annotated[str, Arg("NAME or NAME:VERSION", completes="model")],
        file: Annotated[str, Arg("where to write the .ilearner; it must not exist yet", metavar="FILE")],
    ) -> Written:
        """Write a model's package to a new file."""
        found = self.show(model)
        target = write_new_file(self._context, file, self._context.blobs.get(found.bundle_digest))
        return Written(f"model {found.reference}", str(target), found.size_bytes, found.bundle_digest)

    @verb("model", "delete")
    def delete(
        self,
        model: Annotated[str, Arg("NAME:VERSION", completes="model")],
        *,
        yes: Annotated[bool, Arg("delete without asking")] = False,
    ) -> Removed:
        """Delete one version of a model that nothing serves and no snapshot uses; its number is not given again."""
        ctx = self._context
        ref = AssetRef.parse("model", model)
        if ref.version is None:
            raise InvalidInput(
                f"The model '{model}'", expected="NAME:VERSION, so that one version goes", got="a name alone"
            )
        with ctx.catalog.write() as tx:
            found = tx.models.get(ref)
            check_deletable(
                found.reference, [*tx.endpoints.serving_model(found.model_hash), *tx.models.users(found)]
            )
            if not yes:
                raise Unconfirmed(found.reference, goes=[f"{found.reference}, {found.size_bytes} bytes"])
            tx.models.delete(found.id)
            ctx.note(tx, "model", "delete", subject_id=found.id, subject=found.reference)
        return Removed("model", found.reference)

    def load(self, model: str) -> object:
        """The fitted object itself; a run that loads one keeps the reference.

        In a run a name alone stands for the version that its snapshot pinned.

        >>> ws.models.load("wine:1").predict(frame)  # doctest: +SKIP
        """
        found = used(self._context, "model", model, lambda tx, ref: tx.models.get(ref))
        return opened_package(
            self._context,
            f"Model {found.reference}",
            bundle_digest=found.bundle_digest,
            package_hash=found.model_hash,
        )
