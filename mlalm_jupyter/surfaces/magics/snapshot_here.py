"""`%snapshot`: the notebook as it is saved, with what this kernel did with its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mlalm_jupyter.api.context import LiveCell
from mlalm_jupyter.api.recorder import notebook_file
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.surfaces.grammar import Command
from mlalm_jupyter.surfaces.magics.session import Session, is_saved, live, wait_until_saved

if TYPE_CHECKING:
    from mlalm_jupyter.workspace import Workspace


def snapshot_here(asked: Command, session: Session) -> Run:
    """Take it; a file that does not hold the cell at work is older than what is on screen, and refused."""
    from mlalm_jupyter.workspace import Workspace

    given = asked.verb.checked(asked.arguments)
    with Workspace.open(asked.workspace) as workspace:
        return _taken(
            workspace,
            session,
            given["notebook"],
            message=given.get("message", ""),
            tags=given.get("tags"),
            anew=given.get("anew", False),
        )


def live_cell(folder: str | None, session: Session, notebook: str, *, message: str) -> LiveCell:
    """A snapshot of the notebook this kernel belongs to, and which cell of it is at work."""
    from mlalm_jupyter.workspace import Workspace

    with Workspace.open(folder) as workspace:
        run = _taken(workspace, session, notebook, message=message)
    return LiveCell(run.id, run.findings.executed[-1] if run.findings.executed else None)


def _taken(
    workspace: Workspace,
    session: Session,
    notebook: str,
    *,
    message: str,
    tags: Mapping[str, str] | None = None,
    anew: bool = False,
) -> Run:
    executions = session.executions
    content = b""

    def read() -> NotebookDocument:
        nonlocal content
        path, content = notebook_file(workspace.context, notebook)
        return read_notebook(content, name=path)

    path, _ = notebook_file(workspace.context, notebook)
    document = wait_until_saved(read, executions[-1].text) if executions else read()
    if executions and not is_saved(document, executions[-1].text):
        raise InvalidInput(
            f"The snapshot of {path}",
            expected="a file that holds this cell, because what is on screen is what is kept",
            got="an older one",
            fix="Save the notebook (Ctrl+S) and run this cell again; one that is not the notebook of this cell is "
            f"kept by `%mlalm experiment snapshot {path}`.",
        )
    return workspace.recorder.keep(
        content,
        path=path,
        message=message,
        tags=tags,
        live=replace(
            live(document, executions, started_at=session.started_at),
            inputs=tuple(workspace.context.used),
        ),
        anew=anew,
    )
