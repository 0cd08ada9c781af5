"""Logs: their ends, and their sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.serving import logs


def test_the_end_of_a_long_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    path.write_text("".join(f"line {number}\n" for number in range(50_000)))
    assert logs.tail(path, lines=2) == "line 49998\nline 49999"
    assert len(logs.tail(path, lines=100_000).splitlines()) == 50_000
    assert logs.tail(tmp_path / "none.log", lines=5) == ""


def test_all_processes_are_told_under_their_names(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text("a\nb\n")
    (tmp_path / "worker.log").write_text("w\n")
    assert logs.told(tmp_path, process=None, lines=1) == "== api ==\nb\n\n== worker ==\nw"
    assert logs.told(tmp_path, process="worker", lines=1) == "w"
    with pytest.raises(NotFound, match="'worker'"):
        logs.told(tmp_path, process="workers", lines=1)
    with pytest.raises(InvalidInput):
        logs.told(tmp_path, process=None, lines=0)


def test_a_log_that_grew_large_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_ROTATE_AT_BYTES", 5)
    monkeypatch.setattr(logs, "_SHRINK_AT_BYTES", 5)
    path = tmp_path / "api.log"
    path.write_text("much text\n")
    logs.rotate(path)
    assert (path.exists(), (tmp_path / "api.log.1").read_text()) == (False, "much text\n")
    with open(path, "a") as writer:
        writer.write("more text\n")
        writer.flush()
        logs.shrink(path)
        writer.write("then\n")
    assert (path.read_text(), (tmp_path / "api.log.1").read_text()) == ("then\n", "more text\n")
