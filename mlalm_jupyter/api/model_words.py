"""What people say of a version: tags, properties, description, the aliases that stand for it, and its trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.counts import at_least
from mlalm_jupyter.api.following import Following
from mlalm_jupyter.api.registering import texts
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import InUse, NotFound, StaleRevision, Unconfirmed
from mlalm_jupyter.domain.event import Event
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.model import Alias, TrainedModel, added_properties, edited_tags
from mlalm_jupyter.domain.names import AssetRef, checked_alias
from mlalm_jupyter.domain.policy import FOLLOW
from mlalm_jupyter.ports import Transaction


class ModelWords:
    """Verbs that say something of versions; the versions themselves never change."""

    _context: Context
    _following: Following

    @verb("model", "tag")
    def tag(
        self,
        model: Annotated[str, Arg("NAME, NAME:VERSION or NAME@ALIAS", completes="model")],
        *,
        tags: Annotated[Mapping[str, str] | None, Arg("tags to set", metavar="KEY=VALUE")] = None,
        remove: Annotated[str, Arg("tags to remove, with commas between", metavar="KEYS")] = "",
        properties: Annotated[
            Mapping[str, str] | None, Arg("what is said once and stays", metavar="KEY=VALUE")
        ] = None,
        description: Annotated[str | None, Arg("one sentence about it, in place of the one there is")] = None,
    ) -> TrainedModel:
        """Say more of a version: set and remove tags, add properties, describe it; who said what stays on record.

        >>> ws.models.tag("wine:3", tags={"stage": "prod"}).tags  # doctest: +SKIP
        {'stage': 'prod'}
        """
        ctx = self._context
        removed = [word.strip() for word in remove.split(",") if word.strip()]
        with ctx.catalog.write() as tx:
            before = tx.models.get(AssetRef.parse("model", model))
            after = replace(
                before,
                tags=edited_tags(before.tags, added=texts(tags or {}), removed=removed),
                properties=added_properties(before.reference, before.properties, texts(properties or {})),
                description=before.description if description is None else description,
            )
            if after == before:
                return replace(before, note="Nothing changed: it says exactly that already.")
            tx.models.tell(after)
            ctx.note(
                tx,
                "model",
                "tag",
                subject_id=after.id,
                subject=after.reference,
                data=_difference(before, after),
            )
        return after

    @verb("model", "alias")
    def alias(
        self,
        model: Annotated[str, Arg("NAME:VERSION, or NAME with --remove", completes="model")],
        alias: Annotated[str, Arg("the word that is to stand for it, such as champion")],
        *,
        remove: Annotated[bool, Arg("have the word stand for nothing any more")] = False,
        expected: Annotated[
            int | None, Arg("move it only if its revision is still this one", metavar="REVISION")
        ] = None,
        yes: Annotated[bool, Arg("remove without asking")] = False,
    ) -> Alias:
        """Have a word stand for a version, as in `churn@champion`; it moves at once for all who say it.

        What serves stays as it is, unless a policy says that an endpoint follows that alias.

        >>> ws.models.alias("wine:3", "champion").reference  # doctest: +SKIP
        'wine@champion'
        """
        ctx = self._context
        checked_alias(alias)
        ref = AssetRef.parse("model", model)
        if remove:
            return self._unaliased(ref.name, alias, expected=expected, yes=yes)
        with ctx.catalog.write() as tx:
            found = tx.models.get(ref)
            before = _held(tx, found.name, alias)
            if before and before.version == found.version and expected in (None, before.revision):
                return replace(before, note=f"Nothing changed: it stands for {found.reference} already.")
            revision = before.revision if before else 0
            moved = Alias(
                name=found.name,
                alias=alias,
                version=found.version,
                revision=revision + 1,
                updated_at=ctx.clock.now(),
                updated_by=ctx.who,
                run_id=ctx.run_id,
                before=before.version if before else None,
            )
            tx.models.move_alias(moved, expected_revision=revision if expected is None else expected)
            data = {"to": moved.model, "from": before.model if before else None, "revision": moved.revision}
            ctx.note(tx, "alias", "move", subject_id=moved.subject_id, subject=moved.reference, data=data)
        return self._following.moved(moved)

    @verb("model", "aliases")
    def aliases(
        self, *, name: Annotated[str | None, Arg("those of this model", completes="model")] = None
    ) -> Listing[Alias]:
        """List the aliases and the versions they stand for."""
        with self._context.catalog.read() as tx:
            wanted = None if name is None else AssetRef.parse("model", name).name
            found = tx.models.aliases(name=wanted)
        note = "" if found or name is None else f"No alias stands for a version of '{wanted}'."
        return Listing("alias", found, note)

    @verb("model", "history")
    def history(
        self,
        model: Annotated[str, Arg("NAME, NAME:VERSION, or NAME@ALIAS for where it stood", completes="model")],
        *,
        limit: Annotated[int, Arg("how many of the newest to list")] = 100,
    ) -> Listing[Event]:
        """What was done with a version, or where an alias stood: who, when and what, oldest first."""
        ref = AssetRef.parse("model", model)
        limit = at_least(1, limit, of="events")
        with self._context.catalog.read() as tx:
            if ref.alias is not None:
                asked = Alias(ref.name, ref.alias, 0, 0, "", "")
                found = tx.events.find(noun="alias", subject_id=asked.subject_id, limit=limit)
                if not found:
                    tx.models.alias(ref.name, ref.alias)
                return Listing("event", found)
            return Listing("event", tx.events.find(subject_id=tx.models.get(ref).id, limit=limit))

    def _unaliased(self, name: str, alias: str, *, expected: int | None, yes: bool) -> Alias:
        ctx = self._context
        with ctx.catalog.write() as tx:
            before = tx.models.alias(name, alias)
            followers = [
                f"policy {one.name}" for one in tx.policies.find(rule=FOLLOW) if one.model == before.reference
            ]
            if followers:
                raise InUse("alias", before.reference, users=followers)
            if expected not in (None, before.revision):
                raise StaleRevision(
                    "alias", before.reference, expected=expected or 0, current=before.revision
                )
            if not yes:
                goes = [f"{before.reference}, which stands for {before.model}"]
                raise Unconfirmed(f"Alias {before.reference}", goes=goes, is_final=False)
            tx.models.remove_alias(name, alias)
            ctx.note(
                tx,
                "alias",
                "remove",
                subject_id=before.subject_id,
                subject=before.reference,
                data={"from": before.model},
            )
        return replace(before, version=0, before=before.version, note="It stands for nothing any more.")


def _held(tx: Transaction, name: str, alias: str) -> Alias | None:
    try:
        return tx.models.alias(name, alias)
    except NotFound:
        return None


def _difference(before: TrainedModel, after: TrainedModel) -> dict[str, object]:
    """What was said and what is said now, of all that differs."""
    told: dict[str, object] = {}
    for kind, old, new in (
        ("tag", before.tags, after.tags),
        ("property", before.properties, after.properties),
    ):
        for name in {*old, *new}:
            if old.get(name) != new.get(name):
                told[f"{kind} {name}"] = f"{old.get(name, 'none')} to {new.get(name, 'none')}"
    if before.description != after.description:
        told["description"] = f"'{before.description}' to '{after.description}'"
    return dict(sorted(told.items()))
