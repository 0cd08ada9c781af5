"""MLflow's model registry as the models benchmark measures it: a process that is asked over its standard input.

It is set up as in mlflow_runs.py, whose reasons hold here as well: a SQLite database in WAL mode spoken to directly,
artifacts in a local folder on the same disk, no telemetry, one long-lived process, everything warm.

- A model is registered in the usual way, `log_model(..., registered_model_name=...)` with an input example, without
  looking for its requirements (`pip_requirements=[]`), which would take seconds.
- `bare` is `create_model_version` alone, for a model that has been logged before: a row, without bytes.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import sys
import time
import warnings
from pathlib import Path

os.environ |= {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

import mlflow
import numpy as np
import pandas as pd
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LinearRegression

warnings.simplefilter("ignore")
NAME = "churn"


class Peer:
    """One registry."""

    def __init__(self, folder: str) -> None:
        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        self._file = Path(folder) / "mlflow.db"
        mlflow.set_tracking_uri(f"sqlite:///{self._file}")
        artifacts = (Path(folder) / "artifacts").as_uri()
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("train", artifact_location=artifacts))
        self._client = MlflowClient()
        self._client.create_registered_model(NAME)
        with sqlite3.connect(self._file) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        self._source = ""

    def about(self) -> dict[str, object]:
        with sqlite3.connect(self._file) as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            count = connection.execute("SELECT count(*) FROM model_versions").fetchone()[0]
        return {"mlflow": mlflow.__version__, "journal": mode, "versions": count}

    def fill(self, count: int) -> int:
        """Versions like one that was registered in the usual way, written into the tables in bulk."""
        self.register(1)
        self._client.set_model_version_tag(NAME, "1", "stage", "tried")
        connection = sqlite3.connect(self._file)
        with connection:
            for table, key in (("model_versions", "version"), ("model_version_tags", "version")):
                names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                rows = connection.execute(f"SELECT * FROM {table} WHERE version = 1").fetchall()
                marks = ", ".join("?" * len(names))
                for row in rows:
                    connection.executemany(
                        f"INSERT INTO {table} VALUES ({marks})",
                        (_like(row, names, key, number) for number in range(2, count + 1)),
                    )
            connection.execute(
                "UPDATE model_version_tags SET value = 'prod' WHERE key = 'stage' AND version % 1000 = 7"
            )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ANALYZE")
        connection.close()
        return count

    def register(self, times: int) -> list[float]:
        """Seconds that each registration of a small model took."""
        rows = pd.DataFrame(np.arange(40.0).reshape(10, 4), columns=list("abcd"))
        spent = []
        for number in range(times):
            model = LinearRegression().fit(rows, rows["a"] * (number + time.time()))
            begun = time.perf_counter()
            with mlflow.start_run():
                info = mlflow.sklearn.log_model(
                    model,
                    name="model",
                    registered_model_name=NAME,
                    input_example=rows.head(),
                    pip_requirements=[],
                )
            spent.append(time.perf_counter() - begun)
            self._source = info.model_uri
        return spent

    def bare(self, times: int) -> list[float]:
        """Seconds that each new row of a version took."""
        spent = []
        for _ in range(times):
            begun = time.perf_counter()
            self._client.create_model_version(NAME, self._source, tags={"stage": "tried"})
            spent.append(time.perf_counter() - begun)
        return spent

    def search(self, times: int, limit: int, where: str) -> list[float]:
        """Seconds that each page of what was searched for took, the newest first."""
        spent = []
        for _ in range(times):
            begun = time.perf_counter()
            found = self._client.search_model_versions(
                where, max_results=limit, order_by=["creation_timestamp DESC"]
            )
            spent.append(time.perf_counter() - begun)
            if len(found) != limit:
                raise SystemExit(f"{len(found)} versions came, not {limit}.")
        return spent


def _like(row: tuple[object, ...], names: list[str], key: str, number: int) -> list[object]:
    values = list(row)
    values[names.index(key)] = number
    return values


def main() -> None:
    """Answer requests, each a line of JSON, until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    peer = Peer(sys.argv[1])
    for line in sys.stdin:
        name, given = json.loads(line)
        answers.write(json.dumps(getattr(peer, name)(**given)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
