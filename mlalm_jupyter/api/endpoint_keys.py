"""The two keys of each endpoint: shown to who asks, made anew one at a time."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.endpoint_moves import EndpointMoves
from mlalm_jupyter.api.golive import published
from mlalm_jupyter.api.placing import of_endpoints
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.names import EndpointRef
from mlalm_jupyter.domain.server import Key, KeyPair
from mlalm_jupyter.domain.service import Endpoint
from mlalm_jupyter.ports import StoredKey

SLOTS = ("primary", "secondary")


class EndpointKeys(EndpointMoves):
    """The part of `endpoint` that is about keys."""

    @verb("endpoint", "keys")
    @of_endpoints(
        "opened",
        fix="Its keys are the service's: `mlalm service keys {name}`.",
        is_within=True,
    )
    def keys(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT", completes="endpoint")],
        *,
        only: Annotated[
            str | None, Arg("primary or secondary: that key alone, for a script", metavar="WHICH")
        ] = None,
    ) -> KeyPair | Key:
        """Show the two keys that open an endpoint, or one of them."""
        if only is not None:
            checked_slot(only)
        pair = self.key_pair(endpoint)
        if only is None:
            return pair
        return pair.primary if only == "primary" else pair.secondary

    @verb("endpoint", "regenerate-key")
    @of_endpoints(
        "given a new key",
        fix="Its keys are the service's: `mlalm service regenerate-key {name} WHICH`.",
        is_within=True,
    )
    def regenerate_key(
        self,
        endpoint: Annotated[str, Arg("SERVICE/ENDPOINT", completes="endpoint")],
        which: Annotated[str, Arg("primary or secondary")],
    ) -> Endpoint:
        """Make one of an endpoint's two keys anew; the other one works all the while.

        >>> ws.endpoints.regenerate_key("wine/ep2", "primary").note  # doctest: +SKIP
        'Its primary key is a new one: `mlalm endpoint keys wine/ep2`. The one before opens nothing any more.'
        """
        ctx = self._context
        checked_slot(which)
        with ctx.catalog.write() as tx:
            found = tx.endpoints.get(EndpointRef.parse(endpoint))
            tx.endpoints.replace_key(new_key(ctx, found.id, which))
            ctx.note(
                tx,
                "endpoint",
                "regenerate-key",
                subject_id=found.id,
                subject=found.reference,
                data={"key": which},
            )
        published(ctx)
        note = (
            f"Its {which} key is a new one: "
            f"`mlalm {'service' if found.is_service else 'endpoint'} keys {found.reference}`."
            " The one before opens nothing any more."
        )
        return replace(self._addressed(found), note=note)

    def key_pair(self, endpoint: str) -> KeyPair:
        """The two keys of an endpoint."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            found = tx.endpoints.get(EndpointRef.parse(endpoint))
            stored = tx.endpoints.keys(found.id)
        plain = {
            key.slot: Key(ctx.keyring.decrypt(key.ciphertext, context=key_context(found.id, key.slot)))
            for key in stored
        }
        return KeyPair(found.reference, plain["primary"], plain["secondary"])


def checked_slot(which: str) -> str:
    """The word for one of the two keys."""
    if which not in SLOTS:
        raise InvalidInput(f"The key '{which}'", expected="primary or secondary", got=repr(which))
    return which


def new_keys(context: Context, endpoint_id: str) -> list[StoredKey]:
    """Two fresh keys for an endpoint, as they are kept."""
    return [new_key(context, endpoint_id, slot) for slot in SLOTS]


def new_key(context: Context, endpoint_id: str, slot: str) -> StoredKey:
    """A fresh key for one slot of an endpoint."""
    secret = context.keyring.new_service_key()
    ciphertext = context.keyring.encrypt(secret, context=key_context(endpoint_id, slot))
    return StoredKey(endpoint_id, slot, hashlib.sha256(secret.encode()).hexdigest(), ciphertext)


def key_context(endpoint_id: str, slot: str) -> str:
    """What a key's ciphertext is bound to, so that it opens in no other row."""
    return f"{endpoint_id}:{slot}"
