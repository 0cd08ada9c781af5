"""The `.ilearner` package: one stored zip that holds a model, what it takes and gives, and a sample.

    manifest.json     what this is, where it came from, and the sha256 of every other member
    signature.json    columns in and out
    sample.json       a few rows and what the model said of them
    payload/...       the model, in the files of its format
    seal.json         where there is one: a workspace's signature over the manifest

The model's hash covers payload and signature, not the manifest: library versions may differ between two
machines that trained the same model. docs/reference/ilearner.md says all of it for other programs.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from mlalm_jupyter import plugins
from mlalm_jupyter.domain.errors import (
    Corrupt,
    InvalidInput,
    MissingDependency,
    MlalmError,
    NotSerialisable,
    UntrustedContent,
)
from mlalm_jupyter.domain.signature import Schema, Signature
from mlalm_jupyter.formats import frames
from mlalm_jupyter.formats.archive import (
    DESCRIPTIONS,
    SEAL,
    damaged,
    first_line,
    json_text,
    read_json,
    unzipped,
    zipped,
)
from mlalm_jupyter.formats.determinism import variations
from mlalm_jupyter.formats.library import install_lines
from mlalm_jupyter.formats.samples import as_served, plain_rows
from mlalm_jupyter.formats.sealing import PackageSeal, read_seal
from mlalm_jupyter.formats.stored import MOST_BYTES, Members, members_of_bytes
from mlalm_jupyter.ports import ModelFormat, TypedFormat

FORMAT_VERSION = 2
"""1: the model hash covered the bytes themselves; no requirements, lineage or seal. 2: since models have formats."""
READABLE = (1, 2)
SAMPLE_ROWS = 5
KIND = "trained-model"
MOST_UNSIGNED = 96 << 20
"""What is larger is not looked through, and therefore opened only when someone trusts it."""
_BASE = ("numpy", "pandas")


class Payload(Mapping[str, bytes]):
    """The files of a model, read when they are asked for."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._names = [name for name in members if name.startswith("payload/")]

    def __getitem__(self, name: str) -> bytes:
        return self._members[f"payload/{name}"]

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix("payload/") for name in self._names)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def size_bytes(self) -> int:
        return sum(self._members.size(name) for name in self._names)


@dataclass(frozen=True)
class Bundle:
    """An `.ilearner` whose members have been checked against its manifest; nothing in it has been opened."""

    source: bytes | Path = field(repr=False)
    manifest: Mapping[str, Any] = field(repr=False)
    members: Members = field(repr=False)
    seal: PackageSeal | None = None

    @property
    def data(self) -> bytes:
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    @property
    def format(self) -> str:
        return str(self.manifest["format"])

    @property
    def framework(self) -> str:
        return str(self.manifest["framework"])

    @property
    def version(self) -> int:
        return int(self.manifest["format_version"])

    @property
    def is_deterministic(self) -> bool:
        """Whether training again on the same data gives the same model hash."""
        return self.manifest.get("is_deterministic") is True

    @property
    def varies(self) -> tuple[str, ...]:
        """Why its bytes may differ when it is made again, as its writer says."""
        said = self.manifest.get("varies")
        return tuple(str(one)[:200] for one in said[:20]) if isinstance(said, list) else ()

    @property
    def requirements(self) -> tuple[str, ...]:
        """What it was made with and needs to be opened, as pip names it; none in packages of version 1."""
        return tuple(self.manifest.get("requirements", ()))

    @property
    def lineage(self) -> Mapping[str, Any]:
        """Where its writer says it came from; nothing is believed because of it."""
        return dict(self.manifest.get("lineage", {}))

    @property
    def is_data_only(self) -> bool:
        """What the format can run is for our own table to say, never for the file."""
        return plugins.model_format(self.format).is_data_only

    @cached_property
    def signature(self) -> Signature:
        return Signature.from_dict(read_json(self.members["signature.json"], "signature.json"))

    @cached_property
    def model_hash(self) -> str:
        return _HASHES[self.version](self.members, self.manifest["members"])

    @property
    def sample_rows(self) -> tuple[tuple[object, ...], ...]:
        """Rows as the model takes them."""
        return tuple(tuple(row) for row in read_json(self.members["sample.json"], "sample.json")["inputs"])

    @property
    def sample_answers(self) -> tuple[tuple[object, ...], ...]:
        """What the model said of those rows when it was packed."""
        return tuple(
            tuple(row) for row in read_json(self.members["sample.json"], "sample.json").get("outputs", ())
        )

    @property
    def payload(self) -> Payload:
        return Payload(self.members)

    def wants(self) -> list[str]:
        """What opening it would run or construct beyond what is allowed; found without opening it."""
        chosen = plugins.model_format(self.format)
        if chosen.is_data_only and self.payload.size_bytes > MOST_UNSIGNED:
            return [f"a payload of {self.payload.size_bytes >> 20} MiB, more than is looked through unsigned"]
        return chosen.wants(self.payload)

    def types(self) -> list[str]:
        """Those of what it wants that are classes, which a workspace may trust by name; none where code is in it."""
        chosen = plugins.model_format(self.format)
        if not chosen.is_data_only or not isinstance(chosen, TypedFormat):
            return []
        if self.payload.size_bytes > MOST_UNSIGNED:
            return []
        return chosen.types(self.payload)

    def load(self, *, trusted: bool, digest: str = "", allows: Callable[[str], bool] | None = None) -> object:
        """The model; refused when it wants more than is allowed and nobody trusts it.

        `allows` tells of a class whether somebody trusts it by name; formats with code in them never ask.
        """
        try:
            if not trusted and self.payload.size_bytes > MOST_UNSIGNED and (wants := self.wants()):
                raise UntrustedContent("The model", wants=wants, digest=digest or self.model_hash)
            return loaded(self.format, self.payload, trusted=trusted, allows=allows)
        except UntrustedContent as error:
            raise UntrustedContent(
                "The model", wants=error.wants, digest=digest or self.model_hash, types=error.types
            ) from error
        except MissingDependency as error:
            raise install_lines(error, self.requirements) from error
        except (MlalmError, MemoryError):
            raise
        except Exception as error:  # a payload may raise anything while it is opened
            raise self._unopened(error) from error

    def _unopened(self, error: Exception) -> Corrupt:
        written = self.manifest.get("libraries")
        others = [
            f"{name}=={version}"
            for name, here in _versions(sorted(_known_libraries())).items()
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


def loaded(
    name: str, payload: Mapping[str, bytes], *, trusted: bool, allows: Callable[[str], bool] | None
) -> object:
    """What a payload of a format holds; its classes are asked for only where the format is one of data."""
    chosen = plugins.model_format(name)
    if trusted or allows is None or not chosen.is_data_only or not isinstance(chosen, TypedFormat):
        return chosen.load(payload, trusted=trusted)
    return chosen.load_typed(payload, allows=allows)


def pack(
    model: object,
    *,
    sample: pd.DataFrame | None,
    lineage: Mapping[str, Any] | None = None,
    allows: Callable[[str], bool] | None = None,
) -> Bundle:
    """A model as a package; it is opened again and must say the same of its sample.

    The lineage is kept in the package as it is given. Objects of classes that are allowed by name stay in a form of
    data, which names them.

    >>> pack(abs, sample=pd.DataFrame({"a": [-1]})).format
    'cloudpickle'
    """
    known, rows, scored, told = described(model, sample)
    refusal: MlalmError | None = None
    for one in plugins.model_formats():
        if not one.takes(model):
            continue
        try:
            payload = one.dump(model)
            if getattr(one, "leaves_code", False) and not _is_let_in(one, payload, allows):
                continue
            bundle = packed(
                one,
                payload,
                told,
                framework=one.framework(model),
                lineage=lineage,
                varies=variations(model, one, payload),
            )
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


def described(
    model: object, sample: pd.DataFrame | None
) -> tuple[Schema, pd.DataFrame, pd.DataFrame, dict[str, bytes]]:
    """What a model takes and gives, seen from a sample: its columns, the rows, the answers, and the members of both."""
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
    return known, rows, scored, told


def packed(
    chosen: ModelFormat,
    payload: Mapping[str, bytes],
    told: Mapping[str, bytes],
    *,
    framework: str,
    lineage: Mapping[str, Any] | None = None,
    varies: Sequence[str] = (),
) -> Bundle:
    """A payload and what is known of it as a package; `varies` tells why its bytes may differ when it is made again."""
    members = dict(sorted({**{f"payload/{name}": data for name, data in payload.items()}, **told}.items()))
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    sizes = {name: len(data) for name, data in members.items()}
    if sum(sizes.values()) > MOST_BYTES:
        raise InvalidInput("The model", expected="at most 2 GiB", got=f"{sum(sizes.values()) >> 20} MiB")
    used = _versions([*_BASE, *chosen.libraries(payload)])
    manifest = {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "format": chosen.name,
        "framework": framework,
        "is_deterministic": not varies,
        **({"varies": list(varies)} if varies else {}),
        "model_hash": _hash_of_hashes(sizes, hashes),
        "python": platform.python_version(),
        "libraries": used,
        "requirements": [f"{name}=={version.partition('+')[0]}" for name, version in used.items()],
        "lineage": dict(lineage or {}),
        "members": hashes,
    }
    data = zipped({"manifest.json": json_text(manifest), **members})
    return Bundle(data, manifest, members_of_bytes(data).without("manifest.json"))


def _is_let_in(
    chosen: ModelFormat, payload: Mapping[str, bytes], allows: Callable[[str], bool] | None
) -> bool:
    wants = chosen.wants(payload)
    if not wants or allows is None or not isinstance(chosen, TypedFormat):
        return not wants
    types = chosen.types(payload)
    return all(name in types and allows(name) for name in wants)


def _check_replay(
    model: object, bundle: Bundle, scored: pd.DataFrame, known: Schema, rows: pd.DataFrame
) -> None:
    """A model that does not survive its own file is not kept."""
    what = f"The {type(model).__name__}"
    try:
        is_trusted = not bundle.is_data_only or bool(bundle.wants())  # it was made here, just now
        again = _answers(bundle.load(trusted=is_trusted), known, rows)
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
    members = unzipped(source)
    if "manifest.json" not in members:
        raise damaged("It lacks manifest.json")
    text = members["manifest.json"]
    manifest = read_json(text, "manifest.json")
    seal = read_seal(members[SEAL], text) if SEAL in members else None
    members = members.without("manifest.json").without(SEAL)
    version = manifest.get("format_version")
    if version not in READABLE or isinstance(version, bool) or manifest.get("kind") != KIND:
        raise damaged(
            f"Its format version is {version!r:.80}; this version of mlalm reads {READABLE[0]} to {READABLE[-1]}",
            fix="If a newer mlalm wrote it, install that one.",
        )
    hashes = manifest.get("members")
    if not isinstance(hashes, dict) or set(hashes) != set(members):
        raise damaged("Its members are not those that its manifest lists")
    for name in members:
        if members.hash(name) != hashes[name]:
            raise damaged(f"Its member '{name}' does not give the hash that its manifest lists")
    missing = [name for name in DESCRIPTIONS[1:] if name not in members]
    if missing or not any(name.startswith("payload/") for name in members):
        raise damaged(f"It lacks {', '.join(missing) or 'a payload'}")
    if isinstance(source, Path):
        members = members.held_to(hashes)
    _check_manifest(manifest)
    bundle = Bundle(source, manifest, members, seal)
    if manifest.get("model_hash") != bundle.model_hash:
        raise damaged("Its member 'manifest.json' gives another model hash than its members")
    _check_described(bundle)
    return bundle


def _check_manifest(manifest: Mapping[str, Any]) -> None:
    if not all(isinstance(manifest.get(key), str) for key in ("format", "framework")):
        raise damaged("Its member 'manifest.json' names no format")
    asked = manifest.get("requirements", [])
    if not isinstance(asked, list) or not all(isinstance(one, str) and _PIN.fullmatch(one) for one in asked):
        raise damaged("Its member 'manifest.json' asks for something that is no version of a package")
    if not isinstance(manifest.get("lineage", {}), dict):
        raise damaged("Its member 'manifest.json' has a lineage that is no object")


def _check_described(bundle: Bundle) -> None:
    """Signature and sample can be read, and fit each other."""
    try:
        width = len(bundle.signature.inputs.columns)
    except InvalidInput as error:
        raise damaged(f"Its member 'signature.json' describes no columns: {error}") from error
    rows = read_json(bundle.members["sample.json"], "sample.json").get("inputs")
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == width for row in rows):
        raise damaged(f"Its member 'sample.json' has no rows of {width} cells")


def _hash_of_hashes(sizes: Mapping[str, int], hashes: Mapping[str, str]) -> str:
    hasher = hashlib.sha256(b"mlalm-model-2\n")
    for name in _modelling(hashes):
        hasher.update(f"{name}\n{sizes[name]}\n{hashes[name]}\n".encode())
    return hasher.hexdigest()


def _hash_1(members: Members, hashes: Mapping[str, str]) -> str:
    hasher = hashlib.sha256()
    for name in _modelling(members):
        hasher.update(f"{name}\n{members.size(name)}\n".encode())
        hasher.update(members[name])
    return hasher.hexdigest()


def _hash_2(members: Members, hashes: Mapping[str, str]) -> str:
    return _hash_of_hashes({name: members.size(name) for name in members}, hashes)


def _modelling(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name == "signature.json" or name.startswith("payload/"))


_HASHES = {1: _hash_1, 2: _hash_2}
_PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}==[0-9][0-9A-Za-z.+!]{0,40}")


def _fitted_names(model: object) -> list[str]:
    names = getattr(model, "feature_names_in_", None)
    return [] if names is None else [str(name) for name in names]


def _is_same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    try:
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    except AssertionError:
        return False
    return True


def _known_libraries() -> set[str]:
    """What our formats need; a file that names others does not make us speak of them."""
    return {*_BASE, *(name for one in plugins.model_formats() for name in getattr(one, "known", ()))}


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in dict.fromkeys(names):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
