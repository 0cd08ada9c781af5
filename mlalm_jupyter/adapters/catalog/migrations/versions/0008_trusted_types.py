"""Types that are trusted by their name, which is longer than a hash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("seals", recreate="always") as seals:
        seals.alter_column(
            "digest", existing_type=sa.String(64), type_=sa.String(255), existing_nullable=False
        )
