"""XGBoost in its own file form: data, once it was seen that no tree of it points outside itself.

XGBoost follows the indices of a tree in compiled code without looking where they lead, as scikit-learn does; so
what nobody signed is looked through first, and what is not known here is left to somebody's trust.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from mlalm_jupyter.domain.errors import UntrustedContent
from mlalm_jupyter.formats.archive import damaged_payload
from mlalm_jupyter.formats.estimators import FILE as ESTIMATOR
from mlalm_jupyter.formats.estimators import estimator_text, read_estimator, settings_of
from mlalm_jupyter.formats.library import is_of, library
from mlalm_jupyter.formats.ubjson import NotUbjson, read_ubjson

FILE = "model.ubj"
_CLASSES = ("XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")
_PATHS = tuple(f"xgboost.sklearn.{name}" for name in _CLASSES)
_OBJECTIVES = re.compile(r"(binary|multi|reg|count|rank|survival):[a-z:_]{1,30}")
_PER_NODE = (
    *("base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children"),
    *("split_conditions", "split_indices", "split_type", "sum_hessian"),
)
_CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
_SIZES = ("num_deleted", "num_feature", "num_nodes", "size_leaf_vector")
_NUMBER = re.compile(r"[\[\],0-9eE.+-]{1,2000}")


class XgboostFormat:
    """The format of XGBoost's boosters and of its estimators that have a native form."""

    name = "xgboost"
    is_data_only = True
    is_deterministic = True
    known = ("xgboost", "xgboost-cpu", "scikit-learn", "scipy")

    def takes(self, model: object) -> bool:
        # a person's own subclass carries code, which this form would lose
        return type(model).__module__.startswith("xgboost.") and is_of(model, "xgboost.core.Booster", *_PATHS)

    def framework(self, model: object) -> str:
        return f"xgboost {library('xgboost').__version__}"

    def dump(self, model: Any) -> dict[str, bytes]:
        is_bare = is_of(model, "xgboost.core.Booster")
        booster = model if is_bare else model.get_booster()
        if is_bare:
            return {FILE: bytes(booster.save_raw("ubj")), ESTIMATOR: estimator_text("Booster")}
        text = estimator_text(type(model).__name__, settings=settings_of(model))
        return {FILE: bytes(booster.save_raw("ubj")), ESTIMATOR: text}

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        return list(self.known)

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        read_estimator(payload, FILE, classes=("Booster", *_CLASSES))
        try:
            told = read_ubjson(payload[FILE])
        except NotUbjson as error:
            raise damaged_payload(f"It is no readable XGBoost model: {error}.") from error
        try:
            return _unknown(told)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise damaged_payload(
                "It is no readable XGBoost model: a part of it is not what it should be."
            ) from error

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        told = read_estimator(payload, FILE, classes=("Booster", *_CLASSES))
        if not trusted and (wants := self.wants(payload)):
            raise UntrustedContent("The model's payload", wants=wants, digest="")
        xgboost = library("xgboost")
        try:
            made = (
                xgboost.Booster() if told.name == "Booster" else getattr(xgboost, told.name)(**told.settings)
            )
            made.load_model(bytearray(payload[FILE]))
        except (xgboost.core.XGBoostError, TypeError) as error:
            said = str(error).strip().splitlines()[0][:200]
            raise damaged_payload(f"XGBoost cannot read it: {said}.") from error
        return made


def _unknown(told: Any) -> list[str]:
    """What of a model is not looked through here; Corrupt when what is looked through is not sound."""
    learner = told["learner"]
    held = learner["gradient_booster"]
    kind = held["name"]
    inner = held["gbtree"] if kind == "dart" else held
    if kind not in ("gbtree", "dart") or set(inner) != {"model", "name"} or inner["name"] != "gbtree":
        return [f"XGBoost's reader of the booster '{str(kind)[:40]}', which is not looked through"]
    wants = []
    if set(told) != {"learner", "version"} or not set(learner) <= {
        *(
            "attributes",
            "feature_names",
            "feature_types",
            "gradient_booster",
            "learner_model_param",
            "objective",
        ),
    }:
        wants.append("parts of an XGBoost model that are not known here")
    if not _OBJECTIVES.fullmatch(learner["objective"]["name"]):
        wants.append(f"XGBoost's objective '{learner['objective']['name'][:40]}'")
    model, shape = inner["model"], learner["learner_model_param"]
    if not all(_NUMBER.fullmatch(value) for value in shape.values()):
        raise damaged_payload("Its shape is not given in numbers.")
    features, groups = (
        int(shape["num_feature"]),
        max(1, int(shape["num_class"]), int(shape.get("num_target", 1))),
    )
    trees = model["trees"]
    if any(len(enc["values"]) for enc in model.get("cats", {}).get("enc", ())):
        wants.append("XGBoost's reader of categories, which is not looked through")
    pointers = list(model["iteration_indptr"])
    is_sound = (
        0 < features < 1 << 31
        and groups < 1 << 16
        and set(model) <= {"cats", "gbtree_model_param", "iteration_indptr", "tree_info", "trees"}
        and int(model["gbtree_model_param"]["num_trees"]) == len(trees) == len(model["tree_info"])
        and 0 < int(model["gbtree_model_param"]["num_parallel_tree"]) <= max(1, len(trees))
        and all(isinstance(one, int) and 0 <= one < groups for one in model["tree_info"])
        and pointers == sorted(pointers)
        and pointers[:1] in ([0], [])
        and pointers[-1:] in ([len(trees)], [])
        and all(len(learner.get(key, ())) in (0, features) for key in ("feature_names", "feature_types"))
        and (kind != "dart" or len(held["weight_drop"]) == len(trees))
        and _is_plain(learner["objective"])
        and _is_plain(learner["attributes"])
    )
    if not is_sound:
        raise damaged_payload(
            "Its trees are not as many, or not for as many columns and classes, as it says."
        )
    for index, tree in enumerate(trees):
        if any(len(tree[key]) for key in _CATEGORIES) or np.any(tree["split_type"]):
            wants.append("XGBoost's reader of categories, which is not looked through")
        elif int(tree["tree_param"]["size_leaf_vector"]) > 1:
            wants.append("XGBoost's reader of leaves with several values, which is not looked through")
        elif not _is_tree_sound(tree, index, features):
            raise damaged_payload(f"Its tree {index} points outside itself.")
    return list(dict.fromkeys(wants))


def _is_tree_sound(tree: Mapping[str, Any], index: int, features: int) -> bool:
    shape = tree["tree_param"]
    count = int(shape["num_nodes"])
    if set(tree) != {*_PER_NODE, *_CATEGORIES, "id", "tree_param"} or set(shape) != set(_SIZES):
        return False
    if count < 1 or any(np.ndim(tree[key]) != 1 or len(tree[key]) != count for key in _PER_NODE):
        return False
    if (
        int(shape["num_feature"]) != features
        or int(shape["num_deleted"]) not in range(count)
        or tree["id"] != index
    ):
        return False
    left, right, parents = tree["left_children"], tree["right_children"], tree["parents"]
    inner = np.flatnonzero(left != -1)
    children = np.concatenate((left[inner], right[inner]))
    return bool(
        np.all(right[left == -1] == -1)
        and np.all(children > 0)
        and np.all(children < count)
        and len(np.unique(children)) == len(children)  # nothing has two parents, so nothing leads back
        and np.all(parents[left[inner]] == inner)
        and np.all(parents[right[inner]] == inner)
        and parents[0] in (-1, 2**31 - 1)
        and np.all(tree["split_indices"] >= 0)
        and np.all((tree["split_indices"][inner] & 0x7FFFFFFF) < features)
        and np.all(np.isfinite(tree["base_weights"]))
    )


def _is_plain(part: Any) -> bool:
    if isinstance(part, dict):
        return all(_is_plain(one) for one in part.values())
    return isinstance(part, str)
