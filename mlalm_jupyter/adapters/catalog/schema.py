"""The tables of the catalog as they are now; `migrations/` holds how they came to be so."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(32)
_HASH = String(64)
_NAME = String(128)
_TIME = String(27)
_JSON = JSON(none_as_null=True)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("created_at", _TIME, nullable=False),
)

version_counters = Table(
    "version_counters",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", _NAME, primary_key=True),
    Column("last", Integer, nullable=False),
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False),
    Column("version", Integer, nullable=False),
    Column("format", String(32), nullable=False),
    Column("digest", _HASH, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("schema", _JSON, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("equal_to", Integer),
    Column("tags", _JSON, nullable=False, server_default="{}"),
    Column("description", Text, nullable=False, server_default=""),
    Column("profile_digest", _HASH),
    # where the bytes of one that is kept by reference lie
    Column("source", _JSON),
    Column("run_id", _ID),
    UniqueConstraint("name", "version"),
    Index(None, "name", "digest"),
)

models = Table(
    "models",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False),
    Column("version", Integer, nullable=False),
    Column("model_hash", _HASH, nullable=False),
    Column("bundle_digest", _HASH, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("format", String(32), nullable=False),
    Column("framework", Text, nullable=False),
    Column("is_data_only", Boolean, nullable=False),
    Column("signature", _JSON, nullable=False),
    Column("origin", Text, nullable=False),
    # a model that came from elsewhere names a run that is not here, so this is no foreign key
    Column("run_id", _ID),
    Column("experiment", Text),
    Column("datasets", _JSON, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("tags", _JSON, nullable=False),
    Column("description", Text, nullable=False),
    Column("equal_to", Integer),
    Column("properties", _JSON, nullable=False, server_default="{}"),
    Column("metrics", _JSON, nullable=False, server_default="{}"),
    Column("parameters", _JSON, nullable=False, server_default="{}"),
    Column("provenance", _JSON, nullable=False, server_default="{}"),
    Column("is_deterministic", Boolean),
    Column("varies", _JSON, nullable=False, server_default="[]"),
    UniqueConstraint("name", "version"),
    Index(None, "model_hash", "name"),
    Index(None, "run_id", "name", "version"),
    Index(None, "created_at", "id"),
    Index(None, "size_bytes", "id"),
)

# what is said of each version by name, so that it can be searched for; the row of the version says it as well
model_facts = Table(
    "model_facts",
    metadata,
    Column("model_id", _ID, ForeignKey(models.c.id), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("text", Text, primary_key=True),
    Column("number", Float),
    Index(None, "kind", "name", "text"),
    Index(None, "kind", "name", "number"),
)

model_aliases = Table(
    "model_aliases",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("alias", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_at", _TIME, nullable=False),
    Column("updated_by", Text, nullable=False),
    Column("run_id", _ID),
    CheckConstraint("revision > 0", name="revision"),
)

policies = Table(
    "policies",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False, unique=True),
    Column("rule", String(32), nullable=False, index=True),
    Column("endpoint", Text),
    Column("model", Text),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    # the version it acted on last, so that what a person did since is not undone
    Column("applied", Text),
    Column("applied_at", _TIME),
    Column("note", Text, nullable=False),
)

transforms = Table(
    "transforms",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False),
    Column("version", Integer, nullable=False),
    Column("transform_hash", _HASH, nullable=False),
    Column("bundle_digest", _HASH, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("format", String(32), nullable=False),
    Column("framework", Text, nullable=False),
    Column("is_data_only", Boolean, nullable=False),
    Column("signature", _JSON, nullable=False),
    Column("origin", Text, nullable=False),
    Column("run_id", _ID),
    Column("experiment", Text),
    Column("datasets", _JSON, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("tags", _JSON, nullable=False),
    Column("description", Text, nullable=False),
    Column("equal_to", Integer),
    Column("provenance", _JSON, nullable=False, server_default="{}"),
    UniqueConstraint("name", "version"),
    Index(None, "transform_hash", "name"),
)

experiments = Table(
    "experiments",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("created_at", _TIME, nullable=False),
    # where it was saved from may be deleted later, so these are no foreign keys
    Column("parent", Text),
    Column("parent_id", _ID),
    Column("parent_run_id", _ID),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("payload", _JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("owner", Text),
    Column("lease_until", Float(53)),
    Column("cancel_requested", Boolean, nullable=False),
    Column("progress", _JSON, nullable=False),
    Column("result", _JSON),
    Column("cause", Text),
    Column("started_at", _TIME),
    Column("ended_at", _TIME),
    Index(None, "state", "created_at", "id"),
    Index(None, "created_at", "id"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("experiment_id", _ID, ForeignKey(experiments.c.id), nullable=False),
    Column("path", Text, nullable=False),
    Column("status", String(32), nullable=False),
    Column("snapshot_digest", _HASH, nullable=False),
    Column("parameters", _JSON, nullable=False),
    Column("environment", _JSON, nullable=False),
    Column("git", _JSON, nullable=False),
    Column("origin", String(32), nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("started_at", _TIME),
    Column("ended_at", _TIME),
    Column("cause", Text),
    Column("failed_cell", Integer),
    Column("cells_done", Integer, nullable=False),
    Column("cells_total", Integer, nullable=False),
    Column("cell_current", Integer),
    Column("executed_digest", _HASH),
    Column("inputs", _JSON, nullable=False),
    Column("models", _JSON, nullable=False),
    Column("job_id", _ID, ForeignKey(jobs.c.id), index=True),
    Column("tags", _JSON, nullable=False, server_default="{}"),
    Column("assets", _JSON, nullable=False, server_default="[]"),
    Column("files", _JSON, nullable=False, server_default="{}"),
    Column("until", Text),
    Column("message", Text, nullable=False, server_default=""),
    Column("cells_executed", _JSON, nullable=False, server_default="[]"),
    Column("note", Text, nullable=False, server_default=""),
    Column("metrics", _JSON, nullable=False, server_default="{}"),
    Column("figures", _JSON, nullable=False, server_default="[]"),
    Index(None, "experiment_id", "created_at", "id"),
    Index(None, "status", "created_at", "id"),
    Index(None, "created_at", "id"),
)

outputs = Table(
    "outputs",
    metadata,
    Column("run_id", _ID, ForeignKey(runs.c.id), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("cell", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("format", String(16), nullable=False),
    Column("told", Text, nullable=False),
    Column("digest", _HASH),
    Column("size_bytes", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("signature", Text),
)

triggers = Table(
    "triggers",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("path", Text, nullable=False, index=True),
    Column("cron", Text, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("missed", String(16), nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("due_at", _TIME, index=True),
    Column("snapshot_run_id", _ID, ForeignKey(runs.c.id)),
    Column("parameters", _JSON, nullable=False),
    Column("until", Text),
    Column("is_paused", Boolean, nullable=False),
)

firings = Table(
    "firings",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("trigger_id", _ID, ForeignKey(triggers.c.id), nullable=False),
    Column("due_at", _TIME, nullable=False),
    Column("fired_at", _TIME, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    # a run is deleted with its experiment, and that it was started stays true
    Column("run_id", _ID),
    Column("missed", Integer, nullable=False),
    UniqueConstraint("trigger_id", "due_at"),
)

definitions = Table(
    "definitions",
    metadata,
    Column("digest", _HASH, primary_key=True),
    Column("title", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
)

definition_models = Table(
    "definition_models",
    metadata,
    Column("definition_hash", _HASH, ForeignKey(definitions.c.digest), primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("reference", Text, nullable=False, index=True),
    Column("model_hash", _HASH, nullable=False, index=True),
)

services = Table(
    "services",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("terms", _JSON),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("service_id", _ID, ForeignKey(services.c.id), nullable=False),
    Column("name", String(24), nullable=False),
    Column("definition_hash", _HASH, ForeignKey(definitions.c.digest), nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("updated_at", _TIME, nullable=False),
    Column("model", Text),
    Column("model_hash", _HASH),
    Column("description", Text, nullable=False, server_default=""),
    Column("throttle_level", String(8)),
    Column("max_concurrent_calls", Integer),
    Column("prevent_update", Boolean, nullable=False, server_default=false()),
    Column("diagnostics", String(8), nullable=False, server_default="None"),
    UniqueConstraint("service_id", "name"),
    CheckConstraint("revision > 0", name="revision"),
)

service_keys = Table(
    "service_keys",
    metadata,
    Column("endpoint_id", _ID, ForeignKey(endpoints.c.id), primary_key=True),
    Column("slot", String(16), primary_key=True),
    Column("digest", _HASH, nullable=False, unique=True),
    Column("ciphertext", Text, nullable=False),
)

seals = Table(
    "seals",
    metadata,
    Column("kind", String(16), primary_key=True),
    # of a type: its name
    Column("digest", String(255), primary_key=True),
    Column("key_id", String(32), nullable=False),
    Column("signature", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", _TIME, nullable=False),
    Column("by", Text, nullable=False),
    Index(None, "digest"),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", _TIME, nullable=False),
    Column("by", Text, nullable=False),
    Column("noun", String(16), nullable=False),
    Column("action", String(16), nullable=False),
    Column("subject_id", _HASH, nullable=False),
    Column("subject", Text, nullable=False),
    Column("data", _JSON, nullable=False),
    Index(None, "noun", "subject_id", "seq"),
    Index(None, "subject_id", "seq"),
    sqlite_autoincrement=True,
)

APPEND_ONLY = tuple(
    f"CREATE TRIGGER events_refuse_{change} BEFORE {change} ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END"
    for change in ("update", "delete")
)


def _guard(_table: Table, connection: Connection, **_: object) -> None:
    if connection.dialect.name == "sqlite":
        for trigger in APPEND_ONLY:
            connection.exec_driver_sql(trigger)


event.listen(events, "after_create", _guard)

revisions = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Which migration the tables are at; Alembic owns this table."""
