"""Services and endpoints that can be described, throttled and protected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("services", recreate="always") as services:
        services.add_column(sa.Column("description", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("endpoints", recreate="always") as endpoints:
        endpoints.add_column(sa.Column("description", sa.Text(), nullable=False, server_default=""))
        endpoints.add_column(sa.Column("throttle_level", sa.String(length=8), nullable=True))
        endpoints.add_column(sa.Column("max_concurrent_calls", sa.Integer(), nullable=True))
        endpoints.add_column(
            sa.Column("prevent_update", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        endpoints.add_column(
            sa.Column("diagnostics", sa.String(length=8), nullable=False, server_default="None")
        )
