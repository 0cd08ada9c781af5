"""How answers are shown: one view for each noun, as HTML in notebooks and as text in terminals."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.estate import Plan, Region
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.job import Job
from mlalm_jupyter.domain.lineage import LineageGraph, ModelComparison
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.model import Alias, TrainedModel
from mlalm_jupyter.domain.outcome import (
    Comparison,
    ModelSample,
    Opened,
    Preview,
    Published,
    Removed,
    Retrained,
    SavedAs,
    Snippet,
    Written,
)
from mlalm_jupyter.domain.policy import Policy
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.domain.server import KeyPair, Scored, ServerStatus
from mlalm_jupyter.domain.service import Endpoint, WebService
from mlalm_jupyter.domain.setup import SetUp
from mlalm_jupyter.domain.trigger import Trigger
from mlalm_jupyter.domain.trust import Seal, Signed, Verification
from mlalm_jupyter.domain.workspace import Checkup, Freed, WorkspaceInfo
from mlalm_jupyter.notebook.changes import Changes
from mlalm_jupyter.notebook.graph import Graph
from mlalm_jupyter.surfaces.display import (
    assets,
    experiments,
    machinery,
    registry,
    services,
    setups,
    triggers,
)
from mlalm_jupyter.surfaces.display.markup import markup
from mlalm_jupyter.surfaces.display.parts import View
from mlalm_jupyter.surfaces.display.plain import plain

__all__ = ["bundle_of", "html_of", "register_formatters", "text_of"]

_ONE: dict[type, tuple[str, Callable[[Any], View]]] = {
    Dataset: ("dataset", assets.dataset),
    Preview: ("preview", assets.preview),
    Transform: ("transform", assets.transform),
    TrainedModel: ("model", registry.model),
    ModelSample: ("sample", assets.model_sample),
    Alias: ("alias", registry.alias),
    LineageGraph: ("lineage", registry.lineage),
    ModelComparison: ("modelcomparison", registry.comparison),
    Signed: ("signature", registry.signed),
    Verification: ("verification", registry.verification),
    Policy: ("policy", registry.policy),
    Scored: ("scored", assets.scored),
    Written: ("written", assets.written),
    Removed: ("removed", assets.removed),
    Experiment: ("experiment", experiments.experiment),
    Run: ("run", experiments.run),
    Opened: ("snapshot", experiments.opened),
    Graph: ("graph", experiments.graph),
    Changes: ("changes", experiments.changes),
    Published: ("package", experiments.package),
    SavedAs: ("saved", experiments.saved_as),
    Comparison: ("comparison", experiments.comparison),
    Job: ("job", experiments.job),
    Trigger: ("trigger", triggers.trigger),
    Retrained: ("retrained", experiments.retrained),
    WebService: ("service", services.service),
    SetUp: ("setup", setups.set_up),
    Endpoint: ("endpoint", services.endpoint),
    KeyPair: ("keys", services.key_pair),
    Snippet: ("snippet", services.snippet),
    ServiceDefinition: ("wsd", services.definition),
    Seal: ("trust", services.seal),
    WorkspaceInfo: ("workspace", machinery.workspace),
    Checkup: ("checkup", machinery.checkup),
    Freed: ("freed", machinery.freed),
    ServerStatus: ("server", machinery.server),
    Plan: ("plan", machinery.plan),
    Region: ("region", machinery.region),
}
_MANY: dict[str, Callable[[Any], View]] = {
    "dataset": assets.datasets,
    "transform": assets.transforms,
    "model": registry.models,
    "alias": registry.aliases,
    "dependent": registry.dependents,
    "event": registry.events,
    "policy": registry.policies,
    "experiment": experiments.experiments,
    "run": experiments.runs,
    "job": experiments.jobs,
    "package": experiments.packages,
    "output": experiments.outputs,
    "trigger": triggers.triggers,
    "service": services.services,
    "endpoint": services.endpoints,
    "plan": machinery.plans,
    "region": machinery.regions,
    "move": services.moves,
    "change": services.definition_changes,
    "trust": services.seals,
}


def text_of(result: Any, *, reveals: bool = False, now: datetime | None = None) -> str:
    """An answer as text; `now` and `reveals` are for places that keep nothing, see `plain`."""
    if isinstance(result, str):
        return result
    if result is None:
        return ""
    return plain(_view(result), now=now, reveals=reveals)


def html_of(result: Any) -> str:
    """An answer as a piece of HTML; keys in it are masked."""
    return markup(_kept_view(result))


def bundle_of(result: Any) -> dict[str, Any]:
    """An answer as a notebook keeps it: text, HTML and JSON, none of which holds a key or very many rows."""
    bundle: dict[str, Any] = {"text/plain": plain(_kept_view(result)), "text/html": html_of(result)}
    is_long = isinstance(result, Scored) and len(result.rows) > assets.ROWS_SHOWN
    if not isinstance(result, KeyPair) and not is_long:
        # through JSON once, so that enumerations and tuples are what a front end would read back
        bundle[f"application/vnd.mlalm.{_word(result)}+json"] = json.loads(
            json.dumps(result.to_dict(), default=str)
        )
    return bundle


def register_formatters(shell: Any) -> None:
    """Have an IPython shell show our nouns as `bundle_of` makes them; doing it again changes nothing."""
    formatter = shell.display_formatter
    for kind in (*_ONE, Listing):
        formatter.mimebundle_formatter.for_type(kind, _formatted)
        # IPython has a printer for tuples, which it would take for a listing
        formatter.formatters["text/plain"].for_type(kind, _printed)


def _formatted(result: Any, include: Any = None, exclude: Any = None) -> dict[str, Any]:
    return bundle_of(result)


def _printed(result: Any, printer: Any, cycle: bool) -> None:
    printer.text(plain(_kept_view(result)))


def _view(result: Any) -> View:
    if isinstance(result, Listing):
        return _MANY[result.kind](result)
    return _ONE[type(result)][1](result)


def _kept_view(result: Any) -> View:
    return services.hidden_key_pair(result) if isinstance(result, KeyPair) else _view(result)


def _word(result: Any) -> str:
    return f"{result.kind}s" if isinstance(result, Listing) else _ONE[type(result)][0]
