"""How Jupyter learns of us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlalm_jupyter.surfaces.lab.handlers import handlers

NAME = "mlalm-jupyter"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where the built panel lies."""
    return [{"src": "labextension", "dest": NAME}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Which module the Jupyter server loads."""
    return [{"module": "mlalm_jupyter"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Add our routes to a Jupyter server."""
    app = server.web_app
    app.settings.setdefault("server_root_dir", str(Path(server.root_dir)))
    app.add_handlers(".*$", handlers(app.settings["base_url"]))
    server.log.info("mlalm_jupyter: experiments, models and services at /mlalm/api")
