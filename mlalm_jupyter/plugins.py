"""The seam for plug-ins: model formats, notebook runners, service hosts and blob stores.

A package offers its own through the entry-point group `mlalm_jupyter`; ours come in through the same hooks.

>>> from mlalm_jupyter import plugins
>>> [f.name for f in plugins.model_formats()][-2:]
['skops', 'cloudpickle']
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import pluggy

from mlalm_jupyter.domain.errors import NotFound
from mlalm_jupyter.ports import BlobStoreFactory, HostFactory, ModelFormat, RunnerFactory

GROUP = "mlalm_jupyter"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

# A scoring image has no adapters and no serving, so each room is loaded only when its hook is asked.
_OURS = {
    "mlalm_model_formats": "mlalm_jupyter.formats.ours",
    "mlalm_notebook_runners": "mlalm_jupyter.adapters.ours",
    "mlalm_blob_stores": "mlalm_jupyter.adapters.ours",
    "mlalm_service_hosts": "mlalm_jupyter.serving.ours",
}


class Hooks:
    """What a plug-in may offer."""

    @hookspec
    def mlalm_model_formats(self) -> list[ModelFormat]:
        """Formats in the order they should be asked whether they take a model."""
        raise AssertionError("a specification is not called")

    @hookspec
    def mlalm_notebook_runners(self) -> Mapping[str, RunnerFactory]:
        """Notebook runners by name."""
        raise AssertionError("a specification is not called")

    @hookspec
    def mlalm_blob_stores(self) -> Mapping[str, BlobStoreFactory]:
        """Blob stores by name."""
        raise AssertionError("a specification is not called")

    @hookspec
    def mlalm_service_hosts(self) -> Mapping[str, HostFactory]:
        """Service hosts by name."""
        raise AssertionError("a specification is not called")


_taking_in = threading.Lock()


@cache
def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    manager.load_setuptools_entrypoints(GROUP)
    return manager


def _asked(hook: str) -> list[Any]:
    """What all plug-ins answer to a hook; ours are marked to be the last, so that strangers take precedence."""
    room = _OURS[hook]
    # outside the lock: whoever is importing it already may be about to ask us something
    plugin = importlib.import_module(room)
    with _taking_in:
        manager = _manager()
        if not manager.has_plugin(room):
            manager.register(plugin, name=room)
    return cast("list[Any]", getattr(manager.hook, hook)())


def model_formats() -> list[ModelFormat]:
    """All model formats, in the order they are asked."""
    return [one for offered in _asked("mlalm_model_formats") for one in offered]


def model_format(name: str) -> ModelFormat:
    """The model format of that name."""
    found = {one.name: one for one in reversed(model_formats())}
    if name not in found:
        raise NotFound("model format", name, known=found, fix="Install the plug-in that brings it.")
    return found[name]


def _named(hook: str, kind: str, name: str) -> Any:
    found: dict[str, Any] = {}
    for offered in reversed(_asked(hook)):
        found.update(offered)
    if name not in found:
        raise NotFound(kind, name, known=found, fix="Install the plug-in that brings it.")
    return found[name]


def notebook_runner(name: str = "papermill") -> RunnerFactory:
    """The notebook runner of that name."""
    return cast(RunnerFactory, _named("mlalm_notebook_runners", "notebook runner", name))


def blob_store(name: str = "folder") -> BlobStoreFactory:
    """The blob store of that name."""
    return cast(BlobStoreFactory, _named("mlalm_blob_stores", "blob store", name))


def service_host(name: str = "local") -> HostFactory:
    """The service host of that name."""
    return cast(HostFactory, _named("mlalm_service_hosts", "service host", name))
