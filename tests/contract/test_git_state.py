"""The commit and the changes of a folder, as git itself tells them, whatever was seen before."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from mlalm_jupyter.adapters import git_state as module
from mlalm_jupyter.adapters.git_state import git_state


def git(folder: Path, *arguments: str) -> str:
    named = ["-c", "user.name=ada", "-c", "user.email=ada@localhost", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", "-C", str(folder), *named, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def told_by_git(folder: Path) -> dict[str, object]:
    is_dirty = bool(git(folder, "status", "--porcelain", "--untracked-files=no"))
    return {"commit": git(folder, "rev-parse", "HEAD"), "is_dirty": is_dirty}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    for name in ("train.ipynb", "other.py"):
        (folder / name).write_text(f"# {name}\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Begin")
    return folder


def test_outside_a_repository_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert git_state(tmp_path) == {}


def test_before_the_first_commit_there_is_nothing_to_tell(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert git_state(tmp_path) == {}


def test_a_folder_that_was_seen_with_changes_is_not_asked_about_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "train.ipynb").write_text("# edited\n")
    told = told_by_git(folder)
    first = git_state(folder)
    assert first == told
    assert first["is_dirty"]
    monkeypatch.setattr(module, "_git", lambda *_: pytest.fail("git was asked"))
    for text in ("# edited again\n", "# trAin.ipynb\n"):
        (folder / "train.ipynb").write_text(text)
        assert git_state(folder) == first


def test_it_says_what_git_says_after_each_of_many_changes(folder: Path) -> None:
    chance = random.Random(11)
    notebook, other = folder / "train.ipynb", folder / "other.py"

    def back() -> None:
        git(folder, "checkout", "-q", "HEAD", "--", ".")

    def branch() -> None:
        name = f"b{chance.random()}"
        git(folder, "checkout", "-q", "-b", name)

    def committed() -> None:
        git(folder, "commit", "-q", "-a", "--allow-empty", "-m", "More")

    def packed() -> None:
        git(folder, "pack-refs", "--all")

    changes = (
        lambda: notebook.write_text("# " + "x" * chance.randrange(12) + "\n"),
        lambda: other.write_text("# " + "y" * chance.randrange(12) + "\n"),
        lambda: notebook.unlink(missing_ok=True),
        lambda: git(folder, "add", "-u"),
        lambda: git(folder, "reset", "-q"),
        back,
        branch,
        committed,
        packed,
    )
    seen = set()
    for step in range(120):
        chance.choice(changes)()
        told = git_state(folder)
        assert told == told_by_git(folder), f"after {step + 1} changes"
        assert git_state(folder) == told
        seen.add(told["is_dirty"])
    assert seen == {True, False}


def test_a_filter_that_makes_an_edited_file_equal_is_heeded(folder: Path) -> None:
    """As nbstripout does: what differs are outputs, which git is told not to see."""
    notebook = folder / "train.ipynb"
    notebook.write_text("# train.ipynb\n# output: 1\n")
    assert git_state(folder)["is_dirty"]
    git(folder, "config", "filter.strip.clean", "grep -v output")
    (folder / ".git" / "info" / "attributes").write_text("*.ipynb filter=strip\n")
    notebook.write_text("# train.ipynb\n# output: 12\n")
    assert git_state(folder) == told_by_git(folder)
    git(folder, "add", "train.ipynb")
    assert git_state(folder) == told_by_git(folder)
    assert not git_state(folder)["is_dirty"], "what is in the file and not in git is left out by the filter"
    notebook.write_text("# train.ipynb\n# output: 1\n")
    for _ in range(2):
        assert git_state(folder) == told_by_git(folder)


def test_a_linked_working_tree_has_a_commit_of_its_own(folder: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    git(folder, "worktree", "add", "-q", "-b", "side", str(tree))
    (tree / "other.py").write_text("# side work\n")
    for _ in range(2):
        assert git_state(tree) == told_by_git(tree)
    git(tree, "commit", "-q", "-a", "-m", "Side")
    (tree / "other.py").write_text("# more side work\n")
    assert git_state(tree) == told_by_git(tree)
    assert git_state(folder) == told_by_git(folder)
    assert git_state(tree)["commit"] != git_state(folder)["commit"]
