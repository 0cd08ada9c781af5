"""What datasets say of themselves, where referenced ones lie, and fitted transforms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    json = sa.JSON(none_as_null=True)
    with op.batch_alter_table("datasets", recreate="always") as datasets:
        datasets.alter_column("format", existing_type=sa.String(length=16), type_=sa.String(length=32))
        datasets.add_column(sa.Column("tags", json, nullable=False, server_default="{}"))
        datasets.add_column(sa.Column("description", sa.Text(), nullable=False, server_default=""))
        datasets.add_column(sa.Column("profile_digest", sa.String(length=64), nullable=True))
        datasets.add_column(sa.Column("source", json, nullable=True))
        datasets.add_column(sa.Column("run_id", sa.String(length=32), nullable=True))
    op.create_table(
        "transforms",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("transform_hash", sa.String(length=64), nullable=False),
        sa.Column("bundle_digest", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("framework", sa.Text(), nullable=False),
        sa.Column("is_data_only", sa.Boolean(), nullable=False),
        sa.Column("signature", json, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("experiment", sa.Text(), nullable=True),
        sa.Column("datasets", json, nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("tags", json, nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("equal_to", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transforms")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_transforms_name_version")),
    )
    op.create_index(
        op.f("ix_transforms_transform_hash_name"), "transforms", ["transform_hash", "name"], unique=False
    )
