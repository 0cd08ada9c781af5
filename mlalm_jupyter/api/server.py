"""The server of this user, which hosts the services of all workspaces."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from mlalm_jupyter.api.counts import at_least
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import PortTaken
from mlalm_jupyter.domain.server import ServerStatus
from mlalm_jupyter.ports import ServiceHost

_REGION = Arg("only the server of this region", metavar="REGION")


class Server:
    """The server's verbs; they need no workspace."""

    def __init__(self, host: ServiceHost) -> None:
        self._host = host

    @verb("server", "start", attribute="server", needs_workspace=False, is_long=True)
    def start(
        self,
        *,
        port: Annotated[int | None, Arg("a new port, which changes every address", metavar="PORT")] = None,
        region: Annotated[str | None, _REGION] = None,
    ) -> ServerStatus:
        """Start the server, at the address it had before, and those of the regions in which something lives."""
        if region is not None:
            try:
                return self._of(region).start(port=port)
            except PortTaken as error:
                raise PortTaken(error.port, region=region) from error
        started = self._host.start(port=port)
        for one in self._host.estate.regions():
            if one.services and not one.is_running:
                self._host.estate.host(one).start()
        return self._with_regions(started)

    @verb("server", "stop", attribute="server", needs_workspace=False)
    def stop(self, *, region: Annotated[str | None, _REGION] = None) -> ServerStatus:
        """Stop the server and everything it runs, in all regions."""
        if region is not None:
            return self._of(region).stop()
        running = [one for one in self._host.estate.regions() if one.is_running]
        for one in running:
            self._host.estate.host(one).stop()
        stopped = self._with_regions(self._host.stop())
        if not (running and stopped.note):
            return stopped
        return replace(stopped, note=f"Stopped: region {', '.join(one.name for one in running)}.")

    @verb("server", "status", attribute="server", needs_workspace=False)
    def status(self, *, region: Annotated[str | None, _REGION] = None) -> ServerStatus:
        """Show whether the server runs, where, and which processes carry it."""
        if region is not None:
            return self._of(region).status()
        return self._with_regions(self._host.status())

    @verb("server", "logs", attribute="server", needs_workspace=False)
    def logs(
        self,
        *,
        process: Annotated[
            str | None, Arg("one process, as `server status` names it", metavar="PROCESS")
        ] = None,
        lines: Annotated[int, Arg("how many lines of each")] = 50,
        region: Annotated[str | None, _REGION] = None,
    ) -> str:
        """Show the end of the server's logs."""
        host = self._host if region is None else self._of(region)
        return host.logs(process=process, lines=at_least(1, lines, of="lines"))

    def _of(self, region: str) -> ServiceHost:
        return self._host.estate.host(self._host.estate.region(region))

    def _with_regions(self, status: ServerStatus) -> ServerStatus:
        return replace(status, regions=tuple(self._host.estate.regions()))
