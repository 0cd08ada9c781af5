"""Galleries: published here, cloned there with everything, run with the same result."""

from __future__ import annotations

import json
import os
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from mlalm_jupyter.domain.errors import AlreadyExists, Corrupt, InvalidInput, NotFound, Unavailable
from mlalm_jupyter.workspace import Workspace
from tests.contract.test_experiment_history import TRAIN, rides, write

pytestmark = pytest.mark.prove_experiments


@pytest.fixture
def published(hosted: Workspace, tmp_path: Path) -> Path:
    rides(hosted, 3)
    rides(hosted, 5)
    write(hosted, *TRAIN, name="train.ipynb")
    hosted.galleries.publish("train.ipynb", str(tmp_path / "gallery"), description="Rides by hour")
    return tmp_path / "gallery"


@pytest.mark.full
def test_what_is_cloned_elsewhere_runs_with_the_same_metrics(
    hosted: Workspace, published: Path, tmp_path: Path
) -> None:
    here = hosted.experiments.run("train.ipynb")
    with Workspace.init(tmp_path / "other") as other:
        (listed,) = other.galleries.list(str(published))
        assert (listed.name, listed.description, listed.assets) == (
            "train",
            "Rides by hour",
            ("dataset rides:2",),
        )
        cloned = other.galleries.clone("train", str(published), name="mine")
        assert cloned.experiment.path == "mine.ipynb"
        there = other.experiments.run("mine")
        assert there.findings.metrics == here.findings.metrics == {"auc": 0.7, "rows": 5.0}
        assert other.experiments.history("mine")[0].is_editable


def test_a_gallery_may_be_a_git_repository(published: Path, hosted: Workspace, tmp_path: Path) -> None:
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", "-C", str(published), *command], check=True)
    address = f"file://{published}"
    (listed,) = hosted.galleries.list(address)
    assert (listed.name, listed.folder) == ("train", f"{address}#train")
    assert hosted.galleries.clone("train", address, name="again").experiment.path == "again.ipynb"
    with pytest.raises(InvalidInput, match="publish into its folder, and push"):
        hosted.galleries.publish("train.ipynb", "https://example.org/gallery.git")
    with pytest.raises(Unavailable, match="was not fetched"):
        hosted.galleries.list(f"file://{tmp_path / 'nowhere'}")


def test_never_more_than_one_asset_is_in_memory(hosted: Workspace, tmp_path: Path) -> None:
    each, names = 12 << 20, ("first", "second", "third", "fourth")
    for name in names:
        file = tmp_path / f"{name}.txt"
        file.write_bytes(name.encode().ljust(each, b"."))
        hosted.datasets.upload(str(file), name)
    write(hosted, *((f"%dataset {name}", []) for name in names), name="much.ipynb")
    tracemalloc.start()
    try:
        hosted.galleries.publish("much.ipynb", str(tmp_path / "gallery"))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {file.stat().st_size for file in (tmp_path / "gallery/much/assets").iterdir()} == {each}
    assert each < most < 2.5 * each


def test_what_is_taken_or_not_there_is_refused(published: Path, hosted: Workspace, tmp_path: Path) -> None:
    with pytest.raises(AlreadyExists):
        hosted.galleries.publish("train.ipynb", str(published))
    with pytest.raises(AlreadyExists):
        hosted.galleries.clone("train", str(published))
    with pytest.raises(NotFound, match="The nearest names are 'train'"):
        hosted.galleries.clone("trian", str(published))
    with pytest.raises(NotFound):
        hosted.galleries.list(str(tmp_path / "nowhere"))
    with pytest.raises(InvalidInput):
        hosted.galleries.clone("../train", str(published))


@pytest.mark.parametrize(
    "damage",
    [
        lambda about: about["assets"][0].update(file="../../secret"),
        lambda about: about["assets"][0]["facts"].pop("schema"),
        lambda about: about["assets"][0]["facts"].update(digest="0" * 64),
        lambda about: about["assets"][0]["facts"].update(id="x"),
        lambda about: about["assets"][0].update(kind="code"),
        lambda about: about.pop("assets"),
    ],
)
def test_a_package_that_lies_is_refused_and_leaves_nothing(
    published: Path, tmp_path: Path, damage: object, home: Path
) -> None:
    file = published / "train" / "about.json"
    about = json.loads(file.read_text())
    damage(about)  # type: ignore[operator]
    file.write_text(json.dumps(about))
    with Workspace.init(tmp_path / "other") as other:
        with pytest.raises((Corrupt, InvalidInput)):
            other.galleries.clone("train", str(published))
        assert other.experiments.list() == ()
        assert other.datasets.list() == ()
        assert list(other.path.glob("*.ipynb")) == []


@pytest.mark.parametrize("file", ["about.json", "experiment.json", "assets", "asset", "pipe"])
def test_a_package_with_links_or_pipes_in_it_is_refused(
    published: Path, hosted: Workspace, tmp_path: Path, file: str
) -> None:
    folder = published / "train"
    asset = next((folder / "assets").iterdir())
    place = {"asset": asset, "pipe": folder / "experiment.json"}.get(file, folder / file)
    place.rename(tmp_path / "elsewhere")
    if file == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Corrupt, match="cannot be read"):
        hosted.galleries.clone("train", str(published), name="again")
    assert not (hosted.path / "again.ipynb").exists()


def test_one_damaged_package_does_not_hide_the_others(published: Path, hosted: Workspace) -> None:
    (published / "bad").mkdir()
    (published / "bad" / "about.json").write_text("{")
    bad, good = hosted.galleries.list(str(published))
    assert (bad.name, good.name, good.note) == ("bad", "train", None)
    assert "Its about.json cannot be read" in str(bad.note)
    with pytest.raises(Corrupt):
        hosted.galleries.clone("bad", str(published))


def test_a_package_with_a_file_that_is_too_large_is_refused(published: Path, hosted: Workspace) -> None:
    os.truncate(published / "train" / "experiment.json", 1 << 30)
    with pytest.raises(Corrupt, match="larger than 256 MB"):
        hosted.galleries.clone("train", str(published), name="again")


TOKEN = "gh-4f1eb2d0cafe"


@pytest.fixture
def behind_a_token(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a gallery that git finds in a folder, as if it had been there with the token."""
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", "-C", str(published), *command], check=True)
    address = f"https://{TOKEN}@gallery.invalid/team.git?key={TOKEN}"
    settings = tmp_path / "gitconfig"
    settings.write_text(f'[url "file://{published}"]\n\tinsteadOf = "{address}"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    return address


def test_a_token_in_the_address_of_a_gallery_is_neither_kept_nor_told(
    hosted: Workspace, behind_a_token: str, published: Path, tmp_path: Path
) -> None:
    (listed,) = hosted.galleries.list(behind_a_token)
    assert listed.folder == "https://gallery.invalid/team.git?key=...#train"
    cloned = hosted.galleries.clone("train", behind_a_token, name="again")
    told = [repr(listed), repr(cloned), json.dumps(cloned.to_dict())]
    with hosted.catalog.read() as tx:
        told += [repr(one) for one in tx.events.find()]
    assert any("https://gallery.invalid/team.git?key=...#train" in one for one in told)
    for ask in (
        lambda: hosted.galleries.clone("trian", behind_a_token),
        lambda: hosted.galleries.publish("train.ipynb", behind_a_token),
        lambda: hosted.galleries.list(f"https://{TOKEN}@127.0.0.1:1/team.git"),
        lambda: hosted.galleries.list(f"https://{TOKEN}:{TOKEN}@127.0.0.1:1/team.git?sig={TOKEN}"),
        lambda: hosted.galleries.list(f"ssh://git:{TOKEN}@127.0.0.1:1/team.git"),
        lambda: hosted.galleries.list(f"ftp://{TOKEN}@127.0.0.1:1/nothing"),
    ):
        with pytest.raises((InvalidInput, NotFound, Unavailable)) as caught:
            ask()
        told.append(str(caught.value))
    for text in told:
        assert TOKEN not in text
    for file in (hosted.path / ".mlalm").rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file


def test_a_token_is_not_told_when_git_takes_too_long(
    hosted: Workspace, behind_a_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlalm_jupyter.api.galleries._PATIENCE_S", 0)
    with pytest.raises(Unavailable, match="longer than 0 s") as caught:
        hosted.galleries.list(behind_a_token)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("notebook", "package"),
    [("My Notebook.ipynb", "My-Notebook"), ("deep/Über uns (2).ipynb", "Uber-uns-2"), ("a" * 150, "a" * 128)],
)
def test_a_notebook_of_any_name_is_published_under_one_that_packages_may_have(
    workspace: Workspace, tmp_path: Path, notebook: str, package: str
) -> None:
    (workspace.path / "deep").mkdir()
    name = write(workspace, ("1", []), name=notebook if notebook.endswith(".ipynb") else f"{notebook}.ipynb")
    assert workspace.galleries.publish(name, str(tmp_path / "gallery")).name == package
    assert workspace.galleries.clone(package, str(tmp_path / "gallery"), name="again").experiment.id


def test_a_notebook_whose_name_has_no_letters_needs_another_in_the_gallery(
    workspace: Workspace, tmp_path: Path
) -> None:
    name = write(workspace, ("1", []), name="日記.ipynb")
    with pytest.raises(InvalidInput, match="Give it one with --name"):
        workspace.galleries.publish(name, str(tmp_path / "gallery"))
    assert workspace.galleries.publish(name, str(tmp_path / "gallery"), name="diary").name == "diary"
