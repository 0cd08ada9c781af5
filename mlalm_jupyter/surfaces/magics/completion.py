"""Completion of our magics in a cell: nouns, verbs, options, references and fitting variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from mlalm_jupyter.surfaces.completion import Next, following, following_in
from mlalm_jupyter.surfaces.magics.forms import NAMES, NOUNS, form
from mlalm_jupyter.surfaces.magics.live import fitting

_MAGIC = re.compile(rf"^\s*(?:[\w.]+\s*=\s*)?%({'|'.join(('mlalm', *NAMES, *NOUNS))})\s+(.*)$")
_IDENTIFIER = "mlalm_jupyter.completion"


def complete_in(shell: Any) -> None:
    """Complete our magics in a shell; doing it again changes nothing."""
    forget_in(shell)

    @context_matcher(identifier=_IDENTIFIER)  # type: ignore[untyped-decorator]  # IPython's
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        line = context.line_with_cursor[: context.cursor_position]
        found, partial = _candidates(line, shell.user_ns)
        if not found:
            return {"completions": [], "suppress": False}
        return {
            "completions": [SimpleCompletion(text=word, type="mlalm") for word in found],
            # Python's keywords and the files around here mean nothing where we know what may stand
            "suppress": True,
            "matched_fragment": partial,
        }

    shell.Completer.custom_matchers.append(matcher)


def forget_in(shell: Any) -> None:
    """Complete our magics no more."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [one for one in matchers if getattr(one, "matcher_identifier", "") != _IDENTIFIER]


def _candidates(line: str, variables: Mapping[str, Any]) -> tuple[list[str], str]:
    """The words that may stand where the cursor is, and how much of one is there already."""
    magic = _MAGIC.match(line)
    if magic is None:
        return [], ""
    name, rest = magic.groups()
    words = rest.split()
    partial = "" if not words or rest.endswith(" ") else words.pop()
    following_words = _following(name, words, partial)
    found = [*following_words.words]
    if following_words.parameter is not None and following_words.parameter.is_live:
        found += [word for word in fitting(following_words.parameter, variables) if word.startswith(partial)]
    return found, partial


def _following(name: str, words: list[str], partial: str) -> Next:
    if name == "mlalm":
        return following(words, partial)
    if name in NOUNS:
        return following([name, *words], partial)
    return following_in(form(name), words, partial)
