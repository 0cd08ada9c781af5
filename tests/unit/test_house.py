"""The scripts behind `make`: what they promise, tried on copies in a scratch folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if os.access(path, os.X_OK) and path.is_file())
FRAGMENTS = sorted(path for path in (ROOT / "changelog").glob("*.md") if path.name != "README.md")


def run(*command: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A tree that has the scripts and nothing else."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    return tmp_path


def script(scratch: Path, body: str) -> Path:
    path = scratch / ".ci" / "probe"
    path.write_text(f'#!/usr/bin/env bash\n. "$(dirname "$0")/steps.sh"\n{body}\n', "utf-8")
    path.chmod(0o755)
    return path


# make


def test_every_target_says_what_it_does_and_is_one_script() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z-]+): ## (\S.*)\n\t@(\S+)", makefile, flags=re.M)
    assert {name for name, _, _ in targets} >= {
        "setup",
        "demo",
        "lab",
        "stop",
        "test",
        "check",
        "prove-skeleton",
        "prove-experiments",
        "prove-models",
        "prove-services",
    }
    assert {name for name, _, _ in targets} == set(re.findall(r"^([a-z-]+):", makefile, flags=re.M))
    assert len({name for name, _, _ in targets}) == len(targets), "a target is there twice"
    scripts = {ROOT / command for _, _, command in targets if command.startswith(".ci/")}
    assert scripts <= set(SCRIPTS)
    assert [name for name, _, command in targets if not command.startswith(".ci/")] == ["help"]


def test_make_alone_lists_the_targets() -> None:
    done = run("make", "--no-print-directory", cwd=ROOT, MAKEFLAGS="")
    assert done.returncode == 0
    assert "make demo" in done.stdout


@pytest.mark.parametrize(
    "path",
    [path for path in SCRIPTS if "bash" in path.read_text("utf-8").splitlines()[0]],
    ids=lambda p: p.name,
)
def test_a_script_is_sound_bash(path: Path) -> None:
    assert run("bash", "-n", path, cwd=ROOT).stderr == ""


# steps


def test_a_step_says_what_it_does_and_how_long_it_took(scratch: Path) -> None:
    done = run(script(scratch, "step nap 'A short nap' sh -c 'sleep 1.5; echo inner'"), cwd=scratch)
    assert done.returncode == 0
    assert re.fullmatch(r"A short nap \.+ \d+s\n", done.stdout)
    assert (scratch / ".cache/steps/nap.log").read_text() == "inner\n"


def test_a_failed_step_shows_its_output_and_passes_its_exit_code_on(scratch: Path) -> None:
    done = run(
        script(scratch, "step bad 'A bad thing' sh -c 'echo the reason; exit 7'\necho never"), cwd=scratch
    )
    assert done.returncode == 7
    assert "A bad thing  failed" in done.stdout
    assert "the reason" in done.stderr
    assert ".cache/steps/bad.log" in done.stderr
    assert "never" not in done.stdout


def test_a_step_gets_no_keyboard(scratch: Path) -> None:
    done = run(script(scratch, "step ask Asking sh -c 'cat; echo no more'"), cwd=scratch)
    assert (done.returncode, (scratch / ".cache/steps/ask.log").read_text()) == (0, "no more\n")


def test_the_heartbeat_of_a_killed_script_ends_too(scratch: Path) -> None:
    path = script(scratch, "step long 'A long one' sleep 4")
    with subprocess.Popen(
        [path], cwd=scratch, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(len("A long one .")) == "A long one ."
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
        # The pipe is at its end only when nobody holds it: this waits for the heartbeat.
        rest = process.stdout.read()
    assert len(rest) < 4


def test_a_stamp_counts_only_for_the_same_key(scratch: Path) -> None:
    body = "stamp a/stamp one\ndone_before a/stamp one\n! done_before a/stamp two\n! done_before a/other one"
    assert run(script(scratch, body), cwd=scratch).returncode == 0
    assert [path.name for path in (scratch / "a").iterdir()] == ["stamp"], "no half of one is left"


# setup


def path_of(scratch: Path, *names: str) -> str:
    """A PATH with the tools that any Debian has, and those named."""
    tools = scratch / "tools"
    tools.mkdir(exist_ok=True)
    for name in (
        "bash",
        "env",
        "dirname",
        "mkdir",
        "cat",
        "cut",
        "sed",
        "sha256sum",
        "flock",
        "rm",
        "mv",
        *names,
    ):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    return str(tools)


def test_a_machine_without_python_is_told_so_in_one_sentence(scratch: Path) -> None:
    done = run(scratch / ".ci/setup", cwd=scratch, PATH=path_of(scratch))
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "No Python 3.11 or newer was found."
    assert "apt-get install" in done.stderr
    assert not (scratch / ".venv").exists()


def test_a_machine_without_chromium_is_told_so_in_one_sentence(scratch: Path) -> None:
    done = run(scratch / ".ci/chromium", cwd=scratch, PATH=path_of(scratch), MLALM_CHROMIUM="")
    assert done.returncode == 1
    assert done.stderr.startswith("The browser tests need a Chromium")
    assert done.stdout == ""


def test_a_named_chromium_is_taken(scratch: Path) -> None:
    done = run(scratch / ".ci/chromium", cwd=scratch, PATH=path_of(scratch), MLALM_CHROMIUM=sys.executable)
    assert (done.returncode, done.stdout) == (0, f"{sys.executable}\n")


def test_a_second_setup_waits_for_the_first(scratch: Path) -> None:
    (scratch / ".cache/steps").mkdir(parents=True)
    held = scratch / "held"
    first = subprocess.Popen(
        ["flock", ".cache/steps/setup.lock", "sh", "-c", f"touch {held}; read line"],
        cwd=scratch,
        stdin=subprocess.PIPE,
    )
    deadline = time.monotonic() + 10
    while not held.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    second = subprocess.Popen(
        [scratch / ".ci/setup"],
        cwd=scratch,
        env={**os.environ, "PATH": path_of(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert second.stdout is not None
    assert second.stdout.readline() == "Another set-up is running here; waiting for it.\n"
    assert second.poll() is None
    first.communicate(b"\n", timeout=10)
    assert "No Python" in second.communicate(timeout=30)[1]


# the lock


LOCKS = {name: (ROOT / ".ci" / f"{name}.lock").read_text("utf-8") for name in ("requirements", "formats")}
# each is what a person installs for one kind of model; our tests have the same in `formats-test`
FORMATS = ("xgboost", "lightgbm", "catboost", "statsmodels", "onnx", "torch")


def pinned_in(lock: str) -> dict[str, str]:
    return {
        canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.M)
    }


def pins() -> dict[str, str]:
    base, more = (pinned_in(lock) for lock in LOCKS.values())
    assert base.keys() & more.keys() == set(), "what is in both could differ"
    return {**base, **more}


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for name, extra in project["project"]["optional-dependencies"].items():
        lines += extra if name not in FORMATS else ()
    return [Requirement(line) for line in lines]


def test_the_locks_pin_everything_that_the_project_asks_for_within_its_range() -> None:
    pinned = pins()
    outside = [
        f"{wanted}: {pinned.get(canonicalize_name(wanted.name))}"
        for wanted in requirements()
        if pinned.get(canonicalize_name(wanted.name), "") not in wanted.specifier
    ]
    assert outside == [], "make lock renews it"
    assert "uv" in pinned


@pytest.mark.parametrize("lock", LOCKS.values(), ids=list(LOCKS))
def test_every_pin_has_a_hash(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert len(entries) == len(re.findall("==", re.sub(r";.*", "", lock)))
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


# continuous integration


@pytest.mark.parametrize(
    ("tests", "checks", "code", "closing"),
    [
        ("true", "true", 0, "===== 3 passed in 0.10s ====="),
        ("false", "true", 2, "== 1 failed, 2 passed in 61.02s (0:01:01) =="),
        ("true", "false", 2, "===== 3 passed in 0.10s ====="),
    ],
    ids=["all pass", "a test fails", "a check fails"],
)
def test_the_run_ends_with_the_closing_line_and_passes_failure_on(
    scratch: Path, tests: str, checks: str, code: int, closing: str
) -> None:
    (scratch / "Makefile").write_text(f"test:\n\t@echo '{closing}'; {tests}\ncheck:\n\t@{checks}\n", "utf-8")
    done = run("bash", ".ci/run", cwd=scratch, CI="true", MAKEFLAGS="")
    assert done.returncode == code
    assert done.stdout.splitlines()[-1] == closing


def test_a_run_whose_tests_never_closed_has_failed(scratch: Path) -> None:
    (scratch / "Makefile").write_text("test:\n\t@echo nothing\ncheck:\n\t@true\n", "utf-8")
    done = run("bash", ".ci/run", cwd=scratch, MAKEFLAGS="")
    assert done.returncode == 1
    assert "did not come to an end" in done.stderr


# the changelog


def test_every_fragment_has_the_right_name_and_form() -> None:
    readme = (ROOT / "changelog" / "README.md").read_text("utf-8")
    assert "ISSUE.KIND.md" in readme
    for path in FRAGMENTS:
        assert re.fullmatch(r"\d+\.(added|changed|deprecated|removed|fixed|security)(\.\d+)?\.md", path.name)
        fragment = path.read_text("utf-8")
        assert re.match(r"[^\W\d_`#*-]|`", fragment), f"{path.name} begins with a word"
        assert re.search(r"[.!]\n\Z", fragment), f"{path.name} ends with a full stop and one line end"
        assert "\n\n" not in fragment, f"{path.name} is one paragraph"


def test_a_release_gathers_the_fragments_by_kind_and_removes_them(scratch: Path) -> None:
    (scratch / "CHANGELOG.md").write_text(
        "# Changes\n\n<!-- newest first -->\n\n## 0.1.0 (2026-01-01)\n", "utf-8"
    )
    (scratch / "changelog").mkdir()
    fragments = {"README": "how", "9.fixed": "Nine.", "10.added": "Ten.\nMore.", "9.added": "New."}
    for name, fragment in fragments.items():
        (scratch / "changelog" / f"{name}.md").write_text(f"{fragment}\n", "utf-8")
    done = run(sys.executable, ".ci/changelog", "0.2.0", "2026-02-02", cwd=scratch)
    assert done.returncode == 0, done.stderr
    assert (scratch / "CHANGELOG.md").read_text("utf-8") == (
        "# Changes\n\n<!-- newest first -->\n\n## 0.2.0 (2026-02-02)\n\n"
        "### Added\n\n- New.\n- Ten.\n  More.\n\n### Fixed\n\n- Nine.\n\n## 0.1.0 (2026-01-01)\n"
    )
    assert [path.name for path in (scratch / "changelog").iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    ("name", "version", "why"),
    [("2.news.md", "0.1.0", "2.news.md: a fragment is called"), ("2.added.md", "", "is not a version")],
)
def test_a_release_with_a_wrong_name_or_version_changes_nothing(
    scratch: Path, name: str, version: str, why: str
) -> None:
    (scratch / "CHANGELOG.md").write_text("# Changes\n\n<!-- newest first -->\n", "utf-8")
    (scratch / "changelog").mkdir()
    (scratch / "changelog" / name).write_text("New.\n", "utf-8")
    done = run(sys.executable, ".ci/changelog", version, cwd=scratch)
    assert done.returncode == 1
    assert why in done.stderr
    assert (scratch / "CHANGELOG.md").read_text("utf-8") == "# Changes\n\n<!-- newest first -->\n"
    assert (scratch / "changelog" / name).exists()
