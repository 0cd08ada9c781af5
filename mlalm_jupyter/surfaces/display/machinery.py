"""How the workspace, its checkup and the server are shown."""

from __future__ import annotations

from collections.abc import Sequence

from mlalm_jupyter.domain.estate import Plan, Region
from mlalm_jupyter.domain.server import ServerStatus
from mlalm_jupyter.domain.workspace import Checkup, Freed, WorkspaceInfo
from mlalm_jupyter.surfaces.display.parts import (
    Code,
    Digest,
    Facts,
    Grid,
    Moment,
    Note,
    Part,
    Status,
    View,
    joined,
    size,
)


def workspace(one: WorkspaceInfo) -> View:
    return [
        *([Note(one.note)] if one.note else []),
        Facts(
            "Workspace",
            [
                ("folder", Code(one.path)),
                *((what, count) for what, count in one.counts.items()),
                ("made", Moment(one.created_at)),
                ("schema", one.schema),
                ("id", Digest(one.id)),
            ],
        ),
    ]


def checkup(one: Checkup) -> View:
    looked_at = joined([f"{count} {what}" for what, count in one.checked.items()], limit=20)
    count = len(one.findings)
    word = f"{count} {'thing is' if count == 1 else 'things are'} wrong" if count else "All is well"
    facts = Facts(
        "Checkup", [("result", Status(word, "bad" if one.findings else "good")), ("looked at", looked_at)]
    )
    if not one.findings:
        return [facts]
    return [
        facts,
        Grid(
            "Findings",
            ("where", "what is wrong", "what to do"),
            [(found.where, found.what, found.fix) for found in one.findings],
        ),
    ]


def freed(one: Freed) -> View:
    if not one.blobs:
        return [Note(f"Nothing changed: all {one.kept} blobs are referred to, or were put just now.")]
    blobs = f"{one.blobs} blob{'s' if one.blobs != 1 else ''}"
    return [Note(f"{blobs} that nothing referred to are gone, {size(one.size_bytes)}; {one.kept} remain.")]


def server(one: ServerStatus) -> View:
    running = Status("running", "good") if one.is_running else Status("not running", "idle")
    parts: list[Part] = [
        *([Note(one.note)] if one.note else []),
        Facts(
            "Server",
            [
                ("state", running),
                ("address", Code(one.base_url) if one.base_url else None),
                ("home", Code(one.home)),
                ("version", one.version),
                ("workspaces", "\n".join(sorted(one.workspaces.values()))),
            ],
        ),
    ]
    if one.processes:
        parts.append(
            Grid(
                "Processes",
                ("process", "pid", "restarts", "started"),
                [(each.role, each.pid, each.restarts, Moment(each.started_at)) for each in one.processes],
            )
        )
    if one.regions:
        parts.extend(regions(one.regions))
    return parts


def region(one: Region) -> View:
    return [
        *([Note(one.note)] if one.note else []),
        Facts(
            f"Region {one.name}",
            [
                ("state", _running(one)),
                ("address", Code(one.base_url) if one.base_url else None),
                ("workers", one.workers or None),
                ("storage", Code(one.storage)),
                ("services", joined(one.services)),
                ("made", Moment(one.created_at)),
                ("by", one.created_by),
            ],
        ),
    ]


def regions(many: Sequence[Region]) -> View:
    if not many:
        return [Note("No region yet. Make one with `mlalm region add REGION --storage FOLDER`.")]
    return [
        Grid(
            "Regions",
            ("region", "state", "workers", "services", "address", "storage"),
            [
                (
                    one.name,
                    _running(one),
                    one.workers,
                    joined(one.services),
                    Code(one.base_url) if one.base_url else "none until its first service",
                    Code(one.storage),
                )
                for one in many
            ],
        )
    ]


def _running(one: Region) -> Status:
    return Status("running", "good") if one.is_running else Status("not running", "idle")


def plan(one: Plan) -> View:
    return [
        Facts(
            f"Plan {one.name}",
            [
                ("workers of its regions", f"at least {one.workers}"),
                ("calls at once of a service", f"at most {one.max_concurrent_calls}"),
                ("models and data of a service", f"at most {one.memory_mb:,} MB"),
                ("services", joined(one.services)),
                ("made", Moment(one.created_at)),
                ("by", one.created_by),
            ],
        )
    ]


def plans(many: Sequence[Plan]) -> View:
    if not many:
        return [Note("No plan yet. Make one with `mlalm plan add PLAN`.")]
    return [
        Grid(
            "Plans",
            ("plan", "workers", "calls at once", "memory", "services"),
            [
                (
                    one.name,
                    one.workers,
                    one.max_concurrent_calls,
                    f"{one.memory_mb:,} MB",
                    joined(one.services),
                )
                for one in many
            ],
        )
    ]
