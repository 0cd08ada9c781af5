"""Whether a model comes out the same when it is trained again, and what stands in the way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("models", recreate="always") as models:
        models.add_column(sa.Column("is_deterministic", sa.Boolean(), nullable=True))
        models.add_column(
            sa.Column("varies", sa.JSON(none_as_null=True), nullable=False, server_default="[]")
        )
