"""Endpoints in the catalog: what each serves, its keys, and where it moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from mlalm_jupyter.adapters.catalog.records import record
from mlalm_jupyter.adapters.catalog.schema import (
    definition_models,
    endpoints,
    events,
    service_keys,
    services,
)
from mlalm_jupyter.domain.errors import AlreadyExists, NotFound, StaleRevision
from mlalm_jupyter.domain.names import DEFAULT_ENDPOINT, EndpointRef
from mlalm_jupyter.domain.service import NEW, Endpoint, Move
from mlalm_jupyter.domain.settings import EndpointSettings
from mlalm_jupyter.ports import StoredKey

_MOVES = ("deploy", "add", "update", "patch", "refresh", "apply", "rollback")

NAMED = select(endpoints, services.c.name, services.c.kind).join(
    services, services.c.id == endpoints.c.service_id
)
DEFAULT_FIRST = (case((endpoints.c.name == DEFAULT_ENDPOINT, 0), else_=1), endpoints.c.name)
_ONE = NAMED.where(services.c.name == bindparam("service"), endpoints.c.name == bindparam("endpoint"))
_ALL = NAMED.order_by(services.c.name, *DEFAULT_FIRST)
_SAVE = update(endpoints).where(
    endpoints.c.id == bindparam("endpoint_id"), endpoints.c.revision == bindparam("expected")
)
_THIS = endpoints.c.id == bindparam("endpoint_id")
_SAVE_SETTINGS = update(endpoints).where(_THIS)
_DELETE = delete(endpoints).where(_THIS)
_DELETE_KEYS = delete(service_keys).where(service_keys.c.endpoint_id == bindparam("endpoint_id"))
_REPLACE_KEY = update(service_keys).where(
    service_keys.c.endpoint_id == bindparam("of_endpoint"), service_keys.c.slot == bindparam("of_slot")
)
_KEYS = (
    select(service_keys)
    .where(service_keys.c.endpoint_id == bindparam("endpoint_id"))
    .order_by(service_keys.c.slot)
)
_HISTORY = (
    select(events.c.subject, events.c.action, events.c.data, events.c.at, events.c.by)
    .where(
        events.c.noun == "endpoint",
        events.c.subject_id == bindparam("endpoint_id"),
        events.c.action.in_(_MOVES),
    )
    .order_by(events.c.seq)
)
_SERVING = (
    select(services.c.name, endpoints.c.name)
    .join(endpoints, endpoints.c.service_id == services.c.id)
    .join(definition_models, definition_models.c.definition_hash == endpoints.c.definition_hash)
    .where(definition_models.c.model_hash == bindparam("model_hash"))
    .distinct()
    .order_by(services.c.name, endpoints.c.name)
)
_NAMING = (
    NAMED.join(definition_models, definition_models.c.definition_hash == endpoints.c.definition_hash)
    .where(definition_models.c.reference.in_(bindparam("references", expanding=True)))
    .distinct()
    .order_by(services.c.name, endpoints.c.name)
)
_NAMING_ANY = (
    NAMED.join(definition_models, definition_models.c.definition_hash == endpoints.c.definition_hash)
    .where(definition_models.c.reference.startswith(bindparam("beginning"), escape="/"))
    .distinct()
    .order_by(services.c.name, endpoints.c.name)
)
_THAT_SERVED = (
    select(events.c.subject)
    .where(
        events.c.noun == "endpoint",
        events.c.subject_id.in_(select(endpoints.c.id)),
        events.c.action.in_(_MOVES),
        events.c.data["model"].as_string() == bindparam("reference"),
    )
    .distinct()
    .order_by(events.c.subject)
)


class SqlEndpoints:
    """Fills `ports.EndpointStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, endpoint: Endpoint, keys: Sequence[StoredKey]) -> None:
        if self._found(EndpointRef(endpoint.service, endpoint.name)):
            raise AlreadyExists("endpoint", endpoint.reference, fix="Choose another name, or patch that one.")
        self._connection.execute(
            insert(endpoints),
            {
                "id": endpoint.id,
                "service_id": endpoint.service_id,
                "name": endpoint.name,
                "created_at": endpoint.created_at,
                **_moving(endpoint),
                **endpoint.settings.to_dict(),
            },
        )
        if keys:
            self._connection.execute(
                insert(service_keys),
                [
                    {
                        "endpoint_id": key.endpoint_id,
                        "slot": key.slot,
                        "digest": key.digest,
                        "ciphertext": key.ciphertext,
                    }
                    for key in keys
                ],
            )

    def get(self, ref: EndpointRef) -> Endpoint:
        found = self._found(ref)
        if found is None:
            raise self._not_found(ref)
        return found

    def save(self, endpoint: Endpoint, *, expected_revision: int) -> None:
        saved = self._connection.execute(
            _SAVE.values(_moving(endpoint)), {"endpoint_id": endpoint.id, "expected": expected_revision}
        )
        if not saved.rowcount:
            raise StaleRevision("endpoint", endpoint.reference, expected=expected_revision)

    def save_settings(self, endpoint: Endpoint) -> None:
        values = _SAVE_SETTINGS.values(updated_at=endpoint.updated_at, **endpoint.settings.to_dict())
        if not self._connection.execute(values, {"endpoint_id": endpoint.id}).rowcount:
            raise self._not_found(EndpointRef(endpoint.service, endpoint.name))

    def replace_key(self, key: StoredKey) -> None:
        values = _REPLACE_KEY.values(digest=key.digest, ciphertext=key.ciphertext)
        found = self._connection.execute(values, {"of_endpoint": key.endpoint_id, "of_slot": key.slot})
        if not found.rowcount:
            raise NotFound("key", f"{key.slot} of endpoint {key.endpoint_id[:12]}")

    def delete(self, endpoint_id: str) -> None:
        for statement in (_DELETE_KEYS, _DELETE):
            self._connection.execute(statement, {"endpoint_id": endpoint_id})

    def find(self) -> list[Endpoint]:
        return [endpoint_from(row) for row in self._connection.execute(_ALL)]

    def keys(self, endpoint_id: str) -> list[StoredKey]:
        rows = self._connection.execute(_KEYS, {"endpoint_id": endpoint_id})
        return [StoredKey(key.endpoint_id, key.slot, key.digest, key.ciphertext) for key in rows]

    def moves(self, endpoint_id: str) -> list[Move]:
        rows = self._connection.execute(_HISTORY, {"endpoint_id": endpoint_id})
        return [
            Move(
                endpoint=subject,
                revision=data["revision"],
                action=action,
                definition_hash=data["definition_hash"],
                model=data.get("model"),
                at=at,
                by=by,
            )
            for subject, action, data, at, by in rows
        ]

    def serving_model(self, model_hash: str) -> list[str]:
        rows = self._connection.execute(_SERVING, {"model_hash": model_hash})
        return [str(EndpointRef(service, endpoint)) for service, endpoint in rows]

    def serving(self, references: Sequence[str]) -> list[Endpoint]:
        if not references:
            return []
        return [
            endpoint_from(row) for row in self._connection.execute(_NAMING, {"references": list(references)})
        ]

    def serving_any(self, name: str) -> list[Endpoint]:
        beginning = f"{name}:".replace("_", "/_")
        return [endpoint_from(row) for row in self._connection.execute(_NAMING_ANY, {"beginning": beginning})]

    def that_served(self, reference: str) -> list[str]:
        return list(self._connection.scalars(_THAT_SERVED, {"reference": reference}))

    def _found(self, ref: EndpointRef) -> Endpoint | None:
        row = self._connection.execute(_ONE, {"service": ref.service, "endpoint": ref.endpoint}).one_or_none()
        return None if row is None else endpoint_from(row)

    def _not_found(self, ref: EndpointRef) -> NotFound:
        """A service that is not there is the nearer reason than its endpoint."""
        known = list(self._connection.scalars(select(services.c.name)))
        if ref.service not in known:
            return NotFound("service", ref.service, known=known)
        beside = [one.reference for one in self.find() if one.service == ref.service]
        return NotFound("endpoint", str(ref), known=beside)


def _moving(endpoint: Endpoint) -> dict[str, Any]:
    """What changes in an endpoint when it moves."""
    return {
        "definition_hash": endpoint.definition_hash,
        "revision": endpoint.revision,
        "updated_at": endpoint.updated_at,
        "model": endpoint.model,
        "model_hash": endpoint.model_hash,
    }


@record("endpoint")
def endpoint_from(row: Sequence[Any]) -> Endpoint:
    """The endpoint in a row of `NAMED`."""
    (
        key, service_id, name, definition_hash, revision, created_at, updated_at, model, model_hash,
        description, throttle_level, max_concurrent_calls, prevent_update, diagnostics, service, kind,
    ) = row  # fmt: skip
    return Endpoint(
        id=key,
        service_id=service_id,
        service=service,
        name=name,
        definition_hash=definition_hash,
        revision=revision,
        created_at=created_at,
        updated_at=updated_at,
        model=model,
        model_hash=model_hash,
        settings=EndpointSettings(
            description, throttle_level, max_concurrent_calls, prevent_update, diagnostics
        ),
        is_service=kind == NEW,
    )
