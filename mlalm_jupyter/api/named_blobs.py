"""Which bytes the catalog refers to; what it does not name may be removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.ports import BlobStore, Transaction

MINIMUM_GRACE_H = 0.05
"""How long bytes stay at least that nothing names yet: whoever puts some refers to them soon after."""


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
            for digest in _packages(transform.lineage.environment):
                yield f"transform {transform.reference}", digest
    for name in {model.name for model in tx.models.find()}:
        for model in tx.models.find(name=name):
            yield f"model {model.reference}", model.bundle_digest
            for digest in _packages(model.lineage.environment):
                yield f"model {model.reference}", digest
    for run in tx.runs.find():
        for digest in _of_run(run):
            yield f"run {run.id[:12]}", digest
    for run_id, digest in tx.runs.output_digests():
        yield f"run {run_id[:12]}", digest
    for digest in tx.definitions.digests():
        yield f"definition {digest[:12]}", digest


def blobs_of_runs(blobs: BlobStore, tx: Transaction, runs: Iterable[Run]) -> set[str]:
    """Every blob that some runs name, be it named elsewhere as well."""
    ids = {run.id for run in runs}
    named = {digest for run in runs for digest in _of_run(run)}
    named |= {digest for run_id, digest in tx.runs.output_digests() if run_id in ids}
    return named.union(*(blobs.pieces(digest) for digest in named))


def _of_run(run: Run) -> Iterator[str]:
    yield run.snapshot.digest
    if run.executed_digest:
        yield run.executed_digest
    for environment in (run.snapshot.environment, run.executed_in):
        yield from _packages(environment)
    for figure in run.findings.figures:
        yield figure.digest


def _packages(environment: Mapping[str, object]) -> Iterator[str]:
    packages = environment.get("packages")
    if isinstance(packages, str):
        yield packages


def kept_blobs(blobs: BlobStore, tx: Transaction) -> set[str]:
    """Every blob that is named, and the pieces of those that are made of some."""
    named = {digest for _, digest in named_blobs(tx)}
    return named.union(*(blobs.pieces(digest) for digest in named))
