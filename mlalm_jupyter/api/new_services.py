"""New services: deployed into a region with a copy of all they need, and moved there to something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlalm_jupyter.api.carrying import as_kept, carried, check_memory, is_whole, renumbered
from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.deployables import Deployable, Deployables
from mlalm_jupyter.api.deploying import Asked, Deploying
from mlalm_jupyter.api.endpoint_moves import check_changeable
from mlalm_jupyter.api.golive import keep_seal, known_code, new_seal
from mlalm_jupyter.api.placing import Held, changing, served_definitions
from mlalm_jupyter.api.stores import asked_terms, check_terms, founded
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import AlreadyExists
from mlalm_jupyter.domain.service import NEW, WebService
from mlalm_jupyter.domain.trust import Seal


class NewServices(Deploying):
    """The part of `service deploy` that is about New services."""

    _deployables: Deployables

    def seal(self, deployable: Deployable, service: str) -> Seal | None:
        """A signature for what this workspace made now, or whose code it has signed before."""
        ctx, definition = self._context, deployable.definition
        if not deployable.is_ours:
            return known_code(ctx, definition, also=self._of_regions)
        return new_seal(ctx, "definition", definition.digest, reason=f"deployed here as {service}")

    def _of_regions(self) -> Iterator[ServiceDefinition]:
        return (definition for _, definition in served_definitions(self._context))

    def deploy_new(self, service: str, held: Held | None, asked: Asked) -> WebService:
        """Make a New service in its region, or have it serve another definition."""
        ctx = self._context
        if held is None:
            asked_terms(ctx.host.estate, service, plan=asked.plan, region=asked.region)
        elif not asked.update and asked.region not in (None, held.region.name):
            raise AlreadyExists(
                "service",
                service,
                fix=f"One in region '{held.region.name}' has it, and a name is one service in all regions. "
                "Choose another name.",
            )
        else:
            check_terms(held, plan=asked.plan, region=asked.region)
        deployable = self._deployables.of(asked.what, asked.sample, model=asked.model)
        seal = self.seal(deployable, service)
        if held is None:
            with founded(ctx, service, plan=asked.plan, region=asked.region) as (there, terms):
                check_memory(ctx, deployable.definition, terms.plan)
                definition = carried(ctx, there, deployable.definition, seal=seal)
                inner = self._over(there)
                made = replace(deployable, definition=definition)
                inner.make(service, made, None, asked.description or "", terms=terms)
                ctx.progress("Starting the workers of the plan", 0, 0)
                there.host.grow(terms.plan.workers)
                shown = inner.shown(service)
        else:
            with changing(ctx, held) as there:
                shown, definition = self._update_new(there, held, deployable, seal, asked)
        told = renumbered(deployable.definition, definition)
        if held is None or shown.default.revision != held.service.default.revision:
            self._note_new(shown, deployable, seal, definition)
        return replace(shown, note=" ".join(filter(None, (shown.note, told))) or None)

    def _update_new(
        self, there: Context, held: Held, deployable: Deployable, seal: Seal | None, asked: Asked
    ) -> tuple[WebService, ServiceDefinition]:
        """Have a New service serve something; nothing is copied for what it serves already, or must not."""
        inner, name = self._over(there), held.service.name
        if not deployable.is_ours and is_whole(there, deployable.definition):
            # as the store calls it: exported from there, and perhaps of a workspace that is gone
            check_memory(there, deployable.definition, held.terms.plan)
            return inner.moved(name, deployable, None, asked), deployable.definition
        check_memory(self._context, deployable.definition, held.terms.plan)
        kept = as_kept(self._context, there, deployable.definition)
        is_same = kept is not None and kept.digest == held.service.default.definition_hash
        if not is_same:
            if not asked.update:
                raise AlreadyExists(
                    "service",
                    name,
                    fix="Choose another name, or deploy with --update to have it serve this.",
                )
            check_changeable(there, held.service.default)
            kept = carried(self._context, there, deployable.definition, seal=seal)
        assert kept is not None
        made = replace(deployable, definition=kept, is_ours=False)
        return inner.moved(name, made, None, asked), kept

    def _note_new(
        self, shown: WebService, deployable: Deployable, seal: Seal | None, there: ServiceDefinition
    ) -> None:
        """Write down where it went, and that its code is this workspace's, under both of its names."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            if seal is not None:
                keep_seal(ctx, tx, seal)
                if there.digest != seal.digest:
                    keep_seal(ctx, tx, new_seal(ctx, "definition", there.digest, reason=seal.reason))
            data = {"source": deployable.source, "kind": NEW, "region": shown.to_dict()["region"]}
            ctx.note(tx, "service", "deploy", subject_id=shown.id, subject=shown.name, data=data)
