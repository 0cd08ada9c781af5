"""Definitions in the files of a person."""

from __future__ import annotations

from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import readable_file, text_of
from mlalm_jupyter.api.golive import asset_hash
from mlalm_jupyter.domain.definition import ServiceDefinition


def definition_in(context: Context, file: str) -> ServiceDefinition:
    """The definition in a WSD file; addresses in it may leave the hash away, and get it here."""
    return ServiceDefinition.from_text(
        text_in(readable_file(context, file), name=file),
        where=f"The definition '{file}'",
        pin=lambda kind, name, version: asset_hash(context, kind, name, version),
    )


def text_in(path: Path, *, name: str) -> str:
    """The text of a definition file."""
    return text_of(path, name=name)
