"""scikit-learn objects as skops files: data only, types checked against a list of our own.

What skops writes depends on memory addresses and the time of day. It gets one form here, so that
training again on the same data gives the same bytes.
"""

from __future__ import annotations

import importlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from mlalm_jupyter.domain.errors import Corrupt, MissingDependency, NotSerialisable, UntrustedContent
from mlalm_jupyter.formats.culprit import culprit

FILE = "model.skops"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)

# Fitted parts of scikit-learn's own estimators that skops does not trust by itself: arrays and numbers.
ALLOWED = frozenset(
    {
        "numpy.dtype",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn._loss._loss.CyAbsoluteError",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss._loss.CyHalfGammaLoss",
        "sklearn._loss._loss.CyHalfMultinomialLoss",
        "sklearn._loss._loss.CyHalfPoissonLoss",
        "sklearn._loss._loss.CyHalfSquaredError",
        "sklearn._loss._loss.CyPinballLoss",
        "sklearn._loss.link.HalfLogitLink",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogLink",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.AbsoluteError",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfGammaLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfPoissonLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn._loss.loss.PinballLoss",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.linear_model._sgd_fast.EpsilonInsensitive",
        "sklearn.linear_model._sgd_fast.Hinge",
        "sklearn.linear_model._sgd_fast.Huber",
        "sklearn.linear_model._sgd_fast.Log",
        "sklearn.linear_model._sgd_fast.ModifiedHuber",
        "sklearn.linear_model._sgd_fast.SquaredLoss",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.model_selection._split.GroupKFold",
        "sklearn.model_selection._split.KFold",
        "sklearn.model_selection._split.RepeatedKFold",
        "sklearn.model_selection._split.ShuffleSplit",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.model_selection._split.StratifiedShuffleSplit",
        "sklearn.model_selection._split.TimeSeriesSplit",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)


class SkopsFormat:
    """The format of scikit-learn estimators, pipelines and searches."""

    name = "skops"
    is_data_only = True

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

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        data = _stored(payload)
        try:
            types = _skops().get_untrusted_types(data=data)
        except Exception as error:  # a hostile file may break the reader anywhere
            raise Corrupt(
                "The model's payload", why=f"It is no readable skops file: {_first_line(error)}."
            ) from error
        return sorted(one for one in types if one not in ALLOWED)

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        data = _stored(payload)
        wants = self.wants(payload)
        if wants and not trusted:
            raise UntrustedContent("The model's payload", wants=wants, digest="")
        sio = _skops()
        return sio.loads(data, trusted=sio.get_untrusted_types(data=data))


def canonical(raw: bytes) -> bytes:
    """The same skops file in one form: addresses become running numbers, times one fixed time."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    schema = json.loads(members.pop("schema.json"))
    renumbering = _Renumbering()
    schema = renumbering.node(schema)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for old, new in renumbering.files.items():
            archive.writestr(zipfile.ZipInfo(new, _ZIP_EPOCH), members[old])
        text = json.dumps(schema, indent=None, separators=(",", ":"))
        archive.writestr(zipfile.ZipInfo("schema.json", _ZIP_EPOCH), text)
    return out.getvalue()


class _Renumbering:
    """Gives ids and files numbers in the order they are met."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self._ids: dict[int, int] = {}
        self._next = 1

    def node(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.node(item) for item in node]
        if not isinstance(node, dict):
            return node
        renumbered: dict[str, Any] = {}
        for key, value in node.items():
            if key == "__id__":
                renumbered[key] = self._id(value, is_shared=node.get("__loader__") != "JsonNode")
            elif key == "file" and isinstance(value, str):
                renumbered[key] = self._file(value)
            else:
                renumbered[key] = self.node(value)
        return renumbered

    def _id(self, old: int, *, is_shared: bool) -> int:
        # Whether two equal strings are one object differs from process to process, so texts share nothing.
        if is_shared and old in self._ids:
            return self._ids[old]
        number, self._next = self._next, self._next + 1
        if is_shared:
            self._ids[old] = number
        return number

    def _file(self, old: str) -> str:
        _, dot, ending = old.partition(".")
        return self.files.setdefault(old, f"{len(self.files) + 1}{dot}{ending}")


def _stored(payload: Mapping[str, bytes]) -> bytes:
    """The skops file of a payload, if it is one that cannot grow when it is opened."""
    data = payload.get(FILE)
    if data is None or len(payload) != 1:
        raise Corrupt("The model's payload", why=f"It should hold one file '{FILE}'.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Corrupt("The model's payload", why=f"It is no readable skops file: {error}.") from error
    if any(info.compress_type != zipfile.ZIP_STORED or info.file_size > len(data) for info in infos):
        raise Corrupt("The model's payload", why="Its members are compressed, which we never write.")
    return data


def _skops() -> Any:
    try:
        return importlib.import_module("skops.io")
    except ImportError as error:
        raise MissingDependency(
            "The model", library="skops and scikit-learn", install="pip install skops scikit-learn"
        ) from error


def _refusal(part: object) -> Exception | None:
    try:
        _skops().dumps(part)
    except Exception as error:  # noqa: BLE001  # what it is, is the answer
        return error
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
