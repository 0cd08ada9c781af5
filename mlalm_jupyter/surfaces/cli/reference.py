"""Writes the reference pages from the table of verbs and the tree of errors.

python -m mlalm_jupyter.surfaces.cli.reference
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from mlalm_jupyter.api.verb import Parameter, Verb
from mlalm_jupyter.api.verbs import VERBS
from mlalm_jupyter.domain import errors
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.surfaces.cli.codes import exit_code
from mlalm_jupyter.surfaces.grammar import Form
from mlalm_jupyter.surfaces.verbs_http import status_of

_VERBS_INTRO = """\
# Verbs

<!-- Made by `python -m mlalm_jupyter.surfaces.cli.reference`; change the code instead. -->

Every verb has the same name, arguments and defaults in Python, in a terminal, in a notebook cell and over
REST. `ws` is `Workspace.open()`; what stands in brackets may be left out. Where a live object is taken,
Python takes the object and a cell the name of a variable; everywhere a name of something kept will do. In a
terminal `--workspace PATH` names another workspace, and `--json` shows answers and errors as JSON.
"""

_ERRORS_INTRO = """\
# Errors

<!-- Made by `python -m mlalm_jupyter.surfaces.cli.reference`; change the code instead. -->

Every error says what happened, why, and what to do. In Python it is an exception with `what`, `why` and
`fix`; a cell shows it in one line without a traceback; a terminal prints it to standard error and exits with
the code below; REST answers with the status below and `{"error": {"code", "what", "why", "fix"}}`, where
`code` is the class. A class stands for those indented under it as well.

"""

_TYPES = {str: "text", int: "whole number", float: "number", bool: "flag", dict: "NAME=VALUE, repeated"}
_JSON = {str: "...", int: 1, float: 1.0, bool: True, dict: {"...": "..."}}


def verbs_page() -> str:
    """Every verb with its sentence, its four spellings and its arguments."""
    by_noun: dict[str, list[Verb]] = {}
    for verb in VERBS:
        by_noun.setdefault(verb.noun, []).append(verb)
    lines = [_VERBS_INTRO]
    for noun, verbs in by_noun.items():
        links = ", ".join(f"[{verb.name}](#{noun}-{verb.name})" for verb in verbs)
        lines.append(f"- **{noun}**: {links}")
    for noun, verbs in by_noun.items():
        lines += ["", f"## {noun}"]
        for verb in verbs:
            lines += ["", *_section(verb)]
    return "\n".join(lines) + "\n"


def _section(verb: Verb) -> Iterator[str]:
    yield f"### {verb.noun} {verb.name}"
    yield f"\n{verb.help}\n"
    yield "```text"
    yield f"Python    {_in_python(verb)}"
    yield f"terminal  {Form.of(verb).usage}"
    yield f"cell      {Form.of(verb, program='%mlalm').usage}"
    yield f"REST      POST /mlalm/api/{verb.noun}/{verb.name} {_in_json(verb)}"
    yield "```"
    if verb.parameters:
        yield "\n| argument | takes | default | |"
        yield "|---|---|---|---|"
        yield from (_row(parameter) for parameter in verb.parameters)


def _in_python(verb: Verb) -> str:
    given: list[str] = []
    for parameter in verb.parameters:
        if not parameter.is_positional and "*" not in given:
            given.append("*")
        given.append(parameter.name + ("" if parameter.is_required else f"={parameter.default!r}"))
    holder = "Workspace" if verb.attribute == "founding" else f"ws.{verb.attribute}"
    return f"{holder}.{verb.method_name}({', '.join(given)})"


def _in_json(verb: Verb) -> str:
    return json.dumps({one.name: _JSON[one.type] for one in verb.parameters if one.is_required})


def _row(parameter: Parameter) -> str:
    kind = _TYPES[parameter.type] + (" or live object" if parameter.is_live else "")
    default = "" if parameter.default in (None, "") else f"`{json.dumps(parameter.default)}`"
    shown = "required" if parameter.is_required else default
    escaped = parameter.help.replace("|", "\\|")
    return f"| `{parameter.name}` | {kind} | {shown} | {escaped} |"


def example_errors() -> list[MlalmError]:
    """One error of each class, with the facts of a likely case."""
    digest = "9f2c41aa03d7" + "0" * 52
    return [
        errors.NotFound("model", "biks:9", known=["bikes:1", "bikes:2"]),
        errors.WorkspaceNotFound("rides", why="That folder is no workspace."),
        errors.MissingAssets(
            "Experiment 'train'", missing=["dataset rides:1 (id 0193ab), which is not here"]
        ),
        errors.InvalidInput(
            "The model reference 'bikes:new'", expected="NAME or NAME:VERSION", got="'bikes:new'"
        ),
        errors.Unconfirmed("bikes:1", goes=["bikes:1, 214 kB"]),
        errors.AlreadyExists("service", "bikes", fix="Choose another name, or deploy with --update."),
        errors.StaleRevision("endpoint", "bikes/autumn", expected=3),
        errors.IllegalStatusChange("run", "0193ab12cd34", current="Finished", wanted="Running"),
        errors.SnapshotLocked("0193ab12cd34"),
        errors.InUse("model", "bikes:1", users=["bikes/default", "bikes/autumn"]),
        errors.AgainstPolicy(
            "Model bikes:1",
            policy="signed",
            because="it lets only models serve that this workspace's key signed, and this one it did not sign",
            fix="Look at it with `mlalm model verify bikes:1` and sign it with `mlalm model sign bikes:1`.",
        ),
        errors.NothingToRollBack("bikes/default"),
        errors.UpdatePrevented("bikes/autumn"),
        errors.DefaultEndpointNotPatchable("bikes/default"),
        errors.NoEndpoints(
            "bikes",
            done="patched",
            fix="Deploy the other model with `mlalm service deploy MODEL bikes --update`.",
        ),
        errors.TermsAreFixed("bikes", term="region", has="west", wanted="east"),
        errors.UntrustedContent(f"Definition {digest[:12]}", wants=["the code of node code1"], digest=digest),
        errors.NotSerialisable("The model", attribute="steps[0].lock", because="cannot pickle a lock"),
        errors.MissingDependency("The model bikes:1", library="skops", install="pip install 'skops>=0.13'"),
        errors.Corrupt(f"Blob {digest[:12]}", why="Its bytes no longer give the hash it is named by."),
        errors.NewerSchema("rides", found="0007", known="0001"),
        errors.Unauthorized("The call", needs="a key of endpoint bikes/default"),
        errors.RunFailed("train.ipynb", run_id="0193ab12cd34", cause="KeyError: 'weather'", cell=4),
        errors.ScoringFailed("node code1", why="KeyError: 'wind'", fix="Send the column 'wind'."),
        errors.Unavailable("The server did not answer.", why="It is starting.", fix="Try again in a moment."),
        errors.ServerVersionMismatch(running="0.1.0", mine="0.2.0"),
        errors.PortTaken(8971),
    ]


def errors_page() -> str:
    """Every error with an example of its sentence, its exit code and its HTTP status."""
    examples = {type(error): error for error in example_errors()}
    family = list(_family(MlalmError))[1:]
    lines = [_ERRORS_INTRO + "| class | exit code | status |", "|---|---|---|"]
    for depth, kind in family:
        name = f"[{kind.__name__}](#{kind.__name__.lower()})" if kind in examples else kind.__name__
        lines.append(f"| {'&emsp;' * (depth - 1)}{name} | {exit_code(kind)} | {status_of(kind)} |")
    for _, kind in family:
        if kind in examples:
            lines += ["", f"## {kind.__name__}", "", f"> {examples[kind]}"]
    return "\n".join(lines) + "\n"


def _family(kind: type[MlalmError], depth: int = 0) -> Iterator[tuple[int, type[MlalmError]]]:
    yield depth, kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _family(child, depth + 1)


PAGES = {"verbs.md": verbs_page, "errors.md": errors_page}


def main(arguments: list[str] | None = None) -> int:
    """Write the pages into a folder, docs/reference unless another is named."""
    given = sys.argv[1:] if arguments is None else arguments
    folder = Path(given[0] if given else "docs/reference")
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
