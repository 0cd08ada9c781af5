"""A workspace made by hand: real blobs, real keys, real models, and the projection a catalog would give."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import requests
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlalm_jupyter.adapters.folder_blobs import FolderBlobs
from mlalm_jupyter.adapters.keyring import FolderKeyring
from mlalm_jupyter.domain.definition import ModelAsset, ServiceDefinition, code_definition, scoring_definition
from mlalm_jupyter.domain.projection import Projection, Servable, ServableModel, ServedEndpoint
from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.domain.trust import sealed_statement
from mlalm_jupyter.formats import bundle as bundles
from mlalm_jupyter.formats.frames import schema_of
from mlalm_jupyter.serving.local_host import LocalHost

ID = "0193ab0000007000800000000000000"
ROWS = pd.DataFrame(
    {"age": [20.0, 35.0, 50.0, 65.0, 28.0, 71.0], "hours": [10.0, 40.0, 38.0, 5.0, 60.0, 2.0]}
)


class Fixed:
    """A model that always says the same, so that an answer tells which one gave it."""

    def __init__(self, label: int) -> None:
        self.label = label

    def predict(self, rows: pd.DataFrame) -> Any:
        return np.full(len(rows), self.label)


def logistic(*, shift: float = 0.0) -> Any:
    """A small scikit-learn pipeline whose probabilities depend on `shift`."""
    label = (ROWS["age"] + ROWS["hours"] > 70 + shift).astype(int)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, label)


@dataclass
class Handmade:
    """What a workspace holds, without a catalog."""

    path: Path
    id: str = ID + "1"
    servables: dict[str, Servable] = field(default_factory=dict)
    endpoints: dict[str, ServedEndpoint] = field(default_factory=dict)
    seq: int = 0

    def __post_init__(self) -> None:
        hidden = self.path / ".mlalm"
        hidden.mkdir(parents=True)
        self.keys = FolderKeyring.create(hidden / "keys")
        self.blobs = FolderBlobs(hidden / "blobs")

    def sealed(self, kind: str, digest: str) -> str:
        return self.keys.sign(sealed_statement(kind, digest))

    def model(
        self,
        model: object,
        *,
        name: str = "census",
        version: int = 1,
        sample: pd.DataFrame = ROWS,
        is_sealed: bool = True,
    ) -> Servable:
        """The servable of a definition that scores a model."""
        bundle = bundles.pack(model, sample=sample)
        digest = self.blobs.put(bundle.data)
        definition = scoring_definition(
            title=name,
            model=ModelAsset("asset1", name, version, bundle.model_hash),
            inputs=bundle.signature.inputs,
            outputs=bundle.signature.outputs,
            example=bundle.sample_rows[:3],
        )
        held = ServableModel(
            reference=f"{name}:{version}",
            model_hash=bundle.model_hash,
            bundle_digest=digest,
            bundle_path=str(self.blobs.path(digest)),
            seal=self.sealed("model", bundle.model_hash) if is_sealed else None,
        )
        return self.servable(definition, (held,), seal=None)

    def code(
        self,
        source: str,
        entry: str,
        *,
        outputs: Schema,
        inputs: Schema | None = None,
        example: tuple[tuple[object, ...], ...] = ((20.0, 10.0),),
        is_sealed: bool = True,
    ) -> Servable:
        """The servable of a definition that puts rows through code."""
        definition = code_definition(
            title=entry,
            source=source,
            entry=entry,
            inputs=inputs or schema_of(ROWS),
            outputs=outputs,
            example=example,
        )
        seal = self.sealed("definition", definition.digest) if is_sealed else None
        return self.servable(definition, (), seal=seal)

    def servable(
        self, definition: ServiceDefinition, models: tuple[ServableModel, ...], *, seal: str | None
    ) -> Servable:
        digest = self.blobs.put(definition.text.encode())
        assert digest == definition.digest
        made = Servable(digest, str(self.blobs.path(digest)), seal, models)
        self.servables[digest] = made
        return made

    def put(self, reference: str, servable: Servable, *, key: str = "primary-key") -> ServedEndpoint:
        """Let an endpoint serve something; its next revision if it exists."""
        self.servables[servable.digest] = servable
        before = self.endpoints.get(reference)
        digest = hashlib.sha256(key.encode()).hexdigest()
        if before is None:
            number = len(self.endpoints) + 2
            made = ServedEndpoint(
                f"{ID}{number:x}",
                reference,
                1,
                servable.digest,
                (digest, hashlib.sha256(b"second").hexdigest()),
            )
        else:
            made = replace(before, definition_hash=servable.digest, revision=before.revision + 1)
        self.endpoints[reference] = made
        return made

    def projection(self) -> Projection:
        self.seq += 1
        used = {endpoint.definition_hash for endpoint in self.endpoints.values()}
        return Projection(
            workspace_id=self.id,
            workspace_path=str(self.path),
            seq=self.seq,
            public_key=self.keys.public_key,
            endpoints=tuple(self.endpoints.values()),
            servables=tuple(self.servables[digest] for digest in sorted(used)),
        )

    def go_live(self, host: LocalHost, reference: str, servable: Servable) -> str:
        """What deploying and patching do: load everywhere, then publish; the endpoint's address."""
        host.ensure(self.id, self.path)
        host.prepare(self.id, servable, self.keys.public_key)
        endpoint = self.put(reference, servable)
        host.publish(self.id, self.projection)
        return self.address(host, endpoint)

    def address(self, host: LocalHost, endpoint: ServedEndpoint) -> str:
        return f"{host.base_url()}/workspaces/{self.id}/services/{endpoint.id}"


def body(rows: pd.DataFrame = ROWS) -> dict[str, Any]:
    table = {"ColumnNames": list(rows.columns), "Values": rows.to_numpy(dtype=object).tolist()}
    return {"Inputs": {"input1": table}, "GlobalParameters": {}}


def call(
    address: str,
    document: object = None,
    *,
    key: str = "primary-key",
    query: str = "api-version=2.0&details=true",
) -> requests.Response:
    """One scoring call, as a stranger would make it."""
    data = json.dumps(body() if document is None else document).encode()
    return requests.post(
        f"{address}/execute?{query}",
        data=data,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        timeout=60,
    )
