"""Datasets: tables kept by version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import readable_file, write_new_file
from mlalm_jupyter.api.pins import note_use, resolved
from mlalm_jupyter.api.tables import format_of, head_of, read_table
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.asset import Dataset
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import AssetRef, checked_name
from mlalm_jupyter.domain.outcome import Preview, Written

if TYPE_CHECKING:
    import pandas as pd


class Datasets:
    """The datasets of a workspace."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @verb("dataset", "upload")
    def upload(
        self,
        file: Annotated[str, Arg("a .csv, .tsv or .parquet file", metavar="FILE")],
        name: Annotated[str, Arg("the dataset's name; a name that exists gets its next version")],
    ) -> Dataset:
        """Keep a file as the next version of a dataset.

        >>> ws.datasets.upload("wine.csv", "wine").reference  # doctest: +SKIP
        'wine:1'
        """
        from mlalm_jupyter.formats.frames import schema_of  # costs half a second, which listing need not pay

        ctx = self._context
        checked_name("dataset", name)
        path = readable_file(ctx, file)
        kind = format_of(path)
        ctx.progress(f"Reading {path.name}", 0, 0)
        # The copy is what is read: a file that changes meanwhile cannot make bytes and schema disagree.
        digest, size = ctx.blobs.put_file(path)
        frame = read_table(ctx.blobs.get(digest), kind, name=file)
        with ctx.catalog.write() as tx:
            dataset = Dataset(
                id=ctx.clock.new_id(),
                name=name,
                version=tx.datasets.next_version(name),
                format=kind,
                digest=digest,
                size_bytes=size,
                row_count=len(frame),
                schema=schema_of(frame),
                created_at=ctx.clock.now(),
                created_by=ctx.who,
                equal_to=tx.datasets.equal_to(name, digest),
            )
            tx.datasets.add(dataset)
            ctx.note(
                tx,
                "dataset",
                "upload",
                subject_id=dataset.id,
                subject=dataset.reference,
                data={"digest": digest, "run": ctx.run_id},
            )
        return dataset

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
        """Show a dataset and its first rows."""
        found = self._get(dataset)
        return Preview(found, head_of(self._frame(found), rows))

    @verb("dataset", "download")
    def download(
        self,
        dataset: Annotated[str, Arg("NAME or NAME:VERSION", completes="dataset")],
        file: Annotated[str, Arg("where to write it; it must not exist yet", metavar="FILE")],
    ) -> Written:
        """Write a dataset's bytes, exactly as they were uploaded, to a new file."""
        found = self._get(dataset)
        target = write_new_file(self._context, file, self._context.blobs.get(found.digest))
        return Written(f"dataset {found.reference}", str(target), found.size_bytes, found.digest)

    def load(self, dataset: str) -> pd.DataFrame:
        """A dataset as a frame; a run that loads one keeps the reference.

        >>> ws.datasets.load("wine:1").shape  # doctest: +SKIP
        (6497, 13)
        """
        ctx = self._context
        with ctx.catalog.read() as tx:
            found = tx.datasets.get(resolved(ctx, tx, AssetRef.parse("dataset", dataset)))
        note_use(ctx, AssetRef("dataset", found.name, found.version))
        frame = self._frame(found)
        frame.attrs["mlalm.dataset"] = found.reference
        return frame

    def _get(self, reference: str) -> Dataset:
        with self._context.catalog.read() as tx:
            return tx.datasets.get(AssetRef.parse("dataset", reference))

    def _frame(self, dataset: Dataset) -> pd.DataFrame:
        return read_table(self._context.blobs.get(dataset.digest), dataset.format, name=dataset.reference)


def sample_frame(context: Context, datasets: Datasets, sample: object, *, where: str) -> pd.DataFrame | None:
    """A sample as a frame: a frame itself, a dataset's reference, or a table file."""
    if sample is None:
        return None
    import pandas as pd

    if isinstance(sample, pd.DataFrame):
        return sample
    if isinstance(sample, (list, dict)):
        return pd.DataFrame(sample)
    text = str(sample)
    if Path(text).suffix.lower() in (".csv", ".tsv", ".parquet"):
        path = readable_file(context, text)
        return read_table(path.read_bytes(), format_of(path), name=text)
    return datasets.load(text)
