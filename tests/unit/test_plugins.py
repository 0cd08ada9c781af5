"""The seam: ours come in through the same hooks as a stranger's."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace

import pytest

from mlalm_jupyter import plugins
from mlalm_jupyter.domain.errors import NotFound

OURS = [
    *("xgboost", "lightgbm", "catboost", "onnx", "torch", "torchscript", "torch-export", "statsmodels"),
    *("skops", "cloudpickle"),
]


class Echo:
    """A format of somebody else."""

    name = "echo"
    is_data_only = True


class Stranger:
    @plugins.hookimpl
    def mlalm_model_formats(self) -> list[object]:
        return [Echo()]

    @plugins.hookimpl
    def mlalm_service_hosts(self) -> Mapping[str, object]:
        return {"elsewhere": lambda: SimpleNamespace(name="elsewhere")}


@pytest.fixture
def stranger() -> Iterator[None]:
    plugin = Stranger()
    plugins._manager().register(plugin)
    yield
    plugins._manager().unregister(plugin)


def test_our_own_come_in_through_the_hooks() -> None:
    assert [one.name for one in plugins.model_formats()] == OURS
    for named in (
        plugins.service_host("local"),
        plugins.notebook_runner("papermill"),
        plugins.blob_store("folder"),
    ):
        assert callable(named)


@pytest.mark.usefixtures("stranger")
def test_a_stranger_is_asked_before_us() -> None:
    assert [one.name for one in plugins.model_formats()] == ["echo", *OURS]
    assert plugins.service_host("elsewhere")().name == "elsewhere"  # type: ignore[attr-defined]
    assert callable(plugins.service_host("local"))


def test_an_unknown_plug_in_offers_the_nearest_name() -> None:
    with pytest.raises(NotFound, match="nearest names are 'local'"):
        plugins.service_host("locale")


def test_many_threads_may_ask_first_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(room: str) -> ModuleType:
        time.sleep(0.02)
        return importlib.import_module(room)

    monkeypatch.setattr(plugins, "importlib", SimpleNamespace(import_module=slowly))
    for _ in range(3):
        plugins._manager.cache_clear()
        asks = (plugins.model_formats, plugins.notebook_runner, plugins.blob_store, plugins.service_host)
        with ThreadPoolExecutor(16) as threads:
            answers = [threads.submit(ask) for ask in asks * 4]
        assert all(answer.result(timeout=30) for answer in answers)
        assert all(plugins._manager().has_plugin(room) for room in plugins._OURS.values())
