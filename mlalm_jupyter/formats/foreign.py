"""Model files of other tools: known by how they begin, looked at without opening, taken in as a package of ours.

>>> from pathlib import Path
>>> import pickle, tempfile
>>> path = Path(tempfile.mkdtemp(), "model.pkl")
>>> _ = path.write_bytes(pickle.dumps(print))
>>> looked_at(path).wants
('arbitrary Python (a pickle)', 'builtins.print')
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from mlalm_jupyter import plugins
from mlalm_jupyter.domain.errors import Corrupt, InvalidInput, MissingDependency, MlalmError, UntrustedContent
from mlalm_jupyter.formats import bundle as bundles
from mlalm_jupyter.formats.archive import first_line
from mlalm_jupyter.formats.estimators import FILE as ESTIMATOR
from mlalm_jupyter.formats.estimators import estimator_text
from mlalm_jupyter.formats.library import install_line, library
from mlalm_jupyter.formats.pickles import is_pickle, wanted
from mlalm_jupyter.formats.skops_format import SkopsFormat
from mlalm_jupyter.formats.statsmodels_format import within
from mlalm_jupyter.formats.torch_format import pickled_in

MOST_BYTES = 96 << 20
"""What is larger is not looked through, and needs somebody's trust whatever it is."""
_COMPRESSED = (
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"]\0\0",
    b"ZF0x",
)
_KNOWN = (
    "a package (.ilearner), an MLflow model folder, or a file of skops, ONNX, XGBoost, LightGBM, CatBoost, "
    "TorchScript, torch.export, torch.save, joblib or pickle"
)
_FRAMES = 16
Allows = Callable[[str], bool]


@dataclass(frozen=True)
class Foreign:
    """A model of another tool that was looked at, and not opened."""

    kind: str
    digest: str
    """The sha256 that somebody trusts, if they do."""
    size_bytes: int
    wants: tuple[str, ...]
    lineage: Mapping[str, Any] = field(default_factory=dict)
    sample: pd.DataFrame | None = field(default=None, repr=False)
    """Rows that came with it."""
    _open: Callable[[bool, Allows], Any] = field(default=lambda _trusted, _allows: None, repr=False)
    types: tuple[str, ...] = ()
    """Those of what it wants that are classes, which may be trusted by name."""

    def load(self, *, trusted: bool, allows: Allows = lambda _: False) -> Any:
        """The model; refused when it wants more than is allowed and nobody trusts it, or its classes by name."""
        what = "The model file"
        rest = [one for one in self.wants if one not in self.types or not allows(one)]
        if rest and not trusted:
            raise self._refused(what, rest)
        try:
            return within(_FRAMES, lambda: self._open(trusted, allows))
        except UntrustedContent as error:
            raise self._refused(what, error.wants) from error
        except ModuleNotFoundError as error:
            root = str(error.name).partition(".")[0]
            raise MissingDependency(
                what, library=f"the module '{error.name}'", install=install_line(root)
            ) from error
        except (MlalmError, MemoryError):
            raise
        except Exception as error:  # a file may raise anything while it is opened
            why = f"Opening it raised {type(error).__name__}: {first_line(error)}."
            raise Corrupt(what, why=why, fix="Get it again from where it was made.") from error

    def _refused(self, what: str, wants: Sequence[str]) -> UntrustedContent:
        types = [one for one in wants if one in self.types]
        return UntrustedContent(what, wants=wants, digest=self.digest, types=types)


def looked_at(path: Path) -> Foreign:
    """What a model file or folder of another tool is, and what opening it would run."""
    if path.is_dir():
        from mlalm_jupyter.formats import mlflow_folder

        return mlflow_folder.looked_at(path)
    return looked_at_file(path)


def looked_at_file(path: Path, *, settings: Mapping[str, Any] | None = None) -> Foreign:
    """What one file is; the settings are those of its kind, such as the class around a booster."""
    if path.is_symlink() or not path.is_file():
        raise InvalidInput(f"The file '{path.name}'", expected=_KNOWN, got="a link or no plain file")
    digest, size = _digest(path)
    with path.open("rb") as file:
        head = file.read(4096)
    kind = _kind(head, path)
    lineage = {"kind": "external", "file": path.name, "file_sha256": digest}
    if size > MOST_BYTES:
        wants, types = [f"a file of {size >> 20} MiB, more than is looked through"], []
    else:
        wants = _wants(kind, data := path.read_bytes(), settings or {})
        types = _types(kind, data) if wants else []

    def opened(trusted: bool, allows: Allows) -> Any:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise Corrupt(
                "The model file", why="It was changed after it was looked at.", fix="Look at it again."
            )
        if kind == "skops" and not trusted:
            return bundles.loaded(kind, _payload(kind, content, {}), trusted=False, allows=allows)
        return _opened(kind, content, trusted, settings or {})

    return Foreign(kind, digest, size, tuple(wants), lineage, None, opened, tuple(types))


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        hasher = hashlib.file_digest(file, "sha256")
        return hasher.hexdigest(), file.tell()


def _kind(head: bytes, path: Path) -> str:
    if head[:4] == b"PK\3\4":
        return _kind_of_zip(path)
    if head[:4] == b"CBM1":
        return "catboost"
    if head[:5] == b"tree\n":
        return "lightgbm"
    if head[:1] == b"{" and b"learner" in head[:64]:
        return "xgboost-json" if head[1:2] in b' "\n' else "xgboost"
    if head[:6] == b"\x93NUMPY":
        raise InvalidInput(
            f"The file '{path.name}'", expected=_KNOWN, got="an array of numpy, which is no model"
        )
    if head[:2] in _COMPRESSED or any(head.startswith(mark) for mark in _COMPRESSED):
        return "joblib"
    if is_pickle(head):
        return "joblib" if path.suffix == ".joblib" or b"joblib.numpy_pickle" in head else "pickle"
    if path.suffix == ".onnx" or head[:1] == b"\x08":
        return "onnx"
    raise InvalidInput(f"The file '{path.name}'", expected=_KNOWN, got="none of those")


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:20_000]
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise Corrupt(
            f"The file '{path.name}'", why=f"It is no readable zip: {first_line(error)}.", fix="Get it again."
        ) from error
    if "manifest.json" in names:
        return "ilearner"
    if "schema.json" in names:
        return "skops"
    inner = {name.partition("/")[2] for name in names}
    if "archive_format" in inner:
        return "torch-export"
    if "data.pkl" in inner or "constants.pkl" in inner:
        return "torchscript" if any(name.startswith("code/") for name in inner) else "torch.save"
    if all(name.endswith(".npy") for name in names):
        raise InvalidInput(
            f"The file '{path.name}'", expected=_KNOWN, got="arrays of numpy, which are no model"
        )
    raise InvalidInput(f"The file '{path.name}'", expected=_KNOWN, got="some other zip")


def _wants(kind: str, data: bytes, settings: Mapping[str, Any]) -> list[str]:
    if kind in ("pickle", "joblib", "torch.save"):
        inner = pickled_in(data) if kind == "torch.save" else [] if _is_packed(data) else wanted(data)
        told = {
            "pickle": "a pickle",
            "joblib": "a pickle of joblib's",
            "torch.save": "a pickle of torch.save's",
        }
        return [f"arbitrary Python ({told[kind]})", *inner]
    if kind == "xgboost-json":
        return ["XGBoost's reader of JSON, which believes every number in it"]
    if kind == "ilearner":
        return bundles.read(data).wants()
    return plugins.model_format(kind).wants(_payload(kind, data, settings))


def _types(kind: str, data: bytes) -> list[str]:
    """Those classes that may be trusted by name: in files of data alone, never in a pickle."""
    if kind == "ilearner":
        return bundles.read(data).types()
    return SkopsFormat().types(_payload(kind, data, {})) if kind == "skops" else []


def _is_packed(data: bytes) -> bool:
    return any(data.startswith(mark) for mark in _COMPRESSED)


def _payload(kind: str, data: bytes, settings: Mapping[str, Any]) -> dict[str, bytes]:
    files = {
        "skops": "model.skops", "onnx": "model.onnx", "xgboost": "model.ubj", "lightgbm": "model.txt",
        "catboost": "model.cbm", "torchscript": "model.pt", "torch-export": "model.pt2",
    }  # fmt: skip
    payload = {files[kind]: data}
    if kind in ("xgboost", "lightgbm", "catboost"):
        bare = "CatBoost" if kind == "catboost" else "Booster"
        payload[ESTIMATOR] = estimator_text(settings.get("class") or bare)
    return payload


def _opened(kind: str, data: bytes, trusted: bool, settings: Mapping[str, Any]) -> Any:
    if kind == "pickle":
        import cloudpickle

        return cloudpickle.loads(data)
    if kind == "joblib":
        return library("joblib").load(io.BytesIO(data))
    if kind == "torch.save":
        made = library("torch").load(io.BytesIO(data), weights_only=False, map_location="cpu")
        if isinstance(made, Mapping):
            raise InvalidInput(
                "The model file",
                expected="a whole network",
                got="weights without their network",
                fix="Load them into your module (`module.load_state_dict(torch.load(FILE))`) and register that.",
            )
        return made
    if kind == "xgboost-json":
        xgboost = library("xgboost")
        made = getattr(xgboost, settings.get("class") or "Booster")()
        made.load_model(bytearray(data))
        return made
    if kind == "ilearner":
        return bundles.read(data).load(trusted=trusted)
    return plugins.model_format(kind).load(_payload(kind, data, settings), trusted=trusted)
