"""How a service that was set up is shown."""

from __future__ import annotations

from collections.abc import Sequence

from mlalm_jupyter.domain.setup import SetUp
from mlalm_jupyter.surfaces.display.parts import Facts, Grid, Note, View, joined


def set_up(one: SetUp) -> View:
    parts: View = [
        Facts(
            f"{'Predictive notebook' if one.proven else 'Notebook'} {one.experiment.path}",
            [
                ("cut out of", one.source if one.proven else None),
                ("rows come in with" if one.proven else "rows come in as", joined(one.inputs)),
                ("answers" if one.proven else "answers are in", joined(one.outputs)),
                ("left of cells", _numbers(one.kept) if one.proven else None),
                ("not needed of cells", _numbers(one.left_out) if one.left_out else None),
                ("not needed of columns", joined(one.not_needed) if one.not_needed else None),
                ("shown", _shown(one)),
            ],
        )
    ]
    if one.assets:
        rows = [(asset.name, asset.kind, asset.reference) for asset in one.assets]
        parts = [*parts, Grid("What was fitted", ("in the notebook", "is a", "kept as"), rows)]
    if one.by_hand:
        held = [
            (cell, "as it was; something else would stand here now" if cell in one.held_back else "as it was")
            for cell in one.by_hand
        ]
        parts = [*parts, Grid("Yours, kept", ("cell", ""), held)]
    notes = [Note(text) for text in one.warnings]
    if one.proven:
        notes.append(Note(f"Run it with `mlalm experiment run {one.experiment.path}`, then deploy it."))
    return [*parts, *notes, *([Note(one.note)] if one.note else [])]


def _shown(one: SetUp) -> str | None:
    if one.proven is None:
        return None
    found = one.proven
    return (
        f"{found.rows} rows of the notebook, {found.perturbed_rows} that it never had, and {found.single_rows} "
        "rows alone: all answered alike"
    )


def _numbers(cells: Sequence[int]) -> str:
    """Numbers with those that follow each other drawn together.

    >>> _numbers((1, 2, 3, 5))
    '1-3, 5'
    """
    parts: list[tuple[int, int]] = []
    for number in cells:
        if parts and number == parts[-1][1] + 1:
            parts[-1] = parts[-1][0], number
        else:
            parts.append((number, number))
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)
