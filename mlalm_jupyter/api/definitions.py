"""Service definitions (WSD) as files for git: exported, shown, checked, changed, compared, deployed, applied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path, PurePath
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets
from mlalm_jupyter.api.endpoints import Endpoints
from mlalm_jupyter.api.files import decoded, readable_file, write_new_file
from mlalm_jupyter.api.golive import (
    check_assets,
    kept_definition,
    known_code,
    model_asset,
)
from mlalm_jupyter.api.packages import named_model
from mlalm_jupyter.api.placing import check_classic, held_service, is_elsewhere, named_by, where_it_is
from mlalm_jupyter.api.saving import replaced
from mlalm_jupyter.api.services import Services
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.api.wsd_files import definition_in, definition_of
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import DEFAULT_ENDPOINT, AssetRef, EndpointRef
from mlalm_jupyter.domain.outcome import Written
from mlalm_jupyter.domain.service import WebService
from mlalm_jupyter.domain.wsd.changes import DefinitionChange, differences_between
from mlalm_jupyter.domain.wsd.editing import with_model_in
from mlalm_jupyter.domain.wsd.forms import NEWEST, in_form
from mlalm_jupyter.domain.wsd.text import canonical_text


class Definitions:
    """The service definitions of a workspace."""

    def __init__(self, context: Context, services: Services, endpoints: Endpoints) -> None:
        self._context = context
        self._services = services
        self._endpoints = endpoints

    def _over(self, context: Context) -> Definitions:
        endpoints = Endpoints(context)
        return Definitions(context, Services(context, Datasets(context), endpoints), endpoints)

    @verb("wsd", "show", attribute="definitions")
    @where_it_is()
    def show(
        self, service: Annotated[str, Arg("SERVICE or SERVICE/ENDPOINT", completes="endpoint")]
    ) -> ServiceDefinition:
        """Show the definition an endpoint serves now."""
        with self._context.catalog.read() as tx:
            endpoint = tx.endpoints.get(EndpointRef.parse(service))
        return kept_definition(self._context, endpoint.definition_hash)

    @verb("wsd", "export", attribute="definitions")
    def export(
        self,
        what: Annotated[
            str,
            Arg(
                "SERVICE, SERVICE/ENDPOINT, or a model NAME:VERSION that is not deployed",
                completes="endpoint",
            ),
        ],
        file: Annotated[str, Arg("where to write it; it must not exist yet", metavar="FILE")],
        *,
        api_version: Annotated[
            str, Arg("the version of the published schema to write", metavar="VERSION")
        ] = NEWEST,
    ) -> Written:
        """Write a definition to a new file, in the form to keep in git; nothing is deployed by it."""
        what = named_by(self._context, what)
        definition = self._of(what)
        text = definition.text
        if api_version != NEWEST:
            text = canonical_text(in_form(definition.to_dict(), api_version))
        data = text.encode()
        with self._held(definition) if self._is_of_here(what) else nullcontext():
            target = write_new_file(self._context, file, data)
        named = _named(what) if self._is_of_here(what) else what
        return Written(f"definition of {named}", str(target), len(data), definition.digest)

    @contextmanager
    def _held(self, definition: ServiceDefinition) -> Iterator[None]:
        """The models of a definition cannot go while its file is written; after that the file is what keeps them."""
        with self._context.catalog.write() as tx:
            for one in definition.models:
                tx.models.get(AssetRef("model", one.name, one.version))
            yield

    def _is_of_here(self, what: str) -> bool:
        """Whether the assets of a definition are this workspace's; a New service has its own."""
        return ":" in what or "@" in what or not is_elsewhere(self._context, what)

    @verb("wsd", "validate", attribute="definitions")
    def validate(self, file: Annotated[str, Arg("a WSD file", metavar="FILE")]) -> ServiceDefinition:
        """Check a definition file: its form, its graph, and that all it names is here."""
        definition = definition_in(self._context, file)
        with self._context.catalog.read() as tx:
            check_assets(tx, definition)
        return definition

    @verb("wsd", "set-model", attribute="definitions")
    def set_model(
        self,
        file: Annotated[str, Arg("a WSD file; it is changed in its place", metavar="FILE")],
        model: Annotated[str, Arg("NAME:VERSION or NAME@ALIAS", completes="model")],
        *,
        asset: Annotated[
            str | None, Arg("which one, where the definition has several: its asset's name or its own")
        ] = None,
    ) -> Written:
        """Put another trained model into a definition file; everything else in it stays as it was typed."""
        ctx = self._context
        path = readable_file(ctx, file)
        raw = path.read_bytes()
        text = decoded(raw, name=file)
        before = definition_of(ctx, text, file=file)
        held = before.model_asset(asset)
        with ctx.catalog.read() as tx:
            wanted = named_model(ctx, tx, model)
        target = model_asset(wanted, held.asset)
        if (held.name, held.version, held.model_hash) == (target.name, target.version, target.model_hash):
            note = f"Nothing changed: {held.asset} is {held.reference} already."
            return Written(f"definition {path.name}", str(path), path.stat().st_size, before.digest, note)
        changed = with_model_in(text, held, target)
        # what is written must be what was meant
        after = definition_of(ctx, changed, file=file)
        data = raw[: len(raw) - len(text.encode())] + changed.encode()
        with ctx.catalog.write() as tx:
            tx.models.get(AssetRef("model", wanted.name, wanted.version))
            replaced(path, raw, data, what="definition")
        note = f"{held.asset} went from {held.reference} to {wanted.reference}; nothing serves it yet."
        return Written(f"definition {path.name}", str(path), len(data), after.digest, note)

    @verb("wsd", "diff", attribute="definitions")
    def diff(
        self,
        old: Annotated[
            str, Arg("a WSD file, SERVICE or SERVICE/ENDPOINT", completes="endpoint", place="either")
        ],
        new: Annotated[str, Arg("the same", completes="endpoint", place="either")],
    ) -> Listing[DefinitionChange]:
        """Say in words what is different between two definitions: which model moved, which column came."""
        return Listing("change", differences_between(self._of(old), self._of(new)))

    @verb("wsd", "deploy", attribute="definitions", is_long=True)
    def deploy(
        self,
        file: Annotated[str, Arg("a WSD file", metavar="FILE")],
        service: Annotated[str, Arg("the name of the service to make", completes="service")],
        *,
        update: Annotated[bool, Arg("move the default endpoint of a service that exists")] = False,
        kind: Annotated[str | None, Arg("classic or new", metavar="KIND")] = None,
        plan: Annotated[str | None, Arg("of a New service: how much it may take", metavar="PLAN")] = None,
        region: Annotated[str | None, Arg("of a New service: where it lives", metavar="REGION")] = None,
    ) -> WebService:
        """Make a service of a definition file; the one it was exported from is left as it is."""
        return self._services.deploy(_file(file), service, update=update, kind=kind, plan=plan, region=region)

    @verb("wsd", "apply", attribute="definitions", is_long=True)
    def apply(
        self,
        file: Annotated[str, Arg("a WSD file", metavar="FILE")],
        service: Annotated[
            str | None,
            Arg(
                "SERVICE or SERVICE/ENDPOINT; without it, the service that the file is named after",
                completes="endpoint",
            ),
        ] = None,
    ) -> WebService:
        """Have a service serve exactly what a definition file says: made, moved, or left alone where it does already.

        After `git revert` of the file it is a rollback.
        """
        ctx = self._context
        ref = EndpointRef.parse(named_by(ctx, service or _service_of(file)))
        if ref.endpoint != DEFAULT_ENDPOINT:
            check_classic(ctx, str(ref), done="moved", fix="Apply it to the service: '{name}'.")
            definition = definition_in(ctx, file)
            with ctx.catalog.read() as tx:
                current = tx.endpoints.get(ref)
            if current.definition_hash != definition.digest:
                moved = current.applied(definition, at=ctx.clock.now())
                self._endpoints.move(
                    moved,
                    definition,
                    action="apply",
                    expected_revision=current.revision,
                    seal=known_code(ctx, definition),
                )
            return self._services.show(ref.service)
        with ctx.catalog.read() as tx:
            exists = tx.services.kind(ref.service) is not None
        exists = exists or held_service(ctx, ref.service) is not None
        return self._services.deploy(_file(file), ref.service, update=exists)

    def _of(self, what: str) -> ServiceDefinition:
        """The definition in a file, of an endpoint, or that a model would be deployed with."""
        if what.lower().endswith(".json"):
            return definition_in(self._context, what)
        if ":" in what or "@" in what:
            return self._services.described(what)
        return self.show(what)


def _named(what: str) -> str:
    return what if ":" in what or "@" in what else str(EndpointRef.parse(what))


def _file(file: str) -> str:
    """A file's name, which must say that it is a definition."""
    if not file.lower().endswith(".json"):
        raise InvalidInput(f"The file '{file}'", expected="a WSD file, which ends in .json", got="another")
    return file


def _service_of(file: str) -> str:
    """The service that a file is named after.

    >>> _service_of("defs/wine.wsd.json")
    'wine'
    """
    return Path(PurePath(file).name.removesuffix(".json").removesuffix(".wsd")).name
