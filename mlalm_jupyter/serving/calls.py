"""Calling an endpoint over HTTP, as any client would."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, Unavailable
from mlalm_jupyter.domain.server import Scored
from mlalm_jupyter.domain.signature import Table
from mlalm_jupyter.serving.told import error_answered

TIMEOUT_S = 120.0
_LOGS = "See `mlalm server logs`."
_PAUSES_S = (0.1, 0.4, 1.5)
"""A scorer that was killed takes its connections along; the next one answers, so asking again is right."""


def call_endpoint(address: str, key: str, inputs: Mapping[str, Table]) -> Scored:
    """Score rows at an address with a key."""
    told = {
        name: {
            "ColumnNames": list(table.names),
            "Values": [[_sent(cell) for cell in row] for row in table.rows],
        }
        for name, table in inputs.items()
    }
    try:
        body = json.dumps({"Inputs": told, "GlobalParameters": {}}, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidInput("The rows", expected="text, numbers, dates and null", got=str(error)) from error
    answer = _posted(f"{address}/execute?api-version=2.0&details=true", key, body)
    try:
        document = answer.json()
    except ValueError as error:
        raise Corrupt(f"The answer of '{address}'", why="It is not JSON.", fix=_LOGS) from error
    if answer.status_code != 200:
        raise error_answered(answer.status_code, document, address=address)
    return _scored(document, answer.headers)


def _sent(cell: object) -> object:
    """A cell as JSON can say it."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None if math.isnan(cell) else str(cell)
    return cell


def _posted(url: str, key: str, body: bytes) -> requests.Response:
    with requests.Session() as session:
        # a proxy from the environment has no business with loopback
        session.trust_env = False
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        for pause_s in (*_PAUSES_S, None):
            try:
                return session.post(url, data=body, headers=headers, timeout=TIMEOUT_S)
            except requests.Timeout as error:
                raise Unavailable(
                    "The rows were not scored.", why=f"No answer came within {TIMEOUT_S:g} s.", fix=_LOGS
                ) from error
            except requests.ConnectionError as error:
                if pause_s is None:
                    raise Unavailable(
                        "The rows were not scored.",
                        why="Nobody answers at that address.",
                        fix="Start the server with `mlalm server start`.",
                    ) from error
                time.sleep(pause_s)
    raise AssertionError("the last try returns or raises")


def _scored(document: Mapping[str, Any], headers: Mapping[str, str]) -> Scored:
    value = next(iter(document["Results"].values()))["value"]
    types = tuple(value["ColumnTypes"])
    readers = [_READERS.get(kind, str) for kind in types]
    rows = tuple(
        tuple(None if cell is None else read(cell) for read, cell in zip(readers, row, strict=True))
        for row in value["Values"]
    )
    return Scored(
        names=tuple(value["ColumnNames"]),
        types=types,
        rows=rows,
        endpoint=headers["x-mlalm-endpoint"],
        definition_hash=headers["x-mlalm-definition"],
        model=headers.get("x-mlalm-model"),
        model_hash=headers.get("x-mlalm-model-hash"),
        form=headers["x-mlalm-form"],
        request_id=headers["x-ms-request-id"],
    )


def _whole(cell: str) -> int | float:
    try:
        return int(cell)
    except ValueError:
        return float(cell)


_READERS: dict[str, Callable[[str], object]] = {
    "Boolean": lambda cell: cell == "True",
    "Int32": _whole,
    "Int64": _whole,
    "Single": float,
    "Double": float,
}
