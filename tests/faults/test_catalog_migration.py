"""Opening a catalog that an older version wrote: copied, migrated once, whole or not at all."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from mlalm_jupyter.adapters.catalog import SqlCatalog, engine, migrations
from mlalm_jupyter.domain.errors import Corrupt, Unavailable
from mlalm_jupyter.domain.names import AssetRef
from tests.contract.catalog_nouns import at, deployed, event, model

NOW = migrations.REVISIONS[-1]
# A step such as a later version may bring: a new table, and a table made anew with one more column.
NEXT = f"""
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{NOW}"


def upgrade() -> None:
    op.create_table("aliases", sa.Column("name", sa.Text(), primary_key=True))
    with op.batch_alter_table("services", recreate="always") as services:
        services.add_column(sa.Column("region", sa.Text(), nullable=False, server_default="here"))
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A catalog as this version makes it, with something of everything that refers to something."""
    catalog = SqlCatalog.create(
        tmp_path / "catalog.sqlite", workspace_id="a" * 32, workspace_path=tmp_path, at=at(0)
    )
    churn = model()
    deployed(catalog, "churn", churn, endpoints=("ep2",))
    with catalog.write() as tx:
        tx.models.add(churn)
        tx.events.append(event())
    catalog.close()
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a later version."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_next.py").write_text(NEXT)
    return folder


def become(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make this process that later version."""
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setattr(migrations, "REVISIONS", (*migrations.REVISIONS, "9999"))


def told(path: Path, question: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


def test_an_older_catalog_is_copied_and_migrated(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, later)
    catalog = SqlCatalog.open(old, workspace_path=old.parent)
    with catalog.read() as tx:
        assert tx.info.schema == "9999"
        assert tx.models.get(AssetRef("model", "churn")).version == 1
        assert [one.reference for one in tx.endpoints.find()] == ["churn/default", "churn/ep2"]
        assert len(tx.endpoints.keys(tx.services.get("churn").default.id)) == 2
        assert tx.events.last_seq() == 1
    assert catalog.faults() == []
    catalog.close()
    assert told(old, "SELECT region FROM services") == [("here",)]
    copy = old.with_name(f"catalog.sqlite.schema-{NOW}")
    assert copy.stat().st_mode & 0o077 == 0
    assert told(copy, "SELECT version_num FROM alembic_version") == [(NOW,)]
    assert told(copy, "SELECT count(*) FROM endpoints") == [(2,)]
    assert told(copy, "PRAGMA integrity_check") == [("ok",)]


def test_events_still_refuse_changes_after_a_migration(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, later)
    SqlCatalog.open(old, workspace_path=old.parent).close()
    with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
        told(old, "DELETE FROM events RETURNING seq")


def test_the_copy_can_be_put_back(old: Path, later: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later_version:
        become(later_version, later)
        SqlCatalog.open(old, workspace_path=old.parent).close()
    old.with_name(f"catalog.sqlite.schema-{NOW}").rename(old)
    catalog = SqlCatalog.open(old, workspace_path=old.parent)
    with catalog.write() as tx:
        tx.events.append(event())
        assert tx.info.schema == NOW
    assert told(old, "PRAGMA journal_mode") == [("wal",)]
    catalog.close()


def test_a_catalog_that_was_migrated_is_not_migrated_again(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, later)
    SqlCatalog.open(old, workspace_path=old.parent).close()
    old.with_name(f"catalog.sqlite.schema-{NOW}").unlink()
    SqlCatalog.open(old, workspace_path=old.parent).close()
    assert not old.with_name(f"catalog.sqlite.schema-{NOW}").exists()


@pytest.mark.parametrize(
    "failure",
    ['op.execute("INSERT INTO nowhere VALUES (1)")', 'op.execute("DELETE FROM services")'],
    ids=["a step that fails", "a step that leaves rows referring to nothing"],
)
def test_a_migration_that_fails_changes_nothing(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    (later / "versions" / "9999_next.py").write_text(f"{NEXT}    {failure}\n")
    with monkeypatch.context() as later_version:
        become(later_version, later)
        with pytest.raises(Corrupt, match=r"nowhere|refer to rows that are gone"):
            SqlCatalog.open(old, workspace_path=old.parent)
    catalog = SqlCatalog.open(old, workspace_path=old.parent)
    with catalog.read() as tx:
        assert tx.info.schema == NOW
        assert [one.reference for one in tx.endpoints.find()] == ["churn/default", "churn/ep2"]
    assert catalog.faults() == []
    catalog.close()
    assert told(old, "SELECT count(*) FROM sqlite_master WHERE name = 'aliases'") == [(0,)]


def test_an_older_catalog_put_in_the_place_of_an_open_one_is_not_written_to(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, later)
    catalog = SqlCatalog.open(old, workspace_path=old.parent)
    with contextlib.closing(sqlite3.connect(old)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '" + migrations.REVISIONS[0] + "'")
    with pytest.raises(Unavailable) as caught, catalog.write():
        pass
    assert caught.value.why == "One with an older schema was put in its place."
    assert caught.value.fix == "Open the workspace again; that migrates it."
    catalog.close()


OPENING = """
import sys
from pathlib import Path
from mlalm_jupyter.adapters.catalog import SqlCatalog, migrations

migrations.FOLDER = Path(sys.argv[2])
migrations.REVISIONS = (*migrations.REVISIONS, "9999")
print("ready", flush=True)
sys.stdin.readline()
catalog = SqlCatalog.open(sys.argv[1], workspace_path=".")
with catalog.read() as tx:
    print(tx.info.schema, [one.reference for one in tx.endpoints.find()])
"""


def test_processes_that_open_at_once_migrate_once(old: Path, later: Path) -> None:
    # long enough that every process has seen the older schema before the first is done
    (later / "versions" / "9999_next.py").write_text(f"{NEXT}    import time\n    time.sleep(0.7)\n")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENING, str(old), str(later)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in processes]
    assert answers == [("9999 ['churn/default', 'churn/ep2']\n", "")] * 3
    assert [copy.name for copy in old.parent.glob("*.schema-*")] == [f"catalog.sqlite.schema-{NOW}"]


def test_a_process_killed_while_it_migrates_leaves_the_older_catalog_whole(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = later / "versions" / "9999_next.py"
    step.write_text(f"{NEXT}    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    killed = subprocess.run(
        [sys.executable, "-c", OPENING, str(old), str(later)],
        input="go\n",
        stdout=subprocess.DEVNULL,
        text=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert told(old, "SELECT version_num FROM alembic_version") == [(NOW,)]
    step.write_text(NEXT)
    become(monkeypatch, later)
    catalog = SqlCatalog.open(old, workspace_path=old.parent)
    with catalog.read() as tx:
        assert tx.info.schema == "9999"
        assert [one.reference for one in tx.endpoints.find()] == ["churn/default", "churn/ep2"]
    assert catalog.faults() == []
    catalog.close()


FIRST_ROWS = """
INSERT INTO workspaces VALUES ('a', 't');
INSERT INTO datasets VALUES ('d1', 'wine', 1, 'GenericCSV', 'd0', 12, 3,
    '{"a": {"type": "Integer", "format": "Int64"}}', 't1', 'me', NULL);
INSERT INTO experiments VALUES ('e1', 'train.ipynb', 'training', 't1');
INSERT INTO runs VALUES ('r1', 'e1', 'train.ipynb', 'Finished', 'd1', '{"depth": 4}', '{}', '{}', 'scheduler',
    't2', 'me', 't3', 't4', NULL, NULL, 5, 5, NULL, 'd2', '["dataset wine:1"]', '["wine:1"]', NULL);
"""


def test_what_the_first_version_wrote_is_still_there(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    path.touch(mode=0o600)
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    with engine.remaking_engine(path).connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_ROWS)
    catalog = SqlCatalog.open(path, workspace_path=tmp_path)
    with catalog.read() as tx:
        (experiment,) = tx.experiments.find()
        run = tx.runs.get("r1")
        wine = tx.datasets.get(AssetRef("dataset", "wine"))
        assert tx.transforms.find() == []
        assert (tx.triggers.find(), tx.triggers.next_due_at()) == ([], None)
    catalog.close()
    assert (wine.version, wine.schema.names, wine.tags, wine.description) == (1, ("a",), {}, "")
    assert (wine.profile_digest, wine.source, wine.run_id) == (None, None, None)
    assert (experiment.path, experiment.run_count, experiment.parent) == ("train.ipynb", 1, None)
    assert (run.snapshot.parameters, run.inputs, run.models) == (
        {"depth": 4},
        ("dataset wine:1",),
        ("wine:1",),
    )
    assert (run.snapshot.assets, run.findings.metrics, run.tags, run.snapshot.message) == ((), {}, {}, "")
