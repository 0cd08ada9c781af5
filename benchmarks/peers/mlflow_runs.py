"""MLflow as the experiments benchmark measures it: a process that is asked over its standard input.

It runs in a virtual environment of its own and knows nothing of ours. How it is tuned, and where that comes from:

- A SQLite database, spoken to directly, without a server between: "We generally recommend using a database-based
  backend store to get better performance" (mlflow.org/docs/latest/self-hosting/troubleshooting).
- Artifacts in a local folder on the same disk, so that `log_artifact` is a copy of a file.
- The database in WAL mode, which MLflow chose for its own tests (pull request 20014 of mlflow/mlflow) and SQLite
  recommends for this use; `synchronous` stays FULL, as in ours, so that a run that was recorded stays recorded.
- SQLAlchemy's pool of open connections (its default for files), one long-lived process, everything warm.
- No telemetry, no system metrics, no run links printed. Logging asynchronously, which the same page advises for
  slow calls, is for metrics and parameters; there is no such call here.
- `search_runs` is asked through MlflowClient, which returns runs; `mlflow.search_runs` makes a frame of them as well.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import sys
import time
import uuid
from pathlib import Path
from typing import Any

os.environ |= {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

import mlflow
from mlflow.tracking import MlflowClient

_TABLES = ("runs", "params", "tags", "metrics", "latest_metrics")


class Peer:
    """One tracking store."""

    def __init__(self, folder: str) -> None:
        logging.getLogger("alembic").setLevel(logging.WARNING)
        self._file = Path(folder) / "mlflow.db"
        mlflow.set_tracking_uri(f"sqlite:///{self._file}")
        artifacts = Path(folder) / "artifacts"
        experiment = mlflow.create_experiment("train", artifact_location=artifacts.as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        self._experiment = experiment
        with sqlite3.connect(self._file) as connection:
            connection.execute("PRAGMA journal_mode=WAL")

    def about(self) -> dict[str, object]:
        with sqlite3.connect(self._file) as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            count = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        return {"mlflow": mlflow.__version__, "journal": mode, "runs": count}

    def fill(self, count: int, parameters: dict[str, Any], metrics: dict[str, float]) -> int:
        """Runs like one that was recorded in the usual way, written into the tables in bulk."""
        with mlflow.start_run() as run:
            mlflow.log_params(parameters)
            mlflow.log_metrics(metrics)
        own = run.info.run_id
        ids = [uuid.uuid4().hex for _ in range(count)]
        connection = sqlite3.connect(self._file)
        with connection:
            for table in _TABLES:
                names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                rows = connection.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", [own]).fetchall()
                marks = ", ".join("?" * len(names))
                statement = f"INSERT INTO {table} VALUES ({marks})"
                connection.executemany(
                    statement, (one for row in rows for one in _like(row, names, own, ids))
                )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ANALYZE")
        connection.close()
        return count

    def record(self, file: str, times: int) -> list[float]:
        """Seconds that each recording of that file took."""
        spent = []
        for _ in range(times):
            begun = time.perf_counter()
            mlflow.start_run()
            mlflow.log_artifact(file)
            mlflow.end_run()
            spent.append(time.perf_counter() - begun)
        return spent

    def page(self, times: int, limit: int) -> list[float]:
        """Seconds that each page of the newest runs took."""
        client = MlflowClient()
        spent = []
        for _ in range(times):
            begun = time.perf_counter()
            runs = client.search_runs(
                [self._experiment], order_by=["attributes.start_time DESC"], max_results=limit
            )
            spent.append(time.perf_counter() - begun)
            if len(runs) != limit or not runs[-1].data.metrics:
                raise SystemExit(f"{len(runs)} runs came, not {limit}.")
        return spent


def _like(row: tuple[Any, ...], names: list[str], own: str, ids: list[str]) -> Any:
    """That row once for each id, a second apart, in the shape of the table."""
    key = names.index("run_uuid")
    times = [names.index(name) for name in ("start_time", "end_time") if name in names]
    for number, one in enumerate(ids):
        values = [value.replace(own, one) if isinstance(value, str) else value for value in row]
        values[key] = one
        for place in times:
            values[place] -= 1000 * (number + 1)
        yield values


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
