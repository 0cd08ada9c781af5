"""Where an experiment was saved from; what a run pinned, was told, and left."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("experiments", recreate="always") as experiments:
        experiments.add_column(sa.Column("parent", sa.Text(), nullable=True))
        experiments.add_column(sa.Column("parent_id", sa.String(length=32), nullable=True))
        experiments.add_column(sa.Column("parent_run_id", sa.String(length=32), nullable=True))
    json = sa.JSON(none_as_null=True)
    with op.batch_alter_table("runs", recreate="always") as runs:
        runs.add_column(sa.Column("tags", json, nullable=False, server_default="{}"))
        runs.add_column(sa.Column("assets", json, nullable=False, server_default="[]"))
        runs.add_column(sa.Column("files", json, nullable=False, server_default="{}"))
        runs.add_column(sa.Column("until", sa.Text(), nullable=True))
        runs.add_column(sa.Column("message", sa.Text(), nullable=False, server_default=""))
        runs.add_column(sa.Column("cells_executed", json, nullable=False, server_default="[]"))
        runs.add_column(sa.Column("note", sa.Text(), nullable=False, server_default=""))
        runs.add_column(sa.Column("metrics", json, nullable=False, server_default="{}"))
        runs.add_column(sa.Column("figures", json, nullable=False, server_default="[]"))
