"""The TypeScript types of the panel, from the table of verbs and the schema of their answers.

python -m mlalm_jupyter.surfaces.lab.typescript labextension/src/generated/api.ts
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from mlalm_jupyter.api.verb import Parameter, Verb
from mlalm_jupyter.api.verbs import VERBS

_WORDS = {str: "string", int: "number", float: "number", bool: "boolean", dict: "Record<string, unknown>"}
_HEAD = (
    "// Made by `python -m mlalm_jupyter.surfaces.lab.typescript`; change the verbs or the schema instead.\n"
)


def answers_schema() -> dict[str, Any]:
    """The schema of what the verbs answer with."""
    text = files("mlalm_jupyter.schemas").joinpath("answers.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def generated() -> str:
    """The whole file."""
    answers = [_interface(name, body) for name, body in answers_schema()["$defs"].items()]
    requests = [_request(verb) for verb in VERBS]
    table = "\n".join(f"  '{verb.noun}/{verb.name}': I{_name(verb)};" for verb in VERBS)
    verbs = (
        f"/** The arguments of every verb, by noun and name. */\nexport interface IVerbs {{\n{table}\n}}\n"
    )
    return "\n".join([_HEAD, *answers, *requests, verbs])


def _interface(name: str, body: dict[str, Any]) -> str:
    required = set(body.get("required", ()))
    lines = [
        f"  {field}{'' if field in required else '?'}: {_type(schema)};"
        for field, schema in body["properties"].items()
    ]
    return f"/** {body['description']} */\nexport interface I{name} {{\n" + "\n".join(lines) + "\n}\n"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return "I" + str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return "\n    | " + "\n    | ".join(f"'{one}'" for one in schema["enum"])
    kind = schema["type"]
    if isinstance(kind, list):
        return " | ".join(_type({"type": one}) for one in kind)
    if kind == "array":
        inner = _type(schema["items"])
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    words = {"integer": "number", "object": "Record<string, unknown>"}
    return words.get(kind, str(kind))


def _request(verb: Verb) -> str:
    lines = [_field(parameter) for parameter in verb.parameters]
    body = " {}\n" if not lines else " {\n" + "\n".join(lines) + "\n}\n"
    return f"/** {verb.help} */\nexport interface I{_name(verb)}{body}"


def _field(parameter: Parameter) -> str:
    mark = "" if parameter.is_required else "?"
    kind = "unknown" if parameter.is_live else _WORDS[parameter.type]
    return f"  /** {parameter.help} */\n  {parameter.name}{mark}: {kind};"


def _name(verb: Verb) -> str:
    return "".join(part.capitalize() for part in f"{verb.noun}-{verb.name}".split("-")) + "Request"


def main(target: str) -> None:
    """Write the file."""
    Path(target).write_text(generated(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
