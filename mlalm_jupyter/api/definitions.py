"""Service definitions (WSD) as files for git: exported, shown, checked."""

from __future__ import annotations

from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import readable_file, write_new_file
from mlalm_jupyter.api.golive import asset_hash, check_assets, kept_definition
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.names import EndpointRef
from mlalm_jupyter.domain.outcome import Written


def definition_in(context: Context, file: str) -> ServiceDefinition:
    """The definition in a WSD file; addresses in it may leave the hash away, and get it here."""
    raw = readable_file(context, file).read_bytes()
    return ServiceDefinition.from_text(
        raw.decode("utf-8-sig", errors="replace"),
        where=f"The definition '{file}'",
        pin=lambda kind, name, version: asset_hash(context, kind, name, version),
    )


class Definitions:
    """The service definitions of a workspace."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @verb("wsd", "show", attribute="definitions")
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
        service: Annotated[str, Arg("SERVICE or SERVICE/ENDPOINT", completes="endpoint")],
        file: Annotated[str, Arg("where to write it; it must not exist yet", metavar="FILE")],
    ) -> Written:
        """Write the definition an endpoint serves to a new file, in the form to keep in git."""
        definition = self.show(service)
        data = definition.text.encode()
        target = write_new_file(self._context, file, data)
        return Written(
            f"definition of {EndpointRef.parse(service)}", str(target), len(data), definition.digest
        )

    @verb("wsd", "validate", attribute="definitions")
    def validate(self, file: Annotated[str, Arg("a WSD file", metavar="FILE")]) -> ServiceDefinition:
        """Check a definition file: its form, its graph, and that its models are here."""
        definition = definition_in(self._context, file)
        with self._context.catalog.read() as tx:
            check_assets(tx, definition)
        return definition
