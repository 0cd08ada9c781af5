"""Models: registering a large one, registering and searching with very many versions present.

    python benchmarks/models.py [--only large,registry] [--quick]

MLflow is measured in the same run, in turns with ours, on the same disk; how it is set up is said in
peers/mlflow_models.py. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from figures import machine, median_ms, spread, table
from peer import PeerProcess
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from mlalm_jupyter.domain.model import Lineage, TrainedModel
from mlalm_jupyter.formats import bundle
from mlalm_jupyter.formats.archive import json_text, zipped
from mlalm_jupyter.workspace import Workspace

PARTS = ("large", "registry")
Row = tuple[str, ...]
_LIMIT = 50


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(PARTS), help="some of: " + ",".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small counts, to see that it works")
    parser.add_argument("--folder", type=Path, help="where to work; the disk matters (default: .cache)")
    args = parser.parse_args()
    wanted = args.only.split(",")
    root = args.folder or Path(__file__).resolve().parent.parent / ".cache"
    root.mkdir(exist_ok=True)
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(dir=root, prefix="bench-") as folder:
        place = Path(folder)
        rows: list[Row] = []
        if "large" in wanted:
            rows += large(place, is_quick=args.quick)
        if "registry" in wanted:
            with PeerProcess("mlflow", place / "mlflow", of="models") as mlflow:
                rows += registry(place, mlflow, is_quick=args.quick)
                print(f"MLflow: {mlflow.ask('about')}")
        print(table(("what", "ours", "peer", "ratio", "goal"), rows), flush=True)
    print(machine())


def large(place: Path, *, is_quick: bool) -> list[Row]:
    """A package of 100 MB from a file, in turns with copying and hashing that file once."""
    megabytes, rounds = (10, 3) if is_quick else (100, 15)
    data = np.random.default_rng(3).random((megabytes * (1 << 20) // 16, 2))
    frame = pd.DataFrame(data, columns=["a", "b"])
    model = KNeighborsRegressor(algorithm="brute").fit(frame.to_numpy(), data[:, 0])
    file = place / "large.ilearner"
    file.write_bytes(bundle.pack(model, sample=frame.head()).data)
    ours, copies = [], []
    with Workspace.init(place / "large") as workspace:
        for turn in range(rounds + 2):
            _altered(file, turn)
            copies.append(_timed(lambda turn=turn: _copied(file, place / f"copy-{turn}")))
            (place / f"copy-{turn}").unlink()
            ours.append(_timed(lambda: workspace.models.register(str(file), "large")))
        size = file.stat().st_size / 1e6
    ratio = median_ms(ours[2:]) / median_ms(copies[2:])
    what = f"register a package of {size:.0f} MB (peer: copy, sha256, fsync)"
    return [(what, spread(ours[2:]), spread(copies[2:]), f"{ratio:.2f}", "1.3")]


def _altered(file: Path, turn: int) -> None:
    """Other bytes each time, so that nothing is there already; the sample tells the turns apart."""
    opened = bundle.read(file.read_bytes())
    members = dict(opened.members)
    members["sample.json"] = members["sample.json"].replace(b"}", b" " * (turn % 7) + b" }", 1)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    manifest = json_text({**opened.manifest, "members": hashes})
    file.write_bytes(zipped({"manifest.json": manifest, **members}))


def _copied(file: Path, to: Path) -> str:
    hasher = hashlib.sha256()
    with open(file, "rb") as source, open(to, "wb") as target:
        while chunk := source.read(1 << 20):
            hasher.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return hasher.hexdigest()


def registry(place: Path, mlflow: PeerProcess, *, is_quick: bool) -> list[Row]:
    """Registering a small model, and finding versions, with very many present on both sides."""
    present, rounds = (2000, 5) if is_quick else (100_000, 25)
    mlflow.ask("fill", count=present)
    rows = pd.DataFrame(np.arange(40.0).reshape(10, 4), columns=list("abcd"))
    with Workspace.init(place / "registry") as workspace:
        _fill(workspace, present)

        def register() -> None:
            model = LinearRegression().fit(rows, rows["a"] * time.time())
            begun.append(time.perf_counter())
            workspace.models.register(model, "churn", sample=rows.head(), tags={"stage": "tried"})

        begun: list[float] = []
        both: list[Row] = []
        ours, theirs, bare = [], [], []
        for _ in range(rounds + 2):
            register()
            ours.append(time.perf_counter() - begun[-1])
            theirs += mlflow.ask("register", times=1)
            bare += mlflow.ask("bare", times=1)
        what = f"register a small model ({present} versions present)"
        both.append(_compared(what, ours[2:], theirs[2:]))
        file = place / "small.ilearner"
        workspace.models.download("churn", str(file))
        row = [_timed(lambda: workspace.models.register(str(file), "churn")) for _ in range(rounds + 2)]
        both.append(
            _compared("the same from a file (peer: a row alone, no bytes)", row[2:], bare[2:], goal="")
        )
        limit = 2 if is_quick else _LIMIT
        name = "name = 'churn'"
        for told, where, theirs_where in (
            ("a rare tag", "stage=prod", f"{name} and tag.stage = 'prod'"),
            ("a common tag", "stage=tried", f"{name} and tag.stage = 'tried'"),
            ("one name, the newest", "", name),
        ):
            found = [_timed(lambda where=where: _page(workspace, where, limit)) for _ in range(4 * rounds)]
            answers = mlflow.ask("search", times=rounds, limit=limit, where=theirs_where)
            both.append(_compared(f"search, {told}, a page of {limit}", found[4:], answers[1:]))
        found = [
            _timed(lambda: _page(workspace, "stage=prod, auc>=0.1, dataset=census:3", 1)) for _ in range(40)
        ]
        both.append(
            ("search, tag and metric and dataset", spread(found[4:]), "it has no such search", "", "")
        )
        return both


def _page(workspace: Workspace, where: str, limit: int) -> None:
    found = workspace.models.list(name="churn", where=where, limit=limit)
    if len(found) != limit:
        raise SystemExit(f"{len(found)} versions came, not {limit}.")


def _fill(workspace: Workspace, count: int) -> None:
    """Versions of one model, in bulk."""
    ctx = workspace.context
    rows = pd.DataFrame({"a": [1.0, 2.0]})
    like = workspace.models.register(LinearRegression().fit(rows, rows["a"]), "churn", sample=rows)
    for begin in range(2, count, 5000):
        with ctx.catalog.write() as tx:
            for number in range(begin, min(count + 1, begin + 5000)):
                tx.models.add(
                    _version(
                        like, ctx.clock.new_id(), ctx.clock.now(), tx.models.next_version("churn"), number
                    )
                )


def _version(like: TrainedModel, key: str, now: str, version: int, number: int) -> TrainedModel:
    from dataclasses import replace

    return replace(
        like,
        id=key,
        version=version,
        model_hash=f"{number:064x}",
        created_at=now,
        tags={"stage": "prod" if number % 1000 == 7 else "tried", "who": "ada"},
        metrics={"auc": number * 617 % 997 / 997, "loss": 0.31},
        parameters={"depth": 4, "rate": 0.1},
        lineage=Lineage("run", None, "train.ipynb", ("dataset census:3",), 4),
    )


def _timed(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def _compared(what: str, ours: list[float], theirs: list[float], *, goal: str = "1 / 10") -> Row:
    ratio = median_ms(theirs) / median_ms(ours)
    return what, spread(ours), spread(theirs), f"1 / {ratio:.1f}", goal


if __name__ == "__main__":
    main()
