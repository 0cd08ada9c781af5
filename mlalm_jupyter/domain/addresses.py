"""Addresses of files: which ones are on the web, and how much of one people may see."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import parse_qsl, quote, unquote, urlsplit


def is_web_address(text: str) -> bool:
    """Whether a text is an http(s) address, and not a path.

    >>> is_web_address("https://example.org/rides.csv"), is_web_address("rides.csv")
    (True, False)
    """
    return text.lower().startswith(("http://", "https://"))


def shown_address(address: str) -> str:
    """An address without what it may keep secret: password, values of its query, fragment.

    >>> shown_address("https://me:word@example.org/rides.csv?sv=2024&sig=abc")
    'https://example.org/rides.csv?sv=...&sig=...'
    """
    if not is_web_address(address):
        return address
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"{address.partition('://')[0]}://..."
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    # without an equals sign the whole query may be a secret
    query = (
        "&".join(f"{quote(name)}=..." for name in names) if "=" in parts.query else "..." * bool(parts.query)
    )
    return f"{parts.scheme}://{host}{port}{parts.path}{'?' if query else ''}{query}"


def file_name_of(address: str) -> str:
    """The name of the file at an address or path.

    >>> file_name_of("https://example.org/a%20b.csv?sig=abc")
    'a b.csv'
    """
    path = urlsplit(address).path if is_web_address(address) else address
    return PurePosixPath(unquote(path) if is_web_address(address) else path).name
