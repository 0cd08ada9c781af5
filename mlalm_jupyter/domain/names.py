"""Names and references, in the forms people type: `churn:3`, `churn/ep2`, `run:0193ab`."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from mlalm_jupyter.domain.errors import InvalidInput

_ASSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_ALIAS = re.compile(r"[a-z][a-z0-9-]{0,39}")
_ENDPOINT_NAME = re.compile(r"[a-z0-9]{1,24}")
_ID_PREFIX = re.compile(r"[0-9a-f]{4,32}")

DEFAULT_ENDPOINT = "default"


def name_of(path: str) -> str:
    """A notebook as it is named in a command that a person copies into a shell or a cell.

    >>> name_of("teams/churn.ipynb")
    'teams/churn'
    >>> name_of("my churn.ipynb")
    "'my churn'"
    """
    return shlex.quote(path.removesuffix(".ipynb"))


def checked_name(kind: str, name: str) -> str:
    """A name that may be given to an asset or a service.

    >>> checked_name("model", "churn-clf")
    'churn-clf'
    """
    if not _ASSET_NAME.fullmatch(name):
        raise InvalidInput(
            f"The {kind} name '{name}'",
            expected="1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
            got=f"{len(name)} characters" if len(name) > 128 else repr(name),
        )
    return name


@dataclass(frozen=True, slots=True)
class AssetRef:
    """A dataset, transform or model by name, and perhaps by version; a model also by alias.

    >>> AssetRef.parse("model", "churn:3")
    AssetRef(kind='model', name='churn', version=3, alias=None)
    >>> AssetRef.parse("model", "churn@champion").alias
    'champion'
    """

    kind: str
    name: str
    version: int | None = None
    alias: str | None = None

    @classmethod
    def parse(cls, kind: str, text: str) -> AssetRef:
        if "@" in text and kind == "model":
            name, _, alias = text.partition("@")
            return cls(kind, checked_name(kind, name), alias=checked_alias(alias))
        name, colon, version = text.partition(":")
        if colon and not _VERSION.fullmatch(version):
            forms = "NAME, NAME:VERSION or NAME@ALIAS" if kind == "model" else "NAME or NAME:VERSION"
            raise InvalidInput(f"The {kind} reference '{text}'", expected=forms, got=repr(text))
        return cls(kind, checked_name(kind, name), int(version) if colon else None)

    def __str__(self) -> str:
        if self.alias is not None:
            return f"{self.name}@{self.alias}"
        return self.name if self.version is None else f"{self.name}:{self.version}"


def checked_alias(alias: str) -> str:
    """A word that may stand for a version.

    >>> checked_alias("champion")
    'champion'
    """
    if not _ALIAS.fullmatch(alias):
        raise InvalidInput(
            f"The alias '{alias}'",
            expected="1 to 40 of a-z, 0-9 and '-', beginning with a letter",
            got=repr(alias),
        )
    return alias


@dataclass(frozen=True, slots=True)
class EndpointRef:
    """An endpoint of a service; without a slash it is the default one.

    >>> str(EndpointRef.parse("churn"))
    'churn/default'
    """

    service: str
    endpoint: str = DEFAULT_ENDPOINT

    @classmethod
    def parse(cls, text: str) -> EndpointRef:
        service, slash, endpoint = text.partition("/")
        checked_name("service", service)
        if slash and not _ENDPOINT_NAME.fullmatch(endpoint):
            raise InvalidInput(
                f"The endpoint name '{endpoint}'",
                expected="1 to 24 of a-z and 0-9",
                got=repr(endpoint),
            )
        return cls(service, endpoint if slash else DEFAULT_ENDPOINT)

    def __str__(self) -> str:
        return f"{self.service}/{self.endpoint}"


def id_prefix(kind: str, text: str) -> str:
    """The hex prefix in `run:0193ab...` or `0193ab`; any unique one will do.

    >>> id_prefix("run", "run:0193ab")
    '0193ab'
    """
    prefix = text.removeprefix(f"{kind}:").lower()
    if not _ID_PREFIX.fullmatch(prefix):
        raise InvalidInput(
            f"The {kind} id '{text}'", expected="at least 4 hex digits of an id", got=repr(text)
        )
    return prefix
