"""Client code for an endpoint that runs as it is, and holds no key."""

from __future__ import annotations

import json
import shlex

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.service import Endpoint


def example_body(definition: ServiceDefinition) -> dict[str, object]:
    """The body of a call with the definition's own example."""
    inputs = {
        name: {
            "ColumnNames": list(schema.names),
            "Values": [list(row) for row in definition.example.get(name, ())[:1]],
        }
        for name, schema in definition.inputs.items()
    }
    return {"Inputs": inputs, "GlobalParameters": {}}


def curl(context: Context, endpoint: Endpoint, body: str) -> str:
    """A line for a shell; it looks the key up itself."""
    noun = "service" if endpoint.is_service else "endpoint"
    key = (
        f"mlalm --workspace {shlex.quote(str(context.path))} {noun} keys {endpoint.reference} --only primary"
    )
    return (
        f"curl -s '{endpoint.address}/execute?api-version=2.0&details=true'"
        f' -H "Authorization: Bearer $({key})"'
        f" -H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )


def python(context: Context, endpoint: Endpoint, body: str, *, output: str) -> str:
    """A program of a few lines; it looks the key up itself."""
    return "\n".join(
        [
            "import json",
            "",
            "import requests",
            "from mlalm_jupyter import Workspace",
            "",
            f"key = Workspace.open({str(context.path)!r}).{_keys(endpoint)}.primary",
            f"body = json.loads({body!r})",
            "answer = requests.post(",
            f"    {f'{endpoint.address}/execute?api-version=2.0&details=true'!r},",
            '    headers={"Authorization": f"Bearer {key}"},',
            "    json=body,",
            "    timeout=30,",
            ")",
            "answer.raise_for_status()",
            f'print(answer.json()["Results"][{json.dumps(output)}]["value"])',
        ]
    )


def _keys(endpoint: Endpoint) -> str:
    of = "services.keys" if endpoint.is_service else "endpoints.key_pair"
    return f"{of}({endpoint.reference!r})"
