"""All stores over one connection, that is, inside one transaction."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import Connection, func, select

from mlalm_jupyter.adapters.catalog.datasets import SqlDatasets
from mlalm_jupyter.adapters.catalog.definitions import SqlDefinitions
from mlalm_jupyter.adapters.catalog.endpoints import SqlEndpoints
from mlalm_jupyter.adapters.catalog.events import SqlEvents
from mlalm_jupyter.adapters.catalog.experiments import SqlExperiments
from mlalm_jupyter.adapters.catalog.jobs import SqlJobs
from mlalm_jupyter.adapters.catalog.models import SqlModels
from mlalm_jupyter.adapters.catalog.policies import SqlPolicies
from mlalm_jupyter.adapters.catalog.runs import SqlRuns
from mlalm_jupyter.adapters.catalog.schema import metadata, revisions, workspaces
from mlalm_jupyter.adapters.catalog.seals import SqlSeals
from mlalm_jupyter.adapters.catalog.services import SqlServices
from mlalm_jupyter.adapters.catalog.transforms import SqlTransforms
from mlalm_jupyter.adapters.catalog.triggers import SqlTriggers
from mlalm_jupyter.domain.errors import Corrupt
from mlalm_jupyter.domain.workspace import WorkspaceInfo

_COUNTED = (
    "datasets",
    "transforms",
    "models",
    "experiments",
    "runs",
    "triggers",
    "services",
    "endpoints",
    "jobs",
)
_WORKSPACE = select(
    workspaces.c.id,
    workspaces.c.created_at,
    select(revisions.c.version_num).scalar_subquery(),
    *(select(func.count()).select_from(metadata.tables[name]).scalar_subquery() for name in _COUNTED),
)


class SqlTransaction:
    """Fills `ports.Transaction`."""

    def __init__(self, connection: Connection, *, workspace_path: str) -> None:
        self._connection = connection
        self._workspace_path = workspace_path

    @property
    def info(self) -> WorkspaceInfo:
        row = self._connection.execute(_WORKSPACE).one_or_none()
        if row is None:
            raise Corrupt("The catalog", why="It does not say which workspace it is of.")
        key, created_at, schema, *counts = row
        return WorkspaceInfo(
            id=key,
            path=self._workspace_path,
            schema=schema,
            created_at=created_at,
            counts=dict(zip(_COUNTED, counts, strict=True)),
        )

    @cached_property
    def datasets(self) -> SqlDatasets:
        return SqlDatasets(self._connection)

    @cached_property
    def transforms(self) -> SqlTransforms:
        return SqlTransforms(self._connection)

    @cached_property
    def models(self) -> SqlModels:
        return SqlModels(self._connection)

    @cached_property
    def experiments(self) -> SqlExperiments:
        return SqlExperiments(self._connection)

    @cached_property
    def runs(self) -> SqlRuns:
        return SqlRuns(self._connection)

    @cached_property
    def triggers(self) -> SqlTriggers:
        return SqlTriggers(self._connection)

    @cached_property
    def definitions(self) -> SqlDefinitions:
        return SqlDefinitions(self._connection)

    @cached_property
    def services(self) -> SqlServices:
        return SqlServices(self._connection)

    @cached_property
    def endpoints(self) -> SqlEndpoints:
        return SqlEndpoints(self._connection)

    @cached_property
    def policies(self) -> SqlPolicies:
        return SqlPolicies(self._connection)

    @cached_property
    def seals(self) -> SqlSeals:
        return SqlSeals(self._connection)

    @cached_property
    def jobs(self) -> SqlJobs:
        return SqlJobs(self._connection)

    @cached_property
    def events(self) -> SqlEvents:
        return SqlEvents(self._connection)
