"""Reading a line of words into a command."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mlalm_jupyter.api.verb import Parameter, Verb
from mlalm_jupyter.api.verbs import find
from mlalm_jupyter.domain.errors import InvalidInput, nearest
from mlalm_jupyter.surfaces.grammar.form import Form, metavar, shown
from mlalm_jupyter.surfaces.grammar.pages import Page, page

_HELP = ("-h", "--help")
_LITERALS: dict[str, object] = {"True": True, "False": False, "None": None}


@dataclass(frozen=True, slots=True)
class Command:
    """A verb and its arguments, as somebody wrote them."""

    verb: Verb
    arguments: dict[str, Any]
    workspace: str | None = None
    as_json: bool = False


@dataclass
class _Line:
    """A line being read, word by word."""

    words: list[str]
    index: int = 0
    workspace: str | None = None
    as_json: bool = False
    given: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        while self.index < len(self.words):
            self.index += 1
            yield self.words[self.index - 1]

    def value_of(self, option: str, glued: str | None) -> str:
        if glued is not None:
            return glued
        if self.index >= len(self.words):
            raise InvalidInput(f"The option {option}", expected="a value after it", got="the end of the line")
        self.index += 1
        return self.words[self.index - 1]

    def is_for_all(self, word: str) -> bool:
        """Take the options that every command has."""
        option, equals, glued = word.partition("=")
        if option == "--workspace":
            self.workspace = self.value_of(option, glued if equals else None)
        elif word == "--json":
            self.as_json = True
        else:
            return False
        return True


def read(words: Iterable[str], *, program: str = "mlalm") -> Command | Page:
    """What a line of words asks for.

    >>> read(["endpoint", "patch", "wine/ep2", "--model", "wine:2"]).arguments["model"]
    'wine:2'
    """
    line = _Line(list(words))
    named: list[str] = []
    for word in line:
        if word in _HELP:
            return page(*named, program=program)
        if word == "--version":
            from mlalm_jupyter._version import __version__

            return Page(f"mlalm {__version__}")
        if line.is_for_all(word):
            continue
        if word.startswith("-"):
            raise _unknown_option(word, ["--workspace", "--json", "--version", "--help"], line=program)
        named.append(word)
        if len(named) == 2:
            return _rest(Form.of(find(*named), program=program), line)
    found = page(*named, program=program)
    return Page(found.text, is_asked=False)


def read_form(form: Form, words: Iterable[str]) -> Command | Page:
    """What a line asks for whose verb is known already."""
    return _rest(form, _Line(list(words)))


def literal(text: str) -> object:
    """A value as somebody types it: a number, true, a list... or else the text itself.

    >>> [literal(text) for text in ("3", "true", "[1, 2]", "007", "bikes:1")]
    [3, True, [1, 2], '007', 'bikes:1']
    """
    if text in _LITERALS:
        return _LITERALS[text]
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity are words here, as in JSON


def _rest(form: Form, line: _Line) -> Command | Page:
    """The arguments, once the verb is known."""
    places, options = form.places, form.options
    only_places = False
    words: list[str] = []
    for word in line:
        if only_places:
            words.append(word)
        elif word == "--":
            only_places = True
        elif word in _HELP:
            return Page(form.help)
        elif line.is_for_all(word):
            continue
        elif word.startswith("-") and len(word) > 1 and not _is_number(word):
            _take_option(form, options, line, word)
        else:
            words.append(word)
    if len(words) > len(places):
        raise InvalidInput(
            f"The line `{form.line} ...`",
            expected=f"`{form.usage}`",
            got=f"one word too many, {words[len(places)]!r}",
        )
    for parameter, word in zip(places, words, strict=False):
        line.given[parameter.name] = _typed(parameter, metavar(parameter), word)
    missing = [
        shown(parameter) if parameter.name not in form.positional else metavar(parameter)
        for parameter in form.verb.parameters
        if form.is_needed(parameter) and parameter.name not in line.given
    ]
    if missing:
        raise InvalidInput(
            f"The line `{form.line} ...`", expected=f"`{form.usage}`", got=f"no {' and no '.join(missing)}"
        )
    return Command(form.verb, line.given, line.workspace, line.as_json)


def _take_option(form: Form, options: dict[str, tuple[Parameter, object]], line: _Line, word: str) -> None:
    option, equals, glued = word.partition("=")
    value: str | None = glued if equals else None
    if option not in options and word[:2] in options and not word.startswith("--"):
        option, value = word[:2], word[2:]
    if option not in options:
        raise _unknown_option(option, [*options, "--workspace", "--json", "--help"], line=form.line)
    parameter, sets = options[option]
    if sets is not ...:
        if value is not None:
            raise InvalidInput(f"The option {option}", expected="no value", got=repr(value))
        line.given[parameter.name] = sets
    elif parameter.type is dict:
        pairs = line.given.setdefault(parameter.name, {})
        text = line.value_of(option, value)
        name, is_pair, held = text.partition("=")
        if not is_pair or not name:
            raise InvalidInput(f"The option {option}", expected=metavar(parameter), got=repr(text))
        pairs[name] = held if parameter.has_text_values else literal(held)
    else:
        line.given[parameter.name] = _typed(parameter, option, line.value_of(option, value))


def _typed(parameter: Parameter, where: str, text: str) -> object:
    if parameter.type is bool:
        known: dict[str, object] = {"true": True, "false": False}
        if text.lower() not in known:
            raise InvalidInput(f"The argument {where}", expected="true or false", got=repr(text))
        return known[text.lower()]
    if parameter.type not in (int, float):
        return text
    try:
        return parameter.type(text)
    except ValueError:
        kind = "a whole number" if parameter.type is int else "a number"
        raise InvalidInput(f"The argument {where}", expected=kind, got=repr(text)) from None


def _unknown_option(option: str, known: Iterable[str], *, line: str) -> InvalidInput:
    near = nearest(option, known)
    meant = f" Perhaps {' or '.join(f'`{one}`' for one in near)} is meant." if near else ""
    return InvalidInput(
        f"The option {option}",
        expected=f"an option of `{line}`",
        got="one it does not have",
        fix=f"{meant} See `{line} --help`.".strip(),
    )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
