"""Our own notebook runner and blob store, through the hooks that strangers use."""

from __future__ import annotations

from collections.abc import Mapping

from mlalm_jupyter.plugins import hookimpl
from mlalm_jupyter.ports import BlobStoreFactory, NotebookRunner, RunnerFactory


@hookimpl(trylast=True)
def mlalm_notebook_runners() -> Mapping[str, RunnerFactory]:
    return {"papermill": _papermill}


@hookimpl(trylast=True)
def mlalm_blob_stores() -> Mapping[str, BlobStoreFactory]:
    from mlalm_jupyter.adapters.folder_blobs import FolderBlobs

    return {"folder": FolderBlobs}


def _papermill() -> NotebookRunner:
    # papermill takes a second to import, and most commands never run a notebook
    from mlalm_jupyter.adapters.papermill_runner import PapermillRunner

    return PapermillRunner()
