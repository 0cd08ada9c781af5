"""`mlalm`: read a line, call the verb, show what it answers, exit by the table of codes."""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mlalm_jupyter.domain.errors import MlalmError, Unconfirmed
from mlalm_jupyter.surfaces.cli.codes import FAILED, INTERRUPTED, OK, USAGE, exit_code, outcome_code
from mlalm_jupyter.surfaces.cli.progress import ProgressLine
from mlalm_jupyter.surfaces.grammar import Command, Page, read
from mlalm_jupyter.surfaces.verbs_http import call, internal_error, to_json


def main(argv: Sequence[str] | None = None) -> int:
    """Do what a line asks for and give the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our symbols shows the words beside them
    as_json = "--json" in words
    named = "mlalm"
    try:
        if words[:1] == ["completion"]:
            return _completed(words[1:])
        asked = read(words)
        if isinstance(asked, Page):
            print(asked.text, file=sys.stdout if asked.is_asked else sys.stderr)
            return OK if asked.is_asked else USAGE
        as_json = asked.as_json
        named = f"mlalm {asked.verb.noun} {asked.verb.name}"
        return _done(asked)
    except MlalmError as error:
        _tell(error.to_dict(), as_json=as_json)
        return exit_code(type(error))
    except KeyboardInterrupt as interrupt:
        told = str(interrupt) or "What runs as a job goes on; see `mlalm job list`."
        print(f"Interrupted. {told}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # whoever read our answer has closed the pipe, so the interpreter must not try to flush it either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception:  # noqa: BLE001  # the outermost frame of a surface
        if not as_json:
            traceback.print_exc()
        fault = internal_error(named)
        _tell({**fault, "fix": "Report what stands above, together with what you did."}, as_json=as_json)
        return FAILED


def _completed(words: Sequence[str]) -> int:
    from mlalm_jupyter.surfaces.cli.shell_completion import completion

    print(completion(words), end="")
    return OK


def _done(command: Command) -> int:
    progress = ProgressLine(sys.stderr)
    try:
        result = _called(command, progress)
    finally:
        progress.clear()
    _show(result, as_json=command.as_json)
    sys.stdout.flush()
    return outcome_code(command.verb, result)


def _called(command: Command, progress: ProgressLine) -> Any:
    """Call the verb; one that destroys something is asked about where somebody can answer."""
    try:
        return call(command.verb, command.arguments, workspace=command.workspace, progress=progress)
    except Unconfirmed as error:
        if command.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        progress.clear()
        print(f"This would go: {', '.join(error.goes)}.", file=sys.stderr)
        warning = "It cannot be undone. " if error.is_final else ""
        print(f"{warning}Go on? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise
        agreed = replace(command, arguments={**command.arguments, "yes": True})
        return call(agreed.verb, agreed.arguments, workspace=agreed.workspace, progress=progress)


def _show(result: Any, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(to_json(result), ensure_ascii=False, indent=2))
        return
    from mlalm_jupyter.surfaces.display import text_of

    text = text_of(result, reveals=True, now=datetime.now(UTC))
    print(text, end="" if text.endswith("\n") else "\n")


def _tell(error: dict[str, str], *, as_json: bool) -> None:
    """An error on standard error: what, why and how to go on, each on its own line."""
    if as_json:
        print(json.dumps({"error": error}, ensure_ascii=False), file=sys.stderr)
        return
    told = [part for part in (error["why"], error["fix"]) if part]
    print("\n  ".join([f"error: {error['what']}", *told]), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
