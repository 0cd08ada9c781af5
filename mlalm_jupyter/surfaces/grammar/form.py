"""How a verb is written on a line, and the help that says so; all of it is read from the verb's signature."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlalm_jupyter.api.verb import Parameter, Verb

EVERYWHERE = (
    ("--workspace PATH", "the workspace's folder; else MLALM_WORKSPACE, else the nearest one around here"),
    ("--json", "answer as JSON, and errors as well"),
    ("--help", "this page"),
)
_WIDTH = 100


@dataclass(frozen=True)
class Form:
    """How a verb is written on a line: its words, and which of its arguments need no option."""

    line: str
    verb: Verb
    positional: tuple[str, ...]
    implied: frozenset[str] = frozenset()
    """Positionals that may be left out although the verb needs them, because the surface knows them."""
    told: str = ""
    """What this form does, where it does more than its verb."""

    @classmethod
    def of(cls, verb: Verb, *, program: str = "mlalm") -> Form:
        """The long form, as the signature says it."""
        names = tuple(parameter.name for parameter in verb.parameters if parameter.is_positional)
        return cls(f"{program} {verb.noun} {verb.name}", verb, names)

    @property
    def places(self) -> list[Parameter]:
        known = {parameter.name: parameter for parameter in self.verb.parameters}
        return [known[name] for name in self.positional]

    @property
    def options(self) -> dict[str, tuple[Parameter, object]]:
        """The parameter of each option, and the value it sets (`...` when the next word says it)."""
        found: dict[str, tuple[Parameter, object]] = {}
        for parameter in self.verb.parameters:
            if parameter.name in self.positional:
                continue
            for option, value in _spellings(parameter):
                found[option] = (parameter, value)
        return found

    @property
    def usage(self) -> str:
        words = [self.line]
        for parameter in self.places:
            words.append(metavar(parameter) if self.is_needed(parameter) else f"[{metavar(parameter)}]")
        for parameter in self.verb.parameters:
            if parameter.name not in self.positional:
                words.append(_optional(parameter) if not parameter.is_required else shown(parameter))
        return " ".join(words)

    @property
    def help(self) -> str:
        """The page of this form."""
        sentences = self.told or self.verb.description.partition(">>>")[0].strip()
        rows = [(metavar(parameter), parameter.help) for parameter in self.places]
        rows += [
            (shown(parameter), _told(parameter))
            for parameter in self.verb.parameters
            if parameter.name not in self.positional
        ]
        parts = [f"usage: {self.usage}", sentences, table(rows), table(EVERYWHERE)]
        return "\n\n".join(part for part in parts if part)

    def is_needed(self, parameter: Parameter) -> bool:
        return parameter.is_required and parameter.name not in self.implied


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Two aligned columns; the second one is wrapped."""
    if not rows:
        return ""
    left = min(max(len(term) for term, _ in rows), 30)
    lines = []
    for term, told in rows:
        wrapped = textwrap.wrap(told, _WIDTH - left - 4) or [""]
        if len(term) > left:
            lines.append(f"  {term}")
            term = ""
        lines.append(f"  {term:<{left}}  {wrapped[0]}".rstrip())
        lines += [f"  {'':<{left}}  {more}" for more in wrapped[1:]]
    return "\n".join(lines)


def metavar(parameter: Parameter) -> str:
    """What stands for a value in a line of usage."""
    if parameter.type is dict:
        return parameter.metavar or "NAME=VALUE"
    return parameter.metavar or parameter.name.upper()


def _spellings(parameter: Parameter) -> Iterator[tuple[str, object]]:
    if parameter.type is bool:
        yield parameter.option, True
        if parameter.default:
            yield f"--no-{parameter.option[2:]}", False
        return
    if parameter.short:
        yield parameter.short, ...
    yield parameter.option, ...
    if _singular(parameter) != parameter.option:
        yield _singular(parameter), ...


def _singular(parameter: Parameter) -> str:
    """An option that is repeated says one thing each time: `--tag year=2024 --tag ok=true`."""
    option = parameter.option
    if parameter.type is not dict or not option.endswith("s"):
        return option
    return f"{option[:-3]}y" if option.endswith("ies") else option[:-1]


def shown(parameter: Parameter) -> str:
    """An option as help shows it."""
    if parameter.type is bool:
        return f"--no-{parameter.option[2:]}" if parameter.default else parameter.option
    return f"{parameter.short or _singular(parameter)} {metavar(parameter)}"


def _optional(parameter: Parameter) -> str:
    return f"[{shown(parameter)}]{'...' if parameter.type is dict else ''}"


def _told(parameter: Parameter) -> str:
    if parameter.type is bool and parameter.default:
        return f"do not {parameter.help}"
    default = parameter.default
    if default in (None, "") or parameter.type in (bool, dict):
        return parameter.help
    return f"{parameter.help} ({default} if not said)"
