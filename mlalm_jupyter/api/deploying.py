"""Services of one workspace, be it a person's or the store of a New service: made, and deployed again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlalm_jupyter.api.deployables import Deployable
from mlalm_jupyter.api.endpoint_keys import new_keys
from mlalm_jupyter.api.endpoint_moves import note_move, with_addresses
from mlalm_jupyter.api.golive import check_still_servable, keep_seal, prepared, published
from mlalm_jupyter.api.service_states import ServiceStates
from mlalm_jupyter.domain.errors import AlreadyExists, Conflict
from mlalm_jupyter.domain.estate import Terms
from mlalm_jupyter.domain.names import DEFAULT_ENDPOINT, name_of
from mlalm_jupyter.domain.service import CLASSIC, NEW, RUNNING, STOPPED, Endpoint, WebService
from mlalm_jupyter.domain.trust import Seal
from mlalm_jupyter.ports import Transaction


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants deployed, and how."""

    what: object
    sample: object
    model: str | None
    update: bool
    description: str | None
    stop_start: bool
    plan: str | None
    region: str | None


class Deploying(ServiceStates):
    """The part of `service deploy` that is the same wherever a service is kept."""

    def shown(self, service: str) -> WebService:
        """One service of this workspace."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            shown = with_addresses(ctx, tx.services.get(service))
        if shown.terms is None or not shown.is_running or ctx.host.status().is_running:
            return shown
        region = shown.terms.region
        note = f"It does not answer: the server of its region does not run. `mlalm server start --region {region}`"
        return replace(shown, note=f"{note} starts it.")

    def make(
        self,
        name: str,
        deployable: Deployable,
        seal: Seal | None,
        description: str,
        *,
        terms: Terms | None = None,
    ) -> None:
        """Make a service in this workspace."""
        ctx = self._context
        definition = deployable.definition
        prepared(ctx, definition, seal=seal)
        now = ctx.clock.now()
        made = WebService(
            ctx.clock.new_id(),
            name,
            NEW if terms else CLASSIC,
            deployable.source,
            now,
            ctx.who,
            description=description,
            terms=terms,
        )
        model = definition.models[0] if definition.models else None
        default = Endpoint(
            id=ctx.clock.new_id(),
            service_id=made.id,
            service=name,
            name=DEFAULT_ENDPOINT,
            definition_hash=definition.digest,
            revision=1,
            created_at=now,
            updated_at=now,
            model=model.reference if model else None,
            model_hash=model.model_hash if model else None,
            is_service=terms is not None,
        )
        with ctx.catalog.write() as tx:
            check_still_servable(ctx, tx, definition, seal=seal)
            tx.definitions.add(definition, at=now)
            if seal:
                keep_seal(ctx, tx, seal)
            tx.services.add(made)
            tx.endpoints.add(default, new_keys(ctx, default.id))
            ctx.note(
                tx, "service", "deploy", subject_id=made.id, subject=name, data={"source": deployable.source}
            )
            note_move(ctx, tx, default, "deploy")
        published(ctx)

    def moved(self, service: str, deployable: Deployable, seal: Seal | None, asked: Asked) -> WebService:
        """A service that exists, after deploying again what it is asked for."""
        existing = self.shown(service)
        is_same = existing.default.definition_hash == deployable.definition.digest
        is_described = asked.description not in (None, existing.description)
        if is_same and not is_described:
            return self._unchanged(service, seal)
        if not is_same:
            self._check_goes_on(existing, deployable)
        if not asked.update:
            raise AlreadyExists(
                "service",
                service,
                fix="Choose another name, or deploy with --update to "
                + ("have it serve this." if existing.is_new else "move its default endpoint."),
            )
        if not is_same:
            self._redeploy(existing, deployable, seal, stop_start=asked.stop_start)
        if asked.description is not None:
            self._describe(service, asked.description)
        return self.shown(service)

    def _check_goes_on(self, service: WebService, deployable: Deployable) -> None:
        """A service goes on with the notebook it was made of; what was set up anew beside that is another service."""
        with self._context.catalog.read() as tx:
            found = tx.events.find(noun="service", subject_id=service.id)
        sources = [
            str(one.data["source"]) for one in found if one.action == "deploy" and "source" in one.data
        ]
        before = sources[-1] if sources else service.source
        if before not in deployable.siblings:
            return
        first, other = (one.removeprefix("experiment ") for one in (before, deployable.source))
        raise Conflict(
            f"Service '{service.name}' was not updated.",
            why=f"It was deployed from {first}, and {other} was cut out of {deployable.training} anew, "
            "without what you changed there.",
            fix=f"Make it a service of its own with `mlalm service deploy {name_of(other)} NAME`; "
            f"or change {first}, run it, and deploy that with --update.",
        )

    def _unchanged(self, service: str, seal: Seal | None) -> WebService:
        note = "Nothing changed: it serves exactly this already."
        if seal and self._sealed_anew(seal):
            note = (
                "It serves exactly this already; that this workspace signed it had been lost and holds again."
            )
        shown = self.shown(service)
        if shown.is_new:
            return replace(shown, note=note)
        noted = (replace(one, note=note) if one.is_default else one for one in shown.endpoints)
        return replace(shown, endpoints=tuple(noted))

    def _sealed_anew(self, seal: Seal) -> bool:
        ctx = self._context
        with ctx.catalog.write() as tx:
            if not keep_seal(ctx, tx, seal):
                return False
            ctx.note(tx, seal.kind, "trust", subject_id=seal.digest, subject=seal.digest[:12])
        published(ctx)
        return True

    def _redeploy(
        self, service: WebService, deployable: Deployable, seal: Seal | None, *, stop_start: bool
    ) -> None:
        """Move the default endpoint, between two calls or between a stop and a start."""
        ctx = self._context
        current, definition = service.default, deployable.definition

        def note(tx: Transaction) -> None:
            data = {"source": deployable.source, "update": True}
            ctx.note(tx, "service", "deploy", subject_id=service.id, subject=service.name, data=data)

        was_stopped = False
        if stop_start:
            prepared(ctx, definition, seal=seal)  # what takes its time is done before the stop
            was_stopped = self.put(service.name, STOPPED)
        try:
            self._endpoints.move(
                current.redeployed(definition, at=ctx.clock.now()),
                definition,
                action="update",
                expected_revision=current.revision,
                seal=seal,
                note=note,
            )
        except BaseException:
            if was_stopped:
                self.put(service.name, RUNNING)
            raise
        if stop_start:
            self.put(service.name, RUNNING)

    def _describe(self, name: str, description: str) -> None:
        ctx = self._context
        with ctx.catalog.write() as tx:
            found = tx.services.get(name)
            if found.description == description:
                return
            tx.services.save(replace(found, description=description))
            data = {"description": description}
            ctx.note(tx, "service", "configure", subject_id=found.id, subject=name, data=data)
