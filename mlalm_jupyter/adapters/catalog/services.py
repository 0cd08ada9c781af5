"""Web services in the catalog, each with its endpoints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from mlalm_jupyter.adapters.catalog.endpoints import DEFAULT_FIRST, NAMED, SqlEndpoints, endpoint_from
from mlalm_jupyter.adapters.catalog.records import record
from mlalm_jupyter.adapters.catalog.schema import services
from mlalm_jupyter.domain.errors import AlreadyExists, NotFound
from mlalm_jupyter.domain.estate import Terms
from mlalm_jupyter.domain.service import Endpoint, WebService

_ALL = select(services).order_by(services.c.name)
_ONE = select(services).where(services.c.name == bindparam("name"))
_KIND = select(services.c.kind).where(services.c.name == bindparam("name"))
_TAKEN = select(exists().where(services.c.name == bindparam("name")))
_THIS = services.c.id == bindparam("service_id")
_SAVE = update(services).where(_THIS)
_DELETE = delete(services).where(_THIS)
_ENDPOINTS = NAMED.where(services.c.name == bindparam("name")).order_by(*DEFAULT_FIRST)


class SqlServices:
    """Fills `ports.ServiceStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, service: WebService) -> None:
        if self._connection.execute(_TAKEN, {"name": service.name}).scalar():
            raise AlreadyExists(
                "service",
                service.name,
                fix="Choose another name, or deploy with --update to move its default endpoint.",
            )
        self._connection.execute(
            insert(services),
            {
                "id": service.id,
                "name": service.name,
                "kind": service.kind,
                "source": service.source,
                "created_at": service.created_at,
                "created_by": service.created_by,
                "state": service.state,
                "description": service.description,
                "terms": service.terms.to_dict() if service.terms else None,
            },
        )

    def kind(self, name: str) -> str | None:
        return self._connection.execute(_KIND, {"name": name}).scalar_one_or_none()

    def get(self, name: str) -> WebService:
        row = self._connection.execute(_ONE, {"name": name}).one_or_none()
        if row is None:
            raise NotFound("service", name, known=self._connection.scalars(select(services.c.name)))
        endpoints = self._connection.execute(_ENDPOINTS, {"name": name})
        return _service(row, [endpoint_from(one) for one in endpoints])

    def save(self, service: WebService) -> None:
        values = _SAVE.values(state=service.state, description=service.description)
        if not self._connection.execute(values, {"service_id": service.id}).rowcount:
            raise NotFound("service", service.name, known=self._connection.scalars(select(services.c.name)))

    def delete(self, service_id: str) -> None:
        self._connection.execute(_DELETE, {"service_id": service_id})

    def find(self) -> list[WebService]:
        endpoints: defaultdict[str, list[Endpoint]] = defaultdict(list)
        for endpoint in SqlEndpoints(self._connection).find():
            endpoints[endpoint.service_id].append(endpoint)
        return [_service(row, endpoints[row.id]) for row in self._connection.execute(_ALL)]


@record("service")
def _service(row: Sequence[Any], endpoints: Sequence[Endpoint]) -> WebService:
    key, name, kind, source, created_at, created_by, state, description, terms = row
    return WebService(
        id=key,
        name=name,
        kind=kind,
        source=source,
        created_at=created_at,
        created_by=created_by,
        endpoints=tuple(endpoints),
        state=state,
        description=description,
        terms=None if terms is None else Terms.from_dict(terms),
    )
