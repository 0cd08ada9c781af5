"""What can be deployed: a definition, a model, a function, or a script, each told by what it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.datasets import Datasets, sample_frame
from mlalm_jupyter.api.files import readable_file, text_of
from mlalm_jupyter.api.golive import model_asset
from mlalm_jupyter.api.notebook_services import (
    answers_of,
    differ,
    is_notebook,
    missing,
    notebook_code,
    rows_of,
)
from mlalm_jupyter.api.packages import named_model, opened_package
from mlalm_jupyter.api.tables import head_of
from mlalm_jupyter.api.wsd_files import definition_in
from mlalm_jupyter.domain.definition import (
    ServiceDefinition,
    code_definition,
    notebook_definition,
    scoring_definition,
    script_definition,
)
from mlalm_jupyter.domain.errors import InvalidInput, MissingDependency, MlalmError, NotFound
from mlalm_jupyter.domain.model import TrainedModel
from mlalm_jupyter.formats.code import CodeModule, said
from mlalm_jupyter.formats.confined import FILES, OTHERS, PROGRAMS, Outreach, confined
from mlalm_jupyter.notebook.predictive.filled import Filled, otherwise
from mlalm_jupyter.notebook.source import function_in, is_script, source_of

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE_ROWS = 3
_TRIED_ROWS = 20


@dataclass(frozen=True, slots=True)
class Deployable:
    """A definition that may be deployed, and where it came from."""

    definition: ServiceDefinition
    source: str
    is_ours: bool
    """Whether this workspace made it now, so that its key signs it."""
    training: str = ""
    """The training notebook that it was cut out of, if it was."""
    siblings: frozenset[str] = frozenset()
    """The sources of what else was cut out of that one."""


class Deployables:
    """Makes definitions of what a person names."""

    def __init__(self, context: Context, datasets: Datasets) -> None:
        self._context = context
        self._datasets = datasets

    def of(self, what: object, sample: object = None, *, model: str | None = None) -> Deployable:
        """What can be deployed, told by what it is: a definition, code, or a model."""
        is_file = isinstance(what, str) and what.lower().partition(":")[0].endswith(".py")
        if model is not None and not is_file:
            raise _no_script(model, "something else")
        if is_file:
            return self._from_file(str(what), sample, model)
        if isinstance(what, ServiceDefinition):
            return Deployable(what, what.title, is_ours=False)
        if isinstance(what, dict):
            definition = ServiceDefinition.from_dict(what)
            return Deployable(definition, definition.title, is_ours=False)
        if isinstance(what, TrainedModel):
            return self._from_model(what.reference)
        if isinstance(what, str):
            if what.lower().endswith(".json"):
                return Deployable(definition_in(self._context, what), what, is_ours=False)
            if is_notebook(self._context, what):
                return self._from_notebook(what, sample)
            try:
                return self._from_model(what)
            except (NotFound, InvalidInput) as error:
                raise missing(self._context, what) or error from None
        if hasattr(what, "predict") or isinstance(what, type) or not callable(what):
            raise InvalidInput(
                "What to deploy",
                expected="a registered model, a notebook, a function, or a WSD file",
                got=f"a {type(what).__name__}",
                fix="Register a fitted model first (`%register VAR NAME`), then deploy NAME:VERSION.",
            )
        name = str(getattr(what, "__name__", "function"))
        return self._from_code(source_of(what), name, what, f"function {name}", sample)

    def _from_model(self, reference: str) -> Deployable:
        from mlalm_jupyter.formats import bundle as bundles  # costs half a second, which listing need not pay

        ctx = self._context
        with ctx.catalog.read() as tx:
            model = named_model(ctx, tx, reference)
        opened = bundles.read(ctx.blobs.get(model.bundle_digest))
        example = opened.sample_rows[:EXAMPLE_ROWS]
        definition = scoring_definition(
            title=model.name,
            model=model_asset(model),
            inputs=model.signature.inputs,
            outputs=model.signature.outputs,
            example=example,
        )
        return Deployable(definition, f"model {model.reference}", is_ours=True)

    def _from_notebook(self, what: str, sample: object) -> Deployable:
        """The cells of a notebook between its marks, with what they read of models and transforms."""
        from mlalm_jupyter.formats.frames import schema_of, table_of

        ctx = self._context
        found = notebook_code(ctx, what)
        named = f"notebook {found.path}"
        whole = rows_of(ctx, found) if sample is None else None
        frame = self._sample(sample, named) if whole is None else whole.head(_TRIED_ROWS)
        filled = found.filled.but(frame.columns)
        filled.check(found.service.plan.kept)
        opened = found.opened(ctx)
        with _running(found.code, found.path, is_alone=True) as module:

            def answer(rows: pd.DataFrame) -> pd.DataFrame:
                with confined(FILES):
                    return table_of(module["run"](rows, **opened))

            before = None if whole is None else answers_of(ctx, found)
            if whole is not None and before is not None:
                _check_same(before, _tried(answer, whole, named, found.path), found.path, _OTHERWISE)
            answered = _tried(answer, frame, named, found.path)
            _tried(answer, frame.head(1), named, found.path)
            _check_same(answered, _tried(answer, frame, named, found.path), found.path, _VARIES)
            _check_filled(filled, answer, frame, answered)
        (comes,), (goes,) = found.service.plan.inputs, found.service.plan.outputs
        definition = notebook_definition(
            title=Path(found.path).stem,
            source=found.code,
            assets=found.named_assets(),
            inputs={comes.name: schema_of(frame)},
            outputs={goes.name: schema_of(answered)},
            example={comes.name: head_of(frame, EXAMPLE_ROWS).rows},
        )
        return Deployable(
            definition,
            f"experiment {found.path}",
            is_ours=True,
            training=found.training,
            siblings=self._siblings(found.path, found.training),
        )

    def _siblings(self, path: str, training: str) -> frozenset[str]:
        """The other predictive notebooks of a training notebook, as the record of deployments names them."""
        if not training:
            return frozenset()
        with self._context.catalog.read() as tx:
            made = [one.path for one in tx.experiments.find() if one.parent == training]
        return frozenset(f"experiment {one}" for one in made if one != path)

    def _from_file(self, what: str, sample: object, model: str | None) -> Deployable:
        file, _, wanted = what.partition(":")
        text = text_of(readable_file(self._context, file), name=file)
        if not wanted and is_script(text):
            return self._from_script(text, file, sample, model)
        if model is not None:
            raise _no_script(model, "a file without `init()` and `run(data)`")
        source, entry = function_in(text, wanted or None, where=f"The code of '{file}'")
        with _running(source, file) as module:
            function = module[entry]
            if not callable(function):
                raise InvalidInput(
                    f"The code of '{file}'",
                    expected=f"a function '{entry}' when all of it has run",
                    got=f"a {type(function).__name__}",
                )
            return self._from_code(source, entry, function, f"{file}:{entry}", sample)

    def _from_script(self, source: str, file: str, sample: object, model: str | None) -> Deployable:
        """A script with `init()` and `run(data)`; its model goes to `init`, and into the definition by its hash."""
        from mlalm_jupyter.formats.frames import schema_of
        from mlalm_jupyter.formats.scripts import begun, takes

        ctx = self._context
        frame = self._sample(sample, f"script '{file}'")
        asset = opened = None
        if model is not None:
            with ctx.catalog.read() as tx:
                found = named_model(ctx, tx, model)
            asset = model_asset(found)
            opened = opened_package(
                ctx,
                f"Model {found.reference}",
                bundle_digest=found.bundle_digest,
                package_hash=found.model_hash,
            )
        with _running(source, file) as module:
            init = module["init"]
            if model is not None and not (callable(init) and takes(init)):
                raise InvalidInput(
                    f"The script '{file}'",
                    expected="an init(model) that takes the model",
                    got="none",
                    fix="Let `init` have one parameter, or leave --model away.",
                )
            if model is None and callable(init) and takes(init):
                raise InvalidInput(
                    f"The deployment of script '{file}'",
                    expected="a model for its init(model)",
                    got="none",
                    fix="Give one with --model NAME:VERSION.",
                )
            answered = _tried(lambda rows: begun(module, opened)(rows), frame, f"script '{file}'", file)
        definition = script_definition(
            title=Path(file).stem,
            source=source,
            inputs=schema_of(frame),
            outputs=schema_of(answered),
            model=asset,
            example=head_of(frame, EXAMPLE_ROWS).rows,
        )
        return Deployable(definition, f"script {file}", is_ours=True)

    def _from_code(self, source: str, entry: str, function: Any, named: str, sample: object) -> Deployable:
        from mlalm_jupyter.formats.frames import schema_of, score

        frame = self._sample(sample, named)
        file = getattr(getattr(function, "__code__", None), "co_filename", None)
        answered = _tried(lambda rows: score(function, rows), frame, named, file)
        definition = code_definition(
            title=entry,
            source=source,
            entry=entry,
            inputs=schema_of(frame),
            outputs=schema_of(answered),
            example=head_of(frame, EXAMPLE_ROWS).rows,
        )
        return Deployable(definition, named, is_ours=True)

    def _sample(self, sample: object, named: str) -> pd.DataFrame:
        frame = sample_frame(self._context, self._datasets, sample, where="The sample")
        if frame is None:
            raise InvalidInput(
                f"The deployment of {named}",
                expected="a sample of the rows it takes, because code does not say which columns it needs",
                got="none",
                fix="Give one with --sample, for example a frame's head or a dataset.",
            )
        return frame.head(_TRIED_ROWS)


_OTHERWISE = (
    "answers as in its run, from the cells between its marks",
    "Something there changes a value in a way that cannot be seen in the text; write it plainly, `rows = ...`.",
)
_VARIES = (
    "the same answer each time it is asked",
    "Take out what draws at random, or keeps something from one call to the next.",
)


def _check_same(before: object, now: object, path: str, expected: tuple[str, str]) -> None:
    if found := differ(before, now):
        raise InvalidInput(f"The service of {path}", expected=expected[0], got=found, fix=expected[1])


def _check_filled(
    filled: Filled,
    answer: Callable[[pd.DataFrame], pd.DataFrame],
    frame: pd.DataFrame,
    answered: pd.DataFrame,
) -> None:
    """Refuse answers that change with a column which callers are not asked for."""
    for column, value in filled.values.items():
        other = otherwise(value)
        if other is None:
            continue
        try:
            now = answer(frame.assign(**{column: other}))
        except Exception:  # noqa: BLE001  # a person's own code may raise anything for a value that it never had
            continue
        if differ(answered, now):
            raise filled.refusal(column)


def _no_script(model: str, got: str) -> InvalidInput:
    return InvalidInput(
        f"The option --model {model}",
        expected="a script with `init()` and `run(data)`, which it is for",
        got=got,
        fix="Leave --model away.",
    )


@contextlib.contextmanager
def _running(source: str, file: str, *, is_alone: bool = False) -> Iterator[CodeModule]:
    """The code of a file, run through once; where it is alone, what it would do to the world is refused."""
    try:
        with confined(FILES, PROGRAMS, OTHERS) if is_alone else contextlib.nullcontext():
            module = CodeModule(source, name=f"mlalm_{Path(file).stem}", file=file)
    except (Exception, SystemExit) as error:  # a person's own code may raise anything
        raise _not_deployed(f"The code of '{file}'", error, file) from error
    with contextlib.closing(module):
        yield module


def _tried(
    answer: Callable[[pd.DataFrame], pd.DataFrame], frame: pd.DataFrame, named: str, file: str | None
) -> pd.DataFrame:
    """What code makes of a sample."""
    try:
        return answer(frame.copy())
    except InvalidInput as error:
        raise InvalidInput(
            f"What {named} makes of the sample", expected=error.expected, got=error.got, fix=error.fix
        ) from error
    except (Exception, SystemExit) as error:  # a person's own code may raise anything
        raise _not_deployed(f"What {named} makes of the sample", error, file) from error


def _not_deployed(what: str, error: BaseException, file: str | None) -> MlalmError:
    """What a person should know of an error in the code that was to be deployed."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        name = error.name.partition(".")[0]
        return MissingDependency(what, library=f"the module '{name}'", install=f"pip install {name}")
    if isinstance(error, Outreach):
        return InvalidInput(
            what,
            expected="a service that writes no files, and that fetches nothing when it is loaded",
            got=said(error, file).removeprefix("Outreach: "),
            fix="Do that before the rows come in; what scoring needs of it can be registered as a transform.",
        )
    return InvalidInput(
        what,
        expected="code that runs through",
        got=said(error, file),
        fix="Mend it, and try it on the same sample before you deploy it.",
    )
