"""Catalog files that cannot be used: each is refused with one sentence, and nothing is lost."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlalm_jupyter.adapters.catalog import SqlCatalog, engine, migrations
from mlalm_jupyter.domain.errors import (
    AlreadyExists,
    Corrupt,
    MlalmError,
    NewerSchema,
    Unavailable,
    WorkspaceNotFound,
)
from tests.contract.catalog_nouns import at, deployed, event, model

ROOT = Path(__file__).parents[2]


def made(folder: Path) -> SqlCatalog:
    return SqlCatalog.create(
        folder / "catalog.sqlite", workspace_id="a" * 32, workspace_path=folder, at=at(0)
    )


def opened(folder: Path) -> SqlCatalog:
    return SqlCatalog.open(folder / "catalog.sqlite", workspace_path=folder)


def refused(kind: type[MlalmError], folder: Path) -> str:
    """The whole sentence with which opening a catalog is refused."""
    with pytest.raises(kind) as caught:
        opened(folder)
    assert type(caught.value) is kind
    assert caught.value.__cause__ is None or not isinstance(caught.value.__cause__, MlalmError)
    return str(caught.value)


def change(folder: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        connection.execute(statement)


# what lies there instead of a catalog


def test_no_file_is_no_workspace_and_none_is_made(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    assert refused(WorkspaceNotFound, tmp_path).startswith(
        f"No workspace at '{tmp_path}'. Its catalog '{path}' does not exist. Make one with"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_catalog(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").mkdir()
    assert refused(Unavailable, tmp_path) == (
        f"The catalog '{tmp_path / 'catalog.sqlite'}' was not used. It is a folder, and a catalog is a file. "
        "Restore the file from a copy."
    )


@pytest.mark.parametrize("content", [b"not a database", b"\xff" * 9000], ids=["text", "bytes"])
def test_a_file_that_is_no_database_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(content)
    assert refused(Corrupt, tmp_path) == (
        f"The catalog '{tmp_path / 'catalog.sqlite'}' is damaged. "
        "The database engine says: file is not a database. "
        "Run `mlalm workspace doctor`, and restore it from a copy."
    )
    assert (tmp_path / "catalog.sqlite").read_bytes() == content


def test_an_empty_file_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").touch()
    assert "A part of it is missing: no such table: alembic_version." in refused(Corrupt, tmp_path)


def test_a_database_of_something_else_is_damaged(tmp_path: Path) -> None:
    change(tmp_path, "CREATE TABLE songs (title)")
    assert "A part of it is missing: no such table: alembic_version." in refused(Corrupt, tmp_path)


def test_a_catalog_that_does_not_say_its_schema_is_damaged(tmp_path: Path) -> None:
    made(tmp_path).close()
    change(tmp_path, "DELETE FROM alembic_version")
    assert "It does not say which schema it has." in refused(Corrupt, tmp_path)


def test_a_file_cut_short_is_damaged(tmp_path: Path) -> None:
    catalog = made(tmp_path)
    deployed(catalog, "churn", model())
    catalog.close()
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Corrupt, match="is damaged") as caught:
        read_everything(opened(tmp_path))
    assert "malformed" in str(caught.value)


def read_everything(catalog: SqlCatalog) -> None:
    try:
        with catalog.read() as tx:
            assert tx.info.id
            for store in (tx.models, tx.datasets, tx.experiments, tx.runs, tx.services, tx.jobs, tx.events):
                store.find()
    finally:
        catalog.close()


def test_flipped_bytes_are_found_by_the_check(tmp_path: Path) -> None:
    catalog = made(tmp_path)
    with catalog.write() as tx:
        for number in range(400):
            tx.events.append(event(subject=f"subject {number}", data={"text": "x" * 200}))
    catalog.close()
    path = tmp_path / "catalog.sqlite"
    content = bytearray(path.read_bytes())
    page = content.index(b"subject 200") // 4096 * 4096
    content[page : page + 64] = bytes(byte ^ 0xFF for byte in content[page : page + 64])
    path.write_bytes(content)
    catalog = opened(tmp_path)
    faults = catalog.faults()
    catalog.close()
    assert faults
    assert all(fault.startswith("The database engine says: ") and fault.endswith(".") for fault in faults)


def test_a_row_that_refers_to_nothing_is_found_by_the_check(tmp_path: Path) -> None:
    catalog = made(tmp_path)
    deployed(catalog, "churn", model())
    change(tmp_path, "DELETE FROM services")
    assert catalog.faults() == ["Row 1 of table endpoints refers to a row of services that is gone."]
    catalog.close()


def test_making_a_catalog_where_one_is_is_refused(tmp_path: Path) -> None:
    catalog = made(tmp_path)
    with catalog.write() as tx:
        tx.events.append(event())
    with pytest.raises(AlreadyExists, match="That name is taken"):
        made(tmp_path)
    with catalog.read() as tx:
        assert tx.events.last_seq() == 1
    catalog.close()


# other versions


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    made(tmp_path).close()
    change(tmp_path, "UPDATE alembic_version SET version_num = '0999'")
    before = (tmp_path / "catalog.sqlite").read_bytes()
    assert refused(NewerSchema, tmp_path) == (
        f"Workspace '{tmp_path}' was not opened. A newer mlalm wrote it "
        f"(its schema is 0999; this version knows {migrations.REVISIONS[-1]}). "
        "Install the newer mlalm that wrote it, and try again."
    )
    assert (tmp_path / "catalog.sqlite").read_bytes() == before


def test_a_schema_that_becomes_newer_while_it_is_open_is_not_written_to(tmp_path: Path) -> None:
    catalog = made(tmp_path)
    with catalog.write() as tx:
        tx.events.append(event())
    change(tmp_path, "UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(NewerSchema), catalog.write() as tx:
        tx.events.append(event())
    with pytest.raises(NewerSchema), catalog.read() as tx:
        tx.events.find()
    change(tmp_path, "UPDATE alembic_version SET version_num = '" + migrations.REVISIONS[-1] + "'")
    with catalog.read() as tx:
        assert tx.events.last_seq() == 1
    catalog.close()


# disks


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """`disk(size)` is an empty disk of that size; `disk(ro=True)` makes it read-only."""
    point = tmp_path / "disk"
    point.mkdir()
    mounted = False

    def mount(*, size: str = "", read_only: bool = False) -> Path:
        nonlocal mounted
        options = f"remount,{'ro' if read_only else 'rw'}" if mounted else f"size={size}"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(point)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        except FileNotFoundError:
            pytest.skip("there is no `mount` here to make a small disk with")
        if done.returncode:
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
        mounted = True
        return point

    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(point)], timeout=20, check=True)


def test_a_full_disk_takes_no_new_catalog_and_keeps_no_half_of_one(disk: Callable[..., Path]) -> None:
    folder = disk(size="64k")
    with pytest.raises(Unavailable) as caught:
        made(folder)
    assert str(caught.value) == (
        f"The catalog '{folder / 'catalog.sqlite'}' was not used. "
        "The disk is full. Free some room there, then try again."
    )
    assert not (folder / "catalog.sqlite").exists()


def test_a_disk_that_fills_up_loses_nothing_that_was_kept(disk: Callable[..., Path]) -> None:
    folder = disk(size="2m")
    catalog = made(folder)
    ballast = folder / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    kept = 0

    def fill() -> None:
        nonlocal kept
        for _ in range(1000):
            with catalog.write() as tx:
                tx.events.append(event(data={"text": "x" * 5000}))
            kept += 1

    with pytest.raises(Unavailable) as caught:
        fill()
    assert "The disk is full. Free some room there, then try again." in str(caught.value)
    with catalog.read() as tx:
        assert len(tx.events.find()) == kept > 0
    ballast.unlink()
    with catalog.write() as tx:
        tx.events.append(event())
    with catalog.read() as tx:
        assert len(tx.events.find()) == kept + 1
    assert catalog.faults() == []
    catalog.close()


def test_a_full_disk_is_said_to_be_one_when_a_catalog_is_opened_there(disk: Callable[..., Path]) -> None:
    folder = disk(size="1m")
    catalog = made(folder)
    with catalog.write() as tx:
        tx.events.append(event())
    catalog.close()
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    assert "The disk is full. Free some room there, then try again." in refused(Unavailable, folder)
    ballast.unlink()
    catalog = opened(folder)
    with catalog.read() as tx:
        assert tx.events.last_seq() == 1
    catalog.close()


def test_a_read_only_disk_is_read_and_said_to_be_one_where_it_would_be_written(
    disk: Callable[..., Path],
) -> None:
    folder = disk(size="2m")
    made(folder).close()
    before = (folder / "catalog.sqlite").read_bytes()
    disk(read_only=True)
    with contextlib.closing(opened(folder)) as catalog:
        with catalog.read() as tx:
            assert tx.services.find() == []
        with pytest.raises(Unavailable, match="cannot be written to"), catalog.write() as tx:
            tx.events.last_seq()
    with pytest.raises(Unavailable, match="You may not write there"):
        SqlCatalog.create(folder / "new.sqlite", workspace_id="a" * 32, workspace_path=folder, at=at(0))
    assert (folder / "catalog.sqlite").read_bytes() == before


def test_a_folder_that_does_not_exist_takes_no_catalog(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file or directory"):
        made(tmp_path / "nowhere")


# other processes


def test_a_writer_that_never_ends_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_S", 0.05)
    catalog = made(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "catalog.sqlite", isolation_level=None)) as stubborn:
        stubborn.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="Another process has been writing") as caught, catalog.write():
            pass
        assert caught.value.fix == "Try again in a moment."
        with catalog.read() as tx:
            assert tx.events.find() == []
        stubborn.execute("ROLLBACK")
    with catalog.write() as tx:
        tx.events.append(event())
    catalog.close()


DYING = """
import os, signal, sys
from mlalm_jupyter.adapters.catalog import SqlCatalog
from tests.contract.catalog_nouns import event

catalog = SqlCatalog.open(sys.argv[1], workspace_path=".")
for _ in range(10):
    with catalog.write() as tx:
        tx.events.append(event())
with catalog.write() as tx:
    for _ in range(5000):
        tx.events.append(event())
    print("in the middle", flush=True)
    signal.pause()
"""


def test_a_writer_killed_in_the_middle_keeps_what_it_had_finished_and_blocks_nobody(tmp_path: Path) -> None:
    catalog = made(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", DYING, str(tmp_path / "catalog.sqlite")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as dying:
        assert dying.stdout is not None
        assert dying.stdout.readline() == "in the middle\n"
        dying.send_signal(signal.SIGKILL)
        assert dying.wait(timeout=20) == -signal.SIGKILL
    with catalog.write() as tx:
        assert tx.events.last_seq() == 10
        tx.events.append(event())
    assert catalog.faults() == []
    catalog.close()
