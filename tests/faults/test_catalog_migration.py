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

from mlalm_jupyter.adapters.catalog import SqlCatalog, migrations
from mlalm_jupyter.domain.errors import Corrupt, Unavailable
from mlalm_jupyter.domain.names import AssetRef
from tests.contract.catalog_nouns import at, deployed, event, model

# A step such as a later version may bring: a new table, and a table made anew with one more column.
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


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
    (folder / "versions" / "0002_next.py").write_text(NEXT)
    return folder


def become(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make this process that later version."""
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setattr(migrations, "REVISIONS", ("0001", "0002"))


def told(path: Path, question: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


def test_an_older_catalog_is_copied_and_migrated(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, later)
    catalog = SqlCatalog.open(old, workspace_path=old.parent)
    with catalog.read() as tx:
        assert tx.info.schema == "0002"
        assert tx.models.get(AssetRef("model", "churn")).version == 1
        assert [one.reference for one in tx.endpoints.find()] == ["churn/default", "churn/ep2"]
        assert len(tx.endpoints.keys(tx.services.get("churn").default.id)) == 2
        assert tx.events.last_seq() == 1
    assert catalog.faults() == []
    catalog.close()
    assert told(old, "SELECT region FROM services") == [("here",)]
    copy = old.with_name("catalog.sqlite.schema-0001")
    assert copy.stat().st_mode & 0o077 == 0
    assert told(copy, "SELECT version_num FROM alembic_version") == [("0001",)]
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
    old.with_name("catalog.sqlite.schema-0001").rename(old)
    catalog = SqlCatalog.open(old, workspace_path=old.parent)
    with catalog.write() as tx:
        tx.events.append(event())
        assert tx.info.schema == "0001"
    assert told(old, "PRAGMA journal_mode") == [("wal",)]
    catalog.close()


def test_a_catalog_that_was_migrated_is_not_migrated_again(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, later)
    SqlCatalog.open(old, workspace_path=old.parent).close()
    old.with_name("catalog.sqlite.schema-0001").unlink()
    SqlCatalog.open(old, workspace_path=old.parent).close()
    assert not old.with_name("catalog.sqlite.schema-0001").exists()


@pytest.mark.parametrize(
    "failure",
    ['op.execute("INSERT INTO nowhere VALUES (1)")', 'op.execute("DELETE FROM services")'],
    ids=["a step that fails", "a step that leaves rows referring to nothing"],
)
def test_a_migration_that_fails_changes_nothing(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    (later / "versions" / "0002_next.py").write_text(f"{NEXT}    {failure}\n")
    with monkeypatch.context() as later_version:
        become(later_version, later)
        with pytest.raises(Corrupt, match=r"nowhere|refer to rows that are gone"):
            SqlCatalog.open(old, workspace_path=old.parent)
    catalog = SqlCatalog.open(old, workspace_path=old.parent)
    with catalog.read() as tx:
        assert tx.info.schema == "0001"
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
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
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
migrations.REVISIONS = ("0001", "0002")
print("ready", flush=True)
sys.stdin.readline()
catalog = SqlCatalog.open(sys.argv[1], workspace_path=".")
with catalog.read() as tx:
    print(tx.info.schema, [one.reference for one in tx.endpoints.find()])
"""


def test_processes_that_open_at_once_migrate_once(old: Path, later: Path) -> None:
    # long enough that every process has seen the older schema before the first is done
    (later / "versions" / "0002_next.py").write_text(f"{NEXT}    import time\n    time.sleep(0.7)\n")
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
    assert answers == [("0002 ['churn/default', 'churn/ep2']\n", "")] * 3
    assert [copy.name for copy in old.parent.glob("*.schema-*")] == ["catalog.sqlite.schema-0001"]


def test_a_process_killed_while_it_migrates_leaves_the_older_catalog_whole(
    old: Path, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = later / "versions" / "0002_next.py"
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
    assert told(old, "SELECT version_num FROM alembic_version") == [("0001",)]
    step.write_text(NEXT)
    become(monkeypatch, later)
    catalog = SqlCatalog.open(old, workspace_path=old.parent)
    with catalog.read() as tx:
        assert tx.info.schema == "0002"
        assert [one.reference for one in tx.endpoints.find()] == ["churn/default", "churn/ep2"]
    assert catalog.faults() == []
    catalog.close()
