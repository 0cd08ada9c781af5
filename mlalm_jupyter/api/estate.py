"""Plans and regions: what a New service may take, and where it lives. They need no workspace."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from mlalm_jupyter.api.context import Opener
from mlalm_jupyter.api.placing import Held, held_services
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import InUse, InvalidInput, Unconfirmed
from mlalm_jupyter.domain.estate import Plan, Region, checked_place
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.outcome import Removed
from mlalm_jupyter.domain.workspace import CATALOG, HIDDEN
from mlalm_jupyter.ports import Estate

_PLAN = Arg("the plan's name", metavar="PLAN")
_REGION = Arg("the region's name", metavar="REGION")


class Plans:
    """Classes of capacity."""

    def __init__(self, estate: Estate, another: Opener, *, who: str, now: str) -> None:
        self._estate = estate
        self._another = another
        self._who = who
        self._now = now

    @verb("plan", "add", attribute="plans", needs_workspace=False)
    def add(
        self,
        plan: Annotated[str, _PLAN],
        *,
        workers: Annotated[int, Arg("how many scorer processes its services' regions run at least")] = 2,
        concurrency: Annotated[int, Arg("how many calls one of its services answers at once")] = 20,
        memory: Annotated[
            int, Arg("how many MB the models and data of one of its services may take", metavar="MB")
        ] = 1024,
    ) -> Plan:
        """Make a plan: how much each service that is deployed with it may take.

        >>> ws.plans.add("small", workers=1, concurrency=4).max_concurrent_calls  # doctest: +SKIP
        4
        """
        made = Plan(plan, workers, concurrency, memory, self._now, self._who).checked()
        with self._estate.alone():
            self._estate.add_plan(made)
        return made

    @verb("plan", "list", attribute="plans", needs_workspace=False)
    def list(self) -> Listing[Plan]:
        """List the plans and what is deployed with them."""
        services = held_services(self._estate, self._another)
        return Listing("plan", [_with_users(one, services) for one in self._estate.plans()])

    @verb("plan", "show", attribute="plans", needs_workspace=False)
    def show(self, plan: Annotated[str, _PLAN]) -> Plan:
        """Show one plan and what is deployed with it."""
        return _with_users(self._estate.plan(plan), held_services(self._estate, self._another))

    @verb("plan", "remove", attribute="plans", needs_workspace=False)
    def remove(
        self,
        plan: Annotated[str, _PLAN],
        *,
        yes: Annotated[bool, Arg("remove it without asking")] = False,
    ) -> Removed:
        """Remove a plan that no service has."""
        with self._estate.alone():
            found = self.show(plan)
            if found.services:
                raise InUse(
                    "plan",
                    plan,
                    users=[f"service {one}" for one in found.services],
                    fix="Delete those services first; a service keeps its plan as long as it lives.",
                )
            if not yes:
                raise Unconfirmed(f"Plan {plan}", goes=[f"plan {plan}, which no service has"], is_final=False)
            self._estate.remove_plan(found.name)
        return Removed("plan", plan)


class Regions:
    """Places to serve."""

    def __init__(self, estate: Estate, *, who: str, now: str) -> None:
        self._estate = estate
        self._who = who
        self._now = now

    @verb("region", "add", attribute="regions", needs_workspace=False)
    def add(
        self,
        region: Annotated[str, _REGION],
        *,
        storage: Annotated[
            str, Arg("the folder that keeps all its services have", metavar="FOLDER", place="file")
        ] = "",
    ) -> Region:
        """Make a region: a folder for whole services, and a server of its own that is started by the first of them.

        A folder that was a region's already brings its services back, with their ids and keys.

        >>> ws.regions.add("west", storage="/srv/mlalm/west").services  # doctest: +SKIP
        ()
        """
        checked_place("region", region)
        if not storage.strip():
            raise InvalidInput(
                f"The storage of region '{region}'",
                expected="a folder",
                got="none",
                fix="Name one with --storage.",
            )
        folder = Path(os.path.expanduser(storage)).absolute()
        if folder.exists() and not folder.is_dir():
            raise InvalidInput(f"The storage of region '{region}'", expected="a folder", got="a file")
        with self._estate.alone():
            made = self._estate.add_region(Region(region, str(folder), self._now, self._who))
        around = next((one for one in folder.parents if (one / HIDDEN / CATALOG).exists()), None)
        notes = [made.note] if made.note else []
        if around is not None:
            notes.append(f"It lies in workspace '{around}', and goes where that folder goes.")
        if made.services and not made.is_running:
            notes.append(f"It brings {', '.join(made.services)}: `mlalm server start --region {region}`.")
        return replace(made, note=" ".join(notes) or None)

    @verb("region", "list", attribute="regions", needs_workspace=False)
    def list(self) -> Listing[Region]:
        """List the regions, and what lives in each."""
        return Listing("region", self._estate.regions())

    @verb("region", "show", attribute="regions", needs_workspace=False)
    def show(self, region: Annotated[str, _REGION]) -> Region:
        """Show one region: its storage, its address, and what lives there."""
        return self._estate.region(region)

    @verb("region", "remove", attribute="regions", needs_workspace=False)
    def remove(
        self,
        region: Annotated[str, _REGION],
        *,
        yes: Annotated[bool, Arg("remove it without asking; what lives there stops answering")] = False,
    ) -> Removed:
        """Stop a region's server and forget the region; its storage stays, and brings it back when it is added again."""
        with self._estate.alone():
            found = self._estate.region(region)
            if not yes:
                raise Unconfirmed(f"Region {region}", goes=_goes(found), is_final=False)
            at_work = [one for one in found.services if self._estate.is_changing(found, one)]
            if at_work:
                raise InUse(
                    "region",
                    region,
                    users=[f"a change of service {one}" for one in at_work],
                    fix="Wait for its end, then repeat it.",
                )
            if not found.note:
                self._estate.host(found).stop()
            self._estate.remove_region(region)
        if found.note:
            return Removed("region", region, note=f"Its storage was not touched. {found.note}")
        return Removed("region", region, note=f"Its storage is still there: '{found.storage}'.")


def _with_users(plan: Plan, services: list[Held]) -> Plan:
    users = [f"{one.region.name}/{one.service.name}" for one in services if one.terms.plan.name == plan.name]
    return replace(plan, services=tuple(users))


def _goes(region: Region) -> list[str]:
    """What nobody has any more without a region; its storage stays."""
    if region.note:
        return [f"region {region.name} and whatever lives in it, which nobody can see just now"]
    stays = "their ids, keys and storage stay"
    return [
        *(f"the address of service {one}" for one in region.services),
        f"the region itself ({stays if region.services else 'nothing lives in it'})",
    ]
