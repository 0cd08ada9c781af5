"""The api process: everything the server answers beside scoring, behind a local socket.

It also publishes what someone committed to a catalog and did not live to publish.
"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

import uvicorn

from mlalm_jupyter.scoring.lifeline import die_with
from mlalm_jupyter.scoring.places import listening_at
from mlalm_jupyter.serving.home import Home
from mlalm_jupyter.serving.republisher import Republisher

# above this room, so it is named and not imported
APP = "mlalm_jupyter.server:app"
ALSO_NEEDED = (APP.partition(":")[0],)


def main() -> None:
    """Answer until told to stop, or until the supervisor is gone."""
    parser = argparse.ArgumentParser(prog="mlalm-api")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--parent", type=int, default=os.getppid())
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    die_with(args.parent)
    home = Home(args.home)
    config = uvicorn.Config(
        APP,
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        date_header=False,
        log_config=None,
        # only the scorers can reach the socket, and they say whom they speak for
        proxy_headers=True,
        forwarded_allow_ips="*",
        timeout_graceful_shutdown=5,
    )
    config.load()
    listener = listening_at(home.api_socket)
    Republisher(home, parent=args.parent).start()
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
