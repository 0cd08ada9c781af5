"""Files outside the workspace, by http(s) address or by path; what an address keeps secret is never told."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from mlalm_jupyter.domain.addresses import is_web_address, shown_address
from mlalm_jupyter.domain.errors import InvalidInput, MlalmError, NotFound, Unavailable
from mlalm_jupyter.ports import Fetched

_CHUNK = 1 << 20
_CONNECT_S, _SILENCE_S = 10.0, 60.0
_REDIRECTS = 5


class HttpAndLocalFiles:
    """Fills `ports.OutsideFiles`."""

    def fetch(self, address: str, into: BinaryIO, *, told: Callable[[int, int], None]) -> Fetched:
        if is_web_address(address):
            return _from_web(address, into, told)
        return _from_disk(Path(address), into, told)


def _from_disk(path: Path, into: BinaryIO, told: Callable[[int, int], None]) -> Fetched:
    hasher, size = hashlib.sha256(), 0
    try:
        with open(path, "rb") as source:
            facts = os.fstat(source.fileno())
            while chunk := source.read(_CHUNK):
                hasher.update(chunk)
                into.write(chunk)
                size += len(chunk)
                told(size, facts.st_size)
    except FileNotFoundError as error:
        raise NotFound("file", str(path), fix="Put it back, or register where it is now.") from error
    except OSError as error:
        raise Unavailable(
            f"The file '{path}' was not read.",
            why=f"The system said: {error.strerror}.",
            fix="Check the path.",
        ) from error
    modified = datetime.fromtimestamp(facts.st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Fetched(hasher.hexdigest(), size, modified=modified)


def _from_web(address: str, into: BinaryIO, told: Callable[[int, int], None]) -> Fetched:
    import requests  # a sixth of the start of every command, of which hardly any comes here

    hasher, size = hashlib.sha256(), 0
    try:
        with requests.Session() as session:
            session.max_redirects = _REDIRECTS
            # a proxy from the environment has no business with this machine
            session.trust_env = urlsplit(address).hostname not in ("localhost", "127.0.0.1", "::1")
            with session.get(
                address,
                stream=True,
                timeout=(_CONNECT_S, _SILENCE_S),
                headers={"Accept-Encoding": "identity"},
            ) as answer:
                if answer.status_code != 200:
                    raise _refused(address, answer.status_code)
                expected = int(answer.headers.get("Content-Length") or 0)
                for chunk in answer.iter_content(_CHUNK):
                    hasher.update(chunk)
                    into.write(chunk)
                    size += len(chunk)
                    told(size, expected)
    # these errors name the whole address, so neither their text nor they themselves are passed on
    except requests.TooManyRedirects:
        raise _unreached(address, f"It leads on more than {_REDIRECTS} times.") from None
    except requests.Timeout:
        raise _unreached(address, "No answer came in time.") from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError):
        raise InvalidInput(
            f"The address '{shown_address(address)}'", expected="an http or https address", got="another"
        ) from None
    except requests.RequestException as error:
        raise _unreached(address, f"The connection failed ({type(error).__name__}).") from None
    except ValueError:
        raise _unreached(address, "The answer was not valid HTTP.") from None
    return Fetched(
        hasher.hexdigest(),
        size,
        etag=answer.headers.get("ETag"),
        modified=answer.headers.get("Last-Modified"),
    )


def _refused(address: str, status: int) -> MlalmError:
    if status in (404, 410):
        return NotFound("file", shown_address(address), fix="Check the address.")
    if status in (401, 403):
        return _unreached(
            address, f"It refuses us (status {status}).", "Register it with an address that may be read."
        )
    return _unreached(address, f"It answered with status {status}.")


def _unreached(address: str, why: str, fix: str = "Check the address, then try again.") -> Unavailable:
    return Unavailable(f"'{shown_address(address)}' was not read.", why=why, fix=fix)
