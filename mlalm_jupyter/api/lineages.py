"""Following a version back to its data, and on to what answers with it."""

from __future__ import annotations

from dataclasses import replace

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.dependents import derived_from
from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.domain.lineage import LineageGraph, Step, Thing
from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.domain.search import Search, Term
from mlalm_jupyter.ports import Transaction

MOST = 120
"""So many things are told; a picture of more is read by nobody."""


def lineage_graph(context: Context, ref: AssetRef) -> LineageGraph:
    """Both ways from a model, a dataset or a transform."""
    with context.catalog.read() as tx:
        walk = _Walk(tx)
        if ref.kind == "dataset":
            dataset = tx.datasets.get(ref)
            subject = walk.dataset(dataset)
            walk.after_dataset(dataset)
        elif ref.kind == "transform":
            transform = tx.transforms.get(ref)
            subject = walk.transform(transform)
            walk.after_transform(transform)
        else:
            model = tx.models.get(ref)
            subject = walk.model(model)
            walk.after_model(model)
        return walk.graph(subject)


class _Walk:
    """Gathers things and steps, each once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._things: dict[str, Thing] = {}
        self._steps: dict[Step, None] = {}
        self._walked_on: set[str] = set()
        self._left_out = 0

    def graph(self, subject: str) -> LineageGraph:
        steps = [step for step in self._steps if {step.source, step.target} <= {*self._things}]
        note = f"{self._left_out} more are not shown." if self._left_out else ""
        return LineageGraph(subject, tuple(self._things.values()), tuple(steps), note)

    # back

    def model(self, model: TrainedModel) -> str:
        told = f"{model.framework}" + (
            f", {', '.join(f'@{one}' for one in model.aliases)}" if model.aliases else ""
        )
        key, is_new = self._add(
            Thing(
                f"model {model.reference}", "model", model.reference, told, model.created_at, model.created_by
            )
        )
        if is_new:
            self._before(key, model.lineage)
        return key

    def transform(self, transform: Transform) -> str:
        key, is_new = self._add(
            Thing(
                f"transform {transform.reference}",
                "transform",
                transform.reference,
                transform.framework,
                transform.created_at,
                transform.created_by,
            )
        )
        if is_new:
            self._before(key, transform.lineage)
        return key

    def dataset(self, dataset: Dataset) -> str:
        key, is_new = self._add(
            Thing(
                f"dataset {dataset.reference}",
                "dataset",
                dataset.reference,
                f"{dataset.row_count} rows",
                dataset.created_at,
                dataset.created_by,
            )
        )
        if is_new and dataset.run_id:
            self._step(self._run(dataset.run_id), key, "wrote")
        return key

    def _before(self, key: str, lineage: Lineage) -> None:
        """What made something: a cell of a run, with all that the run was given."""
        if lineage.run_id is None:
            if lineage.origin == "external":
                said = lineage.source
                name = str(said.get("file") or said.get("folder") or "")
                told = str(said.get("tool") or said.get("kind") or "from elsewhere") if name else ""
                made = Thing(f"outside {key}", "file", name or "a file from elsewhere", told)
                self._step(self._add(made)[0], key, "registered")
            for one in lineage.datasets:
                self._step(self._input(one), key, "was loaded")
            return
        run = self._run(lineage.run_id, lineage.datasets, path=lineage.experiment)
        if lineage.cell is None:
            self._step(run, key, "made")
            return
        cell, _ = self._add(
            Thing(
                f"cell {lineage.run_id} {lineage.cell}",
                "cell",
                f"cell {lineage.cell}",
                lineage.output.partition(".")[2] if lineage.output else str(lineage.experiment or ""),
            )
        )
        self._step(run, cell, "ran")
        self._step(cell, key, "left it" if lineage.output else "made")

    def _run(self, run_id: str, inputs: tuple[str, ...] | None = None, *, path: str | None = None) -> str:
        """A run and what it was given: all that it read, or what is said to have gone into what came of it."""
        key = f"run {run_id}"
        if key in self._things:
            for one in inputs or ():
                self._step(self._input(one), key, "was read")
            return key
        try:
            run: Run | None = self._tx.runs.get(run_id)
        except (NotFound, InvalidInput):
            run = None
        gone = "deleted with its experiment"
        told = Thing(key, "run", run_id[:12], f"{path}, {gone}" if path else gone)
        if run is not None:
            told = replace(told, told=run.path, at=run.created_at, by=run.created_by)
        self._add(told)
        for one in inputs if inputs is not None else run.inputs if run else ():
            self._step(self._input(one), key, "was read")
        return key

    def _input(self, told: str) -> str:
        """Something that was used, such as `dataset census:3`; what is gone is told by its name."""
        kind, space, reference = told.rpartition(" ")
        kind = kind if space else "dataset"
        try:
            ref = AssetRef.parse(kind, reference)
            if kind == "dataset":
                return self.dataset(self._tx.datasets.get(ref))
            if kind == "transform":
                return self.transform(self._tx.transforms.get(ref))
            return self.model(self._tx.models.get(ref))
        except (NotFound, InvalidInput):
            return self._add(Thing(f"{kind} {reference}", kind, reference, "gone"))[0]

    # on

    def after_model(self, model: TrainedModel) -> None:
        key = f"model {model.reference}"
        if key in self._walked_on:
            return
        self._walked_on.add(key)
        for endpoint in self._tx.endpoints.serving([model.reference]):
            told = f"revision {endpoint.revision}"
            made = Thing(
                f"endpoint {endpoint.reference}", "endpoint", endpoint.reference, told, endpoint.updated_at
            )
            self._step(key, self._add(made)[0], "answers at")
        for later in derived_from(self._tx, model):
            self.model(later)
            self.after_model(later)
        self._fitted_with("model", model.reference)

    def after_dataset(self, dataset: Dataset) -> None:
        self._fitted_with("dataset", dataset.reference)
        self._trained_with("dataset", dataset.reference)

    def after_transform(self, transform: Transform) -> None:
        key = f"transform {transform.reference}"
        if key in self._walked_on:
            return
        self._walked_on.add(key)
        self._fitted_with("transform", transform.reference)
        self._trained_with("transform", transform.reference)

    def _fitted_with(self, kind: str, reference: str) -> None:
        """The transforms that something made, and what came of those."""
        for transform in self._tx.transforms.made_from(f"{kind} {reference}", limit=MOST + 1):
            self.transform(transform)
            self.after_transform(transform)

    def _trained_with(self, kind: str, reference: str) -> None:
        search = Search(terms=(Term(kind, "", "=", reference),), limit=MOST + 1)
        for model in self._tx.models.search(search):
            self.model(model)
            self.after_model(model)

    # gathering

    def _add(self, thing: Thing) -> tuple[str, bool]:
        if thing.id in self._things:
            return thing.id, False
        if len(self._things) >= MOST:
            self._left_out += 1
            return thing.id, False
        self._things[thing.id] = thing
        return thing.id, True

    def _step(self, source: str, target: str, how: str) -> None:
        if source != target:
            self._steps[Step(source, target, how)] = None
