"""The seam: ours come in through the same hooks as a stranger's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import pytest

from mlalm_jupyter import plugins
from mlalm_jupyter.domain.errors import NotFound


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
    assert [one.name for one in plugins.model_formats()] == ["skops", "cloudpickle"]
    for named in (
        plugins.service_host("local"),
        plugins.notebook_runner("papermill"),
        plugins.blob_store("folder"),
    ):
        assert callable(named)


@pytest.mark.usefixtures("stranger")
def test_a_stranger_is_asked_before_us() -> None:
    assert [one.name for one in plugins.model_formats()] == ["echo", "skops", "cloudpickle"]
    assert plugins.service_host("elsewhere")().name == "elsewhere"  # type: ignore[attr-defined]
    assert callable(plugins.service_host("local"))


def test_an_unknown_plug_in_offers_the_nearest_name() -> None:
    with pytest.raises(NotFound, match="nearest names are 'local'"):
        plugins.service_host("locale")
