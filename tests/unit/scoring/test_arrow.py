"""Arrow tables that say much in few bytes are refused before they take the memory."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mlalm_jupyter.scoring.arrow import from_arrow
from mlalm_jupyter.scoring.errors import Refusal

pytestmark = pytest.mark.prove_services


def packed(table: Any, *, is_file: bool = False, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    opener: Any = pa.ipc.new_file if is_file else pa.ipc.new_stream
    with opener(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=100)
    return bytes(sink.getvalue())


GOOD = pa.table(
    {
        "whole": pa.array(range(250), pa.int32()),
        "half": pa.array([0.5, None] * 125),
        "yes": pa.array([True, False] * 125),
        "word": pa.array(["a", None, "ü", "", "z"] * 50),
        "kind": pa.array(["x", "y", None, "x", "y"] * 50).dictionary_encode(),
        "day": pa.array([date(2024, 5, 30)] * 250),
        "none": pa.nulls(250),
    }
)


@pytest.mark.parametrize("is_file", [False, True])
def test_a_table_comes_as_it_is_in_several_batches(is_file: bool) -> None:
    given = from_arrow(packed(GOOD, is_file=is_file), "input1")
    assert given.rows == 250
    expected = {name: GOOD.column(name).to_pylist() for name in GOOD.column_names}
    expected["day"] = ["2024-05-30"] * 250
    assert {name: list(cells) for name, cells in given.columns.items()} == expected


BOMBS = {
    "zstd": (lambda: packed(pa.table({"n": pa.array([0] * 5_000_000)}), compression="zstd"), "Compressed"),
    "lz4": (lambda: packed(pa.table({"n": pa.array([0] * 5_000_000)}), compression="lz4", ), "Compressed"),
    "a dictionary of zstd": (
        lambda: packed(pa.table({"w": pa.array(["x" * 10_000_000]).dictionary_encode()}), compression="zstd"),
        "Compressed",
    ),
    "nulls": (lambda: packed_whole(pa.table({"n": pa.nulls(500_000_000)})), "more cells than its bytes"),
    "views": (lambda: packed(pa.table({"w": pa.array(["x"]).cast(pa.string_view())})), "which is not taken"),
    "lists": (lambda: packed(pa.table({"w": pa.array([[1]])})), "which is not taken"),
    "bytes": (lambda: packed(pa.table({"w": pa.array([b"x"])})), "which is not taken"),
    "structs": (lambda: packed(pa.table({"w": pa.array([{}] * 3, pa.struct([]))})), "which is not taken"),
    "runs": (
        lambda: packed(pa.table({"w": pa.RunEndEncodedArray.from_arrays([1000], [1])})),
        "which is not taken",
    ),
}  # fmt: skip


def packed_whole(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_take_more_memory_than_it_has_bytes_is_refused(name: str) -> None:
    make, said = BOMBS[name]
    with pytest.raises(Refusal) as caught:
        from_arrow(make(), "input1")
    assert (caught.value.status, said in caught.value.message) == (400, True), caught.value.message


def test_a_text_that_many_rows_share_is_held_once(tmp_path: Path) -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int8()), pa.array(["x" * 1_000_000]))
    (tmp_path / "body").write_bytes(packed_whole(pa.table({"w": words})))
    program = (
        "import sys, resource\nfrom mlalm_jupyter.scoring.arrow import from_arrow\n"
        "given = from_arrow(open(sys.argv[1], 'rb').read(), 'i')\n"
        "print(given.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "body")],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    rows, peak_kb = map(int, done.stdout.split())
    assert rows == 50_000
    assert peak_kb < 1_000_000


@pytest.mark.parametrize("cut", [1, 7, 8, 20, 100, 400])
def test_damaged_bytes_are_refused_or_read_and_raise_nothing_else(cut: int) -> None:
    whole = packed(GOOD)
    ends = []
    for body in (whole[:cut], whole[cut:], whole[: cut + 300] + whole[cut + 320 :]):
        try:
            ends.append(from_arrow(body, "input1").rows)
        except Refusal as refusal:
            ends.append(-refusal.status)
    assert -400 in ends
    assert set(ends) <= {-400, *range(251)}
