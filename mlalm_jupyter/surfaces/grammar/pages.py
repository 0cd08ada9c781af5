"""Help: of everything, of a noun, of a verb."""

from __future__ import annotations

from dataclasses import dataclass

from mlalm_jupyter.api.verbs import VERBS, find
from mlalm_jupyter.surfaces.grammar.form import EVERYWHERE, Form, table

_COMPLETION = {"mlalm": ("`source <(mlalm completion bash)` completes words in bash.",)}


@dataclass(frozen=True, slots=True)
class Page:
    """Help: asked for, or given because no verb was named."""

    text: str
    is_asked: bool = True


def page(noun: str | None = None, name: str | None = None, *, program: str = "mlalm") -> Page:
    """The help of a verb, of a noun, or of everything."""
    if noun is None:
        nouns = dict.fromkeys(verb.noun for verb in VERBS)
        rows = [(one, ", ".join(verb.name for verb in VERBS if verb.noun == one)) for one in nouns]
        parts = [
            f"usage: {program} NOUN VERB ...",
            "Models from a notebook cell to a live web service, and back to training.",
            table(rows),
            table(EVERYWHERE),
            f"`{program} NOUN VERB --help` tells what a verb takes.",
            *_COMPLETION.get(program, ()),
        ]
        return Page("\n\n".join(parts))
    if name is None:
        verbs = [verb for verb in VERBS if verb.noun == noun]
        if not verbs:
            find(noun, "")  # refuses the noun, with the nearest ones
        rows = [(verb.name, verb.help) for verb in verbs]
        return Page(f"usage: {program} {noun} VERB ...\n\n{table(rows)}")
    return Page(Form.of(find(noun, name), program=program).help)
