"""Policies: rules that somebody opted for, in sight of all, with a record of what they did."""

from __future__ import annotations

from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.following import Following
from mlalm_jupyter.api.golive import kept_definition, valid_seal
from mlalm_jupyter.api.placing import check_classic
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import Conflict, DefaultEndpointNotPatchable, Unconfirmed
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import AssetRef, EndpointRef, checked_name
from mlalm_jupyter.domain.outcome import Removed
from mlalm_jupyter.domain.policy import FOLLOW, Policy, check_rule
from mlalm_jupyter.ports import Transaction

_BY_HAND = "Deploy the model with `mlalm service deploy MODEL {name} --update`."


class Policies:
    """The policies of a workspace."""

    def __init__(self, context: Context, following: Following) -> None:
        self._context = context
        self._following = following

    @verb("policy", "add", attribute="policies", is_long=True)
    def add(
        self,
        name: Annotated[str, Arg("what the policy is called")],
        rule: Annotated[str, Arg("signed-models, or follow", metavar="RULE")],
        *,
        endpoint: Annotated[
            str | None, Arg("for follow: SERVICE/ENDPOINT, any but the default", completes="endpoint")
        ] = None,
        model: Annotated[
            str | None,
            Arg("for follow: NAME@ALIAS, or NAME for its newest version", completes="model"),
        ] = None,
    ) -> Policy:
        """Opt for a rule: only signed models serve, or an endpoint follows an alias or the newest version.

        >>> ws.policies.add("champ", "follow", endpoint="wine/ep2", model="wine@champion").told  # doctest: +SKIP
        'wine/ep2 follows wine@champion'
        """
        ctx = self._context
        checked_name("policy", name)
        check_rule(rule, endpoint=endpoint, model=model)
        if endpoint is not None:
            check_classic(ctx, endpoint, done="moved by a policy", fix=_BY_HAND)
        with ctx.catalog.write() as tx:
            if rule == FOLLOW:
                endpoint, model = _checked_follower(tx, str(endpoint), str(model))
            else:
                _refuse_unsigned(ctx, tx, name)
            made = Policy(ctx.clock.new_id(), name, rule, endpoint, model, ctx.clock.now(), ctx.who)
            tx.policies.add(made)
            data = {"rule": rule, "endpoint": endpoint, "model": model}
            ctx.note(tx, "policy", "add", subject_id=made.id, subject=name, data=data)
        if rule == FOLLOW:
            self._following.catch_up(name=AssetRef.parse("model", str(model)).name)
        return self.show(name)

    @verb("policy", "list", attribute="policies")
    def list(self) -> Listing[Policy]:
        """List the rules that somebody opted for, and what each did last."""
        with self._context.catalog.read() as tx:
            return Listing("policy", tx.policies.find())

    @verb("policy", "show", attribute="policies")
    def show(self, policy: Annotated[str, Arg("the policy's name", completes="policy")]) -> Policy:
        """Show one policy and what it did last."""
        with self._context.catalog.read() as tx:
            return tx.policies.get(policy)

    @verb("policy", "delete", attribute="policies")
    def delete(
        self,
        policy: Annotated[str, Arg("the policy's name", completes="policy")],
        *,
        yes: Annotated[bool, Arg("delete without asking")] = False,
    ) -> Removed:
        """End a policy; what it did stays as it is."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            found = tx.policies.get(policy)
            if not yes:
                raise Unconfirmed(
                    f"Policy {found.name}", goes=[f"the rule that {found.told}"], is_final=False
                )
            tx.policies.delete(found.id)
            ctx.note(
                tx, "policy", "delete", subject_id=found.id, subject=found.name, data={"rule": found.rule}
            )
        return Removed("policy", found.name)


def _checked_follower(tx: Transaction, endpoint: str, model: str) -> tuple[str, str]:
    """The endpoint and the model of a policy that follows, as they are kept; refused where they cannot be."""
    found = tx.endpoints.get(EndpointRef.parse(endpoint))
    if found.is_default:
        raise DefaultEndpointNotPatchable(found.reference)
    ref = AssetRef.parse("model", model)
    tx.models.get(ref)
    for one in tx.policies.find(rule=FOLLOW):
        if one.endpoint == found.reference:
            raise Conflict(
                f"A second policy for {found.reference} was not added.",
                why=f"By the policy '{one.name}' it follows {one.model}, and an endpoint can follow one thing only.",
                fix=f"Delete that one first: `mlalm policy delete {one.name}`.",
            )
    return found.reference, str(AssetRef("model", ref.name, alias=ref.alias))


def _refuse_unsigned(context: Context, tx: Transaction, name: str) -> None:
    """What serves already has to be signed before a policy may want that."""
    for endpoint in tx.endpoints.find():
        for asset in kept_definition(context, endpoint.definition_hash).models:
            if valid_seal(context, tx, "model", asset.model_hash) is None:
                raise Conflict(
                    f"The policy '{name}' was not added.",
                    why=f"{endpoint.reference} serves {asset.reference}, which this workspace's key did not sign.",
                    fix=f"Sign it with `mlalm model sign {asset.reference}`, or move that endpoint first.",
                )
