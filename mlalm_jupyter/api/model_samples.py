"""The rows that are kept with a model: shown beside what it said of them, or written to a table file."""

from __future__ import annotations

import hashlib
import io
from pathlib import PurePath
from typing import TYPE_CHECKING

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import write_new_file
from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.outcome import ModelSample, Written
from mlalm_jupyter.domain.signature import Table

if TYPE_CHECKING:
    import pandas as pd


def kept_sample(context: Context, model: TrainedModel) -> ModelSample:
    """The rows as the model takes them, and its answers; neither is computed anew."""
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

    package = bundles.read(context.blobs.path(model.bundle_digest))
    names, answers = model.signature.inputs.names, model.signature.outputs.names
    return ModelSample(
        model.reference, Table(names, package.sample_rows), Table(answers, package.sample_answers)
    )


def frame_of(table: Table) -> pd.DataFrame:
    """Rows as a frame."""
    import pandas as pd

    return pd.DataFrame([*table.rows], columns=pd.Index(table.names))


def written_sample(context: Context, model: TrainedModel, rows: Table, file: str) -> Written:
    """Rows as a table file, of the kind that its ending says."""
    ending = PurePath(file).suffix.lower()
    frame = frame_of(rows)
    if ending in (".csv", ".tsv"):
        data = frame.to_csv(index=False, sep="," if ending == ".csv" else "\t").encode()
    elif ending == ".parquet":
        out = io.BytesIO()
        frame.to_parquet(out, index=False)
        data = out.getvalue()
    else:
        raise InvalidInput(
            f"The file '{file}'", expected="one that ends in .csv, .tsv or .parquet", got=f"'{ending}'"
        )
    target = write_new_file(context, file, data)
    what = f"the sample of model {model.reference}"
    return Written(what, str(target), len(data), hashlib.sha256(data).hexdigest())
