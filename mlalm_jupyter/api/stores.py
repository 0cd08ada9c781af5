"""Stores of New services: made with all that was asked for, and taken away whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.placing import Held, kind_here
from mlalm_jupyter.domain.errors import AlreadyExists, InvalidInput, MlalmError, TermsAreFixed
from mlalm_jupyter.domain.estate import Terms
from mlalm_jupyter.ports import Estate


def asked_terms(estate: Estate, service: str, *, plan: str | None, region: str | None) -> Terms:
    """The terms of a service that is to be made; what is missing or unknown is refused by its name."""
    plan = _given("plan", plan, service, what="the name of a plan", make="mlalm plan add PLAN")
    region = _given(
        "region",
        region,
        service,
        what="the name of a region, whose storage it is kept in",
        make="mlalm region add REGION --storage FOLDER",
    )
    return Terms(estate.region(region).name, estate.plan(plan))


def _given(field: str, value: str | None, service: str, *, what: str, make: str) -> str:
    if value:
        return value
    raise InvalidInput(
        f"The {field} of the New service '{service}'",
        expected=what,
        got="none",
        fix=f"Give --{field}. `mlalm {field} list` shows those that there are, `{make}` makes one.",
    )


def check_terms(held: Held, *, plan: str | None, region: str | None) -> None:
    """Refuse to move a service to other terms than it has."""
    if region not in (None, held.region.name):
        raise TermsAreFixed(held.service.name, term="region", has=held.region.name, wanted=str(region))
    if plan not in (None, held.terms.plan.name):
        raise TermsAreFixed(held.service.name, term="plan", has=held.terms.plan.name, wanted=str(plan))


@contextlib.contextmanager
def founded(
    context: Context, service: str, *, plan: str | None, region: str | None
) -> Iterator[tuple[Context, Terms]]:
    """A store for a service that is to be made; nothing of it stays where that fails.

    The name is taken under the lock of all, and held by a lock of its own while the rest takes its time.
    """
    estate = context.host.estate
    with contextlib.ExitStack() as held:
        with estate.alone():
            terms = asked_terms(estate, service, plan=plan, region=region)
            place = estate.region(terms.region)
            estate.check_there(place)
            if kind_here(context, service) or _is_taken(estate, service):
                raise AlreadyExists(
                    "service",
                    service,
                    fix="Choose another name, or deploy with --update to have it serve this.",
                )
            held.enter_context(estate.changing(place, service))
        folder, host = estate.store(place, service), estate.host(place)
        estate.clear(
            place, service
        )  # what somebody left who was ended while making or deleting one of that name
        try:
            with context.another(str(folder), host=host, make=True, progress=context.progress) as there:
                yield there, terms
        except BaseException:
            with contextlib.suppress(MlalmError, OSError):  # what is left is no service, and the name is free
                estate.clear(place, service)
            raise


def _is_taken(estate: Estate, service: str) -> bool:
    """Whether a New service has a name, or somebody is making one."""
    return any(service in one.services or estate.is_changing(one, service) for one in estate.regions())
