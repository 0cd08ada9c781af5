"""What is a secret, or looks like one, and is therefore not to be kept."""

from __future__ import annotations

import re
import types
from typing import Any

_SECRET_NAME = re.compile(
    r"(?i)(^|_)(passwords?|passwd|pwd|passphrase|token|secrets?|key|credentials?|apikey)\d*(_|$)"
)
_GIVEN_NAME = re.compile(
    r"(?i)(^|_)(passwords?|passwd|pwd|passphrase|token|secrets?|credentials?|apikey"
    r"|(api|access|account|auth|private|secret)_key)\d*(_|$)"
)
"""Without other keys, for what joins or sorts rows is called so as well."""
_SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}"
    r"|\bglpat-[\w-]{16,}|\bsk-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}|\bhf_\w{20,}|\bAIza[\w-]{30,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.|://[^/\s:@]+:[^/\s@]+@"
)
_RANDOM_TEXT = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[\w+/=-]{24,256}")
_BY_NAME = "its name is that of a secret"
_BY_TEXT = "it looks like a secret, or holds one"


def secrecy(name: str, value: Any) -> str:
    """Why a value is not to be kept, for it is a secret or looks like one; empty when it may be.

    >>> secrecy("api_key", "x"), secrecy("rows", [1]), secrecy("options", {"password": "hunter2"})
    ('its name is that of a secret', '', 'it looks like a secret, or holds one')
    """
    if _SECRET_NAME.search(_parted(name)):
        return _BY_NAME
    return _BY_TEXT if _holds_secret(value) else ""


def given_secrecy(name: str, value: object) -> str:
    """Why a value that a person gives is not taken: a text under the name of a secret, or one in the form of a key.

    A wrong guess costs more here than where a value is only left out, so numbers and texts that are merely random pass.

    >>> given_secrecy("password", "hunter2"), given_secrecy("join_key", "id"), given_secrecy("token", 5)
    ('its name is that of a secret', '', '')
    """
    if isinstance(value, dict):
        return next((why for key, one in value.items() if (why := given_secrecy(str(key), one))), "")
    if isinstance(value, (list, tuple)):
        return next((why for one in value if (why := given_secrecy(name, one))), "")
    if not isinstance(value, str) or not value:
        return ""
    if _GIVEN_NAME.search(_parted(name)):
        return _BY_NAME
    return _BY_TEXT if _SECRET_TEXT.search(value[:65536]) else ""


def _parted(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name)


def _holds_secret(value: Any, depth: int = 4) -> bool:
    if isinstance(value, bytes):
        value = value[:65536].decode("latin-1")
    if isinstance(value, str):
        return bool(_SECRET_TEXT.search(value[:65536]) or _RANDOM_TEXT.fullmatch(value.strip()))
    if not depth or isinstance(value, (bool, int, float, type(None), type, types.FunctionType)):
        return False
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(_holds_secret(one, depth - 1) for one in value)
    inside = value if isinstance(value, dict) else getattr(value, "__dict__", None)
    if not isinstance(inside, dict):
        return False
    return any(
        (isinstance(one, (str, bytes)) and one and _SECRET_NAME.search(_parted(str(key))) is not None)
        or _holds_secret(one, depth - 1)
        for key, one in list(inside.items())
    )
