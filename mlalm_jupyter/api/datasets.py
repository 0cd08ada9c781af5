"""Datasets: files kept by version, or referred to where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlalm_jupyter.api import contents
from mlalm_jupyter.api.contents import Kept
from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.counts import at_least
from mlalm_jupyter.api.dependents import loading_asset, serving_asset
from mlalm_jupyter.api.files import readable_file, write_new_file
from mlalm_jupyter.api.lineages import lineage_graph
from mlalm_jupyter.api.pins import run_here, used
from mlalm_jupyter.api.tables import head_of
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.addresses import file_name_of, is_web_address, shown_address
from mlalm_jupyter.domain.asset import SET_UP_OF, Dataset, check_kept_for, check_unused, unchanged
from mlalm_jupyter.domain.errors import Conflict, InvalidInput, NotFound, Unavailable, Unconfirmed
from mlalm_jupyter.domain.lineage import LineageGraph
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import AssetRef, checked_name
from mlalm_jupyter.domain.outcome import Preview, Removed, Written
from mlalm_jupyter.domain.signature import Table
from mlalm_jupyter.formats import tables

if TYPE_CHECKING:
    import pandas as pd

_FORMATS = "csv, tsv, arff, parquet, zip, text or rdata; seen from the file's ending if not said"


class Datasets:
    """The datasets of a workspace."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @verb("dataset", "upload", is_long=True)
    def upload(
        self,
        file: Annotated[str, Arg("a table, zip, text or RData file", metavar="FILE")],
        name: Annotated[str, Arg("the dataset's name; a name that exists gets its next version")],
        *,
        format: Annotated[str | None, Arg(_FORMATS)] = None,
        header: Annotated[bool, Arg("take the first line of a csv or tsv for names")] = True,
        by_reference: Annotated[
            bool, Arg("keep the address (http, https or a path) and no copy; loading checks the hash")
        ] = False,
        tags: Annotated[Mapping[str, str] | None, Arg("words to find it by", metavar="KEY=VALUE")] = None,
        description: Annotated[str, Arg("one sentence about it")] = "",
        if_changed: Annotated[bool, Arg("give the version that has the same bytes, if there is one")] = False,
    ) -> Dataset:
        """Keep a file as the next version of a dataset; one whose content is not of its kind is refused.

        >>> ws.datasets.upload("wine.csv", "wine").reference  # doctest: +SKIP
        'wine:1'
        """
        checked_name("dataset", name)
        if format is None and "://" not in file:
            readable_file(self._context, file)  # which says so where it is a folder, or is not there
        kind = tables.format_of(file_name_of(file), said=format, header=header)
        is_guessed = format is None and header
        return self._next(
            file,
            name,
            kind=kind,
            is_guessed=is_guessed,
            by_reference=by_reference,
            tags=tags or {},
            description=description,
            if_changed=if_changed,
        )

    @verb("dataset", "update", is_long=True)
    def update(
        self,
        name: Annotated[str, Arg("a dataset that exists", completes="dataset")],
        file: Annotated[
            str | None,
            Arg("the new file; one that is kept by reference is looked at again without", metavar="FILE"),
        ] = None,
        *,
        format: Annotated[str | None, Arg("as for upload; as the version before if not said")] = None,
        header: Annotated[bool, Arg("take the first line of a csv or tsv for names")] = True,
        by_reference: Annotated[bool, Arg("keep the address and no copy")] = False,
        tags: Annotated[Mapping[str, str] | None, Arg("words to find it by", metavar="KEY=VALUE")] = None,
        description: Annotated[str | None, Arg("one sentence about it; as before if not said")] = None,
    ) -> Dataset:
        """Give a dataset that exists its next version; what uses older ones stays with those.

        >>> ws.datasets.update("wine", "wine-2026.csv").reference  # doctest: +SKIP
        'wine:2'
        """
        ctx = self._context
        checked_name("dataset", name)
        with ctx.catalog.read() as tx:
            before = tx.datasets.get(AssetRef("dataset", name))
        if file is None:
            if before.source is None:
                raise InvalidInput(
                    "The file", expected=f"a new one, because {before.reference} is kept here", got="none"
                )
            file, by_reference = contents.address_of(ctx, before), True
        kind, is_guessed = self._kind_after(before, file, said=format, header=header)
        return self._next(
            file,
            name,
            kind=kind,
            is_guessed=is_guessed,
            by_reference=by_reference,
            tags=before.tags if tags is None else tags,
            description=before.description if description is None else description,
            action="update",
        )

    @verb("dataset", "list")
    def list(
        self, *, name: Annotated[str | None, Arg("all versions of this name", completes="dataset")] = None
    ) -> Listing[Dataset]:
        """List the newest version of each dataset, or every version of one."""
        with self._context.catalog.read() as tx:
            return Listing("dataset", tx.datasets.find(name=name))

    @verb("dataset", "show")
    def show(
        self,
        dataset: Annotated[str, Arg("NAME or NAME:VERSION", completes="dataset")],
        *,
        rows: Annotated[int, Arg("how many rows to show")] = 5,
    ) -> Preview:
        """Show a dataset: its first rows, and what the values of each column are like."""
        at_least(0, rows, of="rows")
        found = self._get(dataset)
        profile = contents.profile_of(self._context, found)
        if profile and profile.note:
            return Preview(found, Table(()), profile, profile.note)
        try:
            content = contents.content_of(self._context, found, limit=rows)
        except (Conflict, Unavailable, NotFound) as error:
            if found.source is None:
                raise
            return Preview(found, Table(()), profile, str(error))
        if content.frame is None:
            return Preview(found, Table(()), profile, content.note)
        return Preview(found, head_of(content.frame, rows), profile)

    @verb("dataset", "lineage")
    def lineage(
        self, dataset: Annotated[str, Arg("NAME or NAME:VERSION", completes="dataset")]
    ) -> LineageGraph:
        """Follow a version to the transforms and models that were made of it, and on to what answers with those."""
        return lineage_graph(self._context, AssetRef.parse("dataset", dataset))

    @verb("dataset", "download")
    def download(
        self,
        dataset: Annotated[str, Arg("NAME or NAME:VERSION", completes="dataset")],
        file: Annotated[str, Arg("where to write it; it must not exist yet", metavar="FILE")],
    ) -> Written:
        """Write a dataset's bytes, exactly as they were uploaded, to a new file."""
        found = self._get(dataset)
        target = write_new_file(self._context, file, contents.bytes_of(self._context, found))
        return Written(f"dataset {found.reference}", str(target), found.size_bytes, found.digest)

    @verb("dataset", "delete")
    def delete(
        self,
        dataset: Annotated[str, Arg("NAME:VERSION", completes="dataset")],
        *,
        yes: Annotated[bool, Arg("delete without asking")] = False,
    ) -> Removed:
        """Delete one version that no snapshot, no model and no predictive notebook refers to; its number is not given again."""
        ctx = self._context
        ref = AssetRef.parse("dataset", dataset)
        if ref.version is None:
            raise InvalidInput(
                f"The dataset '{dataset}'",
                expected="NAME:VERSION, so that one version goes",
                got="a name alone",
            )
        with ctx.catalog.write() as tx:
            found = tx.datasets.get(ref)
            serving = serving_asset(ctx, tx, "dataset", found.digest)
            loading = loading_asset(ctx, tx, "dataset", found.reference)
            check_unused("dataset", found.reference, [*serving, *loading, *tx.datasets.users(found)])
            if not yes:
                stays = f" (what lies at {found.source.address} stays)" if found.source else ""
                goes = f"{found.reference}, {found.row_count} rows, {found.size_bytes} bytes{stays}"
                raise Unconfirmed(f"Dataset {found.reference}", goes=[goes])
            tx.datasets.delete(found.id)
            ctx.note(tx, "dataset", "delete", subject_id=found.id, subject=found.reference)
        return Removed("dataset", found.reference)

    def load(self, dataset: str) -> pd.DataFrame:
        """A dataset as a frame; a run that loads one keeps the reference.

        In a run a name alone stands for the version that its snapshot pinned.

        >>> ws.datasets.load("wine:1").shape  # doctest: +SKIP
        (6497, 13)
        """
        found = used(self._context, "dataset", dataset, lambda tx, ref: tx.datasets.get(ref))
        content = contents.content_of(self._context, found)
        if content.frame is None:
            raise InvalidInput(
                f"The dataset '{found.reference}'",
                expected="a table",
                got=f"a file of kind {found.format}",
                fix=f"{content.note} `mlalm dataset download {found.reference} FILE` writes it as it is.",
            )
        content.frame.attrs["mlalm.dataset"] = found.reference
        return content.frame

    def keep_file(
        self,
        path: Path,
        name: str,
        *,
        file: str,
        format: str | None,
        header: bool,
        tags: Mapping[str, str],
        description: str,
        new_id: str,
    ) -> Dataset:
        """Keep a file that came in parts as the next version; `file` is what it was called."""
        kind = tables.format_of(file, said=format, header=header)
        is_guessed = format is None and header
        kept = contents.kept_file(self._context, path, name=file, kind=kind, is_guessed=is_guessed)
        return self._record(
            new_id, name, kept, kind=kind, tags=tags, description=description, action="upload"
        )

    def keep_rows(self, file: Path, name: str, *, kept_for: str) -> Dataset:
        """Keep rows that a set-up of a training notebook tries things on; a name that somebody else has is not taken."""
        kind = tables.format_of(file.name)
        kept = contents.kept_file(self._context, file, name=file.name, kind=kind, is_guessed=True)
        return self._record(
            self._context.clock.new_id(),
            name,
            kept,
            kind=kind,
            tags={SET_UP_OF: kept_for},
            description="",
            action="upload",
            if_changed=True,
            kept_for=kept_for,
        )

    def _next(
        self,
        file: str,
        name: str,
        *,
        kind: str,
        is_guessed: bool,
        by_reference: bool,
        tags: Mapping[str, str],
        description: str,
        action: str = "upload",
        if_changed: bool = False,
    ) -> Dataset:
        ctx = self._context
        new_id = ctx.clock.new_id()
        if by_reference:
            address = file if is_web_address(file) else str(readable_file(ctx, file).resolve())
            kept = contents.referenced(ctx, address, dataset_id=new_id, kind=kind, is_guessed=is_guessed)
        elif is_web_address(file):
            raise InvalidInput(
                f"The file '{shown_address(file)}'",
                expected="a file of this machine",
                got="an address on the web",
                fix="Say `--by-reference` to refer to it, or fetch it first.",
            )
        else:
            path = readable_file(ctx, file)
            kept = contents.kept_file(ctx, path, name=path.name, kind=kind, is_guessed=is_guessed)
        return self._record(
            new_id,
            name,
            kept,
            kind=kind,
            tags=tags,
            description=description,
            action=action,
            if_changed=if_changed,
        )

    def _record(
        self,
        new_id: str,
        name: str,
        kept: Kept,
        *,
        kind: str,
        tags: Mapping[str, str],
        description: str,
        action: str,
        if_changed: bool = False,
        kept_for: str | None = None,
    ) -> Dataset:
        ctx = self._context
        with ctx.catalog.write() as tx:
            versions = sorted(tx.datasets.find(name=name) if if_changed else [], key=lambda one: -one.version)
            for one in versions:
                if _is_same(one, kept, kind):
                    told = unchanged(one.reference, one.version, newest=versions[0].version)
                    return replace(one, note=told)
            if kept_for:
                check_kept_for(kept_for, "dataset", name, (one.tags for one in versions))
            run = run_here(ctx, tx)
            dataset = Dataset(
                id=new_id,
                name=name,
                version=tx.datasets.next_version(name),
                format=kind,
                digest=kept.digest,
                size_bytes=kept.size_bytes,
                row_count=kept.row_count,
                schema=kept.schema,
                created_at=ctx.clock.now(),
                created_by=ctx.who,
                equal_to=tx.datasets.equal_to(name, kept.digest),
                tags={str(key): str(value) for key, value in tags.items()},
                description=description,
                profile_digest=kept.profile_digest,
                source=kept.source,
                run_id=run.id if run else None,
            )
            tx.datasets.add(dataset)
            ctx.note(
                tx,
                "dataset",
                action,
                subject_id=dataset.id,
                subject=dataset.reference,
                data={"digest": kept.digest, "run": dataset.run_id},
            )
        return dataset

    @staticmethod
    def _kind_after(before: Dataset, file: str, *, said: str | None, header: bool) -> tuple[str, bool]:
        """The kind of a next version: what is said, else that of the version before where the file allows it."""
        if said is not None or not header:
            return tables.format_of(file_name_of(file), said=said, header=header), False
        try:
            kind = tables.format_of(file_name_of(file))
        except InvalidInput:
            return before.format, False
        return (before.format, False) if before.format.startswith(kind) else (kind, True)

    def _get(self, reference: str) -> Dataset:
        with self._context.catalog.read() as tx:
            return tx.datasets.get(AssetRef.parse("dataset", reference))


def _is_same(dataset: Dataset, kept: Kept, kind: str) -> bool:
    """Whether a version is these bytes, read in this way, from here or the same address.

    An address with a secret in it is encrypted, never twice to the same text, and so never the same.
    """
    before, now = (
        (one.address, one.sealed_address) if one else None for one in (dataset.source, kept.source)
    )
    alike = dataset.digest == kept.digest and dataset.format == kind and dataset.schema == kept.schema
    return alike and before == now


def sample_frame(context: Context, datasets: Datasets, sample: object, *, where: str) -> pd.DataFrame | None:
    """A sample as a frame: a frame itself, a dataset's reference, or a table file."""
    if sample is None:
        return None
    import pandas as pd

    if isinstance(sample, pd.DataFrame):
        return sample
    if isinstance(sample, (list, dict)):
        try:
            return pd.DataFrame(sample)
        except (ValueError, TypeError, AttributeError) as error:  # pandas raises each for some shape
            raise InvalidInput(where, expected="rows, or columns of one length", got=str(error)) from error
    text = str(sample)
    if Path(text).suffix.lower() in tables.TABLES:
        path = readable_file(context, text)
        with open(path, "rb") as stream:
            size = path.stat().st_size
            return tables.read_content(stream, tables.format_of(path.name), name=text, size_bytes=size).frame
    return datasets.load(text)
