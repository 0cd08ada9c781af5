"""Definitions in the files of a person."""

from __future__ import annotations

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import readable_file, text_of
from mlalm_jupyter.api.golive import asset_hash
from mlalm_jupyter.domain.definition import ServiceDefinition


def definition_in(context: Context, file: str) -> ServiceDefinition:
    """The definition in a WSD file; addresses in it may leave the hash away, and get it here."""
    return definition_of(context, text_of(readable_file(context, file), name=file), file=file)


def definition_of(context: Context, text: str, *, file: str) -> ServiceDefinition:
    """The definition in the text of a file."""
    return ServiceDefinition.from_text(
        text,
        where=f"The definition '{file}'",
        pin=lambda kind, name, version: asset_hash(context, kind, name, version),
    )
