"""Handing a version on as a file: its package, that package sealed, or an MLflow folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import write_new_file
from mlalm_jupyter.api.golive import valid_seal
from mlalm_jupyter.domain.errors import Conflict, InvalidInput
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.outcome import Written

FORMS = ("package", "sealed", "mlflow")


def written_as(context: Context, model: TrainedModel, file: str, *, form: str) -> Written:
    """Write a version to a new file or folder in one of the forms."""
    if form not in FORMS:
        raise InvalidInput(f"The form '{form}'", expected=f"one of {', '.join(FORMS)}", got=repr(form))
    what = f"model {model.reference}"
    if form == "mlflow":
        return _mlflow_folder(context, model, file)
    data = context.blobs.get(model.bundle_digest)
    if form == "package":
        target = write_new_file(context, file, data)
        return Written(what, str(target), model.size_bytes, model.bundle_digest)
    data = _sealed(context, model, data)
    target = write_new_file(context, file, data)
    return Written(f"{what}, sealed", str(target), len(data), hashlib.sha256(data).hexdigest())


def _sealed(context: Context, model: TrainedModel, data: bytes) -> bytes:
    """The package with this workspace's signature in it; nobody's name is put under what nobody vouched for."""
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay
    from mlalm_jupyter.formats.sealing import sealed

    with context.catalog.read() as tx:
        is_signed = valid_seal(context, tx, "model", model.model_hash) is not None
    if not is_signed:
        raise Conflict(
            f"Model {model.reference} was not sealed.",
            why="This workspace has not signed it, so nobody here vouches for it.",
            fix=f"Look at it with `mlalm model verify {model.reference}`, then `mlalm model sign {model.reference}`.",
        )
    keyring = context.keyring
    made = sealed(bundles.read(data), key_id=keyring.key_id, public_key=keyring.public_key, sign=keyring.sign)
    return made.data


def _mlflow_folder(context: Context, model: TrainedModel, file: str) -> Written:
    from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay
    from mlalm_jupyter.formats.mlflow_folder import write_folder

    package = bundles.read(context.blobs.path(model.bundle_digest))
    with context.catalog.read() as tx:
        is_trusted = valid_seal(context, tx, "model", model.model_hash) is not None
    folder = write_folder(package, Path(os.path.expanduser(file)), trusted=is_trusted).resolve()
    size = sum(one.stat().st_size for one in folder.iterdir())
    return Written(f"model {model.reference}, as an MLflow folder", str(folder), size, model.model_hash)
