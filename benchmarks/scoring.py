"""Requests per second of our own scoring path: a census-like pipeline, and the ceiling with a constant model.

    python benchmarks/scoring.py [--seconds 5]

The load generator shares the machine's cores with the server, so read ratios rather than absolute figures.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import uvloop
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlalm_jupyter.adapters.folder_blobs import FolderBlobs
from mlalm_jupyter.adapters.keyring import FolderKeyring
from mlalm_jupyter.domain.definition import ModelAsset, scoring_definition
from mlalm_jupyter.domain.projection import Projection, Servable, ServableModel, ServedEndpoint
from mlalm_jupyter.domain.trust import sealed_statement
from mlalm_jupyter.formats import bundle as bundles
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost

KEY = "k" * 86 + "=="
WORKSPACE = "ab" * 16


def census_like(rows: int = 5000) -> tuple[pd.DataFrame, np.ndarray]:
    """Thirteen columns, six of them numbers, with the shape of the census income data."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": rng.integers(17, 90, rows),
            "workclass": rng.choice(["Private", "State-gov", "Self-emp", "Local-gov"], rows),
            "fnlwgt": rng.integers(12_000, 1_000_000, rows),
            "education": rng.choice(["HS-grad", "Bachelors", "Masters", "Some-college", "11th"], rows),
            "education-num": rng.integers(1, 16, rows),
            "marital-status": rng.choice(["Married", "Never-married", "Divorced"], rows),
            "occupation": rng.choice(["Sales", "Exec", "Craft", "Tech", "Other"], rows),
            "relationship": rng.choice(["Husband", "Wife", "Own-child", "Unmarried"], rows),
            "race": rng.choice(["A", "B", "C", "D", "E"], rows),
            "sex": rng.choice(["Male", "Female"], rows),
            "capital-gain": rng.integers(0, 10_000, rows),
            "capital-loss": rng.integers(0, 2_000, rows),
            "hours-per-week": rng.integers(1, 99, rows),
        }
    )
    label = (frame["age"] + frame["hours-per-week"] + rng.normal(0, 12, rows) > 95).astype(int)
    return frame, label.to_numpy()


def census_model(frame: pd.DataFrame, label: np.ndarray) -> object:
    numbers = [name for name in frame if frame[name].dtype.kind == "i"]
    words = [name for name in frame if name not in numbers]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), words),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(frame, label)


def constant(rows: pd.DataFrame) -> pd.DataFrame:
    """The cheapest model there is, for the ceiling of everything around a model."""
    rows["Scored Labels"] = 1
    return rows


class Client(asyncio.Protocol):
    """One keep-alive connection that sends the next request when an answer is whole."""

    def __init__(self, request: bytes, until: float, spent: list[float], done: asyncio.Future[None]) -> None:
        self.request, self.until, self.spent, self.done = request, until, spent, done
        self.held = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.begun = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, blank, body = self.held.partition(b"\r\n\r\n")
        if not blank:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(self.held.decode())
        now = time.perf_counter()
        self.spent.append(now - self.begun)
        self.held = b""
        if now < self.until:
            self.send()
        else:
            self.done.set_result(None)
            self.transport.close()


async def load(port: int, request: bytes, connections: int, seconds: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    spent: list[float] = []
    until = time.perf_counter() + seconds
    ends = [loop.create_future() for _ in range(connections)]
    begun = time.perf_counter()
    for done in ends:
        await loop.create_connection(lambda done=done: Client(request, until, spent, done), "127.0.0.1", port)
    await asyncio.gather(*ends)
    took = time.perf_counter() - begun
    spent.sort()
    return {
        "req/s": round(len(spent) / took),
        "p50 ms": round(statistics.median(spent) * 1e3, 2),
        "p99 ms": round(spent[int(len(spent) * 0.99)] * 1e3, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MLALM_HOME"] = folder + "/home"
        host = LocalHost(Home.found(os.environ))
        workspace = Path(folder) / "workspace"
        (workspace / ".mlalm").mkdir(parents=True)
        keys = FolderKeyring.create(workspace / ".mlalm" / "keys")
        blobs = FolderBlobs(workspace / ".mlalm" / "blobs")
        frame, label = census_like()
        endpoints, servables = [], []
        for number, (name, model) in enumerate(
            {"census": census_model(frame, label), "constant": constant}.items()
        ):
            bundle = bundles.pack(model, sample=frame.head())
            digest = blobs.put(bundle.data)
            definition = scoring_definition(
                title=name,
                model=ModelAsset("asset1", name, 1, bundle.model_hash),
                inputs=bundle.signature.inputs,
                outputs=bundle.signature.outputs,
                example=bundle.sample_rows[:3],
            )
            text = blobs.put(definition.text.encode())
            seal = keys.sign(sealed_statement("model", bundle.model_hash))
            held = ServableModel(f"{name}:1", bundle.model_hash, digest, str(blobs.path(digest)), seal)
            servables.append(Servable(definition.digest, str(blobs.path(text)), None, (held,)))
            key_digest = hashlib.sha256(KEY.encode()).hexdigest()
            id = f"{number:032x}"
            endpoints.append(ServedEndpoint(id, f"{name}/default", 1, definition.digest, (key_digest,)))
        projection = Projection(
            WORKSPACE, str(workspace), 1, keys.public_key, tuple(endpoints), tuple(servables)
        )
        try:
            host.ensure(WORKSPACE, workspace)
            for servable in servables:
                host.prepare(WORKSPACE, servable, keys.public_key)
            host.publish(WORKSPACE, lambda: projection)
            measure(host, frame, endpoints, args.seconds)
        finally:
            host.stop()


def measure(host: LocalHost, frame: pd.DataFrame, endpoints: list[ServedEndpoint], seconds: float) -> None:
    port = int((host.base_url() or "").rpartition(":")[2])
    for endpoint in endpoints:
        for rows in (1, 100):
            table = {"ColumnNames": list(frame.columns), "Values": frame.head(rows).values.tolist()}
            body = json.dumps({"Inputs": {"input1": table}, "GlobalParameters": {}}).encode()
            request = (
                f"POST /workspaces/{WORKSPACE}/services/{endpoint.id}/execute?api-version=2.0 HTTP/1.1\r\n"
                f"Host: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            ).encode() + body
            for connections in (1, 16, 64):
                uvloop.run(load(port, request, connections, 1.0))
                figures = uvloop.run(load(port, request, connections, seconds))
                print(
                    f"{endpoint.reference:18} {rows:3} rows {connections:3} connections  {figures}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
