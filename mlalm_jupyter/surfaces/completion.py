"""What may come next on a line: nouns, verbs, options, and the names of what the workspace holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlalm_jupyter.api.verb import Parameter
from mlalm_jupyter.api.verbs import VERBS, find
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.surfaces.grammar import Form

if TYPE_CHECKING:
    from mlalm_jupyter.workspace import Workspace

_MOST = 500
"""So many versions are offered at most."""
_ALWAYS = ("--workspace", "--json", "--help")


@dataclass(frozen=True, slots=True)
class Next:
    """The words that may come next, and the argument they are for, if they are for one."""

    words: tuple[str, ...]
    parameter: Parameter | None = None


def following(words: Sequence[str], partial: str) -> Next:
    """What may follow `mlalm WORDS...` and begins like `partial`.

    >>> following(["endpoint"], "p").words
    ('patch',)
    """
    named: list[str] = []
    workspace = None
    rest = iter(words)
    for word in rest:
        if word == "--workspace":
            workspace = next(rest, None)
        elif not word.startswith("-"):
            named.append(word)
        if len(named) == 2:
            break
    if len(named) < 2:
        nouns = dict.fromkeys(verb.noun for verb in VERBS)
        verbs = [verb.name for verb in VERBS if named and verb.noun == named[0]]
        return Next(_begun(_ALWAYS if partial.startswith("-") else verbs if named else nouns, partial))
    try:
        form = Form.of(find(*named))
    except MlalmError:
        return Next(())
    return following_in(form, list(rest), partial, workspace=workspace)


def following_in(form: Form, words: Sequence[str], partial: str, *, workspace: str | None = None) -> Next:
    """What may follow when the verb is known."""
    options = form.options
    places = list(form.places)
    awaited: Parameter | None = None
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        if before == "--workspace":
            workspace = word
        elif awaited is None and not word.startswith("-") and places:
            places.pop(0)
        awaited = None
        if word in options and options[word][1] is ...:
            awaited = options[word][0]
    if words and words[-1] == "--workspace":
        return Next(())
    if awaited is None and partial.startswith("-"):
        return Next(_begun([*options, *_ALWAYS], partial))
    parameter = awaited or (places[0] if places else None)
    if parameter is None:
        return Next(())
    return Next(_begun(_kept(parameter.completes, workspace), partial), parameter)


def _begun(words: Sequence[str] | dict[str, None], partial: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word.startswith(partial)))


def _kept(kind: str, workspace: str | None) -> list[str]:
    """The references of a kind that the workspace holds; none when it cannot be asked."""
    if kind not in _ASKED:
        return []
    from mlalm_jupyter.workspace import Workspace

    try:
        with Workspace.open(workspace) as opened:
            return _ASKED[kind](opened)
    except MlalmError:
        return []


def _datasets(workspace: Workspace) -> list[str]:
    return [word for one in workspace.datasets.list() for word in (one.name, one.reference)]


def _transforms(workspace: Workspace) -> list[str]:
    return [word for one in workspace.transforms.list() for word in (one.name, one.reference)]


def _models(workspace: Workspace) -> list[str]:
    newest = [one.reference for one in workspace.models.list(sort="-created", limit=_MOST)]
    return [*newest, *(one.reference for one in workspace.models.aliases())]


def _policies(workspace: Workspace) -> list[str]:
    return [one.name for one in workspace.policies.list()]


def _services(workspace: Workspace) -> list[str]:
    return [one.name for one in workspace.services.list()]


def _endpoints(workspace: Workspace) -> list[str]:
    return [*_services(workspace), *(one.reference for one in workspace.endpoints.list())]


def _experiments(workspace: Workspace) -> list[str]:
    return [one.path for one in workspace.experiments.list()]


def _runs(workspace: Workspace) -> list[str]:
    with workspace.catalog.read() as tx:
        return [run.id[:12] for run in tx.runs.find(limit=50)]


def _jobs(workspace: Workspace) -> list[str]:
    return [one.id[:12] for one in workspace.jobs.list()]


def _triggers(workspace: Workspace) -> list[str]:
    return [one.name for one in workspace.triggers.list()]


_ASKED: dict[str, Callable[[Workspace], list[str]]] = {
    "dataset": _datasets,
    "transform": _transforms,
    "model": _models,
    "policy": _policies,
    "service": _services,
    "endpoint": _endpoints,
    "experiment": _experiments,
    "run": _runs,
    "job": _jobs,
    "trigger": _triggers,
}
