"""Models that can be searched for, words that stand for versions, and rules that somebody opted for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mlalm_jupyter.domain.search import Fact, facts_of, input_facts

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    json = sa.JSON(none_as_null=True)
    with op.batch_alter_table("models", recreate="always") as models:
        for name in ("properties", "metrics", "parameters", "provenance"):
            models.add_column(sa.Column(name, json, nullable=False, server_default="{}"))
        models.create_index(op.f("ix_models_created_at_id"), ["created_at", "id"])
        models.create_index(op.f("ix_models_size_bytes_id"), ["size_bytes", "id"])
    with op.batch_alter_table("transforms", recreate="always") as transforms:
        transforms.add_column(sa.Column("provenance", json, nullable=False, server_default="{}"))
    op.create_index(op.f("ix_definition_models_reference"), "definition_models", ["reference"], unique=False)
    op.create_table(
        "model_aliases",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("alias", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.String(length=27), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.CheckConstraint("revision > 0", name=op.f("ck_model_aliases_revision")),
        sa.PrimaryKeyConstraint("name", "alias", name=op.f("pk_model_aliases")),
    )
    op.create_table(
        "policies",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("applied", sa.Text(), nullable=True),
        sa.Column("applied_at", sa.String(length=27), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        sa.UniqueConstraint("name", name=op.f("uq_policies_name")),
    )
    op.create_index(op.f("ix_policies_rule"), "policies", ["rule"], unique=False)
    facts = op.create_table(
        "model_facts",
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("number", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_model_facts_model_id")),
        sa.PrimaryKeyConstraint("model_id", "kind", "name", "text", name=op.f("pk_model_facts")),
    )
    op.create_index(op.f("ix_model_facts_kind_name_text"), "model_facts", ["kind", "name", "text"])
    op.create_index(op.f("ix_model_facts_kind_name_number"), "model_facts", ["kind", "name", "number"])
    _tell(facts)


def _tell(facts: sa.Table) -> None:
    """What the versions that are there already say of themselves."""
    kept = sa.table(
        "models",
        sa.column("id"),
        sa.column("framework"),
        sa.column("tags", sa.JSON()),
        sa.column("datasets", sa.JSON()),
    )
    connection = op.get_bind()
    for key, framework, tags, datasets in connection.execute(sa.select(*kept.c)).all():
        library, _, version = framework.partition(" ")
        found = [Fact("framework", library, version), *facts_of("tag", tags), *input_facts(tuple(datasets))]
        rows = [
            {"model_id": key, "kind": one.kind, "name": one.name, "text": one.text, "number": one.number}
            for one in found
        ]
        connection.execute(sa.insert(facts), rows)
