"""Trained models: versions that never change, and where each came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlalm_jupyter.domain.errors import InUse, InvalidInput, NotFound
from mlalm_jupyter.domain.metrics import written
from mlalm_jupyter.domain.signature import Signature


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a model came from; a file from anywhere says `external`."""

    origin: str
    run_id: str | None = None
    experiment: str | None = None
    datasets: tuple[str, ...] = ()
    """What it was made of, such as `dataset census:3`."""
    cell: int | None = None
    """The number of the code cell that made it."""
    output: str | None = None
    """The value of a run that it was promoted from, such as `3.model`."""
    environment: Mapping[str, object] = field(default_factory=dict)
    """Interpreter, platform and the digest of the packages; a run's are in its snapshot as well."""
    git: Mapping[str, object] = field(default_factory=dict)
    source: Mapping[str, object] = field(default_factory=dict)
    """Of what came from elsewhere: the file or folder, its hash, its kind, and what it says of itself."""

    @property
    def provenance(self) -> dict[str, object]:
        """The part of it that nobody searches by."""
        told = {
            "cell": self.cell,
            "output": self.output,
            "environment": dict(self.environment),
            "git": dict(self.git),
            "source": dict(self.source),
        }
        return {name: value for name, value in told.items() if value}

    @property
    def told(self) -> dict[str, object]:
        """What a package says of it elsewhere: nothing of this machine's folders."""
        said = {name: value for name, value in self.to_dict().items() if value}
        environment = {name: value for name, value in self.environment.items() if name != "executable"}
        return {**said, **({"environment": environment} if environment else {})}

    @classmethod
    def of(
        cls,
        origin: str,
        run_id: str | None,
        experiment: str | None,
        datasets: Sequence[str],
        provenance: Mapping[str, Any],
    ) -> Lineage:
        """A lineage as it is kept."""
        return cls(origin, run_id, experiment, tuple(datasets), **provenance)

    def to_dict(self) -> dict[str, object]:
        return {
            "origin": self.origin,
            "run_id": self.run_id,
            "experiment": self.experiment,
            "datasets": list(self.datasets),
            "cell": self.cell,
            "output": self.output,
            "environment": dict(self.environment),
            "git": dict(self.git),
            "source": dict(self.source),
        }


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """One version of a trained model.

    `model_hash` covers payload and signature, so training again on the same data gives it again;
    `bundle_digest` names the `.ilearner` file, which also holds the sample.
    """

    id: str
    name: str
    version: int
    model_hash: str
    bundle_digest: str
    size_bytes: int
    format: str
    framework: str
    is_data_only: bool
    signature: Signature
    lineage: Lineage
    created_at: str
    created_by: str
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    equal_to: int | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    """Said once and kept: more can be added, none changed."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """What was said when it was registered, and what its run measured."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    """How the object was set up, as it says itself."""
    is_deterministic: bool | None = None
    """Whether training again on the same data gives its hash again; None of versions that were kept before we asked."""
    varies: tuple[str, ...] = ()
    """What stands in the way of that."""
    aliases: tuple[str, ...] = ()
    note: str | None = None
    """What a verb has to say about it, for example that nothing changed."""

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.version}"

    def to_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "reference": self.reference,
            "model_hash": self.model_hash,
            "bundle_digest": self.bundle_digest,
            "size_bytes": self.size_bytes,
            "format": self.format,
            "framework": self.framework,
            "is_data_only": self.is_data_only,
            "signature": self.signature.to_dict(),
            "lineage": self.lineage.to_dict(),
            "created_at": self.created_at,
            "created_by": self.created_by,
            "tags": dict(self.tags),
            "description": self.description,
            "equal_to": self.equal_to,
            "properties": dict(self.properties),
            "metrics": written(self.metrics),
            "parameters": dict(self.parameters),
            "is_deterministic": self.is_deterministic,
            "varies": list(self.varies),
            "aliases": list(self.aliases),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Alias:
    """A word that stands for a version of a model, and moves; each move raises its revision."""

    name: str
    alias: str
    version: int
    """0 where it stands for nothing any more."""
    revision: int
    updated_at: str
    updated_by: str
    run_id: str | None = None
    """The run that moved it there, if one did."""
    before: int | None = None
    note: str | None = None

    @property
    def reference(self) -> str:
        return f"{self.name}@{self.alias}"

    @property
    def model(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def subject_id(self) -> str:
        """What its events are kept under, also after it was removed and made anew."""
        return hashlib.sha256(f"model alias {self.reference}".encode()).hexdigest()

    def to_dict(self) -> dict[str, object]:
        return {
            "reference": self.reference,
            "name": self.name,
            "alias": self.alias,
            "model": self.model if self.version else None,
            "version": self.version,
            "revision": self.revision,
            "updated_at": self.updated_at,
            "updated_by": self.updated_by,
            "before": None if self.before is None else f"{self.name}:{self.before}",
            "note": self.note,
        }


def edited_tags(
    tags: Mapping[str, str], *, added: Mapping[str, str], removed: Sequence[str]
) -> dict[str, str]:
    """Tags after an edit; one that is removed has to be there.

    >>> edited_tags({"stage": "tried"}, added={"stage": "prod"}, removed=[])
    {'stage': 'prod'}
    """
    for name in removed:
        if name not in tags:
            raise NotFound("tag", name, known=tags, fix="See them with `mlalm model show MODEL`.")
    return {**{name: value for name, value in tags.items() if name not in removed}, **added}


def added_properties(
    reference: str, properties: Mapping[str, str], added: Mapping[str, str]
) -> dict[str, str]:
    """Properties after some were added; what is said already stays as it was said."""
    for name, value in added.items():
        if properties.get(name, value) != value:
            raise InvalidInput(
                f"The property '{name}' of {reference}",
                expected=f"its value '{properties[name]}', because properties are said once",
                got=f"'{value}'",
                fix="Use a tag for what changes: `mlalm model tag MODEL --tag KEY=VALUE`.",
            )
    return {**properties, **added}


_MOVE = "Move those to something else first."
_WAYS = {
    "endpoint": "put another version behind the endpoint (`mlalm endpoint patch`, or `mlalm service deploy --update`)",
    "WSD": "change or remove the WSD file",
    "notebook": "have the predictive notebook load another version, or delete it (`mlalm experiment delete`)",
    "alias": "move the alias, or take it away with `mlalm model alias NAME WORD --remove`",
    "run": "delete the run with its experiment (`mlalm experiment delete`), because it could not be run again",
}
"""What can be done about each kind of user."""


def check_deletable(reference: str, users: Sequence[str]) -> None:
    """Refuse to delete a model that something serves or a snapshot refers to, naming who."""
    if users:
        ways = [told for kind, told in _WAYS.items() if any(user.startswith(f"{kind} ") for user in users)]
        raise InUse("model", reference, users=users, fix=f"First {'; '.join(ways)}." if ways else _MOVE)
