"""What became of each cell of a training notebook when the predictive one was cut out of it."""

from __future__ import annotations

from mlalm_jupyter.domain.setup import SourceCell
from mlalm_jupyter.notebook.document import NotebookDocument
from mlalm_jupyter.notebook.predictive.parts import Plan
from mlalm_jupyter.notebook.roles import roles_of
from mlalm_jupyter.notebook.titles import titled_cells


def source_cells(document: NotebookDocument, plan: Plan) -> tuple[SourceCell, ...]:
    """The cells of a notebook with what stays of each, and what each fitted that is kept."""
    titles = {one.number: one.title for one in titled_cells(document)}
    return tuple(
        SourceCell(
            one.number,
            titles.get(one.number, ""),
            one.main,
            one.tags,
            stays=_stays(plan, one.number),
            fitted=tuple(thing.name for thing in plan.fitted if thing.place.cell == one.number),
        )
        for one in roles_of(document)
    )


def _stays(plan: Plan, cell: int) -> str:
    kept = [one for one in plan.kept if one.place.cell == cell and one.frozen.strip()]
    if not kept:
        return "none"
    whole = {one.place for one in plan.program if one.place.cell == cell}
    is_whole = whole == {one.place for one in kept} and all(one.frozen == one.typed for one in kept)
    return "all" if is_whole else "part"
