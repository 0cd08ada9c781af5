"""The process of one job: does it under its lease, and takes everything it started with it when it ends."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from mlalm_jupyter.adapters import descendants

if TYPE_CHECKING:
    from mlalm_jupyter.domain.job import Lease
    from mlalm_jupyter.domain.run import Cells
    from mlalm_jupyter.workspace import Workspace

_GRACE_S = 2.0
LONGEST_WORDS = 4000
"""What a pipe takes at once, whoever reads it when."""


class _Told:
    """What the process was told from outside, and whether cells are at work."""

    is_executing = False
    to_stop = False


def main() -> None:
    """Do one claimed job."""
    parser = argparse.ArgumentParser(prog="mlalm-job")
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--job", required=True)
    parser.add_argument("--owner", required=True)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--words", type=int, default=-1, help="where to say why it ends without a record")
    parser.add_argument("--parent", type=int, required=True, help="the worker, with which this process ends")
    args = parser.parse_args()
    descendants.adopt_orphans()
    signal.signal(signal.SIGTERM, _end)
    if not descendants.signal_at_death_of(args.parent, signal.SIGTERM):
        os._exit(1)
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    # jsonschema can do without it, and it takes a second to import: a grammar of all web addresses
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    import_papermill()
    from mlalm_jupyter.domain.job import Lease

    _do(args.workspace, Lease(args.job, args.owner, args.attempt), words=args.words)
    left = _end_descendants()
    sys.stdout.flush()
    sys.stderr.flush()
    # threads that libraries left running must not keep a job's process alive
    os._exit(1 if left else 0)


def import_papermill() -> None:
    """Import it without Arrow, which it would load, and numpy with it, for a file system that no job reads from."""
    file_systems = "pyarrow.fs"
    sys.modules[file_systems] = None  # type: ignore[assignment]
    try:
        import papermill  # noqa: F401
    finally:
        # what a job itself does with Arrow finds all of it
        del sys.modules[file_systems]


def _do(path: str, lease: Lease, *, words: int) -> None:
    """Do the job; whatever goes wrong in ways nobody foresaw is the recorded cause of its failure."""
    from mlalm_jupyter.domain.errors import MlalmError
    from mlalm_jupyter.workspace import Workspace

    with Workspace.open(path) as workspace:
        try:
            workspace.performer.perform(lease, on_progress=_executing, is_stopped=_is_stopped)
        except MlalmError as error:
            _leave_if_told()
            _abandon(workspace, lease, str(error), words=words)
        except Exception as error:
            _leave_if_told()
            logging.exception("job %s failed", lease.job_id[:12])
            _abandon(workspace, lease, f"{type(error).__name__}: {error}", words=words)


def _abandon(workspace: Workspace, lease: Lease, cause: str, *, words: int) -> None:
    """Record a failure; where not even that can be, say it to the worker, who tries until it can."""
    from mlalm_jupyter.domain.errors import Unavailable
    from mlalm_jupyter.domain.job import JobState

    try:
        # without the lease nothing is recorded: whoever has it now decides
        workspace.recorder.abandon(lease, JobState.FAILED, cause=cause)
    except Unavailable:
        logging.exception("the end of job %s was not recorded", lease.job_id[:12])
        if words >= 0:
            os.write(words, cause.encode()[:LONGEST_WORDS])
        os._exit(1)


def _executing(_cells: Cells) -> None:
    _Told.is_executing = True


def _is_stopped() -> bool:
    """Asked when the execution is over."""
    _Told.is_executing = False
    return _Told.to_stop


def _leave_if_told() -> None:
    if _Told.to_stop:
        os._exit(128 + signal.SIGTERM)


def _end(_number: int, _frame: object) -> None:
    """Told to stop, or the worker died: the kernel ends, and with it the execution, which a canceled run records.

    Any other end is for the holder of the lease to record.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _Told.to_stop = True
    _end_descendants()
    if _Told.is_executing:
        return
    os._exit(128 + signal.SIGTERM)


def _end_descendants() -> list[descendants.Process]:
    return descendants.end(root=os.getpid(), mark=_own_mark(), grace_s=_GRACE_S)


def _own_mark() -> str | None:
    return os.environ.get(descendants.MARK, "").rpartition(",")[2] or None


if __name__ == "__main__":
    main()
