"""The steps of a definition, ready to run: models and code open, settings read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from mlalm_jupyter.domain.definition import ServiceDefinition, Step
from mlalm_jupyter.domain.errors import InvalidInput, MlalmError, ScoringFailed
from mlalm_jupyter.domain.wsd.graph import (
    NOTEBOOK_MODULE,
    PYTHON_MODULE,
    SCORE_MODULE,
    SCRIPT_MODULE,
    SELECT_MODULE,
)
from mlalm_jupyter.domain.wsd.parameters import selected
from mlalm_jupyter.formats import frames
from mlalm_jupyter.formats.code import CodeModule, said
from mlalm_jupyter.formats.held import Held
from mlalm_jupyter.formats.scripts import begun

MEND = "Mend it, then deploy it again."
_LOOK = "Look at the rows it was given; if they are right, mend the step and deploy again."
_APPENDS = "append score columns to output"
Settings = Mapping[str, object]
Run = Callable[[Sequence[pd.DataFrame], Settings], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class ReadyStep:
    """A step that can run."""

    node: str
    takes: tuple[str, ...]
    label: str
    settings: Settings
    run: Run
    module: CodeModule | None = None
    """Where its code lives, for as long as this step does."""

    def ran(self, tables: Sequence[pd.DataFrame], given: Settings) -> pd.DataFrame:
        """The table that comes out; whatever goes wrong is told with the step's name."""
        try:
            return self.run(tables, {**self.settings, **given} if given else self.settings)
        except MemoryError:
            raise
        except MlalmError as error:  # what a step gives or lacks is never the caller's fault
            raise ScoringFailed(self.label, why=str(error), fix=_LOOK) from error
        except (Exception, SystemExit) as error:  # a stranger's code may raise anything
            file = self.module.file if self.module else None
            raise ScoringFailed(self.label, why=f"{said(error, file)}.", fix=_LOOK) from error


def ready_steps(definition: ServiceDefinition, opened: Mapping[str, object]) -> tuple[ReadyStep, ...]:
    """All steps of a definition, with what is behind its assets, by their names, open."""
    defaults = _defaults(definition)
    return tuple(
        _ready(step, definition.digest, opened, defaults.get(step.node, {})) for step in definition.steps
    )


def _defaults(definition: ServiceDefinition) -> dict[str, dict[str, object]]:
    """What parameters stand for where the caller gives none, by node and setting."""
    found: dict[str, dict[str, object]] = {}
    for parameter in definition.parameters:
        if parameter.default is not None:
            for node, key in parameter.links:
                found.setdefault(node, {})[key] = parameter.read(parameter.default)
    return found


def _ready(step: Step, digest: str, opened: Mapping[str, object], defaults: Settings) -> ReadyStep:
    settings = {**step.settings, **defaults}
    module = None
    if step.code:
        label = f"step '{step.node}' ({step.code.entry})"
        module = _module(step, digest)
        if step.module == PYTHON_MODULE:
            run = _function(step, module, settings)
        elif step.module == NOTEBOOK_MODULE:
            run = _notebook(step, module, opened)
        else:
            run = _script(step, module, opened[step.model.asset] if step.model else None)
    elif step.model:
        label = f"step '{step.node}' (model {step.model.reference})"
        run = partial(_scored, opened[step.model.asset])
    elif step.transform:
        label = f"step '{step.node}' (transform {step.transform.reference})"
        run = partial(_transformed, opened[step.transform.asset])
    else:
        label, run = f"step '{step.node}'", _selected
    assert (
        step.module in (PYTHON_MODULE, SCRIPT_MODULE, SCORE_MODULE, SELECT_MODULE, NOTEBOOK_MODULE)
        or step.transform
    )
    return ReadyStep(step.node, step.takes, label, settings, run, module)


def _scored(model: object, tables: Sequence[pd.DataFrame], settings: Settings) -> pd.DataFrame:
    (frame,) = tables
    scored = frames.score(model, frame)
    appends = next((value for name, value in settings.items() if name.lower() == _APPENDS), "true")
    if str(appends).lower() == "false":
        return scored[[name for name in scored.columns if name not in frame.columns]]
    return scored


def _transformed(transform: object, tables: Sequence[pd.DataFrame], _settings: Settings) -> pd.DataFrame:
    (frame,) = tables
    return frames.transformed(transform, frame)


def _selected(tables: Sequence[pd.DataFrame], settings: Settings) -> pd.DataFrame:
    (frame,) = tables
    names = selected(str(settings["Columns"]))
    if lacking := [name for name in names if name not in frame.columns]:
        held = ", ".join(f"'{name}'" for name in frame.columns)
        raise InvalidInput(
            "The columns to keep", expected=f"some of {held}", got=", ".join(f"'{name}'" for name in lacking)
        )
    return frame[names]


def _module(step: Step, digest: str) -> CodeModule:
    assert step.code
    file = f"<{step.code.node} of {digest[:12]}>"
    try:
        return CodeModule(
            step.code.source, name=f"mlalm_definition_{digest[:16]}_{step.code.node}", file=file
        )
    except (Exception, SystemExit) as error:  # a stranger's code may raise anything
        raise ScoringFailed(f"step '{step.node}'", why=f"{said(error, file)}.", fix=MEND) from error


def _callable(step: Step, module: CodeModule, name: str) -> Callable[..., Any]:
    function = module[name]
    if not callable(function):
        why = f"Its code defines no function '{name}'."
        raise ScoringFailed(f"step '{step.node}'", why=why, fix=MEND)
    return function  # type: ignore[no-any-return]  # as the check says


def _function(step: Step, module: CodeModule, settings: Settings) -> Run:
    """A step of Python code: tables come by position, settings by name."""
    assert step.code
    function = _callable(step, module, step.code.entry)
    names = {name: _argument(step, function, name) for name in settings}

    def run(tables: Sequence[pd.DataFrame], given: Settings) -> pd.DataFrame:
        if len(tables) == 1 and not given:
            return frames.score(function, tables[0])
        arguments = {
            names.get(name) or _argument(step, function, name): value for name, value in given.items()
        }
        return frames.table_of(function(*tables, **arguments))

    return run


def _argument(step: Step, function: Callable[..., Any], name: str) -> str:
    """The parameter of a function that a setting is for.

    A setting is called as people would, `Random seed`; the function calls it `random_seed`.
    """
    wanted = re.sub(r"\W+", "_", name).strip("_")
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return wanted
    for one in parameters:
        if one.lower() == wanted.lower():
            return one
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        return wanted
    raise ScoringFailed(
        f"step '{step.node}'",
        why=f"Its function takes no '{wanted}', which the definition's parameter '{name}' is for.",
        fix=MEND,
    )


def _script(step: Step, module: CodeModule, model: object) -> Run:
    """A script with `init()` and `run(data)`, begun."""
    _callable(step, module, "run")
    try:
        run = begun(module, model)
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:  # a stranger's code may raise anything
        why = f"Its init() raised {said(error, module.file)}."
        raise ScoringFailed(f"step '{step.node}'", why=why, fix=MEND) from error
    return lambda tables, _given: run(*tables)


def _notebook(step: Step, module: CodeModule, opened: Mapping[str, object]) -> Run:
    """The cells of a notebook as `run(tables..., NAME=fitted...)`."""
    function = _callable(step, module, "run")
    fitted = {name: Held.out_of(opened[one.asset]) for name, one in step.assets.items()}
    return lambda tables, _given: frames.table_of(function(*tables, **fitted))
