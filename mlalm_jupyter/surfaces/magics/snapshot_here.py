"""`%snapshot`: the notebook as it is saved, with what this kernel did with its cells."""

from __future__ import annotations

from dataclasses import replace

from mlalm_jupyter.api.recorder import notebook_file
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.surfaces.grammar import Command
from mlalm_jupyter.surfaces.magics.session import Session, is_saved, live, wait_until_saved


def snapshot_here(asked: Command, session: Session) -> Run:
    """Take it; a file that does not hold the cell at work is older than what is on screen, and refused."""
    from mlalm_jupyter.workspace import Workspace

    given = asked.verb.checked(asked.arguments)
    executions = session.executions
    with Workspace.open(asked.workspace) as workspace:
        content = b""

        def read() -> NotebookDocument:
            nonlocal content
            path, content = notebook_file(workspace.context, given["notebook"])
            return read_notebook(content, name=path)

        path, _ = notebook_file(workspace.context, given["notebook"])
        document = wait_until_saved(read, executions[-1].text) if executions else read()
        if executions and not is_saved(document, executions[-1].text):
            raise InvalidInput(
                f"The snapshot of {path}",
                expected="a file that holds this cell, because what is on screen is what is kept",
                got="an older one",
                fix="Save the notebook (Ctrl+S) and run this cell again.",
            )
        if not given.get("anew"):
            workspace.experiments.ask_if_moved(path, content)
        return workspace.recorder.keep(
            content,
            path=path,
            message=given.get("message", ""),
            tags=given.get("tags"),
            live=replace(
                live(document, executions, started_at=session.started_at),
                inputs=tuple(workspace.context.used),
            ),
        )
