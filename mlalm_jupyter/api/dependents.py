"""Who depends on a version of a model: what would break if it went, and what would lose a way back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.golive import kept_definition
from mlalm_jupyter.api.placing import served_definitions
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.domain.experiment import PREDICTIVE
from mlalm_jupyter.domain.lineage import Dependent
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.domain.search import Search, Term
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.references import references_in
from mlalm_jupyter.ports import Transaction

_MOST_FILES = 5000
_LARGEST_WSD = 8 << 20


def dependents_of(
    tx: Transaction, model: TrainedModel, *, files: Sequence[str] = (), notebooks: Sequence[str] = ()
) -> list[Dependent]:
    """Those that use a version now, then those that could go back to it or only tell of it."""
    serving = [one.reference for one in tx.endpoints.serving([model.reference])]
    found = [Dependent("endpoint", one, "serves it now") for one in serving]
    found += [Dependent("WSD", one, "names it") for one in files]
    found += [Dependent("notebook", one, "loads it") for one in notebooks]
    found += [Dependent("alias", f"{model.name}@{word}", "stands for it") for word in model.aliases]
    for told in tx.models.users(model):
        kind, _, name = told.partition(" ")
        # what was made of it holds all that it needs, and goes on saying so; a run would need it to be run again
        is_made = kind in ("model", "transform")
        why = "was made with it, and says so" if is_made else "refers to it"
        found.append(Dependent(kind, name, why, is_binding=not is_made))
    past = [one for one in tx.endpoints.that_served(model.reference) if one not in serving]
    found += [
        Dependent("endpoint", one, "served it, and could be rolled back to it", is_binding=False)
        for one in past
    ]
    return found


def copied_to(context: Context, model: TrainedModel) -> list[Dependent]:
    """The New services that serve a version; they have copies of their own, so they keep nothing here."""
    found = []
    for held, serving in served_definitions(context):
        if model.model_hash in [one.model_hash for one in serving.models]:
            why = f"serves a copy of it in region {held.region.name}"
            found.append(Dependent("service", held.service.name, why, is_binding=False))
    return found


def serving_asset(context: Context, tx: Transaction, kind: str, digest: str) -> list[str]:
    """The endpoints whose definition has a transform or a dataset in it, told as users of it."""
    held: dict[str, bool] = {}
    users = []
    for endpoint in tx.endpoints.find():
        if endpoint.definition_hash not in held:
            definition = kept_definition(context, endpoint.definition_hash)
            assets = definition.transforms if kind == "transform" else definition.datasets
            held[endpoint.definition_hash] = any(asset.digest == digest for asset in assets)
        if held[endpoint.definition_hash]:
            users.append(f"endpoint {endpoint.reference}")
    return users


def loading_asset(context: Context, tx: Transaction, kind: str, reference: str) -> list[str]:
    """The predictive notebooks that load a transform or a dataset, told as users of it."""
    return [f"notebook {one}" for one in predictive_notebooks(context, tx, kind, reference)]


def derived_from(tx: Transaction, model: TrainedModel) -> list[TrainedModel]:
    """The versions of models that were made with this one."""
    return tx.models.search(Search(terms=(Term("model", "", "=", model.reference),)))


def predictive_notebooks(context: Context, tx: Transaction, kind: str, reference: str) -> list[str]:
    """The predictive notebooks that load a version, whether they ever ran or not."""
    found = []
    for experiment in tx.experiments.find():
        if experiment.kind != PREDICTIVE:
            continue
        try:
            content = (context.path / experiment.path).read_bytes()
            named = references_in(read_notebook(content, name=experiment.path))
        except (OSError, MlalmError):
            continue  # a file that is gone, or no notebook any more, loads nothing
        if any((one.kind, f"{one.name}:{one.version}") == (kind, reference) for one in named):
            found.append(experiment.path)
    return sorted(found)


def wsd_files(context: Context, model: TrainedModel) -> list[str]:
    """The WSD files in the workspace's folder that name a version; those elsewhere nobody can know of."""
    marks = (f"models/{model.name}/{model.version}?sha256={model.model_hash}").encode()
    found = []
    for path in _definition_files(context.path):
        try:
            if path.stat().st_size <= _LARGEST_WSD and marks in path.read_bytes():
                found.append(path.relative_to(context.path).as_posix())
        except OSError:
            continue  # a file that is gone, or may not be read, holds nothing back
    return sorted(found)


def _definition_files(folder: Path) -> Iterator[Path]:
    """Files that may be WSDs; hidden folders and very large trees are not searched to their end."""
    seen = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one != "node_modules")
        for file in sorted(files):
            seen += 1
            if seen > _MOST_FILES:
                return
            if file.endswith(".wsd.json"):
                yield Path(place) / file
