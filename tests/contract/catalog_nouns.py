"""Nouns for the tests of the catalog, with whatever does not matter filled in."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from mlalm_jupyter.adapters.system_clock import SystemClock
from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.definition import ModelAsset, ServiceDefinition, scoring_definition
from mlalm_jupyter.domain.event import Event
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.job import Job, JobState
from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.domain.run import Run, RunStatus, Snapshot
from mlalm_jupyter.domain.service import Endpoint, WebService
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema, Signature
from mlalm_jupyter.domain.trigger import Missed, Trigger
from mlalm_jupyter.ports import Catalog, StoredKey

CLOCK = SystemClock()
SCHEMA = Schema(
    (
        Column("sex", ColumnType.STRING),
        Column("age", ColumnType.INT64, nullable=False),
        Column("born", ColumnType.DATETIME),
        Column("paid", ColumnType.DOUBLE),
        Column("left", ColumnType.BOOLEAN),
    )
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def at(second: int) -> str:
    return f"2026-01-01T00:{second // 60:02d}:{second % 60:02d}.000000Z"


def dataset(name: str = "wine", version: int = 1, **changes: Any) -> Dataset:
    made = Dataset(
        id=CLOCK.new_id(),
        name=name,
        version=version,
        format="csv",
        digest=digest(f"{name}:{version}"),
        size_bytes=6_000_000_000,
        row_count=4_000_000_000,
        schema=SCHEMA,
        created_at=at(version),
        created_by="ann",
    )
    return replace(made, **changes)


def transform(name: str = "scale", version: int = 1, **changes: Any) -> Transform:
    made = Transform(
        id=CLOCK.new_id(),
        name=name,
        version=version,
        transform_hash=digest(f"{name}:{version}"),
        bundle_digest=digest(f"{name}:{version} bundle"),
        size_bytes=6_000_000_000,
        format="skops",
        framework="scikit-learn 1.6",
        is_data_only=True,
        signature=Signature(SCHEMA, SCHEMA),
        lineage=Lineage("run", CLOCK.new_id(), "train.ipynb", ("dataset wine:1",)),
        created_at=at(version),
        created_by="ann",
        tags={"stage": "tried", "ünïcode": "ja"},
        description="the first",
    )
    return replace(made, **changes)


def model(name: str = "churn", version: int = 1, **changes: Any) -> TrainedModel:
    made = TrainedModel(
        id=CLOCK.new_id(),
        name=name,
        version=version,
        model_hash=digest(f"{name}:{version}"),
        bundle_digest=digest(f"{name}:{version} bundle"),
        size_bytes=6_000_000_000,
        format="skops",
        framework="scikit-learn 1.6",
        is_data_only=True,
        signature=Signature(SCHEMA, Schema((Column("Scored Labels", ColumnType.INT64),))),
        lineage=Lineage("run", CLOCK.new_id(), "train.ipynb", ("wine:1", "wine:2")),
        created_at=at(version),
        created_by="ann",
        tags={"stage": "tried", "ünïcode": "ja"},
        description="the first",
        is_deterministic=False,
        varies=("Searched keeps how long its fitting took",),
    )
    return replace(made, **changes)


def experiment(path: str = "train.ipynb", **changes: Any) -> Experiment:
    return replace(Experiment(CLOCK.new_id(), path, "training", at(0)), **changes)


def run(of: Experiment, second: int = 0, **changes: Any) -> Run:
    made = Run(
        id=CLOCK.new_id(),
        experiment_id=of.id,
        path=of.path,
        status=RunStatus.QUEUED,
        snapshot=Snapshot(
            digest(of.path), {"depth": 4, "label": None}, {"python": "3.11"}, {"commit": "c0ffee"}
        ),
        origin="scheduler",
        created_at=at(second),
        created_by="ann",
    )
    return replace(made, **changes)


def trigger(name: str, **changes: Any) -> Trigger:
    made = Trigger(
        id=CLOCK.new_id(),
        name=name,
        kind="experiment",
        path="train.ipynb",
        cron="0 3 * * *",
        timezone="UTC",
        missed=Missed.ONCE,
        created_at=at(1),
        created_by="ann",
        due_at=at(2),
        parameters={"depth": 4, "ünïcode": "ja"},
        until="trained",
    )
    return replace(made, **changes)


def job(second: int = 0, **changes: Any) -> Job:
    made = Job(
        id=CLOCK.new_id(),
        kind="run",
        payload={"run": "r" * 32, "wait": None},
        state=JobState.QUEUED,
        attempt=0,
        max_attempts=1,
        created_at=at(second),
        created_by="ann",
    )
    return replace(made, **changes)


def definition(of: TrainedModel) -> ServiceDefinition:
    asset = ModelAsset("asset1", of.name, of.version, of.model_hash)
    return scoring_definition(
        title=of.name, model=asset, inputs=of.signature.inputs, outputs=of.signature.outputs
    )


def event(**changes: Any) -> Event:
    return replace(Event(at(0), "ann", "model", "register", "a" * 32, "churn:1"), **changes)


def key(endpoint: Endpoint, slot: str) -> StoredKey:
    return StoredKey(endpoint.id, slot, digest(endpoint.id + slot), f"hidden {slot}")


def deployed(catalog: Catalog, name: str, of: TrainedModel, *, endpoints: tuple[str, ...] = ()) -> WebService:
    """A service in the catalog whose endpoints all serve one model."""
    document = definition(of)
    service = WebService(CLOCK.new_id(), name, "classic", f"model {of.reference}", at(0), "ann")
    with catalog.write() as tx:
        tx.definitions.add(document, at=at(0))
        tx.services.add(service)
        for endpoint in ("default", *endpoints):
            made = Endpoint(
                id=CLOCK.new_id(),
                service_id=service.id,
                service=name,
                name=endpoint,
                definition_hash=document.digest,
                revision=1,
                created_at=at(0),
                updated_at=at(0),
                model=of.reference,
                model_hash=of.model_hash,
            )
            tx.endpoints.add(made, [key(made, "primary"), key(made, "secondary")])
    with catalog.read() as tx:
        return tx.services.get(name)
