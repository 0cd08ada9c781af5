"""Papermill's engine with a watch on it: where the execution is, and in what way it ended."""

from __future__ import annotations

import functools
import json
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from traitlets import default

from mlalm_jupyter.adapters import journal
from mlalm_jupyter.adapters.kept_values import LISTING
from mlalm_jupyter.domain import errors
from mlalm_jupyter.domain.run import Cells, Output, RunStatus
from mlalm_jupyter.ports import Execution

INJECTED = "injected-parameters"
_LONGEST_CAUSE = 2000
_IOPUB_TIMEOUT_S = 60
_SHORTEST_TIMEOUT_S = 0.05
_VALUES = "values"
_DIED = "Kernel died before replying"
_KEEP = """
try:
    from mlalm_jupyter.adapters.kept_values import start as _mlalm_start
except ImportError:
    pass
else:
    _mlalm_start()
    del _mlalm_start
"""


class Watch:
    """What is seen of one execution.

    Cells are counted as a person counts them: the code cells of their notebook that hold something, from 1.
    A parameters cell that papermill adds is not one of them.
    """

    def __init__(
        self,
        *,
        on_cell: Callable[[Cells], None],
        timeout_s: float | None = None,
        replaces_injected: bool = False,
        until: int | None = None,
        scratch: Path | None = None,
        keeps_values: bool = False,
        preludes: Sequence[str] = (),
    ) -> None:
        self._on_cell = on_cell
        self._journal = journal.Journal(scratch) if scratch else None
        self.keep_in = scratch / _VALUES if scratch and keeps_values else None
        if self.keep_in:
            self.keep_in.mkdir(mode=0o700, exist_ok=True)
        self.preludes = (*([_KEEP] if self.keep_in else ()), *preludes)
        """Code that the kernel runs before the notebook; no reader of its outputs sees it."""
        self._until = until
        self._timeout_s = timeout_s
        self._replaces_injected = replaces_injected
        self._deadline: float | None = None
        self._number_of: dict[int, int] = {}
        self._order: list[int] = []
        self._executed: list[int] = []
        self._has_begun = False
        self._has_died = False
        self._refused = ""
        """Why no more values are kept."""
        self.status: RunStatus | None = None
        self.cause: str | None = None
        self.failed_cell: int | None = None
        self.stop: Callable[[], bool] = lambda: False
        """Asked before each cell whether to go on."""

    @classmethod
    def of_the_killed(cls, scratch: Path) -> tuple[Watch, Any] | None:
        """What an execution that was killed had seen, and its notebook then; None when it had not begun."""
        told = journal.read(scratch)
        if told is None:
            return None
        watch = cls(on_cell=lambda _: None, replaces_injected=told.replaces_injected)
        watch.keep_in = scratch / _VALUES
        watch._numbers(told.notebook.cells)
        for index in told.completed:
            watch.completes(index)
        watch.failed_cell = None if told.current is None else watch._number_of.get(told.current)
        return watch, told.notebook

    def begins(self, notebook: Any) -> None:
        """The kernel is there and the first cell of this notebook is about to start."""
        self._numbers(notebook.cells)
        self._has_begun = True
        if self._journal:
            self._journal.begins(notebook, replaces_injected=self._replaces_injected)

    def _numbers(self, cells: list[Any]) -> None:
        self._order = [
            index for index, cell in enumerate(cells) if cell.cell_type == "code" and cell.source.strip()
        ]
        numbers = (
            index
            for index in self._order
            if self._replaces_injected or INJECTED not in cells[index].metadata.get("tags", [])
        )
        self._number_of = {index: number for number, index in enumerate(numbers, start=1)}

    def starts(self, index: int) -> None:
        if self.stop():
            raise Stopped
        if self._journal:
            self._journal.starts(index)
        if (number := self._number_of.get(index)) is not None:
            self._on_cell(Cells(len(self._executed), len(self._number_of), number))

    def grows(self, index: int, cell: Any) -> None:
        """A cell at work has said something."""
        if self._journal:
            self._journal.grows(index, cell)

    def ends(self, index: int, cell: Any) -> None:
        """A cell is as it will stay, be it completed or not."""
        if self._journal and index in self._order:
            is_completed = self.status is not RunStatus.FAILED
            self._journal.ends(index, cell, is_completed=is_completed)

    def completes(self, index: int) -> None:
        if (number := self._number_of.get(index)) is not None:
            self._executed.append(number)

    @property
    def is_enough(self) -> bool:
        """Whether the last cell that was asked for is done."""
        return self._until is not None and self._until in self._executed

    def raised(self, index: int, error: CellExecutionError, output: str) -> None:
        """A cell ended with an exception, which ends the run."""
        if error.ename == "SystemExit" and error.evalue in ("", "0"):
            self.status = RunStatus.FINISHED_PARTIAL
            self.completes(index)
            return
        self._failed(_sentence(error.ename, error.evalue or output, traceback=error.traceback), index)

    def broke_off(self, index: int, error: BaseException, exit_status: int | None) -> None:
        """A cell did not get to its end."""
        number = self._number_of.get(index)
        place = f"in cell {number}" if number else "while its parameters were set"
        if isinstance(error, KernelLeft):
            cause = f"The code {place} told its kernel to exit; `sys.exit()` ends a run without failing it."
        elif isinstance(error, CellTimeoutError):
            cause = self._lateness(error, place)
        elif isinstance(error, DeadKernelError):
            cause = f"Its kernel died {place}{_how(exit_status)}."
        else:
            cause = f"It was broken off {place}: {_sentence(type(error).__name__, str(error))}."
        self._failed(cause, index)

    def may_start_again(self, error: BaseException) -> bool:
        """Whether the kernel ended before it had seen anything of the notebook, for the first time.

        Its ports are chosen before it starts, and another program may have taken one of them by then.
        """
        is_first, self._has_died = not self._has_died, True
        return is_first and not self._has_begun and _DIED in str(error)

    def never_started(self, error: BaseException) -> None:
        """The kernel did not come up, or went away when no cell was at work."""
        if self.status is not None:
            return
        if not self._has_begun:
            self._failed(f"Its kernel did not start: {str(error) or type(error).__name__}")
        elif isinstance(error, DeadKernelError):
            self._failed("Its kernel died after the last cell.")

    def remaining_s(self, _cell: object = None) -> float | None:
        """How long the cell that starts now may take; the limit is for the run as a whole."""
        if self._timeout_s is None:
            return None
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._timeout_s
        return max(_SHORTEST_TIMEOUT_S, self._deadline - now)

    @property
    def cells(self) -> Cells:
        return Cells(len(self._executed), len(self._number_of), None)

    def outputs(self, keep: Callable[[Path], tuple[str, int]]) -> tuple[Output, ...]:
        """The values that the cells left, taken out of the folder in which the kernel put them."""
        listing = self.keep_in / LISTING if self.keep_in else None
        if self.keep_in is None or listing is None or not listing.exists():
            return ()
        # the kernel may have been killed in the middle of a line, and what runs in it may have written any
        lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
        # lines of equal values name the same file
        once = functools.cache(functools.partial(self._kept, keep))
        return tuple(one for line in lines if (one := self._output(line, once)) is not None)

    def _kept(self, keep: Callable[[Path], tuple[str, int]], file: Path) -> tuple[str | None, int]:
        """Where a value is kept; without room for one of them no more are, so that the end of the run has some."""
        if self._refused:
            return None, 0
        try:
            return keep(file)
        except errors.Unavailable as error:
            self._refused = str(error)
            shutil.rmtree(file.parent, ignore_errors=True)
            return None, 0

    def _output(self, line: str, keep: Callable[[Path], tuple[str | None, int]]) -> Output | None:
        """The value that a line of the listing tells of; None for papermill's own cell, and for no such line."""
        try:
            told = json.loads(line)
            place = self._order[int(told["executed"]) - 1]
            name, words = str(told["name"]), str(told["told"])
            form, note = str(told.get("format", "")), str(told.get("note", ""))
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            return None
        number = self._number_of.get(place)
        if number is None:
            return None
        if "file" not in told or self.keep_in is None:
            return Output(number, name, form, words, None, 0, note)
        file = self.keep_in / Path(str(told["file"])).name
        if self._refused:
            return Output(number, name, form, words, None, 0, "there was no room for it")
        if file.is_symlink() or not file.is_file():
            return Output(number, name, form, words, None, 0, "its file is not there")
        digest, size = keep(file)
        return Output(number, name, form, words, digest, size, note if digest else "there was no room for it")

    def execution(self, notebook: bytes) -> Execution:
        """What came of it."""
        if self._refused and self.status is not RunStatus.FAILED:
            self._failed(f"The values of its cells were not kept. {self._refused}")
        status = self.status or RunStatus.FINISHED
        if self._until is not None:
            status = status.of_part
        executed = tuple(self._executed)
        return Execution(notebook, status, self.cells, self.cause, self.failed_cell, executed)

    def _lateness(self, error: CellTimeoutError, place: str) -> str:
        if "IOPub" in str(error):
            return f"The output of the code {place} did not arrive within {_IOPUB_TIMEOUT_S} s."
        if self._timeout_s is None:
            return f"The code {place} took longer than a cell may."
        return f"It took longer than {self._timeout_s:g} s, and was stopped {place}."

    def _failed(self, cause: str, index: int | None = None) -> None:
        self.status = RunStatus.FAILED
        self.cause = cause
        self.failed_cell = None if index is None else self._number_of.get(index)


class Stopped(Exception):
    """Nobody wants this execution to go on."""


class KernelLeft(DeadKernelError):
    """The notebook told its own kernel to exit."""


class WatchedClient(PapermillNotebookClient):  # type: ignore[misc]  # papermill is not typed
    """Papermill's client; it tells a watch what happens, and marks a cell that took its kernel down."""

    watch: Watch

    def execute(self, **kwargs: Any) -> Any:
        while True:
            try:
                return super().execute(**kwargs)
            except (RuntimeError, OSError) as error:
                # what jupyter_client says of a kernel that does not start is a plain RuntimeError
                if self.watch.may_start_again(error):
                    continue
                self.watch.never_started(error)
                raise

    def papermill_execute_cells(self) -> None:
        self.watch.begins(self.nb)
        for text in self.watch.preludes:
            # nobody waits for its answer: the first cell comes after it, and a kernel without us goes on without it
            self.kc.execute(text, silent=True, store_history=False, allow_stdin=False)
        for index, cell in enumerate(self.nb.cells):
            self.watch.starts(index)
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
                if self._has_left:
                    raise KernelLeft("The kernel was told to exit")
            except CellExecutionError as error:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
                self.watch.raised(index, error, _last_line(cell))
                return
            except BaseException as error:
                # papermill would leave this cell, and all after it, marked as completed
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
                self.watch.broke_off(index, error, self._exit_status())
                self.shutdown_kernel = "immediate"
                raise
            finally:
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)
                self.watch.ends(index, self.nb.cells[index])
            self.watch.completes(index)
            if self.watch.is_enough:
                return

    def process_message(self, message: Any, cell: Any, cell_index: int) -> Any:
        output = super().process_message(message, cell, cell_index)
        if output is not None:
            self.watch.grows(cell_index, cell)
        return output

    _has_left = False

    def note_reply(self, execute_reply: Mapping[str, Any], **_: object) -> None:
        """`exit()` stops the kernel a moment after its cell has ended well; only the reply tells."""
        payload = execute_reply["content"].get("payload") or []
        self._has_left = any(one.get("source") == "ask_exit" for one in payload)

    def _exit_status(self) -> int | None:
        process = getattr(getattr(self.km, "provisioner", None), "process", None)
        return None if process is None else process.poll()


class KernelSpecs(KernelSpecManager):
    """The installed kernels; `python3` is always the interpreter that runs this, as a snapshot says."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        if kernel_name == NATIVE_KERNEL_NAME:
            return KernelSpec(resource_dir=str(RESOURCES), **get_kernel_dict())
        return super().get_kernel_spec(kernel_name)

    def found(self, kernel_name: str) -> KernelSpec:
        """The kernel of that name; InvalidInput names those there are."""
        try:
            return self.get_kernel_spec(kernel_name)
        except NoSuchKernel as error:
            installed = ", ".join(f"'{name}'" for name in sorted(self.find_kernel_specs()))
            raise errors.InvalidInput(
                "The notebook's kernel",
                expected=f"one that is installed ({installed})",
                got=f"'{kernel_name}'",
                fix="Choose another kernel for it in Jupyter, or install that one.",
            ) from error


class _KernelManager(AsyncKernelManager):
    @default("kernel_spec_manager")
    def _own_kernel_specs(self) -> KernelSpecManager:
        return KernelSpecs(parent=self, data_dir=self.data_dir)

    async def _async_interrupt_kernel(self) -> None:
        # a kernel that is asked to end has nothing to interrupt, and would only say that it was
        if not self.shutting_down:
            await super()._async_interrupt_kernel()

    @default("transport_encryption")
    def _encrypted_where_the_kernel_can(self) -> str:
        return "auto"


class WatchedEngine(NBClientEngine):  # type: ignore[misc]  # papermill is not typed
    """Papermill's own engine, watched, with an environment for the kernel."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        watch: Watch,
        kernel_env: Mapping[str, str],
        kernel_cwd: Path | None = None,
        start_timeout: float = 60,
        execution_timeout: float | None = None,
        **options: Any,
    ) -> None:
        KernelSpecs().found(kernel_name)
        limit = execution_timeout or options.pop("timeout", None)
        for unused in ("input_path", "timeout", "startup_timeout"):
            options.pop(unused, None)
        client = WatchedClient(
            nb_man,
            kernel_name=kernel_name,
            kernel_manager_class=_KernelManager,
            startup_timeout=start_timeout,
            timeout=limit,
            timeout_func=watch.remaining_s if limit is None else None,
            iopub_timeout=_IOPUB_TIMEOUT_S,
            store_widget_state=False,
            **options,
        )
        client.on_cell_executed = client.note_reply
        client.watch = watch
        place = {} if kernel_cwd is None else {"cwd": str(kernel_cwd)}
        client.execute(env=dict(kernel_env), **place)


def _sentence(name: str, value: str, *, traceback: str = "") -> str:
    """An exception as the cause of a failure: `NameError: ...`, or what an error of ours says."""
    text = value.strip()
    known = getattr(errors, name, None)
    is_ours = isinstance(known, type) and issubclass(known, errors.MlalmError)
    # ours come with one line instead of a traceback; a stranger's class may have the same name
    if not (is_ours and text and f"{name}: {text}" in traceback):
        text = f"{name}: {text}" if text else name
    return text if len(text) <= _LONGEST_CAUSE else f"{text[:_LONGEST_CAUSE]}..."


def _last_line(cell: Any) -> str:
    """What a cell said last: some errors are only printed."""
    streams = [one.text for one in cell.get("outputs", []) if one.output_type == "stream"]
    lines = "".join(streams).strip().splitlines()
    return lines[-1] if lines else ""


def _how(exit_status: int | None) -> str:
    if exit_status is None:
        return ""
    if exit_status >= 0:
        return f": it exited with status {exit_status}"
    if exit_status == -signal.SIGKILL:
        return ": it was ended by SIGKILL, as the system does when memory runs out"
    try:
        return f": it was ended by {signal.Signals(-exit_status).name}"
    except ValueError:
        return f": it was ended by signal {-exit_status}"
