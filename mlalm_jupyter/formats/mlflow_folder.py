"""MLflow model folders, read and written without MLflow.

Of a folder the `MLmodel` file says what is in it, in flavors; the best flavor we can open decides. What it names must
lie in the folder, and it decides about nothing else: loader modules and code folders are never followed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from mlalm_jupyter.domain.errors import AlreadyExists, Corrupt, InvalidInput, Unavailable
from mlalm_jupyter.domain.signature import ColumnType, Schema
from mlalm_jupyter.formats.archive import first_line, parts
from mlalm_jupyter.formats.bundle import Bundle
from mlalm_jupyter.formats.estimators import FILE as ESTIMATOR
from mlalm_jupyter.formats.foreign import Foreign, looked_at_file
from mlalm_jupyter.formats.library import library

DESCRIPTION = "MLmodel"
MOST_TEXT = 1 << 20
MOST_FILES = 10_000
_DEEPEST = 20
# flavor: where it says which file holds the model
_FLAVORS = {
    "onnx": "data",
    "xgboost": "data",
    "lightgbm": "data",
    "catboost": "data",
    "sklearn": "pickled_model",
    "statsmodels": "data",
    "pytorch": "model_data",
}
_TYPES = {
    ColumnType.BOOLEAN: "boolean",
    ColumnType.INT64: "long",
    ColumnType.DOUBLE: "double",
    ColumnType.STRING: "string",
    ColumnType.DATETIME: "datetime",
}
_VERSIONS = {
    "sklearn": ("sklearn_version", "scikit-learn"),
    "xgboost": ("xgb_version", "xgboost"),
    "lightgbm": ("lgb_version", "lightgbm"),
    "catboost": ("catboost_version", "catboost"),
    "onnx": ("onnx_version", "onnx"),
}
# the first MLflow that reads skops files
_WRITES_AS = "3.17.2"


def looked_at(folder: Path) -> Foreign:
    """What is in a folder, and what opening it would run."""
    _check_files(folder)
    told = _described(folder)
    flavors = told.get("flavors")
    if not isinstance(flavors, dict):
        raise _damaged(folder, "its MLmodel names no flavors")
    name = next((one for one in _FLAVORS if isinstance(flavors.get(one), dict)), None)
    if name is None:
        raise InvalidInput(
            f"The folder '{folder.name}'",
            expected=f"one of the flavors {', '.join(_FLAVORS)}",
            got=", ".join(sorted(str(one) for one in flavors))[:200] or "none",
            fix="Load it with MLflow in a notebook and register the object; its loader is code that we do not follow.",
        )
    flavor = flavors[name]
    if flavor.get("code"):
        raise InvalidInput(
            f"The folder '{folder.name}'",
            expected="a model that comes without code of its own",
            got=f"one with code in '{str(flavor['code'])[:60]}'",
            fix="Put that code where Python finds it, load the model there and register the object.",
        )
    file = _inside(folder, flavor.get(_FLAVORS[name]))
    if file.is_dir():
        file = _inside(folder, f"{file.relative_to(folder)}/model.pth")
    found = looked_at_file(file, settings=_class_of(flavor))
    lineage = {"kind": "external", "tool": _tool(told), "folder": folder.name, "file_sha256": found.digest}
    if isinstance(run := told.get("run_id"), str) and re.fullmatch(r"[0-9a-f]{1,64}", run):
        lineage["mlflow_run"] = run
    return replace(found, lineage=lineage, sample=_example(folder, told))


def _check_files(folder: Path) -> None:
    count = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            count += 1
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise _damaged(folder, f"'{path.relative_to(folder)}' is a link or no plain file")
            if count > MOST_FILES:
                raise _damaged(folder, f"it holds more than {MOST_FILES} files")


def _described(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    if not path.is_file():
        raise InvalidInput(
            f"The folder '{folder.name}'",
            expected=f"an MLflow model, with a file '{DESCRIPTION}'",
            got="none",
        )
    if path.stat().st_size > MOST_TEXT:
        raise _damaged(folder, "its MLmodel is too large")
    yaml = library("yaml")
    try:
        text = path.read_text("utf-8")
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            kind = type(event).__name__
            depth += kind.endswith(("MappingStartEvent", "SequenceStartEvent"))
            depth -= kind.endswith(("MappingEndEvent", "SequenceEndEvent"))
            if kind == "AliasEvent" or depth > _DEEPEST:
                raise _damaged(folder, "its MLmodel repeats or nests its parts, as no MLflow writes it")
            if str(getattr(event, "tag", None) or "").startswith("tag:yaml.org,2002:python"):
                raise _damaged(folder, f"its MLmodel wants to make '{event.tag[-60:]}'")
        told = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(folder, f"its MLmodel is no readable YAML: {first_line(error)}") from error
    if not isinstance(told, dict):
        raise _damaged(folder, "its MLmodel is no description")
    return told


def _inside(folder: Path, name: object) -> Path:
    """A file in the folder; a name that leads elsewhere is refused."""
    if not isinstance(name, str) or not name:
        raise _damaged(folder, "its MLmodel does not say which file holds the model")
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts or "\\" in name or ":" in name:
        raise _damaged(folder, f"its MLmodel names '{name[:80]}', which is not in the folder")
    path = folder.joinpath(*parts.parts)
    if not path.exists() or not path.resolve().is_relative_to(folder.resolve()):
        raise _damaged(folder, f"its MLmodel names '{name[:80]}', which is not in the folder")
    return path


def _class_of(flavor: Mapping[str, Any]) -> dict[str, Any]:
    told = flavor.get("model_class") or flavor.get("model_type")
    name = str(told).rpartition(".")[2] if told else ""
    return {"class": name} if re.fullmatch(r"[A-Za-z]{1,40}", name) else {}


def _tool(told: Mapping[str, Any]) -> str:
    version = str(told.get("mlflow_version", ""))
    return f"mlflow {version}" if re.fullmatch(r"[0-9][0-9a-z.+]{0,30}", version) else "mlflow"


def _example(folder: Path, told: Mapping[str, Any]) -> pd.DataFrame | None:
    """The rows that came with it, if they are a table."""
    info = told.get("saved_input_example_info")
    if not isinstance(info, dict) or info.get("type") != "dataframe" or info.get("pandas_orient") != "split":
        return None
    path = _inside(folder, info.get("artifact_path"))
    if path.stat().st_size > 8 * MOST_TEXT or parts(data := path.read_bytes()) > 200_000:
        return None
    try:
        table = json.loads(data)
        return pd.DataFrame(table["data"], columns=table["columns"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(folder, f"its input example is no table: {first_line(error)}") from error


def write_folder(package: Bundle, folder: Path, *, trusted: bool) -> Path:
    """A package as an MLflow model folder; it is there whole or not at all."""
    if folder.exists():
        raise AlreadyExists("folder", str(folder), fix="Name a folder that does not exist yet.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(package, making, trusted=trusted)
        making.chmod(0o755)
        making.rename(folder)
    except OSError as error:
        raise Unavailable(
            f"The folder '{folder}' was not written.", why=f"{error.strerror}.", fix="Make room, then repeat."
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def _write(package: Bundle, folder: Path, *, trusted: bool) -> None:
    name, flavor, files = _flavored(package, trusted=trusted)
    file = next(iter(files))
    libraries = dict(package.manifest.get("libraries", {}))
    key, distribution = _VERSIONS[name]
    flavor = {
        "code": None,
        **flavor,
        key: libraries.get(distribution, libraries.get(f"{distribution}-cpu", "")),
    }
    rows = pd.DataFrame([*package.sample_rows], columns=pd.Index(package.signature.inputs.names))
    path_key = "model_path" if name == "sklearn" else "data"
    described = {
        "flavors": {
            "python_function": {
                "env": {"virtualenv": "python_env.yaml"},
                "loader_module": f"mlflow.{name}",
                "python_version": str(package.manifest["python"]),
                path_key: file,
                **({"predict_fn": "predict"} if name == "sklearn" else {}),
            },
            name: flavor,
        },
        "mlflow_version": _WRITES_AS,
        "model_uuid": str(uuid.UUID(package.model_hash[:32])).replace("-", ""),
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "pandas_orient": "split",
            "type": "dataframe",
        },
        "signature": {"inputs": _columns(package.signature.inputs), "outputs": None, "params": None},
        "metadata": {"mlalm_model_hash": package.model_hash},
    }
    requirements = ["mlflow", *package.requirements]
    environment = {
        "python": str(package.manifest["python"]),
        "build_dependencies": ["pip"],
        "dependencies": ["-r requirements.txt"],
    }
    example = rows.to_json(orient="split", index=False, date_format="iso")
    yaml = library("yaml")
    texts = {
        DESCRIPTION: yaml.safe_dump(described),
        "requirements.txt": "\n".join(requirements) + "\n",
        "python_env.yaml": yaml.safe_dump(environment),
        "input_example.json": example,
    }
    for inner, data in files.items():
        (folder / inner).write_bytes(data)
    for inner, text in texts.items():
        (folder / inner).write_text(text, "utf-8")


def _flavored(package: Bundle, *, trusted: bool) -> tuple[str, dict[str, Any], dict[str, bytes]]:
    payload = package.payload
    told = json.loads(payload[ESTIMATOR]) if ESTIMATOR in payload else {}
    if package.format == "skops":
        data = payload["model.skops"]
        types = library("skops.io").get_untrusted_types(data=data)
        flavor = {
            "pickled_model": "model.skops",
            "serialization_format": "skops",
            "skops_trusted_types": types,
        }
        return "sklearn", flavor, {"model.skops": data}
    if package.format == "xgboost":
        path = "xgboost.core.Booster" if told["class"] == "Booster" else f"xgboost.sklearn.{told['class']}"
        flavor = {"data": "model.ubj", "model_class": path, "model_format": "ubj"}
        return "xgboost", flavor, {"model.ubj": payload["model.ubj"]}
    if package.format == "lightgbm" and told["class"] == "Booster":
        flavor = {"data": "model.lgb", "model_class": "lightgbm.basic.Booster"}
        return "lightgbm", flavor, {"model.lgb": payload["model.txt"]}
    if package.format == "catboost":
        flavor = {"data": "model.cb", "model_type": told["class"], "save_format": "cbm"}
        return "catboost", flavor, {"model.cb": payload["model.cbm"]}
    if package.format == "onnx":
        flavor = {"data": "model.onnx", "providers": ["CPUExecutionProvider"], "onnx_session_options": None}
        return "onnx", flavor, {"model.onnx": payload["model.onnx"]}
    if package.format in ("cloudpickle", "lightgbm"):
        model = package.load(trusted=trusted)
        if callable(getattr(model, "predict", None)):
            import cloudpickle

            flavor = {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}
            return "sklearn", flavor, {"model.pkl": cloudpickle.dumps(model)}
    raise InvalidInput(
        "The model",
        expected="one that has a form in MLflow folders",
        got=f"one kept as {package.format}",
        fix="Download it as a package (.ilearner).",
    )


def _columns(schema: Schema) -> str:
    told = [
        {"type": _TYPES[one.type], "name": one.name, "required": not one.nullable} for one in schema.columns
    ]
    return json.dumps(told)


def _damaged(folder: Path, why: str) -> Corrupt:
    return Corrupt(
        f"The MLflow folder '{folder.name}'", why=f"{why[:1].upper()}{why[1:]}.", fix="Get it again."
    )
