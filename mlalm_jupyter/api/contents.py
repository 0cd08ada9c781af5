"""The bytes of a dataset: taken in after a look at them, and given back as they were."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.addresses import file_name_of, shown_address
from mlalm_jupyter.domain.asset import Dataset, Source
from mlalm_jupyter.domain.errors import Conflict
from mlalm_jupyter.domain.profile import Profile
from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.formats import tables
from mlalm_jupyter.formats.tables import Content
from mlalm_jupyter.ports import Fetched

_MB = 1 << 20


@dataclass(frozen=True)
class Kept:
    """What is known of bytes that were taken in, or seen where they lie."""

    digest: str
    size_bytes: int
    row_count: int
    schema: Schema
    profile_digest: str
    source: Source | None = None


def kept_file(context: Context, path: Path, *, name: str, kind: str, is_guessed: bool) -> Kept:
    """Copy a file into the store; one whose content is not of its kind leaves nothing there."""
    looked: list[tuple[int, Schema, Profile]] = []
    size = path.stat().st_size

    def check(copy: Path) -> None:
        # the copy is what is read: a file that changes meanwhile cannot make bytes and schema disagree
        with open(copy, "rb") as stream:
            looked.append(
                _look(context, stream, copy.stat().st_size, name=name, kind=kind, is_guessed=is_guessed)
            )

    copied = _in_megabytes(context, f"Copying {name}", size)
    digest, size = context.blobs.put_file(path, check=check, told=copied)
    rows, schema, profile = looked[0]
    return Kept(digest, size, rows, schema, _put_profile(context, profile))


def kept_bytes(context: Context, data: bytes, *, name: str, kind: str) -> Kept:
    """Put bytes into the store that are of their kind, with what they hold."""
    rows, schema, profile = _look(
        context, io.BytesIO(data), len(data), name=name, kind=kind, is_guessed=False
    )
    return Kept(context.blobs.put(data), len(data), rows, schema, _put_profile(context, profile))


def referenced(context: Context, address: str, *, dataset_id: str, kind: str, is_guessed: bool) -> Kept:
    """Look at a file where it lies, and remember how it was."""
    name, shown = file_name_of(address), shown_address(address)
    with tempfile.TemporaryFile() as copy:
        seen = _fetched(context, address, copy)
        copy.seek(0)
        looked = _look(context, copy, seen.size_bytes, name=name, kind=kind, is_guessed=is_guessed)
    rows, schema, profile = looked
    sealed = None
    if shown != address:
        sealed = context.keyring.encrypt(address, context=_sealing(dataset_id))
    source = Source(shown, seen.etag, seen.modified, sealed)
    return Kept(seen.digest, seen.size_bytes, rows, schema, _put_profile(context, profile), source)


def address_of(context: Context, dataset: Dataset) -> str:
    """The whole address of a dataset that is kept by reference; it is for fetching, never for showing."""
    assert dataset.source is not None
    if dataset.source.sealed_address is None:
        return dataset.source.address
    return context.keyring.decrypt(dataset.source.sealed_address, context=_sealing(dataset.id))


def bytes_of(context: Context, dataset: Dataset) -> bytes:
    """A dataset's bytes, which are those that were registered or none."""
    if dataset.source is None:
        return context.blobs.get(dataset.digest)
    copy = io.BytesIO()
    seen = _fetched(context, address_of(context, dataset), copy)
    if seen.digest != dataset.digest:
        told = (
            f"{seen.size_bytes} bytes" if seen.size_bytes != dataset.size_bytes else "bytes with another hash"
        )
        raise Conflict(
            f"Dataset '{dataset.reference}' was not loaded.",
            why=f"What lies at '{dataset.source.address}' has changed: it has {told}, and it had "
            f"{dataset.size_bytes} bytes with sha256 {dataset.digest[:12]} when it was registered.",
            fix=f"Register what is there now with `mlalm dataset update {dataset.name}`, or put the old file back.",
        )
    return copy.getvalue()


def content_of(context: Context, dataset: Dataset, *, limit: int | None = None) -> Content:
    """What a dataset holds; with `limit` only its first rows, where that is quicker."""
    data = bytes_of(context, dataset)
    return tables.read_content(
        io.BytesIO(data),
        dataset.format,
        name=dataset.reference,
        size_bytes=len(data),
        is_checked=True,
        limit=limit,
    )


def profile_of(context: Context, dataset: Dataset) -> Profile | None:
    """What was worked out when it was uploaded."""
    if dataset.profile_digest is None:
        return None
    return Profile.from_dict(json.loads(context.blobs.get(dataset.profile_digest)))


def _look(
    context: Context, stream: BinaryIO, size: int, *, name: str, kind: str, is_guessed: bool
) -> tuple[int, Schema, Profile]:
    """Rows, columns and profile of a file; InvalidInput when it is not of its kind."""
    from mlalm_jupyter.formats.frames import schema_of  # costs half a second, which listing need not pay
    from mlalm_jupyter.formats.profiles import profiled

    read = _in_megabytes(context, f"Reading {name}", size)
    content = tables.read_content(stream, kind, name=name, size_bytes=size, is_guessed=is_guessed, told=read)
    listed = content.members[: tables.LISTED]
    if content.frame is None:
        return len(content.members), Schema(), Profile((), listed, len(content.members), content.note)
    columns = profiled(
        content.frame, told=lambda done, total: context.progress("Looking at the columns", done, total)
    )
    return len(content.frame), schema_of(content.frame), Profile(columns, listed, len(content.members))


def _put_profile(context: Context, profile: Profile) -> str:
    text = json.dumps(profile.to_dict(), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return context.blobs.put(text.encode("utf-8", "backslashreplace"))


def _fetched(context: Context, address: str, into: BinaryIO) -> Fetched:
    name = file_name_of(address)

    def told(done: int, total: int) -> None:
        _in_megabytes(context, f"Fetching {name}", total)(done)

    return context.outside.fetch(address, into, told=told)


def _in_megabytes(context: Context, text: str, size: int) -> Callable[[int], None]:
    def told(done: int) -> None:
        if size >= _MB:
            context.progress(f"{text} (MB)", done // _MB, size // _MB)
        else:
            context.progress(text, 0, 0)

    return told


def _sealing(dataset_id: str) -> str:
    return f"address of dataset {dataset_id}"
