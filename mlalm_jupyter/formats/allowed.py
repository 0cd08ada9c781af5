"""What a skops file may name without anyone's trust: our own lists, for each way skops has of making something.

A name is never imported because a file says it: classes of scikit-learn are looked up among the modules
that scikit-learn itself has brought in.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache

_NUMBERS = tuple(
    f"numpy.{name}"
    for name in (
        *("bool", "bool_", "bytes_", "str_", "object_", "datetime64", "timedelta64"),
        *("int8", "int16", "int32", "int64", "longlong", "uint8", "uint16", "uint32", "uint64", "ulonglong"),
        *("float16", "float32", "float64", "longdouble", "complex64", "complex128", "clongdouble"),
    )
)
_LOSSES = ("AbsoluteError", "ExponentialLoss", "HuberLoss", "PinballLoss")
_HALF_LOSSES = ("Binomial", "Gamma", "Multinomial", "Poisson", "Tweedie", "TweedieLossIdentity")
_LOSS_CLASSES = (
    *_LOSSES,
    "HalfSquaredError",
    *(f"Half{name}" if name.endswith("Identity") else f"Half{name}Loss" for name in _HALF_LOSSES),
)
_KERNELS = (
    *("CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation"),
    *("Matern", "PairwiseKernel", "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel"),
)
_LINKS = ("HalfLogitLink", "IdentityLink", "Interval", "LogLink", "LogitLink", "MultinomialLogit")
_SPLITS = (
    *("GroupKFold", "GroupShuffleSplit", "KFold", "LeaveOneOut", "PredefinedSplit", "RepeatedKFold"),
    *("RepeatedStratifiedKFold", "ShuffleSplit", "StratifiedGroupKFold", "StratifiedKFold"),
    *("StratifiedShuffleSplit", "TimeSeriesSplit"),
)
# Distances that keep no arrays of their own, which compiled code would read without looking at their length.
_DISTANCES = tuple(
    f"{name}Distance{bits}" for name in ("Euclidean", "Manhattan", "Chebyshev") for bits in ("", "64", "32")
)
_SGD_LOSSES = (
    *("EpsilonInsensitive", "Hinge", "Huber", "Log", "ModifiedHuber"),
    *("SquaredEpsilonInsensitive", "SquaredHinge", "SquaredLoss"),
)

# Fitted parts of scikit-learn's estimators that are no estimators themselves.
_PARTS = frozenset(
    {
        *(f"sklearn._loss.link.{name}" for name in _LINKS),
        *(f"sklearn._loss.loss.{name}" for name in _LOSS_CLASSES),
        *(f"sklearn.gaussian_process.kernels.{name}" for name in _KERNELS),
        *(f"sklearn.metrics._dist_metrics.{name}" for name in _DISTANCES),
        *(f"sklearn.model_selection._split.{name}" for name in _SPLITS),
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.cluster._bisect_k_means._BisectingTree",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.metrics._scorer._CurveScorer",
        "sklearn.metrics._scorer._MultimetricScorer",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.metrics._scorer._Scorer",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
    }
)

# Functions that only compute on the arrays they are given.
_FUNCTIONS = frozenset(
    {
        *(f"numpy.{name}" for name in ("mean", "median", "sum", "std", "var", "nan_to_num", "clip", "round")),
        *(f"numpy.{name}" for name in ("max", "min", "amax", "amin", "ravel", "squeeze", "nanmean")),
        *(f"sklearn.feature_selection._univariate_selection.{name}" for name in ("chi2", "f_classif")),
        *(f"sklearn.feature_selection._univariate_selection.{name}" for name in ("f_regression", "f_oneway")),
        "sklearn.feature_selection._univariate_selection.r_regression",
        "sklearn.feature_selection._mutual_info.mutual_info_classif",
        "sklearn.feature_selection._mutual_info.mutual_info_regression",
        "sklearn.cluster._kmeans._kmeans_single_elkan",
        "sklearn.cluster._kmeans._kmeans_single_lloyd",
        "sklearn.utils.validation.check_array",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
    }
)

_TYPES: dict[str, frozenset[str]] = {
    "DictNode": frozenset({"builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"}),
    "DefaultDictNode": frozenset({"collections.defaultdict"}),
    "ListNode": frozenset({"builtins.list"}),
    "SetNode": frozenset({"builtins.set"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "BytesNode": frozenset({"builtins.bytes"}),
    "BytearrayNode": frozenset({"builtins.bytearray"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "JsonNode": frozenset({"builtins.str"}),
    "PartialNode": frozenset({"functools.partial"}),
    "NdArrayNode": frozenset({"numpy.ndarray", *_NUMBERS}),
    "MaskedArrayNode": frozenset({"numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"}),
    "DTypeNode": frozenset({"numpy.dtype"}),
    "RandomGeneratorNode": frozenset({"numpy.random._generator.Generator"}),
    "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
    "TypeNode": frozenset(
        {*(f"builtins.{name}" for name in ("bool", "dict", "float", "int", "list", "set", "str", "tuple"))}
        | set(_NUMBERS)
    ),
    "ConstructorFromReduceNode": frozenset({"builtins.frozenset", "builtins.complex"}),
    "TreeNode": frozenset({"sklearn.tree._tree.Tree"}),
    "LossNode": frozenset(
        {f"sklearn._loss._loss.Cy{name}" for name in _LOSS_CLASSES}
        | {f"sklearn.linear_model._sgd_fast.{name}" for name in _SGD_LOSSES}
    ),
    "SparseMatrixNode": frozenset(
        f"scipy.sparse._{kind}.{kind}_{form}"
        for kind in ("csr", "csc", "coo")
        for form in ("matrix", "array")
    ),
}


def is_allowed(loader: str, module: str, name: str) -> bool:
    """Whether what skops' `loader` would make of `module.name` can be made without trust.

    >>> is_allowed("ListNode", "builtins", "list"), is_allowed("ObjectNode", "subprocess", "Popen")
    (True, False)
    """
    path = f"{module}.{name}"
    if loader == "FunctionNode":
        return path in _FUNCTIONS or _is_ufunc(module, name) or path in _metrics()
    if loader == "ObjectNode":
        return path in _PARTS or _is_estimator(module, name)
    return path in _TYPES.get(loader, ())


def _is_estimator(module: str, name: str) -> bool:
    if not module.startswith("sklearn.") or ".tests" in module:
        return False
    base = importlib.import_module("sklearn.base").BaseEstimator
    importlib.import_module("skops.io")  # brings in every module of scikit-learn that has estimators
    found = getattr(sys.modules.get(module), name, None)
    return isinstance(found, type) and issubclass(found, base) and found.__module__ == module


def _is_ufunc(module: str, name: str) -> bool:
    if module != "numpy" and not module.startswith("scipy.special."):
        return False
    found = getattr(sys.modules.get(module), name, None)
    return isinstance(found, importlib.import_module("numpy").ufunc)


@cache
def _metrics() -> frozenset[str]:
    """The functions behind the names that `scoring=` knows."""
    metrics = importlib.import_module("sklearn.metrics")
    functions = [metrics.get_scorer(name)._score_func for name in metrics.get_scorer_names()]
    return frozenset(f"{one.__module__}.{one.__name__}" for one in functions)
