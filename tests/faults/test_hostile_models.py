"""The corpus of hostile model files: each is first shown to do its harm, then brought to us, where it does nothing."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.formats import bundle, foreign
from mlalm_jupyter.formats.inspection import inspected
from mlalm_jupyter.workspace import Workspace
from tests.faults.hostile_models import CORPUS, DIES, FIRES, NOTHING, TELLS, Hostile
from tests.faults.tampering import ROWS, good_package
from tests.frameworks import need

pytestmark = [
    pytest.mark.prove_models,
    pytest.mark.filterwarnings("ignore::Warning"),
    pytest.mark.timeout(300),
]

_ACTS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "pickle.find_class",
    "shutil.",
)
_WRITES = ("os.remove", "os.rename", "os.symlink", "os.link", "os.mkdir", "os.chmod", "socket.connect")
_watching: list[str] | None = None


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching is None:
        return
    is_written = (
        event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    )
    if is_written or event.startswith((*_ACTS, *_WRITES)):
        _watching.append(f"{event} {str(arguments)[:200]}")


@contextmanager
def watched() -> Iterator[list[str]]:
    """Everything that Python itself does meanwhile of running, unpickling, writing and connecting."""
    global _watching
    if not getattr(sys, "_mlalm_heard", False):
        sys.addaudithook(_heard)
        sys._mlalm_heard = True  # type: ignore[attr-defined]
    _watching = found = []
    try:
        yield found
    finally:
        _watching = None


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if "__pycache__" in path.parts:
            continue  # Python's own, wherever a module of a test was imported from
        told = path.lstat()
        found[str(path.relative_to(folder))] = (told.st_size, told.st_mtime_ns)
    return found


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """What libraries do when they are imported is none of a file's doing."""
    bundle.read(good_package()).load(trusted=False)
    import skops.io  # noqa: F401


def brought(path: Path, *, is_seen: bool) -> list[str]:
    """Everything we would do with a file that nobody trusts; what we said of it."""
    said = []
    try:
        look = inspected(path)
        said += list(look.wants)
        assert look.wants or not is_seen, "a look finds no fault in it"
    except MlalmError as error:
        said.append(str(error))
    try:
        if path.suffix == ".ilearner":
            bundle.read(path).load(trusted=False)
        else:
            foreign.looked_at(path).load(trusted=False)
    except MlalmError as error:
        said.append(str(error))
    else:
        raise AssertionError("it was opened")
    return said


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLALM_HOME", str(tmp_path_factory.mktemp("home")))
        with Workspace.init(tmp_path_factory.mktemp("registry") / "ws") as made:
            yield made


def registered(registry: Workspace, path: Path) -> str:
    """What registering it says; a package may lie in the registry, for it is opened only when somebody loads it."""
    try:
        made = registry.models.register(str(path), "hostile", sample=ROWS)
    except MlalmError as error:
        return str(error)
    with pytest.raises(MlalmError) as caught:
        registry.models.load(made.reference)
    return str(caught.value)


def opened_plainly(one: Hostile, path: Path) -> tuple[int, str]:
    """How a program that opens it plainly ends, and what it tells; here, where it leaves the process whole."""
    if one.shows == DIES or "sys.path" in one.plain:
        done = subprocess.run(
            [sys.executable, "-c", one.plain, str(path)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=path.parent,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        return done.returncode, done.stdout + done.stderr[-2000:]
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr(sys, "argv", ["plain", str(path)])
        patch.chdir(path.parent)
        try:
            exec(one.plain, {"__name__": "plain"})
        except Exception:  # noqa: BLE001  # after its harm a file may break anything
            return 1, traceback.format_exc()
    return 0, out.getvalue()


@pytest.mark.parametrize("one", CORPUS, ids=lambda one: one.name.replace(" ", "-").replace("/", "|"))
def test_a_hostile_file_does_its_harm_elsewhere_and_nothing_here(
    one: Hostile, registry: Workspace, tmp_path: Path, figures: Counter[str]
) -> None:
    need(*one.needs)
    folder, canary = tmp_path / "files", tmp_path / "canary" / "canary"
    folder.mkdir()
    canary.parent.mkdir()
    path = one.make(canary, folder)
    assert not canary.exists(), "it sang while it was made"

    before = tree(tmp_path)
    with watched() as acts:
        said = brought(path, is_seen=one.shows == FIRES)
    assert acts == []
    assert tree(tmp_path) == before
    assert any(re.search(one.says, sentence) for sentence in said), said
    assert re.search(one.says, said[-1]), said

    assert re.search(one.says, told := registered(registry, path)), told
    assert not canary.exists()
    assert tree(tmp_path) == before

    ended, told = opened_plainly(one, path)
    if one.shows == FIRES:
        assert canary.exists(), told
    elif one.shows == DIES:
        assert ended != 0
    elif one.shows == TELLS:
        assert ended == 0, told
        assert told
    else:
        assert one.shows == NOTHING
    figures[f"hostile files, {one.family}"] += 1
    figures["hostile files"] += 1
    told = {
        FIRES: "of them shown to fire under plain loading",
        DIES: "of them shown to end or hang the plain reader's process",
        TELLS: "of them that the plain reader takes for good",
        NOTHING: "of them whose harm is not shown here",
    }
    figures[told[one.shows]] += 1


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(CORPUS) >= 60
    assert len({one.family for one in CORPUS}) >= 12
    assert sum(one.shows == FIRES for one in CORPUS) >= 60
    assert len({one.name for one in CORPUS}) == len(CORPUS)
