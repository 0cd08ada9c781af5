"""Processes forked off this one: they find imported what they need, and keep nothing else of it."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from mlalm_jupyter.scoring.lifeline import die_with

_PR_SET_NAME = 15


@dataclass
class Forked:
    """A process that was forked off, as `subprocess.Popen` would show it."""

    pid: int
    returncode: int | None = None

    @classmethod
    def start(
        cls,
        arguments: Sequence[str],
        *,
        name: str,
        output: int,
        cwd: Path,
        environ: Mapping[str, str],
        descriptors: Sequence[int],
    ) -> Forked:
        """Run the `main` of the module that is the first argument, as `python -P -m` would."""
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            return cls(pid)
        status = 1
        try:
            die_with(parent)
            _settle(name, output=output, cwd=cwd, environ=environ, descriptors=descriptors)
            status = _done(arguments)
        except BaseException:  # noqa: BLE001  # the outermost frame: no step back into the parent's
            sys.excepthook(*sys.exc_info())
        finally:
            _end(status)

    def poll(self) -> int | None:
        """How it ended, negative for a signal; None while it lives."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                # somebody else has buried it, and nobody knows how it ended
                self.returncode = 1
            else:
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _settle(
    name: str, *, output: int, cwd: Path, environ: Mapping[str, str], descriptors: Sequence[int]
) -> None:
    """Let go of what is the parent's."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number, source in enumerate((nothing, output, output)):
        os.dup2(source, number)
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) > 2 and int(entry) not in descriptors:
            # one of them was the listing itself
            with contextlib.suppress(OSError):
                os.close(int(entry))
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    # what the parent has planned for its own end is not ours to do
    atexit._clear()
    _reseed()
    _rename(name)
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _reseed() -> None:
    """Draw other numbers than the parent and its other children; the standard library does so by itself."""
    if (numpy_random := sys.modules.get("numpy.random")) is not None:
        numpy_random.seed()


def _rename(name: str) -> None:
    """Have `ps -o comm` and `top` tell this process from its parent, whose command line it shares."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def _done(arguments: Sequence[str]) -> int:
    """Run it; the exit status it asks for."""
    module = importlib.import_module(arguments[0])
    sys.argv = [str(module.__file__), *arguments[1:]]
    # what a model file or a process pool looks up there is not the supervisor's
    sys.modules["__main__"] = module
    try:
        module.main()
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            return (leaving.code or 0) & 0xFF
        print(leaving.code, file=sys.stderr)
        return 1
    return 0


def _end(status: int) -> NoReturn:
    """Leave after what was planned for the end since the fork, and without Python's taking down of the parent's."""
    with contextlib.suppress(Exception):  # it is told on stderr, and the process is at its end
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
