"""Services that live in a region, with the plan they were deployed with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    with op.batch_alter_table("services", recreate="always") as services:
        # a default that was added by a migration would be written with brackets the second time
        services.alter_column(
            "description", server_default="", existing_type=sa.Text(), existing_nullable=False
        )
        services.add_column(sa.Column("terms", sa.JSON(none_as_null=True), nullable=True))
