"""Run by Alembic: migrations happen on the connection they are given, inside its transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from mlalm_jupyter.adapters.catalog.schema import metadata

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
