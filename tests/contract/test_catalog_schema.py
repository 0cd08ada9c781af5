"""The catalog's tables: migrations lead to them, indexes serve every listing, PostgreSQL can say them too."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement, Executable

import mlalm_jupyter.adapters.catalog as package
from mlalm_jupyter.adapters.catalog import SqlCatalog, migrations
from mlalm_jupyter.adapters.catalog.engine import memory_engine
from mlalm_jupyter.adapters.catalog.schema import metadata
from mlalm_jupyter.domain.job import JobState, Lease
from mlalm_jupyter.domain.names import AssetRef, EndpointRef
from mlalm_jupyter.domain.run import RunStatus
from mlalm_jupyter.ports import Transaction
from tests.contract.catalog_nouns import deployed, experiment, job, model, run, trigger


def migrating() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    return config


def test_the_known_revisions_are_those_of_the_folder() -> None:
    script = ScriptDirectory.from_config(migrating())
    assert script.get_heads() == [migrations.REVISIONS[-1]]
    walked = [one.revision for one in script.walk_revisions()]
    assert tuple(reversed(walked)) == migrations.REVISIONS


def test_migrating_from_nothing_gives_the_tables_of_the_schema(tmp_path: Path) -> None:
    with memory_engine().connect() as connection:
        config = migrating()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        migrated = said(connection.connection.dbapi_connection)
    SqlCatalog.create(
        tmp_path / "made.sqlite", workspace_id="a" * 32, workspace_path=tmp_path, at="t"
    ).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "made.sqlite")) as made:
        assert said(made) == migrated


def said(connection: Any) -> dict[str, tuple[str, ...]]:
    """Every table, index and trigger, as SQLite keeps it, whatever the order of a table's parts."""
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name != 'alembic_version'"
    )
    return {
        name: tuple(sorted(" ".join(line.split()).strip(" ,") for line in sql.splitlines()))
        for name, sql in ((name, sql.replace(f'"{name}"', name)) for name, sql in rows)
    }


def test_postgresql_can_say_every_table_and_statement() -> None:
    make_dialect: Any = postgresql.dialect
    dialect = make_dialect()
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect)).strip().startswith("CREATE TABLE")
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect)).startswith("CREATE INDEX")
    names = [module.name for module in pkgutil.iter_modules(package.__path__) if module.name != "migrations"]
    statements = [
        value
        for name in names
        for value in vars(importlib.import_module(f"{package.__name__}.{name}")).values()
        if isinstance(value, Executable) and isinstance(value, ClauseElement)
    ]
    assert len(statements) > 40
    for statement in statements:
        assert statement.compile(dialect=dialect)


@pytest.fixture
def filled(file_catalog: SqlCatalog) -> SqlCatalog:
    """Enough rows of each kind that a planner would rather use an index."""
    churn = model()
    deployed(file_catalog, "churn", churn, endpoints=("ep2",))
    with file_catalog.write() as tx:
        tx.models.add(churn)
        for number in range(10):
            of = experiment(f"{number}.ipynb")
            tx.experiments.add(of)
            for second in range(30):
                work = job(second)
                tx.jobs.add(work)
                tx.runs.add(run(of, second, job_id=work.id))
            tx.triggers.add(trigger(f"t{number}"))
    return file_catalog


LISTINGS: dict[str, Callable[[Transaction], object]] = {
    "a run by id": lambda tx: tx.runs.get(tx.runs.find(limit=1)[0].id),
    "the newest runs": lambda tx: tx.runs.find(limit=50),
    "the newest runs of an experiment": lambda tx: tx.runs.find(experiment_id="x", limit=50),
    "the newest runs with a status": lambda tx: tx.runs.find(status=RunStatus.RUNNING, limit=50),
    "the newest jobs": lambda tx: tx.jobs.find(limit=50),
    "the queue": lambda tx: tx.jobs.find(state=JobState.QUEUED, limit=50),
    "a claim": lambda tx: tx.jobs.claim("w1", limit=1, now_s=1.0, lease_s=1.0, at="t"),
    "a heartbeat": lambda tx: tx.jobs.heartbeat(Lease("x", "w1", 1), now_s=1.0, lease_s=1.0),
    "expired leases": lambda tx: tx.jobs.expired(now_s=1.0),
    "a release": lambda tx: tx.jobs.release("w1", at="t"),
    "a model by reference": lambda tx: tx.models.get(AssetRef("model", "churn", 1)),
    "the newest version of a name": lambda tx: tx.models.get(AssetRef("model", "churn")),
    "models of a run": lambda tx: tx.models.find(run_id="x"),
    "an equal model": lambda tx: tx.models.equal_to("churn", "x"),
    "a model by hash": lambda tx: tx.models.has_hash("x"),
    "an equal dataset": lambda tx: tx.datasets.equal_to("wine", "x"),
    "an endpoint": lambda tx: tx.endpoints.get(EndpointRef("churn")),
    "the keys of an endpoint": lambda tx: tx.endpoints.keys("x"),
    "the moves of an endpoint": lambda tx: tx.endpoints.moves("x"),
    "who serves a model": lambda tx: tx.endpoints.serving_model("x"),
    "a trigger by name": lambda tx: tx.triggers.get("t1"),
    "the soonest due time": lambda tx: tx.triggers.next_due_at(),
    "triggers that are due": lambda tx: tx.triggers.due("t"),
    "what a trigger did": lambda tx: tx.triggers.firings("x", limit=10),
    "whether a trigger did something": lambda tx: tx.triggers.has_fired("x", "t"),
    "an experiment by path": lambda tx: tx.experiments.at_path("1.ipynb"),
    "a seal": lambda tx: tx.seals.get("model", "x"),
    "events of a subject": lambda tx: tx.events.find(subject_id="x"),
}


@contextlib.contextmanager
def watched() -> Iterator[list[tuple[str, Any]]]:
    sent: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("listing", LISTINGS)
def test_no_table_is_read_through_or_sorted_for_what_grows(
    filled: SqlCatalog, tmp_path: Path, listing: str
) -> None:
    with watched() as sent, filled.write() as tx:
        LISTINGS[listing](tx)
    assert sent
    with contextlib.closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        for statement, parameters in sent:
            steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for step in steps:
                assert not step.startswith("SCAN") or "USING" in step or "CONSTANT" in step, (
                    statement,
                    steps,
                )
                assert "TEMP B-TREE FOR ORDER BY" not in step, (statement, steps)


def test_all_experiments_with_their_runs_are_one_query(filled: SqlCatalog, tmp_path: Path) -> None:
    with watched() as sent, filled.read() as tx:
        found = tx.experiments.find()
    assert [one.run_count for one in found] == [30] * 10
    ((statement, parameters),) = sent
    with contextlib.closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    scans = [step for step in steps if step.startswith("SCAN")]
    assert len(scans) == 1
    assert "experiments" in scans[0]
