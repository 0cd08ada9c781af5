"""The workspace's signature over values that run code where they are read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("outputs", recreate="always") as outputs:
        outputs.add_column(sa.Column("signature", sa.Text(), nullable=True))
