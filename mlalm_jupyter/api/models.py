"""Trained models: registered by name and version, kept as `.ilearner` packages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.counts import at_least
from mlalm_jupyter.api.datasets import Datasets, sample_frame
from mlalm_jupyter.api.dependents import dependents_of, predictive_notebooks, wsd_files
from mlalm_jupyter.api.files import readable_file
from mlalm_jupyter.api.following import Following
from mlalm_jupyter.api.model_files import written_as
from mlalm_jupyter.api.model_samples import frame_of, kept_sample, written_sample
from mlalm_jupyter.api.model_terms import check_known
from mlalm_jupyter.api.model_views import ModelViews
from mlalm_jupyter.api.model_words import ModelWords
from mlalm_jupyter.api.outside_models import OutsideModel, outside_model
from mlalm_jupyter.api.packages import inputs_of, lineage_of, opened_from, opened_package, package_file
from mlalm_jupyter.api.pins import used
from mlalm_jupyter.api.registering import Entry, kept, numbers, parameters_of
from mlalm_jupyter.api.runs import Runs
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import InvalidInput, Unconfirmed
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.model import Lineage, TrainedModel, check_deletable
from mlalm_jupyter.domain.names import AssetRef, checked_name
from mlalm_jupyter.domain.outcome import ModelSample, Removed, Written
from mlalm_jupyter.domain.run import Sorting
from mlalm_jupyter.domain.search import NEWEST_FIRST, Search, Term

if TYPE_CHECKING:
    import pandas as pd

_REFERENCE = "NAME, NAME:VERSION or NAME@ALIAS"


class Models(ModelWords, ModelViews):
    """The trained models of a workspace."""

    def __init__(self, context: Context, datasets: Datasets, runs: Runs, following: Following) -> None:
        self._context = context
        self._datasets = datasets
        self._runs = runs
        self._following = following

    @verb("model", "register")
    def register(
        self,
        model: Annotated[
            object,
            Arg(
                "a fitted object of this notebook, an .ilearner file, or a model file or MLflow folder of another tool",
                metavar="MODEL",
            ),
        ],
        name: Annotated[str, Arg("the model's name; a name that exists gets its next version")],
        *,
        sample: Annotated[
            object, Arg("rows as the model takes them: a frame, a dataset or a table file")
        ] = None,
        tags: Annotated[Mapping[str, str] | None, Arg("words to find it by", metavar="KEY=VALUE")] = None,
        properties: Annotated[
            Mapping[str, str] | None, Arg("what is said once and stays", metavar="KEY=VALUE")
        ] = None,
        metrics: Annotated[
            Mapping[str, object] | None,
            Arg("what was measured; a run's own come by themselves", metavar="KEY=NUMBER"),
        ] = None,
        description: Annotated[str, Arg("one sentence about it")] = "",
        if_changed: Annotated[bool, Arg("give the version that has the same bytes, if there is one")] = False,
    ) -> TrainedModel:
        """Keep a model as the next version of a name; nothing that serves changes by it.

        >>> ws.models.register(pipeline, "wine", sample=frame.head()).reference  # doctest: +SKIP
        'wine:1'
        """
        ctx = self._context
        checked_name("model", name)
        if isinstance(model, (str, os.PathLike)):
            path = readable_file(ctx, os.fspath(model), or_folder=True)
            outside = outside_model(ctx, path, lambda: self._sample(sample))
        else:
            frame = self._sample(sample)
            lineage = lineage_of(ctx, frame)
            package = self._packed(model, frame, lineage)
            outside = OutsideModel(package, lineage, is_ours=True, parameters=parameters_of(model))
        entry = Entry(
            name=name,
            package=outside.package,
            lineage=outside.lineage,
            is_ours=outside.is_ours,
            tags=tags or {},
            properties=properties or {},
            metrics=numbers(metrics),
            parameters=outside.parameters,
            description=description,
            if_changed=if_changed,
        )
        return self._following.registered(kept(ctx, entry))

    @verb("model", "promote")
    def promote(
        self,
        run: Annotated[str, Arg("a run's id, or its beginning", completes="run")],
        output: Annotated[str, Arg("NAME for its last value, or CELL.NAME", metavar="OUTPUT")],
        name: Annotated[str, Arg("the model's name", completes="model")],
        *,
        sample: Annotated[
            str | None,
            Arg(
                "rows as the model takes them: an output of that run, a dataset or a table file",
                place="either",
            ),
        ] = None,
        update: Annotated[bool, Arg("make the next version of a name that exists")] = False,
        tags: Annotated[Mapping[str, str] | None, Arg("words to find it by", metavar="KEY=VALUE")] = None,
        description: Annotated[str, Arg("one sentence about it")] = "",
    ) -> TrainedModel:
        """Make a value that a cell of a run left a model of the workspace; nothing is run again.

        >>> ws.models.promote("0193ab", "forest", "wine", sample="features").lineage.output  # doctest: +SKIP
        '5.forest'
        """
        ctx = self._context
        checked_name("model", name)
        found, left = self._runs.kept_output(run, output)
        value = self._runs.output(found.id, left.reference)
        if not (callable(value) or callable(getattr(value, "predict", None))):
            raise InvalidInput(
                f"The output {left.reference}",
                expected="a model: something with `predict`, or a function of a table",
                got=left.told,
                fix=f"See what the cells left with `mlalm run outputs {found.id[:12]}`.",
            )
        frame = self._sample_of_run(found.id, sample)
        lineage = Lineage(
            "run",
            found.id,
            found.path,
            inputs_of(ctx, found, left.cell),
            cell=left.cell,
            output=left.reference,
            environment=found.executed_in or found.snapshot.environment,
            git=found.snapshot.git,
        )
        entry = Entry(
            name=name,
            package=self._packed(value, frame, lineage),
            lineage=lineage,
            is_ours=True,
            tags=tags or {},
            parameters=parameters_of(value),
            description=description,
            is_new=not update,
            action="promote",
        )
        return self._following.registered(kept(ctx, entry))

    @verb("model", "list")
    def list(
        self,
        *,
        name: Annotated[str | None, Arg("all versions of this name", completes="model")] = None,
        where: Annotated[
            str,
            Arg(
                "versions with such tags, properties, metrics or parameters, or of such a framework, run, experiment, "
                "dataset...: 'stage=prod, auc>=0.8, dataset=census:3, created>=2026-11-01'"
            ),
        ] = "",
        sort: Annotated[
            str, Arg("created, name, size, or a metric's name; -NAME turns it round (-created if not said)")
        ] = "",
        limit: Annotated[int, Arg("how many to list")] = 50,
        page: Annotated[int, Arg("which part of them, from 1")] = 1,
    ) -> Listing[TrainedModel]:
        """List the newest version of each model; or, with a name or conditions, every version that meets them."""
        limit, page = at_least(1, limit, of="models"), at_least(1, page, what="The page")
        offset = (page - 1) * limit
        if name is None and not where and not sort:
            with self._context.catalog.read() as tx:
                found = tx.models.find()[offset : offset + limit + 1]
        else:
            search = Search(
                name=None if name is None else AssetRef.parse("model", name).name,
                terms=Term.all_in(where),
                sort=Sorting.parse(sort) if sort else NEWEST_FIRST,
                limit=limit + 1,
                offset=offset,
                is_newest_only=name is None and not where,
            )
            with self._context.catalog.read() as tx:
                check_known(tx, search)
                found = tx.models.search(search)
        more = f"There are more: --page {page + 1}." if len(found) > limit else ""
        if not found:
            with self._context.catalog.read() as tx:
                has_any = bool(tx.models.find()[:1])
            if has_any:
                more = f"Page {page} is beyond the last one." if page > 1 else "No model here meets this."
        return Listing("model", found[:limit], note=more)

    @verb("model", "show")
    def show(self, model: Annotated[str, Arg(_REFERENCE, completes="model")]) -> TrainedModel:
        """Show one version of a model: what it takes and gives, and where it came from."""
        with self._context.catalog.read() as tx:
            return tx.models.get(AssetRef.parse("model", model))

    @verb("model", "download")
    def download(
        self,
        model: Annotated[str, Arg(_REFERENCE, completes="model")],
        file: Annotated[str, Arg("the file or folder to write; it must not exist yet", metavar="FILE")],
        *,
        form: Annotated[
            str,
            Arg(
                "package: the .ilearner as it is kept; sealed: with this workspace's signature in it, for others to "
                "check; mlflow: a model folder as MLflow reads it"
            ),
        ] = "package",
    ) -> Written:
        """Write a model's package to a new file, or hand it on in another form."""
        found = self.show(model)
        return written_as(self._context, found, file, form=form)

    @verb("model", "delete")
    def delete(
        self,
        model: Annotated[str, Arg("NAME:VERSION", completes="model")],
        *,
        yes: Annotated[bool, Arg("delete without asking")] = False,
    ) -> Removed:
        """Delete one version of a model that nothing uses; its number is not given again.

        `mlalm model dependents` tells beforehand who does.
        """
        ctx = self._context
        ref = AssetRef.parse("model", model)
        if ref.version is None:
            raise InvalidInput(
                f"The model '{model}'", expected="NAME:VERSION, so that one version goes", got="a name alone"
            )
        with ctx.catalog.write() as tx:
            found = tx.models.get(ref)
            files = wsd_files(ctx, found)  # nobody writes another one meanwhile
            notebooks = predictive_notebooks(ctx, tx, "model", found.reference)
            users = dependents_of(tx, found, files=files, notebooks=notebooks)
            check_deletable(found.reference, [one.told for one in users if one.is_binding])
            if not yes:
                loses = [
                    f"what {one.told} {'could be rolled back to' if one.kind == 'endpoint' else 'says it was made with'}"
                    for one in users
                ]
                raise Unconfirmed(
                    found.reference, goes=[f"{found.reference}, {found.size_bytes} bytes", *loses]
                )
            tx.models.delete(found.id)
            ctx.note(tx, "model", "delete", subject_id=found.id, subject=found.reference)
        return Removed("model", found.reference)

    def load(self, model: str) -> object:
        """The fitted object itself; a run that loads one keeps the reference.

        In a run a name alone stands for the version that its snapshot pinned. An `.ilearner` file can be read where it
        lies, whatever its name.

        >>> ws.models.load("wine:1").predict(frame)  # doctest: +SKIP
        """
        with self._context.catalog.read() as tx:
            path = package_file(self._context, tx, model)
        if path is not None:
            return opened_from(self._context, f"The file '{model}'", path)
        found = used(self._context, "model", model, lambda tx, ref: tx.models.get(ref))
        return opened_package(
            self._context,
            f"Model {found.reference}",
            bundle_digest=found.bundle_digest,
            package_hash=found.model_hash,
        )

    @verb("model", "sample")
    def sample(
        self,
        model: Annotated[str, Arg(_REFERENCE, completes="model")],
        file: Annotated[
            str | None,
            Arg("a csv, tsv or parquet file to write the rows to; it must not exist yet", metavar="FILE"),
        ] = None,
    ) -> ModelSample | Written:
        """Show the rows that were kept with a version, and what it said of them; or write those rows to a new table file.

        >>> ws.models.sample("wine:1").inputs.names  # doctest: +SKIP
        """
        found = self.show(model)
        kept = kept_sample(self._context, found)
        return kept if file is None else written_sample(self._context, found, kept.inputs, file)

    def load_sample(self, model: str) -> pd.DataFrame:
        """A few rows as a model takes them, which were kept with it, as a frame.

        >>> ws.models.load_sample("wine:1").columns  # doctest: +SKIP
        """
        return frame_of(kept_sample(self._context, self.show(model)).inputs)

    def _sample(self, sample: object) -> pd.DataFrame | None:
        return sample_frame(self._context, self._datasets, sample, where="The sample")

    def _packed(self, model: object, frame: pd.DataFrame | None, lineage: Lineage) -> bytes:
        from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

        self._context.progress("Packing the model", 0, 0)
        return bundles.pack(model, sample=frame, lineage=lineage.told).data

    def _sample_of_run(self, run_id: str, sample: str | None) -> pd.DataFrame | None:
        """Rows out of a run's own outputs, if one of them has that name; else as for `register`."""
        import pandas as pd

        if sample is None:
            return None
        with self._context.catalog.read() as tx:
            names = {word for one in tx.runs.outputs(run_id) for word in (one.name, one.reference)}
        if sample not in names:
            return self._sample(sample)
        value = self._runs.output(run_id, sample)
        if isinstance(value, pd.DataFrame):
            return value.head(20)
        raise InvalidInput(
            f"The sample '{sample}'", expected="a frame", got=f"an output that is a {type(value).__name__}"
        )
