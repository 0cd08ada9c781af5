"""Keeping a package as the next version of a model's name, with where it came from."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.golive import keep_seal, new_seal
from mlalm_jupyter.domain.asset import SET_UP_OF, check_kept_for, unchanged
from mlalm_jupyter.domain.errors import AlreadyExists, InvalidInput
from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.domain.signature import Signature
from mlalm_jupyter.ports import Transaction

_MOST_PARAMETERS = 200
_LONGEST = 200
_LONGEST_SAID = 4000


@dataclass(frozen=True)
class Entry:
    """What is to be registered, and what is said of it."""

    name: str
    package: bytes | Path = field(repr=False)
    """The package itself, or the file it lies in."""
    lineage: Lineage
    is_ours: bool
    """Whether it was made here, so that this workspace's key signs it."""
    tags: Mapping[str, object] = field(default_factory=dict)
    properties: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    description: str = ""
    if_changed: bool = False
    is_new: bool = False
    """Whether the name must not be taken yet."""
    kept_for: str | None = None
    """The training notebook whose set-up keeps it; a name that somebody else has is not taken."""
    action: str = "register"


def kept(context: Context, entry: Entry) -> TrainedModel:
    """Keep an entry; its number is given, and all that is said of it is written, in one transaction."""
    ctx = context
    looked, bundle_digest, size_bytes = stored(ctx, entry.package)
    with ctx.catalog.write() as tx:
        equal_to = tx.models.equal_to(entry.name, looked.model_hash)
        if equal_to is not None and entry.if_changed:
            same = tx.models.get(AssetRef("model", entry.name, equal_to))
            newest = tx.models.get(AssetRef("model", entry.name)).version
            return replace(same, note=unchanged(same.reference, same.version, newest=newest))
        if entry.kept_for:
            others = (one.tags for one in tx.models.find(name=entry.name))
            check_kept_for(entry.kept_for, "model", entry.name, others)
        if entry.is_new and tx.models.has_name(entry.name):
            raise AlreadyExists(
                "model",
                entry.name,
                fix="Choose another name, or repeat with --update to make its next version.",
            )
        lineage = entry.lineage if entry.is_ours else looked.told(entry.lineage)
        run = tx.runs.get(lineage.run_id) if lineage.run_id else None
        made = TrainedModel(
            id=ctx.clock.new_id(),
            name=entry.name,
            version=tx.models.next_version(entry.name),
            model_hash=looked.model_hash,
            bundle_digest=bundle_digest,
            size_bytes=size_bytes,
            format=looked.format,
            framework=looked.framework,
            is_data_only=looked.is_data_only,
            signature=looked.signature,
            lineage=lineage,
            created_at=ctx.clock.now(),
            created_by=ctx.who,
            tags=texts({**entry.tags, **({SET_UP_OF: entry.kept_for} if entry.kept_for else {})}),
            description=entry.description,
            equal_to=equal_to,
            properties=texts(entry.properties),
            metrics={**(dict(run.findings.metrics) if run else {}), **entry.metrics},
            parameters=dict(entry.parameters),
            is_deterministic=looked.is_deterministic,
            varies=looked.varies,
        )
        tx.models.add(made)
        if entry.is_ours:
            reason = f"{'promoted' if entry.action == 'promote' else 'registered'} here as {made.reference}"
            keep_seal(ctx, tx, new_seal(ctx, "model", made.model_hash, reason=reason))
        if run is not None:
            tx.runs.add_model(run.id, made.reference)
        ctx.note(
            tx,
            "model",
            entry.action,
            subject_id=made.id,
            subject=made.reference,
            data={"model_hash": made.model_hash, "equal_to": made.equal_to, "run": lineage.run_id},
        )
    return made


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a package tells; nothing in it is opened for that."""

    model_hash: str
    format: str
    framework: str
    is_data_only: bool
    signature: Signature
    said: Mapping[str, object]
    """Where it says that it came from, if it was made elsewhere."""
    is_deterministic: bool | None
    varies: tuple[str, ...]

    def told(self, lineage: Lineage) -> Lineage:
        """The lineage of a file, with what the file says of itself."""
        if lineage.origin != "external" or not self.said:
            return lineage
        return replace(lineage, source={**lineage.source, "says": self.said})


def stored(context: Context, package: bytes | Path) -> tuple[Looked, str, int]:
    """A package among the blobs: what it is, its digest and size. One that is not sound is not kept."""
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

    def look(source: bytes | Path) -> Looked:
        opened = bundles.read(source)
        is_data_only = opened.is_data_only and not opened.wants()
        said = opened.lineage if len(json.dumps(opened.lineage)) <= _LONGEST_SAID else {}
        return Looked(
            opened.model_hash,
            opened.format,
            opened.framework,
            is_data_only,
            opened.signature,
            said,
            opened.is_deterministic if "is_deterministic" in opened.manifest else None,
            opened.varies,
        )

    if isinstance(package, bytes):
        return look(package), context.blobs.put(package), len(package)
    found: list[Looked] = []
    # the copy is what is looked at, for the file may change under our hands
    digest, size = context.blobs.put_file(package, check=lambda copy: found.append(look(copy)))
    return found[0], digest, size


def measured(tx: Transaction, run: Run) -> None:
    """Say of the models of a run what that run measured; what was said of them before stays."""
    if not run.findings.metrics:
        return
    for model in tx.models.find(run_id=run.id):
        metrics = {**run.findings.metrics, **model.metrics}
        if metrics != model.metrics:
            tx.models.tell(replace(model, metrics=metrics))


def texts(said: Mapping[str, object]) -> dict[str, str]:
    """Names and values as they are kept.

    >>> texts({"year": 2024})
    {'year': '2024'}
    """
    return {str(name): str(value) for name, value in said.items()}


def numbers(said: Mapping[str, Any] | None) -> dict[str, float]:
    """Metrics, which are numbers.

    >>> numbers({"auc": 1})
    {'auc': 1.0}
    """
    found = {}
    for name, value in (said or {}).items():
        number = None if isinstance(value, (bool, str)) else _float(value)
        if number is None:
            raise InvalidInput(f"The metric '{name}'", expected="a finite number", got=repr(value)[:80])
        found[str(name)] = number
    return found


def _float(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def parameters_of(model: object) -> dict[str, object]:
    """How an object says it was set up: plain values only, and not very many."""
    said: object = None
    with contextlib.suppress(Exception):  # a person's own object may raise anything
        ask = getattr(model, "get_params", None)
        said = ask() if callable(ask) and not isinstance(model, type) else None
    if not isinstance(said, dict):
        return {}
    found: dict[str, object] = {}
    for name, value in said.items():
        plain = value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
        if isinstance(plain, float) and not math.isfinite(plain):
            plain = str(plain)
        if isinstance(plain, (bool, int, float, str)) and len(str(plain)) <= _LONGEST:
            found[str(name)] = plain
    return dict(list(found.items())[:_MOST_PARAMETERS])
