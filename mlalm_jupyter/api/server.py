"""The server of this user, which hosts the services of all workspaces."""

from __future__ import annotations

from typing import Annotated

from mlalm_jupyter.api.counts import at_least
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.server import ServerStatus
from mlalm_jupyter.ports import ServiceHost


class Server:
    """The server's verbs; they need no workspace."""

    def __init__(self, host: ServiceHost) -> None:
        self._host = host

    @verb("server", "start", attribute="server", needs_workspace=False, is_long=True)
    def start(
        self,
        *,
        port: Annotated[int | None, Arg("a new port, which changes every address", metavar="PORT")] = None,
    ) -> ServerStatus:
        """Start the server, at the address it had before; a running one goes on."""
        return self._host.start(port=port)

    @verb("server", "stop", attribute="server", needs_workspace=False)
    def stop(self) -> ServerStatus:
        """Stop the server and everything it runs."""
        return self._host.stop()

    @verb("server", "status", attribute="server", needs_workspace=False)
    def status(self) -> ServerStatus:
        """Show whether the server runs, where, and which processes carry it."""
        return self._host.status()

    @verb("server", "logs", attribute="server", needs_workspace=False)
    def logs(
        self,
        *,
        process: Annotated[
            str | None, Arg("one process, as `server status` names it", metavar="PROCESS")
        ] = None,
        lines: Annotated[int, Arg("how many lines of each")] = 50,
    ) -> str:
        """Show the end of the server's logs."""
        return self._host.logs(process=process, lines=at_least(1, lines, of="lines"))
