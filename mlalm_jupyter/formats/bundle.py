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
import io
import json
import platform
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter import plugins
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, MlalmError, NotSerialisable, UntrustedContent
from mlalm_jupyter.domain.signature import Schema, Signature
from mlalm_jupyter.formats import frames
from mlalm_jupyter.ports import ModelFormat

FORMAT_VERSION = 1
SAMPLE_ROWS = 5
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FIXED = ("manifest.json", "signature.json", "sample.json")
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "skops", "cloudpickle")


@dataclass(frozen=True)
class Bundle:
    """An `.ilearner` whose members have been checked against its manifest; nothing in it has been opened."""

    data: bytes
    manifest: Mapping[str, Any]
    members: Mapping[str, bytes]

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
        return Signature.from_dict(_json(self.members["signature.json"], "signature.json"))

    @cached_property
    def model_hash(self) -> str:
        return _model_hash(self.members)

    @property
    def sample_rows(self) -> tuple[tuple[object, ...], ...]:
        """Rows as the model takes them."""
        return tuple(tuple(row) for row in _json(self.members["sample.json"], "sample.json")["inputs"])

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
    known = frames.schema_of(sample)
    names = _fitted_names(model)
    if names and all(name in sample.columns for name in names):
        sample = sample[names]
        known = frames.schema_of(sample)
    rows = sample.head(SAMPLE_ROWS).reset_index(drop=True)
    scored = frames.score(model, _as_served(known, rows))
    chosen, payload = _dumped(model)
    members = {f"payload/{name}": data for name, data in sorted(payload.items())}
    members["signature.json"] = _text(Signature(known, frames.schema_of(scored)).to_dict())
    members["sample.json"] = _text({"inputs": _plain(rows), "outputs": _plain(scored)})
    manifest = {
        "kind": "trained-model",
        "format_version": FORMAT_VERSION,
        "format": chosen.name,
        "framework": chosen.framework(model),
        "model_hash": _model_hash(members),
        "python": platform.python_version(),
        "libraries": _libraries(),
        "members": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(members.items())},
    }
    bundle = read(_zipped({"manifest.json": _text(manifest), **members}))
    again = frames.score(bundle.load(trusted=True), _as_served(known, rows))
    if not _same(scored, again):
        raise NotSerialisable(
            f"The {type(model).__name__}",
            attribute=type(model).__name__,
            because="read back, it gives other answers",
        )
    return bundle


def read(source: bytes | Path) -> Bundle:
    """Check a package without opening anything in it: members, names, sizes, hashes."""
    data = source.read_bytes() if isinstance(source, Path) else source
    members = _unzipped(data)
    manifest = _json(members.pop("manifest.json", b""), "manifest.json")
    version = manifest.get("format_version")
    if version != FORMAT_VERSION or manifest.get("kind") != "trained-model":
        raise _damaged(f"Its format version is {version!r}; this version of mlalm reads {FORMAT_VERSION}")
    hashes = manifest.get("members")
    if not isinstance(hashes, dict) or set(hashes) != set(members):
        raise _damaged("Its members are not those that its manifest lists")
    for name, body in members.items():
        if hashlib.sha256(body).hexdigest() != hashes[name]:
            raise _damaged(f"Its member '{name}' does not give the hash that its manifest lists")
    missing = [name for name in _FIXED[1:] if name not in members]
    if missing or not any(name.startswith("payload/") for name in members):
        raise _damaged(f"It lacks {', '.join(missing) or 'a payload'}")
    bundle = Bundle(data, manifest, members)
    if not isinstance(manifest.get("format"), str) or bundle.signature is None:
        raise _damaged("Its manifest names no format")
    return bundle


def _dumped(model: object) -> tuple[ModelFormat, dict[str, bytes]]:
    """The files of the first format that can hold the model."""
    refusal: MlalmError | None = None
    for one in plugins.model_formats():
        if not one.takes(model):
            continue
        try:
            payload = one.dump(model)
        except NotSerialisable as error:
            refusal = error
            continue
        if one.is_data_only and one.wants(payload):
            continue  # it holds types of the person's own, which only a format that carries code brings back
        return one, payload
    raise refusal or InvalidInput(
        "The model",
        expected="something that can predict or transform, or a function of a table",
        got=f"a {type(model).__name__}",
    )


def _model_hash(members: Mapping[str, bytes]) -> str:
    hasher = hashlib.sha256()
    for name in sorted(name for name in members if name == "signature.json" or name.startswith("payload/")):
        hasher.update(f"{name}\n{len(members[name])}\n".encode())
        hasher.update(members[name])
    return hasher.hexdigest()


def _zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return out.getvalue()


def _unzipped(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            for info in infos:
                _check_member(info, names, whole=len(data))
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise _damaged(f"It is no readable zip: {error}") from error


def _check_member(info: zipfile.ZipInfo, names: list[str], *, whole: int) -> None:
    name = info.filename
    is_known = name in _FIXED or name.startswith("payload/")
    if not is_known or ".." in name.split("/") or name.startswith("/") or "\\" in name or info.is_dir():
        raise _damaged(f"It holds a member '{name}' that does not belong there")
    if names.count(name) > 1:
        raise _damaged(f"It holds '{name}' twice")
    if (
        info.compress_type != zipfile.ZIP_STORED
        or info.file_size > whole
        or info.file_size != info.compress_size
    ):
        raise _damaged(f"Its member '{name}' is compressed, which we never write")
    if (info.external_attr >> 16) & 0o170000 not in (0, 0o100000):
        raise _damaged(f"Its member '{name}' is no plain file")


def _damaged(why: str) -> Corrupt:
    return Corrupt("The .ilearner file", why=f"{why}.", fix="Download it again from where it was made.")


def _json(data: bytes, name: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"Its member '{name}' is no readable JSON") from error
    if not isinstance(value, dict):
        raise _damaged(f"Its member '{name}' is no object")
    return value


def _text(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _plain(frame: pd.DataFrame) -> list[list[object]]:
    return [[_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]


def _cell(value: Any) -> object:
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NaT or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return (
        value.isoformat()
        if hasattr(value, "isoformat")
        else value
        if isinstance(value, (int, float))
        else str(value)
    )


def _as_served(schema: Schema, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as a scorer would make them, so that the sample shows what will be answered."""
    columns = {
        name: rows[name].to_numpy(dtype=object) if rows[name].dtype == "str" else rows[name]
        for name in schema.names
    }
    return frames.frame_of(schema, columns)


def _fitted_names(model: object) -> list[str]:
    names = getattr(model, "feature_names_in_", None)
    return [] if names is None else [str(name) for name in names]


def _same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
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
