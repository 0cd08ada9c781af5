"""Web services: deployed, listed, called."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets
from mlalm_jupyter.api.deployables import Deployables
from mlalm_jupyter.api.deploying import Asked
from mlalm_jupyter.api.endpoint_moves import addressed, with_addresses
from mlalm_jupyter.api.endpoints import Endpoints
from mlalm_jupyter.api.golive import (
    kept_definition,
)
from mlalm_jupyter.api.new_services import NewServices
from mlalm_jupyter.api.notebook_services import deploying
from mlalm_jupyter.api.placing import (
    held_service,
    held_services,
    opened,
    placed,
    served_definitions,
    where_it_is,
)
from mlalm_jupyter.api.rows import rows_from
from mlalm_jupyter.api.setting_up import SettingUp
from mlalm_jupyter.api.snippets import curl, example_body, python
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import AlreadyExists, InvalidInput, NotFound, Unavailable
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import AssetRef, checked_name
from mlalm_jupyter.domain.outcome import Snippet
from mlalm_jupyter.domain.server import Scored
from mlalm_jupyter.domain.service import CLASSIC, KINDS, NEW, Endpoint, WebService
from mlalm_jupyter.domain.settings import checked_description

LANGUAGES = ("curl", "python")


class Services(SettingUp, NewServices):
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
                "a model NAME:VERSION or NAME@ALIAS, a notebook that ran, a function, FILE.py[:FUNCTION], or a WSD file",
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
            here = [one.name for one in tx.services.find()]
        existing = service in here
        held = None if existing else held_service(ctx, service)
        if (existing and kind == NEW) or (held and kind == CLASSIC):
            is_now = "New" if held else "Classic"
            raise AlreadyExists(
                "service", service, fix=f"It is a {is_now} one; choose another name for this."
            )
        if update and not (existing or held):
            known = [*here, *(name for one in ctx.host.estate.regions() for name in one.services)]
            raise NotFound("service", service, known=known, fix="Deploy without --update to make it.")
        with deploying(ctx, what):
            if held or kind == NEW:
                return self.deploy_new(service, held, asked)
            deployable = self._deployables.of(what, sample, model=model)
            seal = self.seal(deployable, service)
            if existing:
                return self.moved(service, deployable, seal, asked)
            self.make(service, deployable, seal, description or "")
            return self.shown(service)

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
        return self.shown(service)

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
