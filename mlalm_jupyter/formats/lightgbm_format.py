"""LightGBM as the text it writes itself: data, once it was seen that no tree of it points outside itself.

LightGBM believes every number of that text, and ends the process or reads beside its memory at wrong ones. So a text
that nobody signed is read here first, line by line, and what is not known here is left to somebody's trust.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from mlalm_jupyter.domain.errors import NotSerialisable, UntrustedContent
from mlalm_jupyter.formats.archive import damaged_payload
from mlalm_jupyter.formats.estimators import FILE as ESTIMATOR
from mlalm_jupyter.formats.estimators import Estimator, estimator_text, read_estimator, settings_of
from mlalm_jupyter.formats.library import is_of, library

FILE = "model.txt"
_CLASSES = ("LGBMClassifier", "LGBMRegressor", "LGBMRanker")
_PATHS = tuple(f"lightgbm.sklearn.{name}" for name in _CLASSES)
_HEAD = (
    *("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective"),
    *("feature_names", "feature_infos", "tree_sizes", "monotone_constraints"),
)
_OBJECTIVES = re.compile(
    r"(regression|regression_l1|huber|fair|poisson|quantile|mape|gamma|tweedie|binary|multiclass|multiclassova|"
    r"cross_entropy|cross_entropy_lambda|lambdarank|rank_xendcg)( (sigmoid|num_class|sqrt|alpha|c)[:=]?[0-9.e+-]*)*"
)
_FLOATS = r"(-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?|-?inf|nan)"
_NUMBERS = re.compile(rf"{_FLOATS}?( {_FLOATS})*")
_INNER = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
_INNER_TOLD = ("internal_value", "internal_weight", "internal_count")
_LEAF = ("leaf_value",)
_LEAF_TOLD = ("leaf_weight", "leaf_count")
_SINGLE = ("num_leaves", "num_cat", "is_linear", "shrinkage")
_IS_CATEGORICAL = 1


class LightgbmFormat:
    """The format of LightGBM's boosters and estimators."""

    name = "lightgbm"
    is_data_only = True
    is_deterministic = True
    known = ("lightgbm", "scikit-learn", "scipy")

    def takes(self, model: object) -> bool:
        # a person's own subclass carries code, which this form would lose
        return type(model).__module__.startswith("lightgbm.") and is_of(
            model, "lightgbm.basic.Booster", *_PATHS
        )

    def framework(self, model: object) -> str:
        return f"lightgbm {library('lightgbm').__version__}"

    def dump(self, model: Any) -> dict[str, bytes]:
        if is_of(model, "lightgbm.basic.Booster"):
            return {FILE: _plain_text(model), ESTIMATOR: estimator_text("Booster")}
        if not hasattr(model, "_Booster") or model._Booster is None:
            raise NotSerialisable(
                f"The {type(model).__name__}", attribute="booster_", because="it is not fitted"
            )
        fitted: dict[str, Any] = {
            "n_features": int(model._n_features),
            "objective": model._objective if isinstance(model._objective, str) else None,
        }
        if (classes := getattr(model, "_classes", None)) is not None:
            fitted["classes"] = _plain_classes(model, classes)
            fitted["dtype"] = np.asarray(classes).dtype.str
        text = estimator_text(type(model).__name__, settings=settings_of(model), fitted=fitted)
        return {FILE: _plain_text(model._Booster), ESTIMATOR: text}

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        return list(self.known)

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        read_estimator(payload, FILE, classes=("Booster", *_CLASSES))
        try:
            return _unknown(_without_parameters(payload[FILE]).decode("utf-8"))
        except (KeyError, ValueError, IndexError, OverflowError) as error:
            raise damaged_payload(
                "It is no readable LightGBM model: a part of it is not what it should be."
            ) from error

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        told = read_estimator(payload, FILE, classes=("Booster", *_CLASSES))
        if not trusted and (wants := self.wants(payload)):
            raise UntrustedContent("The model's payload", wants=wants, digest="")
        lightgbm = library("lightgbm")
        try:
            booster = lightgbm.Booster(model_str=_without_parameters(payload[FILE]).decode("utf-8"))
            return booster if told.name == "Booster" else _estimator(lightgbm, told, booster)
        except (lightgbm.basic.LightGBMError, KeyError, TypeError, ValueError) as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise damaged_payload(f"LightGBM cannot read it: {said}.") from error


def _plain_text(booster: Any) -> bytes:
    return _without_parameters(str(booster.model_to_string(num_iteration=-1)).encode())


def _without_parameters(text: bytes) -> bytes:
    """The trees without the parameters of the training, which name files and machines; nobody asks for them."""
    head, _, rest = text.partition(b"\nparameters:\n")
    return head + b"\n" + rest.partition(b"\nend of parameters\n")[2] if rest else text


def _plain_classes(model: object, classes: Any) -> list[Any]:
    values = np.asarray(classes)
    if values.dtype.kind == "O":
        if not all(isinstance(one, str) for one in values):
            raise NotSerialisable(
                f"The {type(model).__name__}",
                attribute="classes_",
                because="labels of mixed types have no plain form",
            )
    elif values.dtype.kind not in "biufU":
        raise NotSerialisable(
            f"The {type(model).__name__}",
            attribute="classes_",
            because=f"labels of {values.dtype} have no plain form",
        )
    return list(values.tolist())


def _estimator(lightgbm: Any, told: Estimator, booster: Any) -> Any:
    """An estimator around its booster; scikit-learn's part of it is in no file of LightGBM's own."""
    made = getattr(lightgbm, told.name)(**told.settings)
    made._Booster = booster
    made._n_features = made._n_features_in = int(told.fitted["n_features"])
    made._objective = told.fitted.get("objective")
    made._best_iteration = booster.best_iteration
    made._evals_result = {}
    made._other_params = {}
    made._fitted_with_feature_names = True
    if "classes" in told.fitted:
        kind = str(told.fitted["dtype"])
        values = np.asarray(told.fitted["classes"], dtype=object if kind == "|O" else np.dtype(kind))
        encoder = lightgbm.compat._LGBMLabelEncoder().fit(values)
        made._le, made._classes, made._n_classes = encoder, values, len(values)
        made._class_map = dict(zip(values, encoder.transform(values), strict=True))
        made._class_weight = None
    made.fitted_ = True
    return made


def _unknown(text: str) -> list[str]:
    """What of a model is not looked through here; an error when what is looked through is not sound."""
    head_text, *trees = text.split("\nTree=")
    lines = head_text.splitlines()
    if not lines or lines[0] != "tree":
        raise ValueError("another kind of model")
    head, odd = _pairs(lines[1:])
    wants = [f"what LightGBM makes of '{one[:40]}'" for one in odd if one != "average_output"]
    wants += [f"what LightGBM makes of '{name[:40]}'" for name in head if name not in _HEAD]
    if not _OBJECTIVES.fullmatch(head.get("objective", "")):
        wants.append(f"LightGBM's objective '{head.get('objective', 'of the person')[:40]}'")
    features, classes = int(head["max_feature_idx"]) + 1, int(head["num_class"])
    rounds = int(head["num_tree_per_iteration"])
    names, ranges = head["feature_names"].split(" "), head["feature_infos"].split(" ")
    sizes = [int(one) for one in head["tree_sizes"].split()]
    if not (
        0 < features < 1 << 24
        and 0 < classes < 1 << 16
        and rounds in (1, classes)
        and len(names) == len(ranges) == features
        and all(re.fullmatch(r"none|\[[^\[\]]{1,100}\]|[0-9:-]{1,4000}", one) for one in ranges)
        and head["version"] == "v4"
        and len(sizes) == len(trees)
        and len(trees) % rounds == 0
    ):
        raise ValueError("its head does not fit")
    if any(not one.startswith("[") and one != "none" for one in ranges):
        wants.append("LightGBM's reader of categories, which is not looked through")
    for index, (body, size) in enumerate(zip(trees, sizes, strict=True)):
        held, _, after = body.partition("\nend of trees") if index == len(trees) - 1 else (body, "", "")
        if len(f"Tree={held}\n".encode()) not in (size, size + 1, size - 1):
            raise ValueError("a tree of another size than the head says")
        wants += _unknown_of_tree(index, held, features)
        if index == len(trees) - 1:
            _check_end(after)
    return list(dict.fromkeys(wants))


def _unknown_of_tree(index: int, text: str, features: int) -> list[str]:
    number, *lines = text.splitlines()
    tree, odd = _pairs(lines)
    if int(number) != index or odd:
        raise ValueError("a tree out of order")
    if tree.get("num_cat") != "0":
        return ["LightGBM's reader of categories, which is not looked through"]
    if tree.get("is_linear") != "0" or not set(tree) <= {
        *_SINGLE,
        *_INNER,
        *_INNER_TOLD,
        *_LEAF,
        *_LEAF_TOLD,
    }:
        return ["LightGBM's reader of linear trees, which is not looked through"]
    leaves = int(tree["num_leaves"])
    if leaves < 1 or not _NUMBERS.fullmatch(tree["shrinkage"]):
        raise ValueError("no leaves")
    told = {name: _array(tree[name]) for name in tree if name not in _SINGLE}
    if any(len(told[name]) != leaves for name in _LEAF):
        raise ValueError("leaves that are not there")
    if leaves == 1:
        # one value and no question; what is told beside it is written empty or as a zero
        if any(len(values) > 1 for values in told.values()):
            raise ValueError("parts that are not there")
        return []
    if any(len(told[name]) != leaves - 1 for name in (*_INNER, *(n for n in _INNER_TOLD if n in told))):
        raise ValueError("splits that are not there")
    if any(len(told[name]) != leaves for name in _LEAF_TOLD if name in told):
        raise ValueError("leaves that are not there")
    left, right = told["left_child"], told["right_child"]
    children = np.concatenate((left, right))
    kinds = told["decision_type"]
    whole = all(
        np.array_equal(told[n], np.trunc(told[n])) for n in ("left_child", "right_child", "split_feature")
    )
    is_sound = (
        whole
        and np.all(children >= -leaves)
        and np.all(children < leaves - 1)
        and np.all(children != 0)
        and len(np.unique(children)) == len(children)  # nothing has two parents, so nothing leads back
        and np.all(told["split_feature"] >= 0)
        and np.all(told["split_feature"] < features)
        and np.array_equal(kinds, np.trunc(kinds))
        and np.all((kinds >= 0) & (kinds < 16))
        and not np.any(kinds.astype(np.int64) & _IS_CATEGORICAL)
    )
    if not is_sound:
        raise damaged_payload(f"Its tree {index} points outside itself.")
    return []


def _check_end(text: str) -> None:
    """What stands behind the trees: how often columns were used, and the categories pandas had."""
    for line in text.splitlines():
        is_known = (
            not line
            or line == "feature_importances:"
            or re.fullmatch(r"[^=\n]{1,400}=\d{1,12}", line)
            or line == "pandas_categorical:[]"
            or line == "pandas_categorical:null"
        )
        if not is_known:
            raise damaged_payload(f"It ends with '{line[:40]}', which is no part of a LightGBM model.")


def _pairs(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    odd = []
    for line in lines:
        name, is_pair, value = line.partition("=")
        if is_pair and name in found:
            raise ValueError("said twice")
        if is_pair:
            found[name] = value
        elif line:
            odd.append(line)
    return found, odd


def _array(text: str) -> Any:
    if not _NUMBERS.fullmatch(text):
        raise ValueError("no numbers")
    return np.array([float(one) for one in text.split(" ") if one])
