"""How a service that was set up is shown."""

from __future__ import annotations

import shlex

from mlalm_jupyter.domain.setup import SetUp
from mlalm_jupyter.notebook.pair_drawing import drawn, told
from mlalm_jupyter.surfaces.display.parts import Facts, Grid, Link, Note, Picture, Status, View, joined


def set_up(one: SetUp) -> View:
    return [
        *(_predictive(one) if one.proven else _marked(one)),
        *([Note(one.note)] if one.note else []),
    ]


def _marked(one: SetUp) -> View:
    """A notebook that is a service as it is."""
    rows = [("rows come in as", joined(one.inputs)), ("answers are in", joined(one.outputs))]
    return [Facts(f"Notebook {one.experiment.path}", rows), *_warnings(one)]


def _predictive(one: SetUp) -> View:
    path = one.experiment.path
    facts = Facts(
        f"Predictive notebook {path}",
        [
            ("written" if one.is_new else "made again", Link(path, one.source)),
            ("cut out of", Link(one.source, one.source)),
            ("rows come in with", joined(one.inputs)),
            ("columns not needed", joined(one.not_needed)),
            ("answers", joined(one.outputs)),
            ("shown", _shown(one)),
        ],
    )
    picture = [Picture(drawn(one), told(one).rstrip("\n"))] if one.cells else []
    return [
        facts,
        *_warnings(one),
        *picture,
        *_fitted(one),
        *_by_hand(one),
        Note(f"Run it with `mlalm experiment run {shlex.quote(path)}`, then deploy it."),
    ]


def _warnings(one: SetUp) -> View:
    told = list(one.warnings)
    if one.held_back:
        told.append(
            f"The training notebook would have something else now where your cells stay ({', '.join(one.held_back)}), "
            "and was shown to answer alike without them: compare them before you deploy."
        )
    return [Note(text, is_warning=True) for text in told]


def _fitted(one: SetUp) -> View:
    cells = {name: cell.number for cell in one.cells for name in cell.fitted}
    rows = [(asset.name, asset.kind, asset.reference, cells.get(asset.name)) for asset in one.assets]
    return [Grid("What was fitted", ("in the notebook", "is a", "kept as", "in cell"), rows)] if rows else []


def _by_hand(one: SetUp) -> View:
    held = [
        (cell, "as it was; something else would stand here now" if cell in one.held_back else "as it was")
        for cell in one.by_hand
    ]
    return [Grid("Yours, kept", ("cell", ""), held)] if held else []


def _shown(one: SetUp) -> Status | None:
    if one.proven is None:
        return None
    found = one.proven
    return Status(
        f"all answered alike: {found.rows} rows of the notebook, {found.perturbed_rows} that it never had, "
        f"{found.single_rows} rows alone" + ("; without what you changed" if one.by_hand else ""),
        "good",
    )
