"""Endpoints that follow an alias or the newest version, because a policy says so; nothing else moves by itself."""

from __future__ import annotations

from dataclasses import replace

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.endpoints import Endpoints
from mlalm_jupyter.domain.errors import MlalmError, NotFound, StaleRevision, Unavailable
from mlalm_jupyter.domain.model import Alias, TrainedModel
from mlalm_jupyter.domain.names import AssetRef, EndpointRef
from mlalm_jupyter.domain.policy import FOLLOW, Policy
from mlalm_jupyter.domain.service import Endpoint
from mlalm_jupyter.ports import Transaction

_MOST_MOVES = 5


class Following:
    """Does what the policies that follow say.

    What a policy acted on is kept with it. So a person who rolls an endpoint back is not overruled: it moves again
    only when the alias, or the newest version, is another one. And whoever dies between a registration and its move
    leaves a policy behind that the server's worker sees and catches up with.
    """

    def __init__(self, context: Context, endpoints: Endpoints) -> None:
        self._context = context
        self._endpoints = endpoints

    def registered(self, model: TrainedModel) -> TrainedModel:
        """The model that was just registered, with what its coming moved."""
        told = self._tried(model.name)
        return replace(model, note=" ".join(filter(None, (model.note, *told)))) if told else model

    def moved(self, alias: Alias) -> Alias:
        """The alias that was just moved, with what its move took along."""
        told = self._tried(alias.name)
        return replace(alias, note=" ".join(filter(None, (alias.note, *told)))) if told else alias

    def catch_up(self, *, name: str | None = None) -> list[str]:
        """Have every endpoint that follows (that model) go where its policy says; what came of each."""
        with self._context.catalog.read() as tx:
            policies = tx.policies.find(rule=FOLLOW)
        told = []
        for policy in policies:
            if name in (None, AssetRef.parse("model", str(policy.model)).name):
                told += self._follow(policy.name)
        return told

    def _tried(self, name: str) -> list[str]:
        """The same for who has just written something, which stays written whatever comes of this."""
        try:
            return self.catch_up(name=name)
        except Unavailable as error:
            return [f"What follows {name} has yet to move: {error}"]

    def behind(self) -> list[tuple[str, str]]:
        """The policies whose endpoint has yet to go where they say, and where that is."""
        with self._context.catalog.read() as tx:
            found = [(policy.name, _wanted(tx, policy)) for policy in tx.policies.find(rule=FOLLOW)]
        return [(name, wanted) for name, wanted in found if wanted is not None]

    def _follow(self, name: str) -> list[str]:
        """Act on one policy until it has nothing to do; others may act on it at the same time."""
        told: list[str] = []
        for _ in range(_MOST_MOVES):
            try:
                with self._context.catalog.read() as tx:
                    policy = tx.policies.get(name)
                    wanted = _wanted(tx, policy)
                    endpoint = tx.endpoints.get(EndpointRef.parse(str(policy.endpoint)))
            except NotFound:
                break  # somebody has just ended it
            if wanted is None:
                break
            try:
                told = [self._move(policy, endpoint, wanted)]
            except StaleRevision:
                told = [f"Policy {name}: somebody else moved {policy.endpoint}."]
            except Unavailable as error:
                told = [self._put_off(policy, wanted, error)]
                break
        return told

    def _move(self, policy: Policy, endpoint: Endpoint, wanted: str) -> str:
        """Move an endpoint that is still as it was seen, and keep what came of it."""
        ctx = self._context
        before: str | None = endpoint.model
        failed = False
        if before == wanted:
            note = f"Policy {policy.name}: {endpoint.reference} serves {wanted} already."
        else:
            try:
                self._endpoints.patch_at(endpoint.reference, model=wanted, revision=endpoint.revision)
                note = f"Policy {policy.name} moved {endpoint.reference} to {wanted}."
            except (StaleRevision, Unavailable):
                raise
            except MlalmError as error:
                before, failed = None, True
                note = f"Policy {policy.name} did not move {endpoint.reference} to {wanted}: {error}"
        with ctx.catalog.write() as tx:
            if not tx.policies.applied(
                policy.id, model=wanted, at=ctx.clock.now(), note=note, expected=policy.applied
            ):
                return note  # somebody acted on it meanwhile; what is left to do is seen by looking again
            data = {
                "endpoint": endpoint.reference,
                "to": wanted,
                "from": before,
                "failed": note if failed else None,
            }
            ctx.note(tx, "policy", "follow", subject_id=policy.id, subject=policy.name, data=data)
        return note

    def _put_off(self, policy: Policy, wanted: str, error: Unavailable) -> str:
        """What could not be done now is left to do; the server tries it again."""
        ctx = self._context
        note = f"Policy {policy.name} has yet to move {policy.endpoint} to {wanted}: {error}"
        if note != policy.note:
            with ctx.catalog.write() as tx:
                tx.policies.applied(
                    policy.id, model=policy.applied, at=ctx.clock.now(), note=note, expected=policy.applied
                )
        return note


def _wanted(tx: Transaction, policy: Policy) -> str | None:
    """The version to move to; None when it acted on that already."""
    ref = AssetRef.parse("model", str(policy.model))
    try:
        found = tx.models.get(ref)
    except NotFound:
        return None
    applied = AssetRef.parse("model", policy.applied).version if policy.applied else None
    # after a deletion the newest one is an older one, which is no reason to go back
    is_older = ref.alias is None and applied is not None and found.version < applied
    return None if found.reference == policy.applied or is_older else found.reference
