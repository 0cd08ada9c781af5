"""The `.ilearner` package: one stored zip that holds a model, what it takes and gives, and a sample.

    manifest.json     what this is, and the sha256 of every other member
    signature.json    columns in and out
    sample.json       a few rows and what the model said of them
    payload/...       the model, in the files of its format

The model's hash covers payload and signature, not the manifest: library versions may differ between two
machines that trained the same model.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from mlalm_jupyter import plugins
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, MlalmError, NotSerialisable, UntrustedContent
from mlalm_jupyter.domain.signature import Schema, Signature
from mlalm_jupyter.formats import frames
from mlalm_jupyter.formats.archive import (
    DESCRIPTIONS,
    damaged,
    first_line,
    json_text,
    read_json,
    unzipped,
    zipped,
)
from mlalm_jupyter.formats.samples import as_served, plain_rows
from mlalm_jupyter.ports import ModelFormat

FORMAT_VERSION = 1
SAMPLE_ROWS = 5
KIND = "trained-model"
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "skops", "cloudpickle")


@dataclass(frozen=True)
class Bundle:
    """An `.ilearner` whose members have been checked against its manifest; nothing in it has been opened."""

    data: bytes = field(repr=False)
    manifest: Mapping[str, Any] = field(repr=False)
    members: Mapping[str, bytes] = field(repr=False)

    @property
    def format(self) -> str:
        return str(self.manifest["format"])

    @property
    def framework(self) -> str:
        return str(self.manifest["framework"])

    @property
    def is_data_only(self) -> bool:
        """What the format can run is for our own table to say, never for the file."""
        return plugins.model_format(self.format).is_data_only

    @cached_property
    def signature(self) -> Signature:
        return Signature.from_dict(read_json(self.members["signature.json"], "signature.json"))

    @cached_property
    def model_hash(self) -> str:
        return _model_hash(self.members)

    @property
    def sample_rows(self) -> tuple[tuple[object, ...], ...]:
        """Rows as the model takes them."""
        return tuple(tuple(row) for row in read_json(self.members["sample.json"], "sample.json")["inputs"])

    @property
    def payload(self) -> dict[str, bytes]:
        return {
            name.removeprefix("payload/"): data
            for name, data in self.members.items()
            if name.startswith("payload/")
        }

    def wants(self) -> list[str]:
        """What opening it would run or construct beyond what is allowed; found without opening it."""
        return plugins.model_format(self.format).wants(self.payload)

    def load(self, *, trusted: bool, digest: str = "") -> object:
        """The model; refused when it wants more than is allowed and nobody trusts it."""
        try:
            return plugins.model_format(self.format).load(self.payload, trusted=trusted)
        except UntrustedContent as error:
            raise UntrustedContent(
                "The model", wants=error.wants, digest=digest or self.model_hash
            ) from error
        except (MlalmError, MemoryError):
            raise
        except Exception as error:  # a payload may raise anything while it is opened
            raise self._unopened(error) from error

    def _unopened(self, error: Exception) -> Corrupt:
        written = self.manifest.get("libraries")
        others = [
            f"{name}=={version}"
            for name, here in _libraries().items()
            if isinstance(written, dict)
            and (version := str(written.get(name, here))) != here
            and re.fullmatch(r"[0-9][0-9a-z.+]{0,30}", version)
        ]
        told = f" It was written with {', '.join(others)}." if others else ""
        return Corrupt(
            "The model's payload",
            why=f"Opening it raised {type(error).__name__}: {first_line(error)}.{told}",
            fix=f"Try `pip install {' '.join(others)}`." if others else "",
        )


def pack(model: object, *, sample: pd.DataFrame | None) -> Bundle:
    """A model as a package; it is opened again and must say the same of its sample.

    >>> pack(abs, sample=pd.DataFrame({"a": [-1]})).format
    'cloudpickle'
    """
    if sample is None or sample.empty:
        raise InvalidInput(
            "The sample",
            expected="a few rows as the model takes them, from which its columns are known",
            got="none",
            fix="Give some with `--sample`, for example the head of the frame it was fitted on.",
        )
    sample = sample.set_axis([str(name) for name in sample.columns], axis="columns")
    names = _fitted_names(model)
    if names and all(name in sample.columns for name in names):
        sample = sample[names]
    known = frames.schema_of(sample)
    rows = sample.head(SAMPLE_ROWS).reset_index(drop=True)
    scored = _answers(model, known, rows)
    told = {
        "signature.json": json_text(Signature(known, frames.schema_of(scored)).to_dict()),
        "sample.json": json_text({"inputs": plain_rows(rows), "outputs": plain_rows(scored)}),
    }
    refusal: MlalmError | None = None
    for one in plugins.model_formats():
        if not one.takes(model):
            continue
        try:
            payload = one.dump(model)
            if one.is_data_only and one.wants(payload):
                continue  # it holds types of the person's own, which only a format that carries code brings back
            bundle = _packed(model, one, {**{f"payload/{n}": d for n, d in payload.items()}, **told})
            _check_replay(model, bundle, scored, known, rows)
        except (NotSerialisable, Corrupt) as error:
            refusal = error
            continue
        return bundle
    raise refusal or InvalidInput(
        "The model",
        expected="something that can predict or transform, or a function of a table",
        got=f"a {type(model).__name__}",
    )


def _packed(model: object, chosen: ModelFormat, members: Mapping[str, bytes]) -> Bundle:
    members = dict(sorted(members.items()))
    manifest = {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "format": chosen.name,
        "framework": chosen.framework(model),
        "model_hash": _model_hash(members),
        "python": platform.python_version(),
        "libraries": _libraries(),
        "members": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    return read(zipped({"manifest.json": json_text(manifest), **members}))


def _check_replay(
    model: object, bundle: Bundle, scored: pd.DataFrame, known: Schema, rows: pd.DataFrame
) -> None:
    """A model that does not survive its own file is not kept."""
    what = f"The {type(model).__name__}"
    try:
        again = _answers(bundle.load(trusted=not bundle.is_data_only), known, rows)
    except InvalidInput as error:
        because = f"read back, it cannot score its sample: {error.got}"
        raise NotSerialisable(what, attribute=type(model).__name__, because=because) from error
    if not _is_same(scored, again):
        raise NotSerialisable(
            what,
            attribute=type(model).__name__,
            because="read back, it gives other answers",
            fix="If it draws random numbers when it predicts, give it a fixed seed.",
        )


def _answers(model: object, known: Schema, rows: pd.DataFrame) -> pd.DataFrame:
    try:
        return frames.score(model, as_served(known, rows))
    except (MlalmError, MemoryError):
        raise
    except Exception as error:  # a person's own model may raise anything
        if type(error).__name__ == "NotFittedError":
            raise InvalidInput(
                "The model", expected="a fitted one", got="one that is not", fix="Call its `fit` first."
            ) from error
        raise InvalidInput(
            "The sample",
            expected="rows that the model can score",
            got=f"rows of which it says {type(error).__name__}: {first_line(error)}",
            fix="Give rows as it was fitted on, without the column it predicts.",
        ) from error


def read(source: bytes | Path) -> Bundle:
    """Check a package without opening anything in it: members, names, sizes, hashes."""
    data = source.read_bytes() if isinstance(source, Path) else source
    members = unzipped(data)
    if "manifest.json" not in members:
        raise damaged("It lacks manifest.json")
    manifest = read_json(members.pop("manifest.json"), "manifest.json")
    version = manifest.get("format_version")
    if version != FORMAT_VERSION or manifest.get("kind") != KIND:
        raise damaged(
            f"Its format version is {version!r}; this version of mlalm reads {FORMAT_VERSION}",
            fix="If a newer mlalm wrote it, install that one.",
        )
    hashes = manifest.get("members")
    if not isinstance(hashes, dict) or set(hashes) != set(members):
        raise damaged("Its members are not those that its manifest lists")
    for name, body in members.items():
        if hashlib.sha256(body).hexdigest() != hashes[name]:
            raise damaged(f"Its member '{name}' does not give the hash that its manifest lists")
    missing = [name for name in DESCRIPTIONS[1:] if name not in members]
    if missing or not any(name.startswith("payload/") for name in members):
        raise damaged(f"It lacks {', '.join(missing) or 'a payload'}")
    if not all(isinstance(manifest.get(key), str) for key in ("format", "framework")):
        raise damaged("Its member 'manifest.json' names no format")
    bundle = Bundle(data, manifest, members)
    if manifest.get("model_hash") != bundle.model_hash:
        raise damaged("Its member 'manifest.json' gives another model hash than its members")
    _check_described(bundle)
    return bundle


def _check_described(bundle: Bundle) -> None:
    """Signature and sample can be read, and fit each other."""
    try:
        width = len(bundle.signature.inputs.columns)
    except InvalidInput as error:
        raise damaged(f"Its member 'signature.json' describes no columns: {error}") from error
    rows = read_json(bundle.members["sample.json"], "sample.json").get("inputs")
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == width for row in rows):
        raise damaged(f"Its member 'sample.json' has no rows of {width} cells")


def _model_hash(members: Mapping[str, bytes]) -> str:
    hasher = hashlib.sha256()
    for name in sorted(name for name in members if name == "signature.json" or name.startswith("payload/")):
        hasher.update(f"{name}\n{len(members[name])}\n".encode())
        hasher.update(members[name])
    return hasher.hexdigest()


def _fitted_names(model: object) -> list[str]:
    names = getattr(model, "feature_names_in_", None)
    return [] if names is None else [str(name) for name in names]


def _is_same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    try:
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    except AssertionError:
        return False
    return True


def _libraries() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
