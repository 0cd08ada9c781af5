"""Which bytes the catalog refers to; what it does not name may be removed."""

from __future__ import annotations

from collections.abc import Iterator

from mlalm_jupyter.ports import BlobStore, Transaction


def named_blobs(tx: Transaction) -> Iterator[tuple[str, str]]:
    """Every blob the catalog names, and what names it."""
    for name in {dataset.name for dataset in tx.datasets.find()}:
        for dataset in tx.datasets.find(name=name):
            if dataset.source is None:
                yield f"dataset {dataset.reference}", dataset.digest
            if dataset.profile_digest:
                yield f"dataset {dataset.reference}", dataset.profile_digest
    for name in {transform.name for transform in tx.transforms.find()}:
        for transform in tx.transforms.find(name=name):
            yield f"transform {transform.reference}", transform.bundle_digest
    for name in {model.name for model in tx.models.find()}:
        for model in tx.models.find(name=name):
            yield f"model {model.reference}", model.bundle_digest
    for run in tx.runs.find():
        yield f"run {run.id[:12]}", run.snapshot.digest
        if run.executed_digest:
            yield f"run {run.id[:12]}", run.executed_digest
        for environment in (run.snapshot.environment, run.executed_in):
            packages = environment.get("packages")
            if isinstance(packages, str):
                yield f"run {run.id[:12]}", packages
        for figure in run.findings.figures:
            yield f"run {run.id[:12]}", figure.digest
    for run_id, digest in tx.runs.output_digests():
        yield f"run {run_id[:12]}", digest
    for digest in tx.definitions.digests():
        yield f"definition {digest[:12]}", digest


def kept_blobs(blobs: BlobStore, tx: Transaction) -> set[str]:
    """Every blob that is named, and the pieces of those that are made of some."""
    named = {digest for _, digest in named_blobs(tx)}
    return named.union(*(blobs.pieces(digest) for digest in named))
