"""What an address of the scoring service asks for."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

EXECUTE, SCORE, SWAGGER, OPENAPI, V2 = "execute", "score", "swagger", "openapi", "v2"
_DOCUMENTS = {"swagger.json": SWAGGER, "apidocument": SWAGGER, "openapi.json": OPENAPI}
_OWNERS = ("workspaces", "subscriptions")


class Route(NamedTuple):
    """Whose endpoint, and what of it; `rest` is what follows, as it was written."""

    owner: str
    endpoint: str
    what: str
    rest: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def route(path: str) -> Route | None:
    """What a path asks for; None where it is none of the scoring service's.

    The fixed parts may be of any case, and one slash may follow.

    >>> route("/Workspaces/AB/services/cd/Execute/")
    Route(owner='ab', endpoint='cd', what='execute', rest=())
    >>> route("/workspaces/ab/services/cd/v2/models/wine/infer").rest
    ('models', 'wine', 'infer')
    """
    parts = path.split("/")
    if len(parts) > 2 and not parts[-1]:
        parts.pop()
    folded = [part.lower() for part in parts]
    if len(parts) == 9 and folded[1:3] == ["apihelp", "workspaces"]:
        # the address of an endpoint's help page, which tells the same as its own document
        if (folded[4], folded[6], folded[8]) == ("webservices", "endpoints", "apidocument"):
            return Route(folded[3], folded[7], SWAGGER)
        return None
    if len(parts) < 6 or parts[0] or folded[1] not in _OWNERS or folded[3] != "services":
        return None
    owner, endpoint, what = folded[2], folded[4], folded[5]
    if what == V2:
        return Route(owner, endpoint, V2, tuple(parts[6:]))
    if len(parts) != 6:
        return None
    if what in (EXECUTE, SCORE):
        return Route(owner, endpoint, what)
    return Route(owner, endpoint, _DOCUMENTS[what]) if what in _DOCUMENTS else None
