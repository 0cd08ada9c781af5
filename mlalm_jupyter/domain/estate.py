"""Plans and regions: how much a New service may take, and where it lives; neither belongs to a workspace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.settings import MOST_CALLS

MOST_WORKERS = 32
MOST_MEMORY_MB = 1 << 20
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


def checked_place(kind: str, name: str) -> str:
    """A name for a plan or a region, which becomes a file's name and a part of an id.

    >>> checked_place("region", "west-europe")
    'west-europe'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(
            f"The name of the {kind}",
            expected="1 to 32 lower-case letters, digits and inner hyphens",
            got=repr(name)[:60],
        )
    return name


@dataclass(frozen=True, slots=True)
class Plan:
    """A class of capacity. A service keeps the terms it was deployed with."""

    name: str
    workers: int
    """How many scorer processes its services' regions run at least."""
    max_concurrent_calls: int
    """How many calls one service answers at once, over all processes of its region."""
    memory_mb: int
    """What the models, transforms and datasets of one service may take together."""
    created_at: str = ""
    created_by: str = ""
    services: tuple[str, ...] = ()
    """The services that have it, as REGION/NAME."""

    def checked(self) -> Plan:
        """This plan, if its numbers can be kept."""
        checked_place("plan", self.name)
        for what, value, most in (
            ("number of workers", self.workers, MOST_WORKERS),
            ("number of concurrent calls", self.max_concurrent_calls, MOST_CALLS),
            ("memory in MB", self.memory_mb, MOST_MEMORY_MB),
        ):
            if not 1 <= value <= most:
                raise InvalidInput(
                    f"The {what} of plan '{self.name}'", expected=f"1 to {most}", got=str(value)
                )
        return self

    def to_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "workers": self.workers,
            "max_concurrent_calls": self.max_concurrent_calls,
            "memory_mb": self.memory_mb,
            "created_at": self.created_at,
            "created_by": self.created_by,
            "services": list(self.services),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Plan:
        return cls(
            name=str(value["name"]),
            workers=int(value["workers"]),
            max_concurrent_calls=int(value["max_concurrent_calls"]),
            memory_mb=int(value["memory_mb"]),
            created_at=str(value.get("created_at", "")),
            created_by=str(value.get("created_by", "")),
        )


@dataclass(frozen=True, slots=True)
class Region:
    """A place to serve: a store for whole services, and a server of its own that knows nothing else."""

    name: str
    storage: str
    created_at: str = ""
    created_by: str = ""
    base_url: str | None = None
    is_running: bool = False
    workers: int = 0
    """The scorer processes that run there now."""
    services: tuple[str, ...] = ()
    note: str | None = None

    def to_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "storage": self.storage,
            "base_url": self.base_url,
            "is_running": self.is_running,
            "workers": self.workers,
            "services": list(self.services),
            "created_at": self.created_at,
            "created_by": self.created_by,
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Region:
        return cls(
            name=str(value["name"]),
            storage=str(value["storage"]),
            created_at=str(value.get("created_at", "")),
            created_by=str(value.get("created_by", "")),
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a New service was deployed with: its place, and its plan as it was then. They never change."""

    region: str
    plan: Plan

    def to_dict(self) -> dict[str, object]:
        return {"region": self.region, "plan": self.plan.to_dict()}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Terms:
        return cls(region=str(value["region"]), plan=Plan.from_dict(value["plan"]))
