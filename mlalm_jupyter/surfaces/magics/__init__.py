"""Notebook cells: `%mlalm NOUN VERB ...` and the short forms."""

from __future__ import annotations

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext mlalm_jupyter` does; doing it again changes nothing."""
    from mlalm_jupyter.surfaces.display import register_formatters
    from mlalm_jupyter.surfaces.magics.completion import complete_in
    from mlalm_jupyter.surfaces.magics.magics import MlalmMagics

    register_formatters(shell)
    before = shell.magics_manager.registry.get(MlalmMagics.__name__)
    if before is None:
        magics = MlalmMagics(shell)
        magics.session.attach()
        shell.register_magics(magics)
    else:
        shell.register_magics(before)
    complete_in(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext mlalm_jupyter` does."""
    from mlalm_jupyter.surfaces.magics.completion import forget_in
    from mlalm_jupyter.surfaces.magics.magics import MlalmMagics

    forget_in(shell)
    magics = shell.magics_manager.registry.pop(MlalmMagics.__name__, None)
    if magics is not None:
        magics.session.detach()
    for name in MlalmMagics.names():
        shell.magics_manager.magics["line"].pop(name, None)
