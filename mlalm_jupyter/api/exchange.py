"""Experiments as text for git, and carried to other workspaces."""

from __future__ import annotations

from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import readable_file, write_new_file
from mlalm_jupyter.api.parcels import missing_assets, packed, parent_of, unpacked
from mlalm_jupyter.api.pinning import told_absent
from mlalm_jupyter.api.recorder import Recorder
from mlalm_jupyter.api.saving import Saving, found_source, new_path, replaced, write_new_notebook
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, MissingAssets, NotFound
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.outcome import SavedAs, Written
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.exported import ExportedExperiment
from mlalm_jupyter.notebook.imported import imported


class Exchange(Saving):
    """Verbs of experiments that carry them elsewhere and back."""

    _context: Context
    _recorder: Recorder

    @verb("experiment", "export")
    def export(
        self,
        source: Annotated[
            str, Arg("a notebook, or run:ID for one of its snapshots", metavar="SOURCE", place="notebook")
        ],
        file: Annotated[str, Arg("where to write the text; it must not exist yet", metavar="FILE")],
    ) -> Written:
        """Write an experiment as text meant for git: cells and references, never outputs or the bytes of assets."""
        ctx = self._context
        found = found_source(ctx, source)
        document = read_notebook(found.content)
        origin = found.origin or self._known(found.path, found.content, why="export")
        exported = ExportedExperiment.of(
            document,
            id=origin.id,
            name=origin.path.removesuffix(".ipynb"),
            kind=origin.kind,
            assets=found.pins,
            parent=parent_of(origin),
        )
        data = exported.to_text().encode()
        target = write_new_file(ctx, file, data)
        absent = told_absent(document, found.pins, found.parameters)
        return Written(f"experiment {origin.path}", str(target), len(data), ctx.digest(data), absent)

    @verb("experiment", "import", attribute="experiments")
    def import_(
        self,
        file: Annotated[str, Arg("the text of an exported experiment", metavar="FILE")],
        name: Annotated[str | None, Arg("the new notebook; without it the name in the text")] = None,
        *,
        overwrite: Annotated[bool, Arg("write over the notebook it was exported from")] = False,
    ) -> SavedAs:
        """Make an experiment from its text, or write over the one it came from.

        Everything it refers to must be here under the same ids. What it overwrites is kept as a snapshot first.
        """
        ctx = self._context
        text = readable_file(ctx, file).read_bytes()
        try:
            wanted = imported(text.decode(), name=f"The file '{file}'")
        except UnicodeDecodeError as error:
            raise InvalidInput(f"The file '{file}'", expected="text in UTF-8", got=str(error)) from error
        if overwrite and name is not None:
            raise InvalidInput(
                "The import", expected="either a new name or --overwrite", got="both", fix="Leave one out."
            )
        with ctx.catalog.read() as tx:
            missing = missing_assets(tx, wanted.assets)
            known = next((one for one in tx.experiments.find() if one.id == wanted.id), None)
        if missing:
            raise MissingAssets(f"Experiment '{wanted.name}'", missing=missing)
        if overwrite:
            return self._overwritten(wanted, known)
        fix = None
        if known and not name:
            fix = f"Name another, or say --overwrite; {known.path} is kept as a snapshot first."
        path = new_path(ctx, name or wanted.name, fix=fix)
        experiment = Experiment(
            # the same experiment in another place keeps its id; beside itself it is another one
            id=ctx.clock.new_id() if known else wanted.id,
            path=path,
            kind=wanted.kind,
            created_at=ctx.clock.now(),
            parent=wanted.parent.path if wanted.parent else None,
            parent_id=wanted.parent.id if wanted.parent else None,
            parent_run_id=wanted.parent.run_id if wanted.parent else None,
        )
        with ctx.catalog.write() as tx:
            tx.experiments.add(experiment)
            ctx.note(tx, "experiment", "import", subject_id=experiment.id, subject=path)
            write_new_notebook(ctx, path, wanted.to_notebook(), fix=fix)
        return SavedAs(experiment)

    @verb("experiment", "copy")
    def copy(
        self,
        source: Annotated[
            str, Arg("a notebook, or run:ID for one of its snapshots", metavar="SOURCE", place="notebook")
        ],
        to: Annotated[str, Arg("the folder of the other workspace", metavar="WORKSPACE", place="file")],
        *,
        name: Annotated[str | None, Arg("its name there; without it the one it has here")] = None,
    ) -> SavedAs:
        """Copy an experiment to another workspace, with every dataset, transform and model it refers to."""
        parcel = packed(self._context, source)
        with self._context.another(to) as other:
            told = f"{self._context.path.name}/{parcel.experiment.name}"
            return unpacked(other, parcel, name=name or parcel.experiment.name, told=told)

    def _overwritten(self, wanted: ExportedExperiment, known: Experiment | None) -> SavedAs:
        ctx = self._context
        if known is None:
            raise NotFound(
                "experiment",
                wanted.name,
                fix="What it was exported from is not here; import it under a new name, without --overwrite.",
            )
        if wanted.kind != known.kind:
            raise Conflict(
                f"The notebook '{known.path}' was not written over.",
                why=f"The text is of a {wanted.kind} experiment, and that is a {known.kind} one.",
                fix="Import it under a new name, without --overwrite.",
            )
        file = ctx.path / known.path
        if not file.exists():
            raise NotFound("file", known.path, fix="Import it under a new name, without --overwrite.")
        before = file.read_bytes()
        self._recorder.keep(before, path=known.path, message="before an import")
        replaced(file, before, wanted.to_notebook())
        with ctx.catalog.write() as tx:
            ctx.note(
                tx, "experiment", "import", subject_id=known.id, subject=known.path, data={"overwrote": True}
            )
        return SavedAs(known)
