"""Packages read from files: little of them in memory, and held to their hashes each time."""

from __future__ import annotations

import contextlib
import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import Corrupt, UntrustedContent
from mlalm_jupyter.formats import bundle
from mlalm_jupyter.formats.inspection import inspected
from tests.faults.tampering import good_package, members, relisted, zipped

pytestmark = pytest.mark.prove_models
MEBIBYTE = 1 << 20


def of_size(path: Path, size: int) -> Path:
    """A sound package whose payload is so many zeros; the file has holes where they are."""
    parts = relisted({**members(good_package()), "payload/model.skops": bytes(size)})
    path.write_bytes(zipped(parts))
    return path


def peak_of_looking(path: Path) -> int:
    """How much memory a look takes at most, whether it ends in a list of wants or in a refusal."""
    tracemalloc.start()
    try:
        with contextlib.suppress(Corrupt):
            assert inspected(path).wants
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_look_at_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    path = of_size(tmp_path / "large.ilearner", 150 * MEBIBYTE)
    assert path.stat().st_size > 150 * MEBIBYTE
    assert peak_of_looking(path) < 20 * MEBIBYTE
    assert "more than is looked through unsigned" in inspected(path).wants[0]
    with pytest.raises(UntrustedContent, match="150 MiB"):
        bundle.read(path).load(trusted=False)


def test_a_directory_of_many_members_is_refused_by_what_it_says_of_itself(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(30_000):
            archive.writestr(zipfile.ZipInfo(f"payload/{number:05}"), b"")
    (tmp_path / "many.ilearner").write_bytes(out.getvalue())
    assert peak_of_looking(tmp_path / "many.ilearner") < 2 * MEBIBYTE


def test_a_description_of_many_parts_is_refused_by_counting_them(tmp_path: Path) -> None:
    parts = {**members(good_package()), "sample.json": b"[" + b"[]," * 1_500_000 + b"[]]"}
    (tmp_path / "parts.ilearner").write_bytes(zipped(relisted(parts)))
    assert peak_of_looking(tmp_path / "parts.ilearner") < 24 * MEBIBYTE


def test_a_file_that_changes_after_it_was_looked_at_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "model.ilearner"
    path.write_bytes(good_package())
    opened = bundle.read(path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        place = archive.getinfo("payload/model.skops").header_offset + 200
    data[place] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    with pytest.raises(Corrupt, match="was changed while it was read"):
        opened.load(trusted=False)


def test_a_file_that_is_renamed_meanwhile_is_still_the_one_that_was_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "model.ilearner"
    path.write_bytes(good_package())
    opened = bundle.read(path)
    os.replace(path, tmp_path / "a model of last month, moved by hand")
    assert opened.load(trusted=False) is not None
    assert inspected(tmp_path / "a model of last month, moved by hand").kind == "package"


def test_the_same_model_gives_the_same_bytes_from_file_and_memory(tmp_path: Path) -> None:
    rows = pd.DataFrame({"a": np.arange(5.0)})
    packages = [bundle.pack(LinearRegression().fit(rows, rows["a"]), sample=rows) for _ in range(2)]
    assert packages[0].data == packages[1].data
    (tmp_path / "m.ilearner").write_bytes(packages[0].data)
    assert bundle.read(tmp_path / "m.ilearner").data == packages[1].data
