"""Words of a line that name objects of the kernel: models, functions, frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from mlalm_jupyter.api.verb import Parameter, Verb
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.errors import InvalidInput, MlalmError, NotFound, nearest
from mlalm_jupyter.domain.model import TrainedModel


def _is_model(value: object) -> bool:
    if hasattr(value, "iloc"):  # frames and series can transform as well
        return False
    return callable(value) or any(callable(getattr(value, name, None)) for name in ("predict", "transform"))


def _is_transform(value: object) -> bool:
    return not hasattr(value, "iloc") and callable(getattr(value, "transform", None))


def _is_deployable(value: object) -> bool:
    return isinstance(value, (ServiceDefinition, TrainedModel)) or _is_model(value)


def _is_table(value: object) -> bool:
    return isinstance(value, (list, dict)) or (hasattr(value, "columns") and hasattr(value, "dtypes"))


_TAKES: dict[str, tuple[Callable[[object], bool], str]] = {
    "model": (_is_model, "model"),
    "transform": (_is_transform, "transform"),
    "what": (_is_deployable, "model"),
    "rows": (_is_table, "dataset"),
    "sample": (_is_table, "dataset"),
}
"""Of each argument that may be an object: which objects it takes, and what a word means that names none."""
_NONE = "None here would do."


def resolved(verb: Verb, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments in which words that name fitting objects of the kernel have become those objects.

    A word stays a word when no variable has that name, or one that does not fit: a frame called `bikes` does
    not hide the model `bikes`.
    """
    found = dict(arguments)
    for parameter in verb.parameters:
        word = arguments.get(parameter.name)
        if not (parameter.is_live and isinstance(word, str)):
            continue
        takes, _ = _TAKES.get(parameter.name, (_is_anything, ""))
        value = variables.get(word)
        if word in variables and takes(value) and not isinstance(value, ModuleType):
            found[parameter.name] = value
        elif parameter.name in _MADE_OF and not _is_file(word):
            raise _no_object(parameter.name, word, variables)
    return found


def _is_file(word: str) -> bool:
    """Whether a word can only mean a file: no variable has such a name."""
    return not word.isidentifier() and (word.endswith(".ilearner") or "/" in word or Path(word).exists())


def explained(
    error: NotFound, verb: Verb, arguments: Mapping[str, Any], variables: Mapping[str, Any]
) -> NotFound:
    """The same error, but when its word could have been a variable, naming those as well."""
    for parameter in verb.parameters:
        takes, kind = _TAKES.get(parameter.name, (_is_anything, ""))
        word = arguments.get(parameter.name)
        if not (parameter.is_live and word == error.name and word.isidentifier()):
            continue
        if error.kind == "notebook" and (near := nearest(word, _names(takes, variables))):
            return NotFound(
                "variable or notebook", word, known=[*near, *error.nearest], none=_NONE, fix=error.fix
            )
        if error.kind != kind:
            continue
        noun = "function or model" if parameter.name == "what" else f"variable or {kind}"
        known = [*_names(takes, variables), *error.nearest]
        return NotFound(
            noun, word, known=known, none=_NONE, fix=f"List what is kept with `%mlalm {kind} list`."
        )
    return error


def fitting(parameter: Parameter, variables: Mapping[str, Any]) -> list[str]:
    """The variables that an argument would take."""
    takes, _ = _TAKES.get(parameter.name, (_is_anything, ""))
    return _names(takes, variables)


_MADE_OF = {"model": "a fitted model or a function", "transform": "a fitted object that has `transform`"}
"""What an argument must be made of that is registered; a word that names nothing means a file."""


def _no_object(kind: str, word: str, variables: Mapping[str, Any]) -> MlalmError:
    if word in variables:
        return InvalidInput(
            f"The variable '{word}'",
            expected=_MADE_OF[kind],
            got=f"an object of type {type(variables[word]).__name__}",
        )
    known = _names(_TAKES[kind][0], variables)
    return NotFound(
        "variable",
        word,
        known=known,
        none=_NONE,
        fix="Name a fitted object of this notebook, or a model file.",
    )


def _names(takes: Callable[[object], bool], variables: Mapping[str, Any]) -> list[str]:
    """The user's own variables that would do."""
    hidden = {"In", "Out", "get_ipython", "exit", "quit", "open", "display"}
    return [
        name
        for name, value in variables.items()
        if not name.startswith("_") and name not in hidden and takes(value)
        if not isinstance(value, (ModuleType, type))
    ]


def _is_anything(value: object) -> bool:
    return not isinstance(value, (str, ModuleType))
