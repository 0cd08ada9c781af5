"""What a definition is made of, once it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

_KINDS = ("models", "transforms", "datasets")
ASSET_URI = re.compile(
    rf"mlalm://(?P<kind>{'|'.join(_KINDS)})/(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)"
    r"/(?P<version>[1-9][0-9]*)(\?sha256=(?P<sha>[0-9a-f]{64}))?"
)


@dataclass(frozen=True, slots=True)
class ModelAsset:
    """A trained model as a definition names it: which version, and the hash of what it must be."""

    asset: str
    name: str
    version: int
    model_hash: str

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def uri(self) -> str:
        """The address kept in git; it holds no host.

        >>> ModelAsset("asset1", "churn", 3, "ab" * 32).uri[:30]
        'mlalm://models/churn/3?sha256='
        """
        return asset_uri("model", self.name, self.version, self.model_hash)


@dataclass(frozen=True, slots=True)
class HeldAsset:
    """A transform or a dataset as a definition names it."""

    asset: str
    kind: str
    name: str
    version: int
    digest: str

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def uri(self) -> str:
        return asset_uri(self.kind, self.name, self.version, self.digest)


@dataclass(frozen=True, slots=True)
class CodeCell:
    """Code in a definition: text, and the function in it that a table goes through."""

    node: str
    source: str
    entry: str


@dataclass(frozen=True, slots=True)
class ServiceParameter:
    """A value that callers may give: where it goes, and what stands where they give none."""

    name: str
    type: str
    default: str | None
    links: tuple[tuple[str, str], ...]

    @property
    def is_required(self) -> bool:
        return self.default is None

    def read(self, value: object) -> object:
        """A given value as its type has it; ValueError says what is expected.

        >>> ServiceParameter("Seed", "Int", "1", ()).read("12")
        12
        """
        if value is None or isinstance(value, (dict, list)):
            raise ValueError(f"one value of type {self.type}")
        kind = self.type.lower()
        try:
            if kind == "int":
                return _whole(value)
            if kind in ("float", "double"):
                if isinstance(value, bool):
                    raise ValueError
                return float(value)  # type: ignore[arg-type]  # text or a number
            if kind == "boolean":
                return _flag(value)
        except (ValueError, OverflowError):
            words = {"int": "a whole number", "boolean": "true or false"}
            raise ValueError(words.get(kind, "a number")) from None
        return value if isinstance(value, str) else str(value)


def _whole(value: object) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)  # type: ignore[call-overload, no-any-return]  # text or a number


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in ("true", "false", "1", "0"):
        raise ValueError
    return word in ("true", "1")


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the graph that does something, and the nodes whose tables it takes, in the order of its ports."""

    node: str
    module: str
    takes: tuple[str, ...]
    model: ModelAsset | None = None
    transform: HeldAsset | None = None
    code: CodeCell | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    assets: Mapping[str, ModelAsset | HeldAsset] = field(default_factory=dict)
    """What its code reads, by the names it reads it by."""

    @property
    def held(self) -> tuple[ModelAsset | HeldAsset, ...]:
        """All models and transforms it needs."""
        alone = (one for one in (self.model, self.transform) if one)
        return (*alone, *self.assets.values())


def asset_uri(kind: str, name: str, version: int, digest: str) -> str:
    """The address of an asset of a workspace, as it is kept in git.

    >>> asset_uri("dataset", "rides", 2, "ab" * 32)[:32]
    'mlalm://datasets/rides/2?sha256='
    """
    return f"mlalm://{kind}s/{name}/{version}?sha256={digest}"


def trained_model_name(name: str) -> str:
    """What a trained model is called inside a definition.

    >>> trained_model_name("churn")
    'churn [trained model]'
    """
    return f"{name} [trained model]"
