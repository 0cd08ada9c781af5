"""Addresses of files: which ones are on the web, and how much of one people may see."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SHORT = 3
"""Words of so few characters are no secrets, and stand in other words."""


def is_web_address(text: str) -> bool:
    """Whether a text is an http(s) address, and not a path.

    >>> is_web_address("https://example.org/rides.csv"), is_web_address("rides.csv")
    (True, False)
    """
    return text.lower().startswith(("http://", "https://"))


def shown_address(address: str) -> str:
    """An address without what it may keep secret: password, values of its query, fragment; a path as it is.

    Who asks is a secret on the web, where tokens stand in that place, and part of the way for ssh.

    >>> shown_address("https://me:word@example.org/rides.csv?sv=2024&sig=abc")
    'https://example.org/rides.csv?sv=...&sig=...'
    >>> shown_address("ssh://git:word@example.org/rides.git")
    'ssh://git@example.org/rides.git'
    """
    if not _SCHEME.match(address) or address.lower().startswith("file:"):
        return address
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        port = f":{parts.port}" if parts.port else ""
        who = f"{parts.username}@" if parts.username and parts.scheme.lower() == "ssh" else ""
    except ValueError:
        return f"{address.partition('://')[0]}://..."
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    # without an equals sign the whole query may be a secret
    query = (
        "&".join(f"{quote(name)}=..." for name in names) if "=" in parts.query else "..." * bool(parts.query)
    )
    return f"{parts.scheme}://{who}{host}{port}{parts.path}{'?' if query else ''}{query}"


def without_secrets(text: str, address: str) -> str:
    """What somebody else says about an address, such as git, without what that address keeps secret.

    >>> without_secrets("cannot read 'https://hush@example.org'", "https://hush@example.org/x.git")
    "cannot read 'https://...@example.org'"
    """
    kept = shown_address(address)
    told = text.replace(address, kept)
    authority = address.partition("://")[2].partition("/")[0]
    userinfo, at, _ = authority.rpartition("@")
    words = [userinfo, *userinfo.split(":", 1)] if at else []
    query = address.partition("?")[2].partition("#")[0]
    words += [query, *(value for _, value in parse_qsl(query))]
    words += [unquote(word) for word in words]
    for word in sorted({word for word in words if word}, key=len, reverse=True):
        if len(word) > _SHORT and f"{word}@" not in kept:
            told = told.replace(word, "...")
    return told


def file_name_of(address: str) -> str:
    """The name of the file at an address or path.

    >>> file_name_of("https://example.org/a%20b.csv?sig=abc")
    'a b.csv'
    """
    path = urlsplit(address).path if is_web_address(address) else address
    return PurePosixPath(unquote(path) if is_web_address(address) else path).name
