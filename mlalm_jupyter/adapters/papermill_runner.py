"""Executes the bytes of a notebook with papermill."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillException, PapermillExecutionError

from mlalm_jupyter.adapters.watched_papermill import INJECTED, KernelSpecs, Watch, WatchedEngine
from mlalm_jupyter.domain.errors import InvalidInput, Unavailable
from mlalm_jupyter.domain.run import Cells
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.ports import Execution

_ENGINE = "mlalm-watched"
_MARKER = "papermill-error-cell-tag"


class PapermillRunner:
    """Fills `ports.NotebookRunner`.

    However an execution ends, what it did is returned. It raises only when there is nothing to execute:
    the bytes are no notebook, its kernel is not installed, or its folder is gone.
    """

    def __init__(self, *, prelude: str = "") -> None:
        """With a prelude, a Python kernel runs that before the notebook."""
        self._prelude = prelude

    def execute(
        self,
        notebook: bytes,
        *,
        parameters: Mapping[str, object],
        env: Mapping[str, str],
        cwd: Path,
        on_cell: Callable[[Cells], None],
        timeout_s: float | None = None,
        until: int | None = None,
        keep: Callable[[Path], tuple[str, int]] | None = None,
        scratch: Path | None = None,
    ) -> Execution:
        document = _read(notebook)
        if not cwd.is_dir():
            raise Unavailable(
                "The notebook was not executed.",
                why=f"Its folder '{cwd}' does not exist.",
                fix="Make that folder again, with the files the notebook reads.",
            )
        kernel = document.metadata.get("kernelspec", {}).get("name") or NATIVE_KERNEL_NAME
        language = KernelSpecs().found(kernel).language
        papermill_engines.register(_ENGINE, _KeepingEngine)
        kept: list[Any] = []
        with contextlib.ExitStack() as stack:
            folder = scratch or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlalm-run-")))
            path = folder / "notebook.ipynb"
            path.write_bytes(notebook)
            watch = Watch(
                on_cell=on_cell,
                timeout_s=timeout_s,
                replaces_injected=any(map(_is_injected, document.cells)),
                until=until,
                scratch=folder,
                keeps_values=keep is not None and language == "python",
                preludes=[self._prelude] if self._prelude and language == "python" else (),
            )
            if watch.keep_in:
                env = {**env, "MLALM_KEEP": str(watch.keep_in)}
            try:
                papermill.execute_notebook(
                    str(path),
                    None,
                    parameters=dict(parameters),
                    engine_name=_ENGINE,
                    kernel_name=kernel,
                    language=language,
                    progress_bar=False,
                    watch=watch,
                    kernel_env={**os.environ, **env},
                    kernel_cwd=cwd,
                    kept=kept,
                )
            except PapermillExecutionError:
                # the watch has seen it; papermill raises it also for a cell that was allowed to fail
                pass
            except PapermillException as error:
                raise _impossible(error) from error
            except (RuntimeError, OSError):
                if watch.cause is None:
                    raise
            outputs = watch.outputs(keep) if keep else ()
            return replace(watch.execution(_written(kept[0])), outputs=outputs)

    def left_in(self, scratch: Path, *, keep: Callable[[Path], tuple[str, int]]) -> Execution | None:
        try:
            left = Watch.of_the_killed(scratch)
            if left is None:
                return None
            watch, document = left
            notebook = _written(document)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return None  # what ran in the notebook has written to the journal too
        outputs = watch.outputs(keep)
        return replace(watch.execution(notebook), outputs=outputs)


class _KeepingEngine(WatchedEngine):
    """Keeps hold of the notebook object, which papermill returns only when all went well."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, kept: list[Any] | None = None, **options: Any
    ) -> None:
        if kept is not None:
            kept.append(nb_man.nb)
        super().execute_managed_notebook(nb_man, kernel_name, **options)


def _read(notebook: bytes) -> Any:
    read_notebook(notebook)
    try:
        return nbformat.reads(notebook.decode(), as_version=4)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, LookupError, AttributeError, nbformat.ValidationError) as error:
        raise InvalidInput("The notebook", expected="a Jupyter notebook", got=str(error)[:200]) from error


def _is_injected(cell: Any) -> bool:
    return INJECTED in cell.metadata.get("tags", [])


def _written(document: Any) -> bytes:
    """The executed notebook without what papermill put in for readers of its own output file."""
    document.cells = [cell for cell in document.cells if _MARKER not in cell.metadata.get("tags", [])]
    facts = document.metadata.get("papermill", {})
    for place in ("input_path", "output_path"):
        facts.pop(place, None)
    text: str = nbformat.writes(document)  # type: ignore[no-untyped-call]
    return text.encode()


def _impossible(error: PapermillException) -> InvalidInput:
    return InvalidInput(
        "The notebook", expected="one that papermill can give its parameters to", got=str(error)
    )
