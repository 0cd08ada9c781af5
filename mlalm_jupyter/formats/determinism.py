"""Whether a model that is trained again on the same data can give the same bytes; and if not, what stands in the way.

A form of data alone has one way to write each state. What remains is in the state itself: how long something took, and
random numbers that nobody gave a seed. Random numbers that a person's own training code draws cannot be seen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from mlalm_jupyter.formats.pickles import holds_sets
from mlalm_jupyter.ports import ModelFormat

_MOST_PARTS = 200_000
_PLAIN = (str, bytes, bytearray, int, float, complex, bool, type(None), type)
_UNSEEDED = "draws random numbers without a seed (random_state is None)"
_UNTOLD = "draws from a random generator whose beginning cannot be told (random_state is no number)"


def variations(model: object, chosen: ModelFormat, payload: Mapping[str, bytes]) -> list[str]:
    """Why its bytes may differ when it is made again, each reason once; none where they are the same.

    >>> from mlalm_jupyter.formats.cloudpickle_format import CloudpickleFormat
    >>> variations(abs, CloudpickleFormat(), {})
    ['a pickle keeps whatever its objects hold, also times and the order of sets']
    """
    found: dict[str, None] = {}
    if not chosen.is_deterministic:
        found[
            str(getattr(chosen, "varies", f"the form '{chosen.name}' is written differently each time"))
        ] = None
    elif any(name.endswith(".pkl") and holds_sets(data) for name, data in payload.items()):
        found["it is a pickle that holds sets, whose order differs"] = None
    for count, part in enumerate(_parts(model)):
        if count > _MOST_PARTS:
            found["it has more parts than are looked through"] = None
            break
        name = type(part).__name__
        if _keeps_times(part):
            found[f"{name} keeps how long its fitting took"] = None
        elif said := _drawn(part):
            found[f"{name} {said}"] = None
    return list(found)


def _parts(model: object) -> Iterator[object]:
    """Every object that can be reached from a model through attributes and containers, each once."""
    seen: set[int] = set()
    waiting: list[Any] = [model]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _PLAIN) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple, set, frozenset)):
            waiting.extend(one)
        elif type(one).__module__ == "numpy":
            if getattr(getattr(one, "dtype", None), "kind", "") == "O":
                waiting.extend(one.ravel().tolist())
        else:
            waiting.extend(_attributes(one).values())


def _attributes(part: object) -> dict[str, Any]:
    try:
        return {} if isinstance(part, ModuleType) else dict(vars(part))
    except TypeError:
        return {}


def _keeps_times(part: object) -> bool:
    """As scikit-learn's searches do, wherever in a model they are."""
    if isinstance(part, dict):
        return "mean_fit_time" in part
    return "refit_time_" in _attributes(part)


def _drawn(part: object) -> str:
    """How a fitted part of scikit-learn may have drawn random numbers that would be others the next time."""
    if not type(part).__module__.startswith("sklearn."):
        return ""
    said = _attributes(part)
    seed = said.get("random_state", 0)
    if seed is not None and not type(seed).__module__.startswith("numpy.random"):
        return ""
    if seed is not None and type(part).__module__.startswith("sklearn.tree."):
        return ""  # boosting hands its trees the generator that it made from its own seed
    why = _UNSEEDED if seed is None else _UNTOLD
    if type(part).__module__.startswith("sklearn.model_selection."):
        return why if said.get("shuffle", True) else ""
    # a template that nobody fitted draws nothing: what is fitted of it was given a seed
    is_fitted = any(name.endswith("_") and not name.startswith("_") for name in said)
    return why if is_fitted and not _needs_no_seed(type(part).__name__, said) else ""


def _needs_no_seed(name: str, said: Mapping[str, Any]) -> bool:
    """Estimators that take a seed and use it only with some of their settings."""
    if name in ("LogisticRegression", "LogisticRegressionCV"):
        return said.get("solver") in ("lbfgs", "newton-cg", "newton-cholesky")
    if name in ("Ridge", "RidgeClassifier"):
        return said.get("solver_", said.get("solver")) not in ("sag", "saga", "auto")
    if name in ("Lasso", "LassoCV", "ElasticNet", "ElasticNetCV", "MultiTaskLasso", "MultiTaskElasticNet"):
        return said.get("selection") == "cyclic"
    if name in ("SVC", "NuSVC"):
        return said.get("probability") in (False, "deprecated")
    if name in ("LinearSVC", "LinearSVR"):
        return said.get("dual") is False
    if name == "PCA":
        return said.get("_fit_svd_solver") in ("full", "covariance_eigh")
    if name in ("GaussianProcessRegressor", "GaussianProcessClassifier"):
        return said.get("n_restarts_optimizer") == 0
    if name in ("DummyClassifier", "DummyRegressor"):
        return said.get("strategy") not in ("stratified", "uniform")
    if name == "IterativeImputer":
        return not said.get("sample_posterior") and said.get("imputation_order") != "random"
    return False
