"""The forms in which a service is called: bytes in, bytes out, in the compute thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mlalm_jupyter.domain.projection import ServedEndpoint
from mlalm_jupyter.scoring import answers, inference, plain, requests
from mlalm_jupyter.scoring.addresses import EXECUTE, SCORE, Route
from mlalm_jupyter.scoring.errors import bad_request, not_found
from mlalm_jupyter.scoring.predictor import Predictor

API_VERSION = "2.0"
JSON = b"application/json; charset=utf-8"
BINARY = b"application/octet-stream"
_LENGTH = b"inference-header-content-length"
_TYPES = {plain.JSON: JSON, plain.CSV: b"text/csv; charset=utf-8"}


class Head(NamedTuple):
    """The headers that a scoring request is read by."""

    authorization: bytes
    content_type: bytes
    content_length: bytes
    content_encoding: bytes
    expect: bytes
    accept: bytes
    json_length: bytes
    host: bytes


class Query(NamedTuple):
    """What the query of a published call asks for."""

    version: str
    details: bool
    as_objects: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was let in."""

    route: Route
    head: Head
    query: Query
    body: bytes
    endpoint: ServedEndpoint


class Answer(NamedTuple):
    """A 200 answer."""

    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def check(route: Route, query: Query, endpoint: ServedEndpoint) -> None:
    """Refuse what can be refused before the body is read."""
    if route.what == EXECUTE and query.version != API_VERSION:
        message = f"The api-version '{query.version[:20]}' is not known; it should be {API_VERSION}."
        raise bad_request(message, cause="BadVersionCall", target="api-version")
    if route.what not in (EXECUTE, SCORE):
        check_model(route, endpoint)


def answered(predictor: Predictor, call: Call) -> Answer:
    """What a predictor answers to a call."""
    if call.route.what == EXECUTE:
        outputs = predictor.predict(requests.decode(call.body, call.head.content_type))
        body = answers.encode(outputs, details=call.query.details, as_objects=call.query.as_objects)
        return Answer(body)
    inputs = predictor.definition.inputs
    if call.route.what == SCORE:
        came_as = plain.form_of(call.head.content_type)
        form = plain.answer_form(call.head.accept, came_as)
        outputs = predictor.predict(plain.asked(call.body, call.head.content_type, inputs))
        return Answer(plain.encoded(outputs, form), _TYPES.get(form, form))
    request = inference.read_inference(call.body, call.head.json_length, inputs)
    outputs = predictor.predict(request.asked)
    name, version = service_of(call.endpoint), str(call.endpoint.revision)
    body, json_length = inference.encode_inference(outputs, request, model=name, version=version)
    if json_length is None:
        return Answer(body)
    return Answer(body, BINARY, ((_LENGTH, str(json_length).encode()),))


def service_of(endpoint: ServedEndpoint) -> str:
    """The service's name, which is what the inference protocol calls a model."""
    return endpoint.reference.partition("/")[0]


def check_model(route: Route, endpoint: ServedEndpoint) -> str:
    """What the inference protocol asks of the one model behind an endpoint: infer, ready, or nothing for its facts."""
    name, version = service_of(endpoint), str(endpoint.revision)
    match route.rest:
        case ("models", model, *rest):
            if model != name:
                raise not_found(
                    "ModelPackageNotFound", f"There is no '{model[:60]}' here; it is called '{name}'."
                )
            if rest[:1] == ["versions"] and len(rest) > 1:
                if rest[1] != version:
                    raise not_found(
                        "ModelPackageNotFound", f"Version {rest[1][:20]} is not served; {version} is."
                    )
                rest = rest[2:]
            if rest in ([], ["ready"], ["infer"]):
                return rest[0] if rest else ""
    raise not_found("WebServiceNotFound", "The Open Inference Protocol has nothing at that address.")
