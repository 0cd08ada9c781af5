"""A scorer process: one event loop, one compute thread, one loader thread, and its share of the public port.

The supervisor starts it as `python -m mlalm_jupyter.scoring.process --fd N --slot K --home H`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
from pathlib import Path

import uvicorn
import uvloop

from mlalm_jupyter.scoring.app import ScoringApp
from mlalm_jupyter.scoring.calls import CallTable
from mlalm_jupyter.scoring.compute import Worker
from mlalm_jupyter.scoring.control import Control
from mlalm_jupyter.scoring.forwarding import ApiForwarder
from mlalm_jupyter.scoring.generation import Generation
from mlalm_jupyter.scoring.lifeline import die_with, is_orphan
from mlalm_jupyter.scoring.limits import Limits
from mlalm_jupyter.scoring.places import Places
from mlalm_jupyter.scoring.protocol import bounded_protocol
from mlalm_jupyter.scoring.roster import Roster

_TICK_S = 0.02
_TICKS_PER_LOOK = 25
log = logging.getLogger("mlalm.scoring")


def main() -> None:
    """Serve until told to stop, or until the supervisor is gone."""
    parser = argparse.ArgumentParser(prog="mlalm-scorer")
    parser.add_argument("--fd", type=int, required=True, help="the listening socket, inherited")
    parser.add_argument("--slot", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--parent", type=int, default=os.getppid())
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    die_with(args.parent)
    listener = socket.socket(fileno=args.fd)
    uvloop.run(_serve(listener, args.slot, Places(args.home), args.parent))


async def _serve(listener: socket.socket, slot: int, places: Places, parent: int) -> None:
    limits = Limits.from_env(os.environ)
    loop = asyncio.get_running_loop()
    generation = Generation(places.generation)
    calls = CallTable(places.calls, generation, slot)
    calls.clear()
    generation.claim(slot, os.getpid())
    roster = Roster(places, generation, slot, Worker("loader", loop), calls)
    app = ScoringApp(roster, Worker("compute", loop), ApiForwarder(places.api_socket), limits)
    await roster.take_over()
    control = await Control(roster).listen(places.control_socket(slot))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=bounded_protocol(limits),
            ws="none",
            lifespan="off",
            access_log=False,
            server_header=False,
            log_config=None,
            proxy_headers=False,
            backlog=2048,
            timeout_keep_alive=round(limits.keep_alive_s),
            timeout_graceful_shutdown=5,
        )
    )
    watch = loop.create_task(_watch(server, app, parent))
    warm = loop.create_task(roster.warm())
    log.info("scorer %d serves %d workspaces", slot, len(roster.workspaces))
    try:
        await server.serve(sockets=[listener])
    finally:
        watch.cancel()
        warm.cancel()
        control.close()


async def _watch(server: uvicorn.Server, app: ScoringApp, parent: int) -> None:
    """Notice, also without requests, what has changed around this process."""
    ticks = 0
    look: asyncio.Task[None] | None = None
    while True:
        await asyncio.sleep(_TICK_S)
        app.roster.notice()
        ticks += 1
        if ticks % _TICKS_PER_LOOK == 0:
            app.replace_stuck_threads()
            if app.is_retiring or is_orphan(parent):
                server.should_exit = True
        if ticks % (2 * _TICKS_PER_LOOK) == 0 and (look is None or look.done()):
            look = asyncio.create_task(app.roster.look_for_workspaces())


if __name__ == "__main__":
    main()
