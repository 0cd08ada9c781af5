"""The line magics."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, needs_local_scope

from mlalm_jupyter.api.context import LiveCell
from mlalm_jupyter.api.rehearsal import LeftOut, leaves_out
from mlalm_jupyter.api.verbs import find
from mlalm_jupyter.domain.errors import InvalidInput, MlalmError, NotFound
from mlalm_jupyter.domain.server import Scored
from mlalm_jupyter.surfaces.grammar import Command, Page, read, read_form
from mlalm_jupyter.surfaces.magics.forms import form
from mlalm_jupyter.surfaces.magics.frames import scored_frame
from mlalm_jupyter.surfaces.magics.live import explained, resolved
from mlalm_jupyter.surfaces.magics.marks import Marks
from mlalm_jupyter.surfaces.magics.notebook_here import notebook_here
from mlalm_jupyter.surfaces.magics.page_save import wait_for_page
from mlalm_jupyter.surfaces.magics.progress import CellProgress
from mlalm_jupyter.surfaces.magics.session import Session
from mlalm_jupyter.surfaces.magics.snapshot_here import live_cell, snapshot_here
from mlalm_jupyter.surfaces.magics.texts import Transcript
from mlalm_jupyter.surfaces.verbs_http import call, to_json

Scope = dict[str, Any] | None
"""The variables of the function that a line stands in, if it stands in one."""


@magics_class
class MlalmMagics(Marks, Magics):
    """Models from a notebook cell to a live web service, and back to training."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.session = Session(shell)

    @classmethod
    def names(cls) -> list[str]:
        return sorted(cls.magics["line"])

    @line_magic
    @needs_local_scope
    def mlalm(self, line: str, local_ns: Scope = None) -> Any:
        """Every verb: %mlalm NOUN VERB ... as in a terminal. %mlalm alone lists them.

        What a verb answers is what the magic gives, so it can be assigned: run = %mlalm run show 0193ab
        `$name` and `{expression}` become their values; models, functions and frames go by their names.
        """
        return self._answer(read(_words(line), program="%mlalm"), local_ns)

    @line_magic
    def endpoint(self, line: str) -> Any:
        """Endpoints: %endpoint add SERVICE/ENDPOINT, and the other verbs of `%mlalm endpoint`."""
        return self._answer(read(["endpoint", *_words(line)], program="%mlalm"))

    @line_magic
    def wsd(self, line: str) -> Any:
        """Service definitions: %wsd show, export, validate, set-model, diff, deploy, apply."""
        return self._answer(read(["wsd", *_words(line)], program="%mlalm"))

    @line_magic
    def trust(self, line: str) -> Any:
        """What may run here: %trust list, %trust add HASH or TYPE, %trust remove HASH or TYPE."""
        return self._answer(read(["trust", *_words(line)], program="%mlalm"))

    @line_magic
    def runs(self, line: str) -> Any:
        """The runs of this notebook, newest first: %runs [NOTEBOOK] [--limit N]."""
        return self._answer(self._with_notebook(_read("runs", line)))

    @line_magic
    def run_all(self, line: str) -> Any:
        """Run this notebook as it is saved, from top to bottom: %run_all [NOTEBOOK] [-p NAME=VALUE]...

        A snapshot of it is taken, and the scheduler executes exactly that, in a kernel of its own.
        """
        return self._run(self._with_notebook(_read("run_all", line)))

    @line_magic
    def run_to(self, line: str) -> Any:
        """Run this notebook as it is saved, up to the cell that carries a tag: %run_to TAG [NOTEBOOK]."""
        asked = self._with_notebook(_read("run_to", line))
        if isinstance(asked, Command) and "to" not in asked.arguments:
            raise InvalidInput("`%run_to`", expected="the tag of the last cell to run", got="none")
        return self._run(asked)

    @line_magic
    def snapshot(self, line: str) -> Any:
        """Keep this notebook as it is, and which of its cells ran, in which order: %snapshot [-m TEXT].

        In a front end that does not save before a cell runs, save the notebook first.
        """
        asked = self._with_notebook(_read("snapshot", line))
        if isinstance(asked, Page):
            return self._answer(asked)
        if os.environ.get("MLALM_RUN"):
            run = self._call("run", "show", {"run": os.environ["MLALM_RUN"]}, like=asked)
            print(f"Nothing changed: this is run {run.id[:12]} of {run.path}, and its snapshot is taken.")
            return run
        self._wait_for_page(asked)
        return snapshot_here(asked, self.session)

    @line_magic
    def save_as(self, line: str) -> Any:
        """Save this notebook, or a snapshot, as a new experiment: %save_as NAME [run:ID] [--keep-versions]."""
        return self._answer(self._with_notebook(_read("save_as", line), argument="source"))

    @line_magic
    def dataset(self, line: str) -> Any:
        """A dataset as a frame: %dataset NAME[:VERSION], or %dataset NAME FILE to upload the next version.

        The frame remembers its version in `frame.attrs["mlalm.dataset"]`, and so do the models trained on it.
        """
        from mlalm_jupyter.workspace import Workspace

        asked = _read("dataset", line)
        if isinstance(asked, Page):
            return self._answer(asked)
        reference = str(asked.arguments["name"])
        if "file" in asked.arguments and not leaves_out(asked.verb.name):
            kept = self._answer(replace(asked, as_json=False))
            reference = kept.reference
            equal = f"; equal to {kept.name}:{kept.equal_to}" if kept.equal_to is not None else ""
            print(f"{reference}: {kept.row_count} rows{equal}")
            if not kept.schema.columns:
                return kept  # bytes for others to read, such as RData
        with Workspace.open(asked.workspace) as workspace:
            return workspace.datasets.load(reference)

    @line_magic
    def transform(self, line: str) -> Any:
        """A fitted preprocessing step, ready to use: scale = %transform NAME[:VERSION]."""
        return self._loaded("transform", line)

    @line_magic
    def model(self, line: str) -> Any:
        """A trained model, ready to use: forest = %model NAME[:VERSION]."""
        return self._loaded("model", line)

    @line_magic
    @needs_local_scope
    def register(self, line: str, local_ns: Scope = None) -> Any:
        """Keep a fitted object as a model: %register VARIABLE NAME --sample ROWS [--tag KEY=VALUE]...

        It takes a snapshot of this notebook for it, so that the model knows the cell, the data and the environment.
        """
        return self._answer(_read("register", line), local_ns)

    @line_magic
    @needs_local_scope
    def deploy(self, line: str, local_ns: Scope = None) -> Any:
        """Make a web service: %deploy WHAT SERVICE [--update] [--sample ROWS].

        WHAT is a model (NAME:VERSION), a notebook that ran, a function of this one, FILE.py[:FUNCTION] or a WSD file.
        """
        return self._answer(_read("deploy", line), local_ns)

    @line_magic
    def setup_service(self, line: str) -> Any:
        """Cut a predictive notebook out of this one: %setup_service predictive [NOTEBOOK] [--model VARIABLE]."""
        return self._answer(self._with_notebook(_read("setup_service", line)))

    @line_magic
    def endpoints(self, line: str) -> Any:
        """All endpoints, or those of a service: %endpoints [SERVICE]."""
        return self._answer(_read("endpoints", line))

    @line_magic
    def patch(self, line: str) -> Any:
        """Put another model behind an endpoint while it answers: %patch SERVICE/ENDPOINT MODEL."""
        return self._answer(_read("patch", line))

    @line_magic
    def rollback(self, line: str) -> Any:
        """Serve what was served before: %rollback SERVICE/ENDPOINT [--to REVISION]."""
        return self._answer(_read("rollback", line))

    @line_magic
    @needs_local_scope
    def score(self, line: str, local_ns: Scope = None) -> Any:
        """Send rows to an endpoint and take the answer as a frame: %score SERVICE[/ENDPOINT] ROWS.

        ROWS is a frame, a dataset or a table file; the `attrs` of the answer say which model gave it.
        """
        asked = _read("score", line)
        answer = self._answer(asked, local_ns)
        if not isinstance(answer, Scored):
            return answer
        model = f" with {answer.model}" if answer.model else ""
        print(f"{answer.endpoint} answered{model}, definition {answer.definition_hash[:12]}")
        return scored_frame(answer)

    @line_magic
    def consume(self, line: str) -> Any:
        """Client code for an endpoint that runs as it is: %consume SERVICE[/ENDPOINT] [--lang LANGUAGE]."""
        return self._answer(_read("consume", line))

    @line_magic
    def retrain(self, line: str) -> Any:
        """Train a service's model again: %retrain SERVICE [-p NAME=VALUE]... [--patch SERVICE/ENDPOINT].

        The snapshot that trained it is run again, and its model becomes the next version.
        """
        return self._answer(_read("retrain", line))

    def _loaded(self, kind: str, line: str) -> Any:
        """The object that a reference stands for here; the run of this notebook keeps that it was used."""
        from mlalm_jupyter.workspace import Workspace

        asked = _read(kind, line)
        if isinstance(asked, Page):
            return self._answer(asked)
        with Workspace.open(asked.workspace) as workspace:
            holder = workspace.transforms if kind == "transform" else workspace.models
            return holder.load(str(asked.arguments[kind]))

    @property
    def _variables(self) -> dict[str, Any]:
        return self.shell.user_ns if self.shell else {}

    def _answer(self, asked: Command | Page, local_ns: Scope = None) -> Any:
        """Do what was asked, and give what it answers as a cell should show it."""
        if isinstance(asked, Page):
            print(asked.text)
            return None
        if leaves_out(asked.verb.name):
            print(
                f"Nothing changed: `{asked.verb.noun} {asked.verb.name}` is left out while a notebook is only tried."
            )
            return LeftOut(asked.verb.name)
        progress = CellProgress(is_shown=asked.verb.is_long)
        variables = {**self._variables, **(local_ns or {})}
        arguments = resolved(asked.verb, asked.arguments, variables)
        if asked.verb.noun == "experiment":
            self._wait_for_page(asked)
        try:
            here = self._cell_of_model(asked, arguments)
            result = call(asked.verb, arguments, workspace=asked.workspace, progress=progress, live=here)
        except NotFound as error:
            raise explained(error, asked.verb, asked.arguments, variables) from error
        except KeyboardInterrupt as interrupt:
            if asked.verb.is_long:
                told = str(interrupt).replace("`mlalm", "`%mlalm")
                print(f"Interrupted. {told or 'What runs as a job goes on; see `%mlalm job list`.'}")
            raise
        finally:
            progress.clear()
        if asked.as_json:
            return to_json(result)
        return Transcript(result) if type(result) is str else result  # a key stays a key, which is masked

    def _wait_for_page(self, asked: Command) -> None:
        """What is on screen is in the file before a verb reads that."""
        named = asked.arguments.get("notebook") or asked.arguments.get("source")
        wait_for_page(self.shell, named if isinstance(named, str) else None)

    def _cell_of_model(self, asked: Command, arguments: dict[str, Any]) -> LiveCell | None:
        """For a live object that is registered: the cell at work, in a snapshot of this notebook taken for it."""
        is_live = (asked.verb.noun, asked.verb.name) == ("model", "register")
        if not is_live or isinstance(arguments.get("model"), str) or os.environ.get("MLALM_RUN"):
            return None
        path = notebook_here(self._variables, os.environ).path
        if path is None:
            return None  # a kernel without a notebook, or one that cannot know which it is
        try:
            wait_for_page(self.shell, path)
            return live_cell(
                asked.workspace, self.session, path, message=f"for model {arguments.get('name')}"
            )
        except MlalmError as error:
            print(f"Which cell made it is not kept: {error}")
            return None

    def _with_notebook(self, asked: Command | Page, *, argument: str = "notebook") -> Command | Page:
        """The command with the notebook it is for: the one named, or this one."""
        if isinstance(asked, Page) or argument in asked.arguments:
            return asked
        here = notebook_here(self._variables, os.environ)
        path = here.path
        if here.run_id:
            path = self._call("run", "show", {"run": here.run_id}, like=asked).path
        if path is None:
            raise InvalidInput(
                f"The argument {argument.upper()}",
                expected="the path of this notebook, which cannot be known in this front end",
                got="none",
                fix="Name it in the line, for example `train.ipynb`.",
            )
        return replace(asked, arguments={**asked.arguments, argument: path})

    def _run(self, asked: Command | Page) -> Any:
        """Run a notebook, unless this kernel is executing a run of it: then its line has been obeyed already."""
        if isinstance(asked, Command) and self._is_running(asked):
            run = self._call("run", "show", {"run": os.environ["MLALM_RUN"]}, like=asked)
            print(f"Nothing changed: this is run {run.id[:12]} of {run.path}, so no other one was started.")
            return run
        return self._answer(asked)

    def _is_running(self, asked: Command) -> bool:
        """Whether this kernel is executing a run of that very notebook: running it again would never end."""
        run_id = os.environ.get("MLALM_RUN")
        if not run_id:
            return False
        from mlalm_jupyter.workspace import Workspace

        with Workspace.open(asked.workspace) as workspace:
            try:
                run = workspace.runs.show(run_id)
            except NotFound:
                return False  # a run of another workspace
            return workspace.context.inside(str(asked.arguments["notebook"])) == run.path

    def _call(self, noun: str, verb: str, arguments: dict[str, Any], *, like: Command) -> Any:
        return call(find(noun, verb), arguments, workspace=like.workspace)


def _read(name: str, line: str) -> Command | Page:
    return read_form(form(name), _words(line))


def _words(line: str) -> Sequence[str]:
    try:
        return shlex.split(_without_comment(line))
    except ValueError as error:
        raise InvalidInput(f"The line `{line}`", expected="quotes that are closed", got=str(error)) from None


def _without_comment(line: str) -> str:
    """A line up to the `#` that begins a comment: one that begins a word and stands in no quotes."""
    quote, is_escaped, is_word = "", False, False
    for index, char in enumerate(line):
        if char == "#" and not (quote or is_escaped or is_word):
            return line[:index]
        is_word = bool(quote) or is_escaped or not char.isspace()
        if is_escaped:
            is_escaped = False
        elif char == "\\" and quote != "'":
            is_escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
    return line
