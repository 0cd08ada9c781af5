"""Where scorers find things, and addresses of sockets the kernel takes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from mlalm_jupyter.scoring.limits import Limits
from mlalm_jupyter.scoring.places import Places, listening_at, socket_address


def test_only_files_named_like_a_workspace_are_projections(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert places.projection_files() == []
    places.projections.mkdir()
    mine = places.projection("ab" * 16)
    for path in (
        mine,
        places.projections / "x.json",
        mine.with_suffix(".lock"),
        places.projections / f".{mine.name}-1",
    ):
        path.touch()
    assert places.projection_files() == [mine]


def test_a_socket_in_a_deep_folder_can_be_bound_and_reached(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 60) / ("e" * 60)
    folder.mkdir(parents=True)
    path = folder / "control.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        with socket_address(path) as address:
            listener.bind(address)
        listener.listen()
        assert path.is_socket()
        caller.settimeout(5)
        with socket_address(path) as address:
            caller.connect(address)


def test_limits_come_from_the_environment_and_nonsense_is_left_out() -> None:
    limits = Limits.from_env(
        {"MLALM_MAX_BODY_BYTES": "1e3", "MLALM_BODY_TIMEOUT_S": "-1", "MLALM_KEEP_ALIVE_S": "x"}
    )
    assert limits == Limits(max_body_bytes=1000)


def test_a_socket_file_is_its_users_alone_and_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        for _ in range(2):
            with listening_at(tmp_path / "api.sock"):
                assert (tmp_path / "api.sock").stat().st_mode & 0o777 == 0o600
        assert os.umask(0o022) == 0o022, "what others make keeps its mode"
    finally:
        os.umask(before)
