"""How long a look at each hostile model file takes, and how much memory: each in a process of its own, libraries warm.

Run it where the libraries of the model formats are (`.ci/formats`): PYTHONPATH=.cache/formats:. python benchmarks/inspection.py
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import machine, table
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.formats.inspection import inspected
from tests.faults.hostile_models import CORPUS, Hostile
from tests.faults.tampering import good_package, members, relisted, zipped


def large(folder: Path) -> Iterator[tuple[str, Path]]:
    """What is large rather than sly."""
    parts = members(good_package())
    for size in (95, 500, 1900):
        path = folder / f"{size}.ilearner"
        path.write_bytes(zipped(relisted({**parts, "payload/model.skops": bytes(size << 20)})))
        yield f"a payload of {size} MiB", path
        path.unlink()
    many = b"[" + b"{}," * 160_000 + b"{}]"
    schema = json.loads(members(parts["payload/model.skops"])["schema.json"])
    text = json.dumps(schema).encode()[:-1] + b', "more": ' + many + b"}"
    skops = zipped({**members(parts["payload/model.skops"]), "schema.json": text})
    path = folder / "many.ilearner"
    path.write_bytes(zipped(relisted({**parts, "payload/model.skops": skops})))
    yield "as many parts as are still looked through", path
    path = folder / "long.pkl"
    path.write_bytes(b"\x80\x04" + b"]0" * (30 << 20) + b"N.")
    yield "a pickle of 60 million opcodes", path
    path.write_bytes(
        b"\x80\x04" + b"".join(b"X\4\0\0\0%04x\x94" % (n & 0xFFFF) for n in range(5_000_000)) + b"N."
    )
    yield "a pickle that remembers five million texts", path


def looked(path: Path) -> tuple[float, float, float, str]:
    """Seconds, peak memory, memory above what a process has that did nothing yet, and what was said."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        try:
            said = str(list(inspected(path).wants))
        except MlalmError as error:
            said = str(error)
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.write(write, json.dumps([took, peak / 1024, (peak - before) / 1024, said[:90]]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        took, peak, more, said = json.load(told)
    os.waitpid(child, 0)
    return took, peak, more, said


def made(one: Hostile, folder: Path) -> Path | None:
    place = folder / one.name.replace("/", "|").replace(" ", "-")[:80]
    place.mkdir()
    try:
        return one.make(folder / "canary", place)
    except ImportError:
        return None


def main() -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = folder / "good.ilearner"
        good.write_bytes(good_package())
        inspected(good)  # so that the libraries are there
        rows = []
        for one in CORPUS:
            if (path := made(one, folder)) is not None:
                rows.append((one.name, *looked(path)))
        rows += [(told, *looked(path)) for told, path in large(folder)]
    print(machine())
    slowest = sorted(rows, key=lambda row: -row[1])[:12]
    print(f"{len(rows)} files; the slowest of them:\n")
    head = ["file", "seconds", "peak of the process, MiB", "of it for this file, MiB", "said"]
    print(table(head, [[r[0], f"{r[1]:.3f}", f"{r[2]:.0f}", f"{r[3]:.0f}", r[4]] for r in slowest]))
    print(f"\nworst: {max(r[1] for r in rows):.3f} s, {max(r[2] for r in rows):.0f} MiB (whole process)")


if __name__ == "__main__":
    main()
