"""Rows through a model: one way for registering and for scoring, on columns, with the names Studio gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.formats.predictors import predictor_of

LABELS = "Scored Labels"
PROBABILITIES = "Scored Probabilities"
ASSIGNMENTS = "Assignments"


def score(model: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows as they come out of a model: what went in, then what it says of it.

    >>> score(lambda rows: rows.assign(b=rows["a"] + 1), pd.DataFrame({"a": [1]})).to_dict("list")
    {'a': [1], 'b': [2]}
    """
    model = predictor_of(model)
    if callable(getattr(model, "predict", None)):
        return _predicted(model, _as_fitted(model, frame), frame)
    if callable(getattr(model, "transform", None)):
        return table_of(model.transform(_as_fitted(model, frame)), model)
    if callable(model):
        return table_of(model(frame), model)
    raise InvalidInput(
        "The model",
        expected="something that can predict or transform, or a function of a table",
        got=f"a {type(model).__name__}, which can do neither for new rows",
    )


def transformed(transform: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows as they come out of a fitted preprocessing step."""
    return table_of(transform.transform(_as_fitted(transform, frame)), transform)


def schema_of(frame: pd.DataFrame) -> Schema:
    """The columns of a frame with the types our schema knows."""
    return Schema(tuple(_column(str(name), frame.iloc[:, index]) for index, name in enumerate(frame.columns)))


def frame_of(schema: Schema, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A frame with the types a file of these columns would have been read with."""
    held: dict[str, Any] = {}
    for column in schema.columns:
        values = columns.get(column.name, ())
        held[column.name] = _as_text(values) if column.type is ColumnType.STRING else values
    return pd.DataFrame(held, columns=list(schema.names), copy=False)


def whole_numbers(values: Sequence[int | None]) -> Any:
    """Whole numbers of which some may be missing, in the type that pandas itself reads them with.

    That is float64 where a value is missing, as models expect it; only when that would change a number, for
    beyond 2**53 not every one is a float, it is the nullable Int64.
    """
    if None not in values:
        return np.array(values, dtype=np.int64)
    if all(value is None or int(float(value)) == value for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return pd.array(values, dtype="Int64")


# What pandas itself makes of text: `str` since version 3, `object` before.
_TEXT_TYPE: Any = pd.Series(["a"]).dtype


def _as_text(values: Any) -> Any:
    return pd.array(np.asarray(values, dtype=object), dtype=_TEXT_TYPE)


def _predicted(model: Any, given: Any, frame: pd.DataFrame) -> pd.DataFrame:
    predictions = np.asarray(model.predict(given))
    if predictions.ndim == 2 and predictions.shape[1] == 1:
        predictions = predictions[:, 0]
    if predictions.ndim not in (1, 2) or len(predictions) != len(frame):
        raise InvalidInput(
            "What the model predicts",
            expected=f"one answer for each of the {len(frame)} rows",
            got=f"an array of shape {predictions.shape}",
        )
    added: dict[str, Any] = {}
    if predictions.ndim == 2:
        added.update(
            {f"{LABELS} {index + 1}": predictions[:, index] for index in range(predictions.shape[1])}
        )
    elif _is_clusterer(model):
        added[ASSIGNMENTS] = predictions
    else:
        added[LABELS] = predictions
    added.update(_probabilities(model, given))
    result = frame.copy()
    for name, values in added.items():
        result[_free(name, result.columns)] = values
    return result


def _probabilities(model: Any, given: pd.DataFrame) -> dict[str, Any]:
    classes = getattr(model, "classes_", None)
    try:
        predict_proba = model.predict_proba
    except AttributeError:
        return {}
    if classes is None or np.ndim(classes) != 1:
        return {}
    probabilities = np.asarray(predict_proba(given))
    if len(classes) == 2:
        return {PROBABILITIES: probabilities[:, 1]}
    return {
        f'{PROBABILITIES} for Class "{name}"': probabilities[:, index] for index, name in enumerate(classes)
    }


def _is_clusterer(model: Any) -> bool:
    if getattr(model, "classes_", None) is not None:
        return False
    try:
        return bool(model.__sklearn_tags__().estimator_type == "clusterer")
    except (AttributeError, ModuleNotFoundError):  # no estimator of scikit-learn, or not where there is one
        return hasattr(model, "cluster_centers_")


def _as_fitted(model: Any, frame: pd.DataFrame) -> Any:
    """The rows as the model was fitted on them: columns by name, an array, or texts."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        return _ordered(frame, [str(name) for name in names])
    if _takes_texts(model):
        if frame.shape[1] != 1:
            raise InvalidInput("The rows", expected="one column of texts", got=f"{frame.shape[1]} columns")
        return frame.iloc[:, 0]
    if isinstance(getattr(model, "n_features_in_", None), int) and type(model).__module__.startswith(
        "sklearn."
    ):
        return frame.to_numpy()  # it was fitted on an array, and would warn of names it never saw
    return frame


def _ordered(frame: pd.DataFrame, wanted: list[str]) -> pd.DataFrame:
    if list(frame.columns) == wanted:
        return frame
    if missing := [name for name in wanted if name not in frame.columns]:
        raise InvalidInput(
            "The rows", expected=f"the columns {', '.join(wanted)}", got=f"none named {', '.join(missing)}"
        )
    return frame[wanted]


def _takes_texts(model: Any) -> bool:
    """Whether the first step reads a list of texts, as scikit-learn's text vectorizers do."""
    first = model
    while True:
        inner = getattr(first, "best_estimator_", None)
        if inner is None and (steps := getattr(first, "steps", None)):
            inner = steps[0][1]
        if inner is None:
            break
        first = inner
    try:
        tags = first.__sklearn_tags__().input_tags
    except (AttributeError, ModuleNotFoundError):  # no estimator of scikit-learn, or not where there is one
        return False
    return bool(tags.string and not tags.two_d_array)


def table_of(result: Any, model: Any = None) -> pd.DataFrame:
    """What a function or a model gave, as a table."""
    if isinstance(result, pd.DataFrame):
        return result
    if isinstance(result, pd.Series):
        return result.to_frame(result.name if result.name is not None else "result")
    if isinstance(result, Mapping):
        return _from_columns(dict(result))
    if hasattr(result, "toarray"):
        result = result.toarray()
    if isinstance(result, (np.ndarray, list, tuple)):
        array = np.asarray(result)
        if array.ndim == 1:
            return pd.DataFrame({"result": array})
        if array.ndim == 2:
            names = _names_out(model, array.shape[1])
            return pd.DataFrame(array, columns=names)
    raise InvalidInput("What the function gave", expected="a table", got=f"a {type(result).__name__}")


def _from_columns(columns: dict[Any, Any]) -> pd.DataFrame:
    try:
        return pd.DataFrame(columns)
    except ValueError as error:
        raise InvalidInput(
            "What the function gave", expected="columns of one length", got=str(error)
        ) from error


def _names_out(model: Any, width: int) -> list[str]:
    try:
        names = [str(name) for name in model.get_feature_names_out()]
    except (AttributeError, TypeError, ValueError):
        names = []
    return names if len(names) == width else [f"result{index + 1}" for index in range(width)]


def _free(name: str, taken: Any) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free


def _column(name: str, series: pd.Series[Any]) -> Column:
    kind = _type(series)
    is_loose = kind in (ColumnType.DOUBLE, ColumnType.STRING, ColumnType.DATETIME)
    return Column(name, kind, nullable=is_loose or bool(series.isna().any()))


def _type(series: pd.Series[Any]) -> ColumnType:
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _type(pd.Series(dtype.categories))
    if pd.api.types.is_bool_dtype(dtype):
        return ColumnType.BOOLEAN
    if pd.api.types.is_integer_dtype(dtype):
        return ColumnType.INT64
    if pd.api.types.is_float_dtype(dtype):
        return ColumnType.DOUBLE
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return ColumnType.DATETIME
    if pd.api.types.is_object_dtype(dtype):
        return _type_of_objects(series.dropna())
    return ColumnType.STRING


def _type_of_objects(values: pd.Series[Any]) -> ColumnType:
    kinds = set(map(type, values))
    if kinds and kinds <= {bool, np.bool_}:
        return ColumnType.BOOLEAN
    if kinds and kinds <= {int, np.int64}:
        return ColumnType.INT64
    if kinds and kinds <= {int, float, np.int64, np.float64}:
        return ColumnType.DOUBLE
    return ColumnType.STRING
