"""Experiments: recording snapshots, listing histories, what they take on disk, and what our engine costs.

    python benchmarks/experiments.py [--only recording,history,storage,engine] [--quick]

MLflow is measured in the same run, in turns with ours, on the same disk; how it is set up is said in
peers/mlflow_runs.py. Both keep their folders inside one small git repository. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import engine_overhead
import experiment_store
from figures import machine, table
from peer import PeerProcess

PARTS = ("recording", "history", "storage", "engine")


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
    print(machine(), flush=True)
    head = ("what", "ours", "peer", "ratio", "goal")
    with tempfile.TemporaryDirectory(dir=root, prefix="bench-") as folder:
        place = _repository(Path(folder))
        rows: list[tuple[str, ...]] = []
        if {"recording", "history"} & {*wanted}:
            with PeerProcess("mlflow", place / "mlflow") as mlflow:
                if "recording" in wanted:
                    rows += experiment_store.recording(place, mlflow, is_quick=args.quick)
                if "history" in wanted:
                    rows += experiment_store.history(place, mlflow, is_quick=args.quick)
                print(f"MLflow: {mlflow.ask('about')}")
        if "storage" in wanted:
            rows += experiment_store.storage(place, is_quick=args.quick)
        if rows:
            print(table(head, rows), flush=True)
        if "engine" in wanted:
            print()
            print(table(engine_overhead.HEAD, engine_overhead.overhead(place, is_quick=args.quick)))
    print(machine())


def _repository(folder: Path) -> Path:
    """A git repository with a hundred small files, as a project's is."""
    for number in range(100):
        (folder / f"module_{number}.py").write_text(f"VALUE = {number}\n")
    (folder / ".gitignore").write_text("mlflow/\n")
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*git, *command], check=True)
    return folder


if __name__ == "__main__":
    main()
