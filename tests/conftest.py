"""What all tests share: counts, a home and a workspace of their own."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
# jsonschema can do without it, and in each of the processes it takes a second to import
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
# what a shell starts in the background ignores interrupts, and with it all that the tests start to interrupt
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# how long one example takes is the machine's affair
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")


@pytest.fixture(scope="session")
def counts() -> Callable[[int, int], int]:
    """`counts(usual, full)`: how often to repeat; a prove run sets MLALM_FULL=1."""
    return lambda usual, full: full if os.environ.get("MLALM_FULL") == "1" else usual


_BROWSERS = (
    "tests/browser/",
    "tests/unit/notebook/test_in_chromium.py",
    "tests/unit/surfaces/test_registry_in_chromium.py",
)
"""What is run by one process: browsers beside each other would only take each other's time."""
_WHOLE = (
    "tests/notebooks/",
    "tests/docs/test_wheel.py",
    # each would start its server once in every process
    "tests/clients/test_scoring_clients.py",
    "tests/contract/test_endpoint_limits.py",
    "tests/contract/test_plain_wire.py",
    "tests/contract/test_scoring_wire.py",
    "tests/contract/test_server_api.py",
    "tests/faults/test_scoring_fuzz.py",
    "tests/faults/test_server_requests.py",
    "tests/faults/test_uploads.py",
)
"""Where each file is run by one process, because its tests share what takes long to make."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a prove run has the time for."""
    left = [one for one in items if one.get_closest_marker("full")]
    if left and os.environ.get("MLALM_FULL") != "1":
        config.hook.pytest_deselected(items=left)
        items[:] = [one for one in items if one not in left]


def _group(nodeid: str) -> str:
    """Tests of one group go to one process."""
    file = nodeid.partition("::")[0]
    if file.startswith(_BROWSERS):
        return "browser"
    return file if file.startswith(_WHOLE) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    # marks of groups are not seen: xdist 3.8 writes them where pytest 9.2 no longer looks
    from xdist.scheduler import LoadScopeScheduling

    class InGroups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return InGroups(config, log)


FIGURES = pytest.StashKey[Counter[str]]()


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Counter[str]:
    """What a prove run did, by what it is; `figures["kills"] += 1` is told at its end."""
    return request.config.stash.setdefault(FIGURES, Counter())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:  # one of several processes hands its figures to the one that tells them
        output["figures"] = dict(session.config.stash.get(FIGURES, Counter()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {}).get("figures", {})
    node.config.stash.setdefault(FIGURES, Counter()).update(told)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    told = config.stash.get(FIGURES, None)
    if told:
        terminalreporter.section("what was run")
        for name, count in sorted(told.items()):
            terminalreporter.line(f"{count:>9,}  {name}")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An MLALM_HOME of this test's own; a server that it started is stopped."""
    path = tmp_path / "home"
    monkeypatch.setenv("MLALM_HOME", str(path))
    monkeypatch.delenv("MLALM_WORKSPACE", raising=False)
    monkeypatch.delenv("MLALM_RUN", raising=False)
    yield path
    if path.exists():
        _stop(path)


@pytest.fixture
def workspace(home: Path, tmp_path: Path) -> Iterator[Any]:
    """A real workspace on disk with a server of its own, started by what needs it."""
    from mlalm_jupyter.workspace import Workspace

    with Workspace.init(tmp_path / "ws") as made:
        yield made


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One MLALM_HOME for all tests that only need some server; it is stopped at the end."""
    path = tmp_path_factory.mktemp("shared") / "home"
    yield path
    if path.exists():
        _stop(path)


@pytest.fixture
def hosted(shared_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A workspace of this test's own on the server that tests share, which saves the time of a start."""
    from mlalm_jupyter.workspace import Workspace

    monkeypatch.setenv("MLALM_HOME", str(shared_home))
    for name in ("MLALM_WORKSPACE", "MLALM_RUN", "MLALM_JOB"):
        monkeypatch.delenv(name, raising=False)
    with Workspace.init(tmp_path / "ws") as made:
        yield made
        # a server looks at every workspace that it knows again and again
        for folder in ("workspaces", "serving"):
            (shared_home / folder / f"{made.info.id}.json").unlink(missing_ok=True)


def _stop(home: Path) -> None:
    from mlalm_jupyter.plugins import service_host

    before = os.environ.get("MLALM_HOME")
    os.environ["MLALM_HOME"] = str(home)
    try:
        service_host()().stop()
    finally:
        if before is None:
            del os.environ["MLALM_HOME"]
        else:
            os.environ["MLALM_HOME"] = before
