"""How Jupyter learns of us."""

from __future__ import annotations

from typing import Any

from mlalm_jupyter.surfaces.lab.handlers import handlers
from mlalm_jupyter.surfaces.lab.record import keep_out
from mlalm_jupyter.surfaces.lab.snapshots import keep_locked

NAME = "mlalm-jupyter"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where the built panel lies."""
    return [{"src": "labextension", "dest": NAME}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Which module the Jupyter server loads."""
    return [{"module": "mlalm_jupyter"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Add our routes to a Jupyter server."""
    app, root = server.web_app, str(server.root_dir)
    app.settings.setdefault("server_root_dir", root)
    app.add_handlers(".*$", handlers(app.settings["base_url"], root=root))
    keep_out(server.contents_manager)
    keep_locked(server.contents_manager)
    server.log.info("mlalm_jupyter: experiments, models and services at /mlalm/api")
