"""What verbs answer besides nouns: previews, snippets, and what a retraining came to."""

from __future__ import annotations

from dataclasses import dataclass

from mlalm_jupyter.domain.asset import Dataset
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.domain.service import Endpoint
from mlalm_jupyter.domain.signature import Table


@dataclass(frozen=True, slots=True)
class Preview:
    """A dataset and its first rows."""

    dataset: Dataset
    head: Table

    def to_dict(self) -> dict[str, object]:
        return {"dataset": self.dataset.to_dict(), "head": self.head.to_dict()}


@dataclass(frozen=True, slots=True)
class Written:
    """A file that a verb wrote, and what it holds."""

    what: str
    file: str
    size_bytes: int
    digest: str

    def to_dict(self) -> dict[str, object]:
        return {"what": self.what, "file": self.file, "size_bytes": self.size_bytes, "digest": self.digest}


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

    def to_dict(self) -> dict[str, object]:
        return {"kind": self.kind, "name": self.name}


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
