"""Datasets that are kept by reference: seen where they lie, checked at each use, their secrets never told."""

from __future__ import annotations

import functools
import http.server
import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlalm_jupyter.domain.addresses import file_name_of, shown_address
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, MlalmError, NotFound, Unavailable
from mlalm_jupyter.surfaces.display import html_of, text_of
from mlalm_jupyter.workspace import Workspace

pytestmark = pytest.mark.prove_experiments

RIDES = b"hour,wind\n1,4.5\n2,0\n"
SECRET = "s3cr3t+/=="


class Files(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/refused"):
            self.send_error(403)
        elif self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/rides.csv")
            self.end_headers()
        elif self.path.startswith("/round"):
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        elif self.path.startswith("/short"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(RIDES)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "served"
    made.mkdir()
    (made / "rides.csv").write_bytes(RIDES)
    return made


@pytest.fixture
def base(folder: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Files, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def test_an_address_is_looked_at_and_no_bytes_are_kept(workspace: Workspace, base: str) -> None:
    kept = workspace.datasets.upload(f"{base}/rides.csv", "rides", by_reference=True)
    assert kept.source is not None
    assert (kept.source.address, kept.size_bytes, kept.row_count) == (f"{base}/rides.csv", len(RIDES), 2)
    assert kept.source.modified
    assert not workspace.blobs.has(kept.digest)
    assert len(workspace.datasets.load("rides")) == 2
    assert len(workspace.datasets.show("rides").head.rows) == 2
    workspace.datasets.download("rides", str(workspace.path / "copy.csv"))
    assert (workspace.path / "copy.csv").read_bytes() == RIDES


def test_what_has_changed_is_refused_and_an_update_takes_it(
    workspace: Workspace, base: str, folder: Path
) -> None:
    workspace.datasets.upload(f"{base}/rides.csv", "rides", by_reference=True)
    (folder / "rides.csv").write_bytes(RIDES.replace(b"4.5", b"5.4"))
    with pytest.raises(Conflict) as caught:
        workspace.datasets.load("rides")
    assert "bytes with another hash" in caught.value.why
    assert "mlalm dataset update rides" in caught.value.fix
    with pytest.raises(Conflict):
        workspace.datasets.download("rides", str(workspace.path / "copy.csv"))
    assert "has changed" in workspace.datasets.show("rides").note
    assert workspace.datasets.update("rides").version == 2
    assert workspace.datasets.load("rides")["wind"].tolist() == [5.4, 0.0]
    with pytest.raises(Conflict):
        workspace.datasets.load("rides:1")


def test_a_path_outside_is_referred_to_as_well(workspace: Workspace, folder: Path) -> None:
    kept = workspace.datasets.upload(str(folder / "rides.csv"), "rides", by_reference=True)
    assert kept.source is not None
    assert kept.source.address == str(folder / "rides.csv")
    assert list(workspace.datasets.load("rides").columns) == ["hour", "wind"]
    (folder / "rides.csv").write_bytes(RIDES + b"3,1\n")
    with pytest.raises(Conflict, match=r"it has 24 bytes, and it had 20 bytes"):
        workspace.datasets.load("rides")
    (folder / "rides.csv").unlink()
    with pytest.raises(NotFound):
        workspace.datasets.load("rides")
    assert workspace.datasets.show("rides").note.startswith("No file")


def test_what_is_wrong_there_is_refused_and_nothing_is_kept(
    workspace: Workspace, base: str, folder: Path
) -> None:
    (folder / "bad.csv").write_bytes(b"a,b\n1\n")
    with pytest.raises(InvalidInput, match=r"Line 2 of 'bad\.csv'"):
        workspace.datasets.upload(f"{base}/bad.csv?sig={SECRET}", "rides", by_reference=True)
    assert list(workspace.blobs.digests()) == []
    assert workspace.datasets.list() == ()


@pytest.mark.parametrize(
    ("path", "kind", "told"),
    [
        ("/none.csv", NotFound, "none.csv"),
        ("/refused.csv", Unavailable, "It refuses us (status 403)."),
        ("/round.csv", Unavailable, "It leads on more than 5 times."),
        ("/short.csv", Unavailable, "The connection failed"),
    ],
)
def test_an_address_that_gives_nothing_is_refused_without_its_secret(
    workspace: Workspace,
    base: str,
    path: str,
    kind: type[MlalmError],
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(kind) as caught:
        workspace.datasets.upload(f"{base}{path}?sig={SECRET}", "rides", by_reference=True)
    assert told in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert SECRET not in caplog.text


def test_a_redirect_is_followed(workspace: Workspace, base: str) -> None:
    assert workspace.datasets.upload(f"{base}/moved.csv", "rides", by_reference=True).row_count == 2


def test_nobody_at_the_address_is_told(workspace: Workspace) -> None:
    with pytest.raises(Unavailable, match="The connection failed"):
        workspace.datasets.upload("http://127.0.0.1:9/rides.csv", "rides", by_reference=True)


def test_an_address_without_the_option_is_refused(workspace: Workspace, base: str) -> None:
    with pytest.raises(InvalidInput, match="--by-reference") as caught:
        workspace.datasets.upload(f"{base}/rides.csv?sig={SECRET}", "rides")
    assert SECRET not in str(caught.value)


def test_a_secret_in_an_address_is_used_and_never_shown_or_stored_in_the_clear(
    workspace: Workspace, base: str
) -> None:
    address = base.replace("http://", f"http://ann:{'pass' * 3}@") + f"/rides.csv?sv=2024&sig={SECRET}"
    kept = workspace.datasets.upload(address, "rides", by_reference=True)
    assert kept.source is not None
    assert kept.source.address == f"{base}/rides.csv?sv=...&sig=..."
    assert len(workspace.datasets.load("rides")) == 2
    workspace.datasets.update("rides")
    shown = workspace.datasets.show("rides")
    told = [text_of(kept), html_of(kept), text_of(shown), json.dumps(shown.to_dict()), repr(shown.to_dict())]
    with workspace.catalog.read() as tx:
        told += [repr(event) for event in tx.events.find()]
    for text in told:
        assert SECRET not in text
        assert "passpass" not in text
    workspace.catalog.close()
    with sqlite3.connect(workspace.path / ".mlalm" / "catalog.sqlite") as connection:
        stored = "\n".join(connection.iterdump())
    connection.close()
    assert SECRET not in stored
    assert "passpass" not in stored
    blobs = b"".join(workspace.blobs.get(digest) for digest in workspace.blobs.digests())
    assert SECRET.encode() not in blobs


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:word@h.example/a.csv", "https://h.example/a.csv"),
        ("HTTPS://h.example:8443/a.csv?token", "https://h.example:8443/a.csv?..."),
        ("https://h.example/a.csv?a=1&b=", "https://h.example/a.csv?a=...&b=..."),
        ("https://h.example/a.csv#secret", "https://h.example/a.csv"),
        ("https://[::1]:80/a.csv", "https://[::1]:80/a.csv"),
        ("https://h.example:port/x?sig=1", "https://..."),
        ("/data/a?b=c.csv", "/data/a?b=c.csv"),
    ],
)
def test_an_address_is_shown_without_what_it_keeps_secret(address: str, shown: str) -> None:
    assert shown_address(address) == shown


def test_the_name_of_a_file_is_the_end_of_its_path() -> None:
    assert file_name_of("https://h.example/x/a%20b.csv?sig=c.txt") == "a b.csv"
    assert file_name_of("/data/what?.csv") == "what?.csv"
