"""Galleries: folders, or git repositories, of experiments that others can take whole."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.parcels import Packed, Parcel, packed, unpacked
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.addresses import shown_address, without_secrets
from mlalm_jupyter.domain.errors import AlreadyExists, Corrupt, InvalidInput, NotFound, Unavailable
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.names import checked_name
from mlalm_jupyter.domain.outcome import Published, SavedAs
from mlalm_jupyter.notebook.imported import imported

_TEXT = "experiment.json"
_ABOUT = "about.json"
_ASSETS = "assets"
_HERE = Arg("its folder, or the address of a git repository", metavar="GALLERY", place="there")
_GIT = re.compile(r"(https?://|ssh://|git@|file://).+|.+\.git")
_PATIENCE_S = 300
_LONGEST_NAME = 128
_MOST_TEXT = 256 << 20
_MOST_ASSET = 8 << 30


class Galleries:
    """What can be done with galleries."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @verb("gallery", "publish", attribute="galleries")
    def publish(
        self,
        source: Annotated[
            str, Arg("a notebook, or run:ID for one of its snapshots", metavar="SOURCE", place="notebook")
        ],
        gallery: Annotated[
            str, Arg("the folder; a working tree of git is one", metavar="GALLERY", place="file")
        ],
        *,
        name: Annotated[str | None, Arg("its name there; without it the notebook's")] = None,
        description: Annotated[str, Arg("one sentence about it")] = "",
    ) -> Published:
        """Put an experiment into a gallery, with every dataset, transform and model it refers to."""
        if _GIT.fullmatch(gallery) and not Path(gallery).is_dir():
            raise InvalidInput(
                "The gallery",
                expected="a folder here",
                got=f"the address '{shown_address(gallery)}'",
                fix="Clone that repository, publish into its folder, and push.",
            )
        parcel = packed(self._context, source)
        told = checked_name("experiment", name if name is not None else _slug(parcel.experiment.name))
        root = Path(os.path.expanduser(gallery))
        target = root / told
        if target.exists():
            raise AlreadyExists(
                "package", told, fix="Choose another name with --name, or remove that folder."
            )
        about = {
            "name": told,
            "description": description,
            "published_at": self._context.clock.now(),
            "published_by": self._context.who,
            "assets": [
                {"kind": asset.kind, "file": f"{asset.kind}-{asset.id}", "facts": asset.facts}
                for asset in parcel.assets
            ],
        }
        try:
            root.mkdir(parents=True, exist_ok=True)
            making = Path(tempfile.mkdtemp(dir=root, prefix=f".{told}-"))
        except OSError as error:
            raise Unavailable(
                f"Nothing was published to '{gallery}'.",
                why=f"The system said: {error.strerror}.",
                fix="Name a folder you may write to.",
            ) from error
        try:
            (making / _ASSETS).mkdir()
            for asset in parcel.assets:
                (making / _ASSETS / f"{asset.kind}-{asset.id}").write_bytes(asset.read())
            (making / _TEXT).write_text(parcel.experiment.to_text(), encoding="utf-8")
            text = json.dumps(about, indent=1, ensure_ascii=False)
            (making / _ABOUT).write_text(f"{text}\n", encoding="utf-8")
            making.chmod(0o755)
            os.rename(making, target)
        finally:
            shutil.rmtree(making, ignore_errors=True)
        return replace(_published(target), note=parcel.note or None)

    @verb("gallery", "list", attribute="galleries")
    def list(self, gallery: Annotated[str, _HERE]) -> Listing[Published]:
        """List the experiments of a gallery."""
        with self._opened(gallery) as root:
            shown = shown_address(gallery)
            is_here = root == Path(os.path.expanduser(gallery))
            found = [
                _listed(one.parent, place=str(one.parent) if is_here else f"{shown}#{one.parent.name}")
                for one in sorted(root.glob(f"*/{_ABOUT}"))
            ]
        return Listing("package", found)

    @verb("gallery", "clone", attribute="galleries")
    def clone(
        self,
        package: Annotated[str, Arg("the experiment's name in the gallery", metavar="PACKAGE")],
        gallery: Annotated[str, _HERE],
        *,
        name: Annotated[str | None, Arg("the new notebook; without it the name in the gallery")] = None,
    ) -> SavedAs:
        """Take an experiment out of a gallery, with all it refers to; nothing of it is run."""
        checked_name("experiment", package)
        shown = shown_address(gallery)
        with self._opened(gallery) as root:
            folder = root / package
            if not (folder / _ABOUT).is_file():
                known = [one.parent.name for one in root.glob(f"*/{_ABOUT}")]
                raise NotFound("package", package, known=known, fix=f"See `mlalm gallery list {shown}`.")
            parcel = _read(folder)
            return unpacked(self._context, parcel, name=name or package, told=f"{shown}#{package}")

    @contextlib.contextmanager
    def _opened(self, gallery: str) -> Iterator[Path]:
        """The folder of a gallery; a repository elsewhere is fetched for the moment."""
        folder = Path(os.path.expanduser(gallery))
        if folder.is_dir():
            yield folder
            return
        if not _GIT.fullmatch(gallery):
            raise NotFound(
                "gallery", shown_address(gallery), fix="Name a folder, or the address of a git repository."
            )
        with tempfile.TemporaryDirectory(prefix="mlalm-gallery-") as place:
            self._context.progress("Fetching the gallery", 0, 0)
            command = ["git", "-c", "core.symlinks=false", "clone", "--quiet", "--depth", "1"]
            command += ["--config", "core.symlinks=false", "--", gallery, f"{place}/gallery"]
            environ = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False, env=environ
                )
            except subprocess.TimeoutExpired:
                # its own words repeat the command, with all that the address tells
                raise _not_fetched(gallery, f"It took longer than {_PATIENCE_S} s.") from None
            except OSError as error:
                raise _not_fetched(gallery, str(error)) from error
            if done.returncode:
                raise _not_fetched(gallery, (done.stderr.strip().splitlines() or ["git gave no reason"])[-1])
            yield Path(place) / "gallery"


def _slug(path: str) -> str:
    """A notebook's own name as that of a package."""
    letters = unicodedata.normalize("NFKD", path.rpartition("/")[2]).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", letters).strip("-._")[:_LONGEST_NAME].rstrip("-._")
    if not name:
        raise InvalidInput(
            "The name of the package",
            expected="letters or digits in the notebook's own name",
            got=f"'{path}'",
            fix="Give it one with --name.",
        )
    return name


def _not_fetched(gallery: str, why: str) -> Unavailable:
    return Unavailable(
        f"The gallery '{shown_address(gallery)}' was not fetched.",
        why=without_secrets(why, gallery),
        fix="Try it with git.",
    )


def _listed(folder: Path, *, place: str) -> Published:
    """A package of a list, which one that is damaged must not spoil."""
    try:
        return replace(_published(folder), folder=place)
    except Corrupt as error:
        return Published(folder.name, "", "", "", (), place, note=str(error))


def _published(folder: Path) -> Published:
    about = _about(folder)
    assets = tuple(
        f"{asset['kind']} {asset['facts']['name']}:{asset['facts']['version']}" for asset in about["assets"]
    )
    return Published(
        folder.name,
        str(about.get("description", "")),
        str(about.get("published_at", "")),
        str(about.get("published_by", "")),
        assets,
        str(folder),
    )


def _bytes(file: Path, *, most: int) -> bytes:
    """A file of a package, itself and no link to elsewhere, of a size that it may have."""
    if file.parent.is_symlink():
        raise OSError(errno.ELOOP, "its folder is a link", str(file))
    # a pipe would have us wait for a writer, a link would lead outside
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as stream:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(file))
        if facts.st_size > most:
            raise OSError(errno.EFBIG, f"it is larger than {most >> 20} MB", str(file))
        return stream.read(facts.st_size)


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads(_bytes(folder / _ABOUT, most=_MOST_TEXT))
        for asset in about["assets"]:
            (
                asset["kind"],
                asset["file"],
                asset["facts"]["name"],
                asset["facts"]["version"],
                asset["facts"]["id"],
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Corrupt(
            f"The package '{folder.name}'",
            why=f"Its {_ABOUT} cannot be read: {error}.",
            fix="Publish it again.",
        ) from error
    return dict(about)


def _read(folder: Path) -> Parcel:
    about = _about(folder)
    try:
        experiment = imported(_bytes(folder / _TEXT, most=_MOST_TEXT).decode())
    except (OSError, UnicodeDecodeError) as error:
        raise Corrupt(
            f"The package '{folder.name}'",
            why=f"Its {_TEXT} cannot be read: {error}.",
            fix="Publish it again.",
        ) from error
    assets = []
    for asset in about["assets"]:
        kind, file = str(asset["kind"]), str(asset["file"])
        if kind not in ("dataset", "transform", "model") or "/" in file or file.startswith("."):
            raise Corrupt(
                f"The package '{folder.name}'", why=f"It names an asset '{file}'.", fix="Do not use it."
            )
        assets.append(Packed(kind, dict(asset["facts"]), partial(_asset, folder, file)))
    return Parcel(experiment, tuple(assets))


def _asset(folder: Path, file: str) -> bytes:
    try:
        return _bytes(folder / _ASSETS / file, most=_MOST_ASSET)
    except OSError as error:
        raise Corrupt(
            f"The package '{folder.name}'",
            why=f"Its asset '{file}' cannot be read: {error}.",
            fix="Publish it again.",
        ) from error
