"""Answers that are not results: every refusal a client of the scoring service can get.

A `Refusal` is an HTTP answer on its way out, not an error of the product: it never leaves this room.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from mlalm_jupyter.domain.errors import (
    Corrupt,
    InvalidInput,
    MissingDependency,
    MlalmError,
    NotFound,
    ScoringFailed,
    Unauthorized,
    Unavailable,
    UntrustedContent,
)

_MESSAGES = {
    "BadArgument": "Invalid argument provided.",
    "BadUserArgument": "Invalid argument provided by the user.",
    "ModuleExecutionError": "A step of the service failed.",
    "MethodNotAllowed": "That method is not offered here.",
    "Unauthorized": "Access was refused.",
    "NotFound": "There is nothing at that address.",
    "RequestTimeout": "The request did not arrive in time.",
    "MemoryQuotaViolation": "The request is larger than this service takes.",
    "InternalError": "The service could not answer.",
    "ModelPackageFormatError": "The service's definition could not be loaded.",
    "ServiceUnavailable": "The service cannot answer now.",
    "GatewayTimeout": "The service did not answer in time.",
    "BadGateway": "The server behind this address does not answer.",
}


class Refusal(Exception):
    """An answer in the published error envelope: a class of error, and its precise cause."""

    def __init__(
        self,
        status: int,
        code: str,
        cause: str,
        message: str,
        *,
        target: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.cause = cause
        self.message = message
        self.target = target
        self.headers = headers

    def to_dict(self) -> dict[str, object]:
        detail = {"code": self.cause, "message": self.message}
        if self.target is not None:
            detail["target"] = self.target
        return {"error": {"code": self.code, "message": _MESSAGES[self.code], "details": [detail]}}

    def to_ours(self) -> dict[str, object]:
        """The same in the envelope of our own addresses, which begin with /mlalm/."""
        fix = "See `mlalm server status` and `mlalm server logs`, then try again."
        told = {"code": self.cause, "what": _MESSAGES[self.code], "why": self.message, "fix": fix}
        return {"error": told}


_CLOSE = ((b"connection", b"close"),)


def named(names: Iterable[str]) -> str:
    """Names a caller sent or should send, as a sentence has them: the first ones, none very long."""
    shown = [name if len(name) <= 60 else f"{name[:57]}..." for name in islice(names, 10)]
    return ", ".join(f"'{name}'" for name in shown)


def bad_request(message: str, *, cause: str = "RequestBodyInvalid", target: str | None = None) -> Refusal:
    return Refusal(400, "BadArgument", cause, message, target=target)


def mismatch(message: str, *, target: str) -> Refusal:
    """The columns do not fit the input schema."""
    return Refusal(400, "BadUserArgument", "InputMismatchError", message, target=target)


def unparsable(message: str, *, target: str) -> Refusal:
    """A cell does not read as its column's type."""
    return Refusal(400, "BadUserArgument", "InputParseError", message, target=target)


def unauthorized(message: str) -> Refusal:
    headers = ((b"www-authenticate", b"Bearer"),)
    return Refusal(401, "Unauthorized", "ScoreRequestUnauthorized", message, headers=headers)


def not_found(cause: str, message: str) -> Refusal:
    return Refusal(404, "NotFound", cause, message)


def method_not_allowed(method: str, allowed: bytes) -> Refusal:
    message = f"{method[:20]} is not offered at this address; it takes {allowed.decode()}."
    return Refusal(405, "MethodNotAllowed", "MethodNotAllowed", message, headers=((b"allow", allowed),))


def too_slow(seconds: float) -> Refusal:
    message = f"The whole request did not arrive within {seconds:g} s."
    return Refusal(408, "RequestTimeout", "RequestCanceled", message, headers=_CLOSE)


def too_large(limit_bytes: int) -> Refusal:
    message = f"The body is larger than {limit_bytes} bytes; send fewer rows at once."
    return Refusal(413, "MemoryQuotaViolation", "OutOfMemoryLimit", message, headers=_CLOSE)


def out_of_memory() -> Refusal:
    message = "There was not enough memory to answer; send fewer rows at once."
    return Refusal(413, "MemoryQuotaViolation", "OutOfMemoryLimit", message)


def out_of_time(seconds: float) -> Refusal:
    message = f"The service did not finish within {seconds:g} s."
    return Refusal(504, "GatewayTimeout", "BackendScoreTimeout", message)


def unavailable(cause: str, message: str, *, retry_after_s: int = 5) -> Refusal:
    headers = ((b"retry-after", str(retry_after_s).encode()),)
    return Refusal(503, "ServiceUnavailable", cause, message, headers=headers)


def stopped(endpoint: str) -> Refusal:
    service = endpoint.partition("/")[0]
    message = (
        f"Service '{service}' is stopped; its keys and its data are kept. Whoever may write to its workspace"
        f" starts it again with `mlalm service start {service}`."
    )
    return unavailable("WebServiceStopped", message, retry_after_s=30)


def throttled(endpoint: str, limit: int) -> Refusal:
    calls = f"{limit} calls" if limit > 1 else "one call"
    message = f"{endpoint} answers {calls} at once, and no more are taken now; call again in a moment."
    return unavailable("RequestThrottled", message, retry_after_s=1)


def bad_gateway(message: str) -> Refusal:
    return Refusal(502, "BadGateway", "BadGateway", message, headers=((b"retry-after", b"1"),))


def internal(request_id: str) -> Refusal:
    message = f"Something unforeseen happened; the server's log has it under {request_id}."
    return Refusal(500, "InternalError", "UnknownError", message)


# What our own errors are on this wire, most precise class first.
_TABLE: tuple[tuple[type[MlalmError], int, str, str], ...] = (
    (ScoringFailed, 400, "ModuleExecutionError", "ModuleExecutionError"),
    (InvalidInput, 400, "BadUserArgument", "InputMismatchError"),
    (Unauthorized, 401, "Unauthorized", "ScoreRequestUnauthorized"),
    (UntrustedContent, 500, "ModelPackageFormatError", "ModuleLoadFailed"),
    (MissingDependency, 500, "ModelPackageFormatError", "ModuleLoadFailed"),
    (Corrupt, 500, "ModelPackageFormatError", "ResourceLoadFailed"),
    (NotFound, 500, "ModelPackageFormatError", "ResourceLoadFailed"),
    (Unavailable, 503, "ServiceUnavailable", "NoMoreResources"),
    (MlalmError, 500, "InternalError", "UnknownError"),
)


def refusal_of(error: MlalmError) -> Refusal:
    """One of our errors as this wire says it."""
    for kind, status, code, cause in _TABLE:
        if isinstance(error, kind):
            return Refusal(status, code, cause, str(error))
    raise AssertionError("MlalmError is in the table")


def load_refusal(error: MlalmError) -> Refusal:
    """The answer of an endpoint whose definition does not load: never the client's fault."""
    found = refusal_of(error)
    if found.status >= 500:
        return found
    return Refusal(500, "ModelPackageFormatError", "ModuleLoadFailed", str(error))
