"""Endpoints that follow an alias or the newest version, because a policy says so; nothing else moves by itself."""

from __future__ import annotations

from dataclasses import replace

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.endpoints import Endpoints
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.domain.model import Alias, TrainedModel
from mlalm_jupyter.domain.names import AssetRef, EndpointRef
from mlalm_jupyter.domain.policy import FOLLOW, Policy

_MOST_MOVES = 5


class Following:
    """Does what the policies that follow say.

    What a policy acted on is kept with it. So a person who rolls an endpoint back is not overruled: it moves again
    only when the alias, or the newest version, is another one.
    """

    def __init__(self, context: Context, endpoints: Endpoints) -> None:
        self._context = context
        self._endpoints = endpoints

    def registered(self, model: TrainedModel) -> TrainedModel:
        """The model that was just registered, with what its coming moved."""
        told = self.catch_up(name=model.name)
        return replace(model, note=" ".join(filter(None, (model.note, *told)))) if told else model

    def moved(self, alias: Alias) -> Alias:
        """The alias that was just moved, with what its move took along."""
        told = self.catch_up(name=alias.name)
        return replace(alias, note=" ".join(filter(None, (alias.note, *told)))) if told else alias

    def catch_up(self, *, name: str | None = None) -> list[str]:
        """Have every endpoint that follows (that model) go where its policy says; what came of each."""
        with self._context.catalog.read() as tx:
            policies = tx.policies.find(rule=FOLLOW)
        told = []
        for policy in policies:
            if name in (None, AssetRef.parse("model", str(policy.model)).name):
                told += self._follow(policy)
        return told

    def _follow(self, policy: Policy) -> list[str]:
        told: list[str] = []
        for _ in range(_MOST_MOVES):
            wanted = self._wanted(policy)
            if wanted is None:
                break
            told = [self._move(policy, wanted)]
            with self._context.catalog.read() as tx:
                policy = tx.policies.get(policy.name)
        return told

    def _wanted(self, policy: Policy) -> str | None:
        """The version to move to; None when it acted on that already."""
        ref = AssetRef.parse("model", str(policy.model))
        try:
            with self._context.catalog.read() as tx:
                found = tx.models.get(ref)
        except MlalmError:
            return None
        applied = AssetRef.parse("model", policy.applied).version if policy.applied else None
        # after a deletion the newest one is an older one, which is no reason to go back
        is_older = ref.alias is None and applied is not None and found.version < applied
        return None if found.reference == policy.applied or is_older else found.reference

    def _move(self, policy: Policy, wanted: str) -> str:
        ctx = self._context
        endpoint = str(policy.endpoint)
        try:
            with ctx.catalog.read() as tx:
                before = tx.endpoints.get(EndpointRef.parse(endpoint)).model
            if before == wanted:
                note = f"Policy {policy.name}: {endpoint} serves {wanted} already."
            else:
                self._endpoints.patch(endpoint, model=wanted)
                note = f"Policy {policy.name} moved {endpoint} to {wanted}."
            failed = False
        except MlalmError as error:
            before, failed = None, True
            note = f"Policy {policy.name} did not move {endpoint} to {wanted}: {error}"
        with ctx.catalog.write() as tx:
            tx.policies.applied(policy.id, model=wanted, at=ctx.clock.now(), note=note)
            data = {"endpoint": endpoint, "to": wanted, "from": before, "failed": note if failed else None}
            ctx.note(tx, "policy", "follow", subject_id=policy.id, subject=policy.name, data=data)
        return note
