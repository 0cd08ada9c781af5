"""Who refers to a dataset or a transform: runs that pinned or read it, and what was trained on it."""

from __future__ import annotations

from sqlalchemy import Connection, Text, cast, or_, select

from mlalm_jupyter.adapters.catalog.schema import models, runs, transforms

_NAMED = 20


def users_of(connection: Connection, *, kind: str, reference: str, asset_id: str) -> list[str]:
    """The runs, models and transforms that refer to one version of an asset."""
    told = f'"{kind} {reference}"'
    of_runs = (
        select(runs.c.id, runs.c.path)
        .where(
            or_(
                cast(runs.c.inputs, Text).contains(told, autoescape=True),
                cast(runs.c.assets, Text).contains(f'"{asset_id}"', autoescape=True),
            )
        )
        .order_by(runs.c.created_at.desc())
    )
    users = [f"run {run_id[:12]} of {path}" for run_id, path in connection.execute(of_runs)]
    for kept, table in (("model", models), ("transform", transforms)):
        made = (
            select(table.c.name, table.c.version)
            .where(cast(table.c.datasets, Text).contains(told, autoescape=True))
            .order_by(table.c.name, table.c.version)
        )
        users += [f"{kept} {row.name}:{row.version}" for row in connection.execute(made)]
    more = len(users) - _NAMED
    return users if more <= 0 else [*users[:_NAMED], f"{more} more"]
