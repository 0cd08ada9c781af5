"""scikit-learn objects as skops files: data only, every part of them on a list of our own.

What skops writes depends on memory addresses and the time of day. It gets one form here, so that
training again on the same data gives the same bytes.
"""

from __future__ import annotations

import importlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from mlalm_jupyter.domain.errors import Corrupt, MissingDependency, NotSerialisable, UntrustedContent
from mlalm_jupyter.formats.archive import MOST_PARTS, damaged_payload, first_line, parts
from mlalm_jupyter.formats.audit import Audit, audited
from mlalm_jupyter.formats.bounds import check_bounds
from mlalm_jupyter.formats.culprit import culprit
from mlalm_jupyter.formats.library import install_line

FILE = "model.skops"
# where scikit-learn's text vectorizers keep the address of their list of stop words
_OWN_ADDRESS = "_stop_words_id"
_OBJECTS = re.compile(rb"['\"][|<>=]?O[0-9]*['\"]")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


class SkopsFormat:
    """The format of scikit-learn estimators, pipelines and searches."""

    name = "skops"
    is_data_only = True
    is_deterministic = True
    known = ("scikit-learn", "scipy", "skops")
    leaves_code = True
    """What holds types of the person's own is left to a format that brings those back as well."""

    def takes(self, model: object) -> bool:
        # asked of the class, so that scikit-learn is not imported for objects that are none of its
        return any(cls.__module__.startswith("sklearn.") for cls in type(model).__mro__)

    def framework(self, model: object) -> str:
        return f"scikit-learn {importlib.import_module('sklearn').__version__}"

    def dump(self, model: object) -> dict[str, bytes]:
        sio = _skops()
        try:
            raw = sio.dumps(model)
        except Exception as error:  # any part of any object may object in its own way
            path, said = culprit(model, _refusal)
            raise NotSerialisable(f"The {type(model).__name__}", attribute=path, because=said) from error
        return {FILE: canonical(raw)}

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        return list(self.known)

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        data = _stored(payload)
        return _judged(data, _audit(data))

    def types(self, payload: Mapping[str, bytes]) -> list[str]:
        return sorted(_audit(_stored(payload)).types)

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        if not trusted:
            return self.load_typed(payload, allows=lambda _: False)
        data = _stored(payload)
        sio = _skops()
        return sio.loads(data, trusted=sio.get_untrusted_types(data=data))

    def load_typed(self, payload: Mapping[str, bytes], *, allows: Callable[[str], bool]) -> object:
        data = _stored(payload)
        found = _audit(data)
        wants = _judged(data, found)
        types = {name for name in wants if name in found.types and allows(name)}
        if rest := [name for name in wants if name not in types]:
            raise UntrustedContent(
                "The model's payload",
                wants=rest,
                digest="",
                types=[name for name in rest if name in found.types],
            )
        # skops gives a part that carries a number seen before the part that had it first, whatever it says of
        # itself; without numbers it makes exactly what was looked at
        try:
            model = _skops().loads(canonical(data), trusted=sorted(found.allowed | types))
        except ImportError as error:
            if not types:
                raise
            raise _without(error, types) from error
        check_bounds(model)
        return model


def canonical(raw: bytes) -> bytes:
    """The same skops file in one form: no addresses, files numbered as they are met, one fixed time."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    files: dict[str, str] = {}
    schema = _plain(json.loads(members.pop("schema.json")), files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for old, new in files.items():
            data = members[old]
            archive.writestr(zipfile.ZipInfo(new, _ZIP_EPOCH), _unpacked(data) if _is_zip(data) else data)
        archive.writestr(
            zipfile.ZipInfo("schema.json", _ZIP_EPOCH), json.dumps(schema, separators=(",", ":"))
        )
    return out.getvalue()


def _unpacked(data: bytes) -> bytes:
    """A sparse array, which scipy keeps in a zip of its own, without compression."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as plain:
        for info in packed.infolist():
            plain.writestr(zipfile.ZipInfo(info.filename, _ZIP_EPOCH), packed.read(info))
    return out.getvalue()


def _is_zip(data: bytes) -> bool:
    return zipfile.is_zipfile(io.BytesIO(data))


def _plain(node: Any, files: dict[str, str]) -> Any:
    """A part without its address, its files under running numbers, a set in one order."""
    if isinstance(node, list):
        return [_plain(item, files) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("__loader__") == "SetNode":
        node = {**node, "content": sorted(node["content"], key=_order)}
    plain: dict[str, Any] = {}
    for key, value in node.items():
        if key == "file" and isinstance(value, str):
            ending = value.rpartition(".")[2]
            plain[key] = files.setdefault(value, f"{len(files) + 1}.{ending}")
        elif key == _OWN_ADDRESS and isinstance(value, dict):
            plain[key] = {**_plain(value, files), "content": "0"}
        elif key != "__id__" or "__loader__" not in node:
            plain[key] = _plain(value, files)
    return plain


def _order(node: Any) -> str:
    return json.dumps(_plain(node, {}))


def _audit(data: bytes) -> Audit:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = archive.read("schema.json")
            if parts(text) > MOST_PARTS:
                raise damaged_payload(f"It describes {parts(text)} parts, more than we look through.")
            schema = json.loads(text)
    except (zipfile.BadZipFile, ValueError, KeyError, RecursionError, NotImplementedError) as error:
        raise _unreadable(error) from error
    if not isinstance(schema, dict):
        raise _unreadable("its schema is no object")
    return audited(schema)


def _judged(data: bytes, found: Audit) -> list[str]:
    """What neither our audit nor that of skops lets pass."""
    try:
        others = _skops().get_untrusted_types(data=data)
    except MissingDependency:
        raise
    except Exception as error:  # a hostile file may break the reader anywhere
        if found.wants:
            return sorted(found.wants)
        raise _unreadable(error) from error
    return sorted(found.wants | (set(others) - found.allowed))


def _stored(payload: Mapping[str, bytes]) -> bytes:
    """The skops file of a payload, if it is one that cannot grow when it is opened."""
    data = payload.get(FILE)
    if data is None or len(payload) != 1:
        raise damaged_payload(f"It should hold one file '{FILE}'.")
    _check_stored(data, "It")
    return data


def _check_stored(data: bytes, what: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if len({info.filename for info in infos}) != len(infos):
                raise damaged_payload(f"{what} holds a file twice.")
            if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
                raise damaged_payload(f"{what} is compressed, which we never write.")
            if sum(info.file_size for info in infos) > len(data):
                raise damaged_payload(f"{what} holds more than there is.")
            for info in infos:
                inner = archive.read(info)
                if _holds_objects(inner):
                    raise damaged_payload(
                        f"Its part '{info.filename}' is an array of objects, which is a pickle."
                    )
                if _is_zip(inner):
                    _check_stored(inner, f"Its part '{info.filename}'")
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise _unreadable(error) from error


def _holds_objects(data: bytes) -> bool:
    """Whether it is an array whose values numpy would have to unpickle."""
    if data[:6] != b"\x93NUMPY":
        return False
    size, start = (
        (int.from_bytes(data[8:10], "little"), 10)
        if data[6] == 1
        else (int.from_bytes(data[8:12], "little"), 12)
    )
    return _OBJECTS.search(data[start : start + min(size, 1 << 16)]) is not None


def _skops() -> Any:
    try:
        return importlib.import_module("skops.io")
    except ImportError as error:
        raise MissingDependency(
            "The model", library="skops and scikit-learn", install="pip install skops scikit-learn"
        ) from error


def _without(error: ImportError, types: set[str]) -> MissingDependency:
    """What lacks is a module of a type that somebody trusts."""
    root = str(error.name or next(iter(types))).partition(".")[0]
    return MissingDependency("The model", library=f"the module '{root}'", install=install_line(root))


def _refusal(part: object) -> Exception | None:
    try:
        _skops().dumps(part)
    except Exception as error:  # noqa: BLE001  # what it is, is the answer
        return error
    return None


def _unreadable(why: Exception | str) -> Corrupt:
    said = why if isinstance(why, str) else first_line(why)
    return damaged_payload(f"It is no readable skops file: {said}.")
