"""What verbs answer besides nouns: previews, snippets, and what a retraining came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlalm_jupyter.domain.asset import Dataset
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.metrics import row
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.profile import Profile
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.domain.service import Endpoint
from mlalm_jupyter.domain.signature import Table


@dataclass(frozen=True, slots=True)
class Preview:
    """A dataset, its first rows, and what its values are like."""

    dataset: Dataset
    head: Table
    profile: Profile | None = None
    note: str = ""
    """Why there are no rows to see."""

    def to_dict(self) -> dict[str, object]:
        return {
            "dataset": self.dataset.to_dict(),
            "head": self.head.to_dict(),
            "profile": self.profile.to_dict() if self.profile else None,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class ModelSample:
    """The rows that were kept with a version, and what it said of them."""

    model: str
    inputs: Table
    outputs: Table

    def to_dict(self) -> dict[str, object]:
        return {"model": self.model, "inputs": self.inputs.to_dict(), "outputs": self.outputs.to_dict()}


@dataclass(frozen=True, slots=True)
class Written:
    """A file that a verb wrote, and what it holds."""

    what: str
    file: str
    size_bytes: int
    digest: str
    note: str = ""
    """What a reader should know of it."""

    def to_dict(self) -> dict[str, object]:
        return {
            "what": self.what,
            "file": self.file,
            "size_bytes": self.size_bytes,
            "digest": self.digest,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Snippet:
    """Client code for an endpoint, ready to run; keys are looked up when it runs, never written into it."""

    endpoint: str
    lang: str
    text: str

    def to_dict(self) -> dict[str, object]:
        return {"endpoint": self.endpoint, "lang": self.lang, "text": self.text}


@dataclass(frozen=True, slots=True)
class Removed:
    """Something that is gone."""

    kind: str
    name: str
    note: str = ""
    """What became of its bytes, where that is worth a word."""

    def to_dict(self) -> dict[str, object]:
        return {"kind": self.kind, "name": self.name, "note": self.note}


@dataclass(frozen=True, slots=True)
class Retrained:
    """What a retraining came to: the run, the new model version, and the endpoint that serves it."""

    run: Run
    model: TrainedModel | None
    endpoint: Endpoint | None

    def to_dict(self) -> dict[str, object]:
        return {
            "run": self.run.to_dict(),
            "model": self.model.to_dict() if self.model else None,
            "endpoint": self.endpoint.to_dict() if self.endpoint else None,
        }


@dataclass(frozen=True, slots=True)
class Swap:
    """A reference in a notebook that stands for another version than before.

    `wanted` is how the notebook said it, and `text` how it says it now; empty where it says no version.
    """

    kind: str
    name: str
    old: str
    new: str
    wanted: str = ""
    text: str = ""

    def to_dict(self) -> dict[str, object]:
        return {"kind": self.kind, "name": self.name, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True)
class SavedAs:
    """An experiment whose notebook was written, and the assets that moved in it."""

    experiment: Experiment
    swaps: tuple[Swap, ...] = ()
    note: str = ""

    def to_dict(self) -> dict[str, object]:
        return {
            "experiment": self.experiment.to_dict(),
            "swaps": [swap.to_dict() for swap in self.swaps],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Opened:
    """A snapshot to look at, locked: as text and as a page; `file` is where it was written instead."""

    run: Run
    text: str
    html: str
    file: str | None = None

    def to_dict(self) -> dict[str, object]:
        return {"run": self.run.to_dict(), "text": self.text, "html": self.html, "file": self.file}


@dataclass(frozen=True, slots=True)
class Published:
    """An experiment in a gallery."""

    name: str
    description: str
    published_at: str
    published_by: str
    assets: tuple[str, ...]
    folder: str
    """Where it lies; one of a repository elsewhere is said as ADDRESS#NAME."""
    note: str | None = None
    """What is wrong with it, where it cannot be cloned."""

    def to_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "description": self.description,
            "published_at": self.published_at,
            "published_by": self.published_by,
            "assets": list(self.assets),
            "folder": self.folder,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side."""

    runs: tuple[Run, ...]

    @property
    def parameters(self) -> dict[str, tuple[object, ...]]:
        """Each parameter that any of them was given, and its value in every run."""
        return self._table([run.snapshot.parameters for run in self.runs])

    @property
    def metrics(self) -> dict[str, tuple[object, ...]]:
        return self._table([run.findings.metrics for run in self.runs])

    @property
    def facts(self) -> dict[str, tuple[object, ...]]:
        """What else may explain a difference: code, commit, interpreter, packages, assets, files."""
        table = self._table([_facts(run) for run in self.runs])
        return {name: values for name, values in table.items() if len(set(map(str, values))) > 1}

    @staticmethod
    def _table(columns: Sequence[Mapping[str, object]]) -> dict[str, tuple[object, ...]]:
        names = dict.fromkeys(name for column in columns for name in column)
        return {name: tuple(column.get(name) for column in columns) for name in names}

    def to_dict(self) -> dict[str, object]:
        return {
            "runs": [run.to_dict() for run in self.runs],
            "parameters": {name: list(values) for name, values in self.parameters.items()},
            "metrics": {name: row(values) for name, values in self.metrics.items()},
            "differences": {name: list(values) for name, values in self.facts.items()},
        }


def _facts(run: Run) -> dict[str, object]:
    snapshot = run.snapshot
    pins = {f"{pin.kind} {pin.wanted}": pin.reference for pin in snapshot.assets}
    files = {f"file {path}": digest[:12] for path, digest in snapshot.files.items()}
    return {
        "notebook": snapshot.digest[:12],
        "commit": str(snapshot.git.get("commit", ""))[:12],
        "python": snapshot.environment.get("python"),
        "packages": str(snapshot.environment.get("packages", ""))[:12],
        **pins,
        **files,
    }
