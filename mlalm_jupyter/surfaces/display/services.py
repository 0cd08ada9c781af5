"""How web services, endpoints, their keys and definitions are shown."""

from __future__ import annotations

from collections.abc import Sequence

from mlalm_jupyter.domain.definition import ServiceDefinition, ServiceParameter
from mlalm_jupyter.domain.estate import Terms
from mlalm_jupyter.domain.outcome import Snippet
from mlalm_jupyter.domain.server import KeyPair
from mlalm_jupyter.domain.service import Endpoint, Move, WebService
from mlalm_jupyter.domain.signature import Schema
from mlalm_jupyter.domain.trust import Seal
from mlalm_jupyter.domain.wsd.changes import DefinitionChange
from mlalm_jupyter.surfaces.display.parts import (
    Block,
    Cell,
    Code,
    Digest,
    Facts,
    Grid,
    Moment,
    Note,
    Secret,
    View,
    joined,
)

_ACTIONS = {
    "deploy": "deployed",
    "update": "deployed again",
    "add": "added",
    "patch": "patched",
    "apply": "applied",
    "refresh": "refreshed",
    "rollback": "rolled back",
}


def service(one: WebService) -> View:
    first = "first " if one.default.revision > 1 else ""  # the grid below says what it serves by now
    facts = Facts(
        f"Service {one.name}",
        [
            ("state", one.state),
            *([("for", one.description)] if one.description else []),
            (f"{first}made from", one.source),
            (f"{first}deployed", Moment(one.created_at)),
            ("by", one.created_by),
        ],
    )
    told = (one.note, *(endpoint.note for endpoint in one.endpoints))
    notes = [Note(note) for note in told if note]
    if not one.is_running:
        notes.append(Note(f"It refuses calls until it is started: `mlalm service start {one.name}`."))
    if one.terms is not None:
        return [
            facts,
            _place(one, one.default, one.terms),
            *notes,
            _how_to_call(one.name, one.name, noun="service"),
        ]
    return [facts, _endpoint_grid(one.endpoints), *notes, _how_to_call(one.name, f"{one.name}/default")]


def _place(service: WebService, one: Endpoint, terms: Terms) -> Facts:
    """Where a New service is, and what it serves."""
    return Facts(
        "New service",
        [
            ("serves", _serves(one)),
            ("region", terms.region),
            ("plan", terms.plan.name),
            ("calls at once", f"at most {terms.plan.max_concurrent_calls}"),
            ("address", _address(one)),
            *([("id", service.resource_id)] if service.resource_id else []),
            ("revision", one.revision),
            ("changed", Moment(one.updated_at)),
            ("definition", Digest(one.definition_hash)),
        ],
    )


def services(many: Sequence[WebService]) -> View:
    if not many:
        return [Note("No services yet. Deploy one with `mlalm service deploy MODEL NAME`.")]
    return [
        Grid(
            "Services",
            ("service", "state", "serves", "endpoints", "region", "address", "deployed", "by"),
            [
                (
                    one.name,
                    one.state,
                    _serves(one.default),
                    "none" if one.terms else len(one.endpoints),
                    one.terms.region if one.terms else "here",
                    _address(one.default),
                    Moment(one.created_at),
                    one.created_by,
                )
                for one in many
            ],
        )
    ]


def endpoint(one: Endpoint) -> View:
    noun = "service" if one.is_service else "endpoint"
    facts = Facts(
        f"{noun.capitalize()} {one.reference}",
        [
            ("serves", one.model or "a definition without a model"),
            *([("for", one.settings.description)] if one.settings.description else []),
            ("address", _address(one)),
            *([] if one.is_service else [("calls at once", _limit(one))]),
            *([("updates", "prevented")] if one.settings.prevent_update else []),
            ("revision", one.revision),
            ("changed", Moment(one.updated_at)),
            ("definition", Digest(one.definition_hash)),
            ("id", Digest(one.id)),
        ],
    )
    short = one.service if one.is_default else one.reference
    return [*([Note(one.note)] if one.note else []), facts, _how_to_call(short, one.reference, noun=noun)]


def endpoints(many: Sequence[Endpoint]) -> View:
    if not many:
        return [
            Note(
                "No endpoints here. Deploying a classic service makes its default one; "
                "New services, which have none, are in `mlalm service list`."
            )
        ]
    return [_endpoint_grid(many)]


def moves(many: Sequence[Move]) -> View:
    if not many:
        return [Note("Nothing has moved yet.")]
    return [
        Grid(
            f"History of {many[0].endpoint}",
            ("revision", "what", "serves", "definition", "when", "by"),
            [
                (
                    one.revision,
                    _ACTIONS.get(one.action, one.action),
                    one.model or "a definition",
                    Digest(one.definition_hash),
                    Moment(one.at),
                    one.by,
                )
                for one in many
            ],
        )
    ]


def key_pair(one: KeyPair) -> View:
    return [
        Facts(
            f"Keys of {one.endpoint}",
            [("primary", Secret(one.primary)), ("secondary", Secret(one.secondary))],
        )
    ]


def hidden_key_pair(one: KeyPair) -> View:
    """The keys where what is shown is kept: masked, with how to get at them."""
    return [
        *key_pair(one),
        Note("They are masked because notebooks are saved; `.primary` and `.secondary` hold them for code."),
    ]


def snippet(one: Snippet) -> View:
    return [Block(one.text)]


def definition(one: ServiceDefinition) -> View:
    facts = Facts(
        f"Definition {one.title}",
        [
            *((f"in: {name}", _columns(schema)) for name, schema in one.inputs.items()),
            *((f"out: {name}", _columns(schema)) for name, schema in one.outputs.items()),
            ("models", joined([asset.reference for asset in one.models])),
            ("transforms", joined([asset.reference for asset in one.transforms])),
            ("datasets", joined([asset.reference for asset in one.datasets])),
            ("parameters", joined([_parameter(each) for each in one.parameters])),
            ("sha256", Digest(one.digest)),
        ],
    )
    return [facts, *(Block(cell.source) for cell in one.code)]


def _parameter(one: ServiceParameter) -> str:
    return f"{one.name} ({one.type}, {'required' if one.is_required else one.default})"


def definition_changes(many: Sequence[DefinitionChange]) -> View:
    if not many:
        return [Note("They are the same.")]
    view: list[Note | Block] = []
    for one in many:
        view.append(Note(one.told))
        if one.lines:
            view.append(Block("\n".join(one.lines)))
    return view


def seal(one: Seal) -> View:
    return [
        Facts(
            f"Trusted {one.kind} {one.short}",
            [
                ("because", one.reason),
                ("since", Moment(one.at)),
                ("by", one.by),
                ("hash", Digest(one.digest) if one.short != one.digest else None),
                ("key", Digest(one.key_id)),
            ],
        )
    ]


def seals(many: Sequence[Seal]) -> View:
    if not many:
        return [Note("Nothing is trusted yet. What is made here is signed as it is registered and deployed.")]
    return [
        Grid(
            "Trusted here",
            ("kind", "hash or name", "because", "since", "by"),
            # the whole hash, because `trust remove` takes no less
            [(one.kind, Code(one.digest), one.reason, Moment(one.at), one.by) for one in many],
        )
    ]


def _endpoint_grid(many: Sequence[Endpoint]) -> Grid:
    return Grid(
        "Endpoints",
        ("endpoint", "serves", "revision", "changed", "calls at once", "address"),
        [
            (
                one.reference,
                _serves(one),
                one.revision,
                Moment(one.updated_at),
                _limit(one),
                _address(one),
            )
            for one in many
        ],
    )


def _serves(one: Endpoint) -> Cell:
    return one.model or Digest(one.definition_hash)


def _limit(one: Endpoint) -> Cell:
    settings = one.settings
    if settings.max_concurrent_calls is None:
        return "any number"
    level = f" ({settings.throttle_level})" if settings.throttle_level else ""
    return f"{settings.max_concurrent_calls}{level}"


def _address(one: Endpoint) -> Cell:
    return Code(one.address) if one.address else "none until the server has started"


def _how_to_call(short: str, reference: str, *, noun: str = "endpoint") -> Note:
    return Note(
        f"Call it with `%score {short} ROWS`, or take client code from `mlalm service consume {short}`. "
        f"Its keys: `mlalm {noun} keys {reference}`."
    )


def _columns(schema: Schema) -> str:
    return joined([f"{column.name} {column.type}" for column in schema.columns], limit=16)
