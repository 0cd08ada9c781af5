"""Code that never returns is answered for, and its scorer replaced."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mlalm_jupyter.formats.frames import schema_of
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.local_host import LocalHost
from tests.contract.served import ROWS, Fixed, Handmade, call

NAP = "import time\ndef nap(rows):\n    time.sleep(float(rows['age'].iloc[0]))\n    return rows\n"


def test_a_service_that_hangs_is_out_of_time_and_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLALM_SCORE_TIMEOUT_S", "1")
    host = LocalHost(Home(tmp_path / "home"))
    made = Handmade(tmp_path / "ws")
    try:
        code = made.code(NAP, "nap", outputs=schema_of(ROWS), example=((0.0, 0.0),))
        nap = made.go_live(host, "nap/default", code)
        other = made.go_live(host, "other/default", made.model(Fixed(1)))
        before = {one.role: one.pid for one in host.status().processes}
        answer = call(nap, {"Inputs": {"input1": [{"age": 3000, "hours": 0}]}})
        assert answer.status_code == 504
        assert answer.json()["error"]["details"][0]["code"] == "BackendScoreTimeout"
        deadline = time.monotonic() + 60
        replaced: set[str] = set()
        while not replaced and time.monotonic() < deadline:
            assert call(other).status_code == 200
            now = {one.role: one.pid for one in host.status().processes}
            replaced = {role for role in now if role.startswith("scorer") and now[role] != before.get(role)}
            time.sleep(0.05)
        assert len(replaced) == 1
        assert call(nap, {"Inputs": {"input1": [{"age": 0, "hours": 0}]}}).status_code == 200
    finally:
        host.stop()
