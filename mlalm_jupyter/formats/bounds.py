"""Whether the trees and sparse arrays of a model stay inside themselves.

scikit-learn follows the indices of a fitted tree in compiled code without looking where they lead, so a file
with other numbers in it could end the process or read its memory. A file that nobody signed is therefore
looked through after its parts are made and before anything is asked of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mlalm_jupyter.formats.archive import damaged_payload

# These hand rows to their trees without checking them again.
_HANDS_ON = ("sklearn.tree.", "sklearn.ensemble._forest", "sklearn.ensemble._gb")


def check_bounds(model: object) -> None:
    """Refuse a model in which a tree points outside itself or outside its rows."""
    for part, around in _parts(model):
        check = _CHECKS.get(f"{type(part).__module__}.{type(part).__name__}")
        if check is not None and not check(part, around):
            raise damaged_payload(f"A {type(part).__name__} in it points outside itself.")


def _parts(model: object) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Every object a model holds, each with the estimators around it, innermost last."""
    waiting: list[tuple[Any, tuple[Any, ...]]] = [(model, ())]
    seen: dict[int, object] = {}
    while waiting:
        part, around = waiting.pop()
        if id(part) in seen or isinstance(part, (str, bytes, int, float, type(None))):
            continue
        yield part, around
        if isinstance(part, dict):
            waiting.extend((inner, around) for inner in part.values())
        elif isinstance(part, (list, tuple, set, frozenset)):
            waiting.extend((inner, around) for inner in part)
        elif isinstance(part, np.ndarray):
            if part.dtype == object:
                waiting.extend((inner, around) for inner in part.flat)
        elif isinstance(getattr(part, "__dict__", None), dict) and not isinstance(part, type):
            seen[id(part)] = part
            within = (*around, part) if hasattr(part, "n_features_in_") else around
            waiting.extend((inner, within) for inner in vars(part).values())


def _is_tree_sound(tree: Any, around: tuple[Any, ...]) -> bool:
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    own = np.arange(tree.node_count)
    inner = left != -1
    ahead = _all_within(left[inner], own[inner] + 1, tree.node_count) and _all_within(
        right[inner], own[inner] + 1, tree.node_count
    )
    return (
        tree.node_count > 0
        and ahead
        and _all_within(feature[inner], 0, tree.n_features)
        and all(width == tree.n_features for width in _widths(around))
    )


def _is_predictor_sound(predictor: Any, around: tuple[Any, ...]) -> bool:
    nodes = predictor.nodes
    own = np.arange(len(nodes))
    inner = nodes["is_leaf"] == 0
    sorts = inner & (nodes["is_categorical"] != 0)
    return bool(
        len(nodes)
        and around
        and _all_within(nodes["left"][inner], own[inner] + 1, len(nodes))
        and _all_within(nodes["right"][inner], own[inner] + 1, len(nodes))
        and _all_within(nodes["feature_idx"][inner], 0, around[-1].n_features_in_)
        and _all_within(nodes["bitset_idx"][sorts], 0, len(predictor.raw_left_cat_bitsets))
    )


def _is_neighbour_tree_sound(tree: Any, around: tuple[Any, ...]) -> bool:
    state = tree.__getstate__()
    data, index, nodes, bounds = state[:4]
    levels, count = state[5], state[6]
    rows = len(data)
    return bool(
        rows
        and len(index) == rows
        and _all_within(index, 0, rows)
        and 0 < levels < 64
        and count == len(nodes) == bounds.shape[1] == 2**levels - 1
        and bounds.shape[0] == (2 if type(tree).__name__.startswith("KD") else 1)
        and bounds.shape[2] == data.shape[1]
        and _all_within(nodes["idx_start"], 0, rows + 1)
        and _all_within(nodes["idx_end"], 0, rows + 1)
        and nodes["is_leaf"][count // 2 :].all()
    )


def _is_sparse_sound(array: Any, around: tuple[Any, ...]) -> bool:
    try:
        array.check_format(full_check=True)
    except ValueError:
        return False
    return True


def _widths(around: tuple[Any, ...]) -> list[int]:
    """How many columns the rows have that reach a tree unchecked."""
    widths: list[int] = []
    for one in reversed(around):
        if not widths or type(one).__module__.startswith(_HANDS_ON):
            widths.append(one.n_features_in_)
        elif type(one).__module__ == "sklearn.ensemble._iforest":
            widths.append(one._max_features)
        else:
            break
    return widths


def _all_within(numbers: Any, first: Any, past: Any) -> bool:
    return bool(np.all(numbers >= first) and np.all(numbers < past))


_CHECKS = {
    "sklearn.tree._tree.Tree": _is_tree_sound,
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": _is_predictor_sound,
    "sklearn.neighbors._kd_tree.KDTree": _is_neighbour_tree_sound,
    "sklearn.neighbors._ball_tree.BallTree": _is_neighbour_tree_sound,
    "scipy.sparse._csr.csr_matrix": _is_sparse_sound,
    "scipy.sparse._csr.csr_array": _is_sparse_sound,
    "scipy.sparse._csc.csc_matrix": _is_sparse_sound,
    "scipy.sparse._csc.csc_array": _is_sparse_sound,
}
