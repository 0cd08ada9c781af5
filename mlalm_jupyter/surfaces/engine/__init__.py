"""The papermill engine `mlalm`: `papermill --engine mlalm in.ipynb out.ipynb -p depth 4` is a recorded run.

Papermill loads this module whenever it is imported, by whatever program, and while it is still importing
itself. So nothing of papermill and little of ours is imported before a notebook is executed.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator
from typing import Any


class MlalmEngine:
    """What papermill asks of an engine."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        """Execute a notebook in this process, and keep the record of it in the workspace."""
        with _undisturbed():
            from mlalm_jupyter.surfaces.engine.recorded import RecordedEngine

        try:
            return RecordedEngine.execute_notebook(nb, kernel_name, **options)
        except Exception as error:
            if (told := _told(error)) is not None:
                raise told from error
            raise

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> Any:
        from papermill.utils import nb_kernel_name

        return nb_kernel_name(nb, name)

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> Any:
        from papermill.utils import nb_language

        return nb_language(nb, language)


def _told(error: Exception) -> Exception | None:
    """An error of ours as papermill's own command line tells errors, in a line; None where there is no such line."""
    from mlalm_jupyter.domain.errors import MlalmError

    click = sys.modules.get("click")
    if click is None or not isinstance(error, MlalmError):
        return None
    context = click.get_current_context(silent=True)
    if context is None or context.find_root().command.name != "papermill":
        return None
    told: Exception = click.ClickException(str(error))
    return told


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Import without the garbage collector, which would look at all that papermill holds again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
