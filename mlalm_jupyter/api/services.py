"""Web services: deployed, listed, called."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets
from mlalm_jupyter.api.deployables import Deployable, Deployables
from mlalm_jupyter.api.endpoint_keys import new_keys
from mlalm_jupyter.api.endpoint_moves import addressed, note_move, with_addresses
from mlalm_jupyter.api.endpoints import Endpoints
from mlalm_jupyter.api.golive import (
    check_still_servable,
    keep_seal,
    kept_definition,
    prepared,
    published,
)
from mlalm_jupyter.api.new_services import Asked, NewServices
from mlalm_jupyter.api.placing import (
    held_service,
    held_services,
    opened,
    placed,
    served_definitions,
    where_it_is,
)
from mlalm_jupyter.api.rows import rows_from
from mlalm_jupyter.api.snippets import curl, example_body, python
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import AlreadyExists, InvalidInput, NotFound, Unavailable
from mlalm_jupyter.domain.estate import Terms
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import DEFAULT_ENDPOINT, AssetRef, checked_name
from mlalm_jupyter.domain.outcome import Snippet
from mlalm_jupyter.domain.server import Scored
from mlalm_jupyter.domain.service import CLASSIC, KINDS, NEW, RUNNING, STOPPED, Endpoint, WebService
from mlalm_jupyter.domain.settings import checked_description
from mlalm_jupyter.domain.trust import Seal
from mlalm_jupyter.ports import Transaction

LANGUAGES = ("curl", "python")


class Services(NewServices):
    """The web services of a workspace."""

    def __init__(self, context: Context, datasets: Datasets, endpoints: Endpoints) -> None:
        self._context = context
        self._datasets = datasets
        self._endpoints = endpoints
        self._deployables = Deployables(context, datasets)

    def _over(self, context: Context) -> Services:
        return Services(context, Datasets(context), Endpoints(context))

    @verb("service", "deploy", is_long=True)
    def deploy(
        self,
        what: Annotated[
            object,
            Arg(
                "a model NAME:VERSION or NAME@ALIAS, a function, FILE.py[:FUNCTION] or a script, an .ilearner or a WSD file",
                completes="model",
            ),
        ],
        service: Annotated[str, Arg("the service's name", completes="service")],
        *,
        update: Annotated[bool, Arg("move the default endpoint of a service that exists")] = False,
        sample: Annotated[
            object, Arg("rows as a function or script takes them: a frame, a dataset or a table file")
        ] = None,
        model: Annotated[
            str | None, Arg("with a script: the model that its init(model) gets", completes="model")
        ] = None,
        description: Annotated[
            str | None, Arg("what it is for, in a sentence or two", metavar="TEXT")
        ] = None,
        stop_start: Annotated[
            bool, Arg("with --update: stop the service, move its default endpoint, start it again")
        ] = False,
        kind: Annotated[
            str | None,
            Arg(
                "classic: belongs to this workspace and may have endpoints; new: what a plan or a region asks for",
                metavar="KIND",
            ),
        ] = None,
        plan: Annotated[str | None, Arg("of a New service: how much it may take", metavar="PLAN")] = None,
        region: Annotated[
            str | None, Arg("of a New service: where it lives, with a copy of all it needs", metavar="REGION")
        ] = None,
    ) -> WebService:
        """Make a web service with its default endpoint, or move that one with --update.

        A New service (--kind new) has no endpoints. It lives in a region and outlives this workspace.

        Deploying exactly what it serves changes nothing and is no error, so a notebook may be run again. An update
        is a swap between two calls that nobody notices, and with --stop-start what it was in the classic studio.

        >>> ws.services.deploy("wine:1", "wine").default.reference  # doctest: +SKIP
        'wine/default'
        """
        ctx = self._context
        checked_name("service", service)
        if description is not None:
            checked_description(description)
        if stop_start and not update:
            raise InvalidInput(
                "The deployment", expected="--update together with --stop-start", got="--stop-start alone"
            )
        kind = _kind(service, kind, plan=plan, region=region)
        asked = Asked(what, sample, model, update, description, stop_start, plan, region)
        with ctx.catalog.read() as tx:
            existing = next((one for one in tx.services.find() if one.name == service), None)
            known = [one.name for one in tx.services.find()]
        known += [name for one in ctx.host.estate.regions() for name in one.services]
        held = None if existing else held_service(ctx, service)
        if (existing and kind == NEW) or (held and kind == CLASSIC):
            is_now = "New" if held else "Classic"
            raise AlreadyExists(
                "service", service, fix=f"It is a {is_now} one; choose another name for this."
            )
        if held or kind == NEW:
            return self.deploy_new(service, held, asked)
        if update and not existing:
            raise NotFound("service", service, known=known, fix="Deploy without --update to make it.")
        deployable = self._deployables.of(what, sample, model=model)
        seal = self.seal(deployable, service)
        if existing:
            return self.moved(service, deployable, seal, asked)
        self.make(service, deployable, seal, description or "")
        return self.show(service)

    def moved(self, service: str, deployable: Deployable, seal: Seal | None, asked: Asked) -> WebService:
        """A service that exists, after deploying again what it is asked for."""
        existing = self.show(service)
        is_same = existing.default.definition_hash == deployable.definition.digest
        is_described = asked.description not in (None, existing.description)
        if is_same and not is_described:
            return self._unchanged(service, seal)
        if not asked.update:
            raise AlreadyExists(
                "service",
                service,
                fix="Choose another name, or deploy with --update to move its default endpoint.",
            )
        if not is_same:
            self._redeploy(existing, deployable, seal, stop_start=asked.stop_start)
        if asked.description is not None:
            self._describe(service, asked.description)
        return self.show(service)

    @verb("service", "list")
    def list(self) -> Listing[WebService]:
        """List the web services of this workspace with their endpoints, then the New services of all regions."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            found = tx.services.find()
        here = [with_addresses(ctx, one) for one in found]
        troubles: list[str] = []
        new = list(self._new_services(troubles.append))
        return Listing("service", [*here, *new], note=" ".join(troubles))

    def _new_services(self, trouble: Callable[[str], object]) -> Iterator[WebService]:
        ctx = self._context
        for held in held_services(ctx.host.estate, ctx.another, trouble=trouble):
            with opened(ctx, held) as there:
                yield with_addresses(there, held.service)

    @verb("service", "show")
    @where_it_is()
    def show(self, service: Annotated[str, Arg("the service's name", completes="service")]) -> WebService:
        """Show one web service, and its endpoints where it has some."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            shown = with_addresses(ctx, tx.services.get(service))
        if shown.terms is None or not shown.is_running or ctx.host.status().is_running:
            return shown
        region = shown.terms.region
        note = f"It does not answer: the server of its region does not run. `mlalm server start --region {region}`"
        return replace(shown, note=f"{note} starts it.")

    @verb("service", "find")
    def find(
        self,
        *,
        model: Annotated[str, Arg("NAME for any version, NAME:VERSION or NAME@ALIAS", completes="model")],
    ) -> Listing[Endpoint]:
        """Find the endpoints that serve a model now, whatever they served before."""
        ref = AssetRef.parse("model", model)
        hashes: set[str] = set()
        with self._context.catalog.read() as tx:
            if ref.version is None and ref.alias is None:
                tx.models.get(ref)
                found = tx.endpoints.serving_any(ref.name)
            else:
                wanted = tx.models.get(ref)
                hashes = {wanted.model_hash}
                found = tx.endpoints.serving([wanted.reference])
        here = [addressed(self._context, one) for one in found]
        return Listing("endpoint", [*here, *self._elsewhere(ref, hashes)])

    def _elsewhere(self, wanted: AssetRef, hashes: Collection[str]) -> Iterator[Endpoint]:
        """The New services that serve a model now: one of a name, or one of these hashes."""
        ctx = self._context
        for held, serving in served_definitions(ctx):
            if any(one.model_hash in hashes if hashes else one.name == wanted.name for one in serving.models):
                with opened(ctx, held) as there:
                    yield addressed(there, held.service.default)

    @verb("service", "score")
    def score(
        self,
        service: Annotated[str, Arg("SERVICE or SERVICE/ENDPOINT", completes="endpoint")],
        rows: Annotated[
            object, Arg("rows to score: a frame, a dataset, or a .json, .csv, .tsv or .parquet file")
        ],
    ) -> Scored:
        """Send rows to an endpoint over HTTP, as any client would, and take the answer.

        >>> ws.services.score("wine", frame.head()).model  # doctest: +SKIP
        'wine:1'
        """
        ctx = self._context
        with placed(ctx, service) as there:
            endpoint, address, definition = self._over(there)._answering(service)
            key = Endpoints(there).key_pair(endpoint.reference).primary
        if len(definition.inputs) != 1:
            raise InvalidInput(
                "The service",
                expected="one with one input, for one table of rows",
                got=f"{len(definition.inputs)} inputs",
            )
        ((name, schema),) = definition.inputs.items()
        table = rows_from(ctx, rows, schema)
        try:
            return ctx.host.score(address, key, {name: table})
        except Unavailable as error:
            if not endpoint.is_service or there.host.status().is_running:
                raise
            fix = f"Start its region with `mlalm service start {endpoint.reference}`."
            raise Unavailable(error.what, why=error.why, fix=fix) from error

    @verb("service", "consume")
    def consume(
        self,
        service: Annotated[str, Arg("SERVICE or SERVICE/ENDPOINT", completes="endpoint")],
        *,
        lang: Annotated[str, Arg("curl or python")] = "curl",
    ) -> Snippet:
        """Write client code for an endpoint that runs as it is; it looks the key up and holds none."""
        ctx = self._context
        with placed(ctx, service) as there:
            endpoint, _, definition = self._over(there)._answering(service)
        if lang not in LANGUAGES:
            raise InvalidInput(
                f"The language '{lang}'", expected=f"one of {', '.join(LANGUAGES)}", got=repr(lang)
            )
        body = json.dumps(example_body(definition), ensure_ascii=False)
        if lang == "curl":
            text = curl(ctx, endpoint, body)
        else:
            text = python(ctx, endpoint, body, output=next(iter(definition.outputs)))
        return Snippet(endpoint.reference, lang, text)

    def described(self, what: object, sample: object = None) -> ServiceDefinition:
        """The definition that something would be deployed with."""
        return self._deployables.of(what, sample).definition

    def _answering(self, service: str) -> tuple[Endpoint, str, ServiceDefinition]:
        endpoint = self._endpoints.show(service)
        if endpoint.address is None:
            raise NotFound("address", endpoint.reference, fix="Start the server with `mlalm server start`.")
        return endpoint, endpoint.address, kept_definition(self._context, endpoint.definition_hash)

    def _unchanged(self, service: str, seal: Seal | None) -> WebService:
        note = "Nothing changed: it serves exactly this already."
        if seal and self._sealed_anew(seal):
            note = (
                "It serves exactly this already; that this workspace signed it had been lost and holds again."
            )
        shown = self.show(service)
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

    def make(
        self,
        name: str,
        deployable: Deployable,
        seal: Seal | None,
        description: str,
        *,
        terms: Terms | None = None,
    ) -> None:
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


def _kind(service: str, kind: str | None, *, plan: str | None, region: str | None) -> str | None:
    """Which kind of service is asked for; whoever names a plan or a region asks for a New one."""
    if kind is None:
        return NEW if plan or region else None
    told = kind.strip().lower()
    if told not in KINDS:
        raise InvalidInput(f"The kind of service '{service}'", expected="classic or new", got=repr(kind))
    if told == CLASSIC and (plan or region):
        raise InvalidInput(
            f"The deployment of '{service}'",
            expected="a plan and a region only for a New service",
            got=f"--{'plan' if plan else 'region'} with a classic one",
            fix="Leave it away, or deploy with --kind new.",
        )
    return told
