"""Which calls and magics are a sign of which role, and how strong a one."""

from __future__ import annotations

from mlalm_jupyter.notebook.effects import Call
from mlalm_jupyter.notebook.known_calls import READING, WRITING

Sign = tuple[str, float]
"""A role, and how much it takes to outweigh another one."""

_TRANSFORMERS = (
    *("sklearn.preprocessing.", "sklearn.impute.", "sklearn.decomposition.", "sklearn.feature_extraction."),
    *("sklearn.feature_selection.", "sklearn.compose.", "sklearn.random_projection.", "sklearn.manifold."),
    *("sklearn.kernel_approximation.", "category_encoders.", "imblearn."),
)
_ESTIMATORS = (
    *("sklearn.linear_model.", "sklearn.ensemble.", "sklearn.svm.", "sklearn.tree.", "sklearn.neighbors."),
    *("sklearn.naive_bayes.", "sklearn.neural_network.", "sklearn.cluster.", "sklearn.gaussian_process."),
    *("sklearn.mixture.", "sklearn.discriminant_analysis.", "sklearn.dummy.", "sklearn.isotonic."),
    *("statsmodels.", "prophet.", "catboost.", "keras.", "tensorflow."),
)
_TRANSFORMER_ENDS = ("Scaler", "Encoder", "Imputer", "Vectorizer", "Transformer", "Binarizer", "PCA")
_ESTIMATOR_ENDS = ("Classifier", "Regressor", "SearchCV", "Regression", "Clusterer")
TOPICS = ("LatentDirichletAllocation", "NMF")
"""Of which people look at what `transform` says of a row, as at a prediction."""
_MAKES_PIPELINE = ("Pipeline", "make_pipeline", "make_imb_pipeline")
_MAKES_COLUMNS = ("make_column_transformer", "make_union", "FeatureUnion")

_IMPORTS = READING | {
    *(
        "read_sql",
        "read_sql_query",
        "read_sql_table",
        "read_gbq",
        "read_clipboard",
        "read_text",
        "read_bytes",
    ),
    *("load_data", "load_dataset", "scan_ndjson", "urlretrieve", "fetchall", "fetchdf"),
}
_TRANSFORMS = frozenset(
    {
        *("fillna", "dropna", "drop", "merge", "groupby", "agg", "aggregate", "pivot", "pivot_table", "melt"),
        *("stack", "unstack", "astype", "replace", "rename", "apply", "map", "assign", "sort_values"),
        *("reset_index", "set_index", "drop_duplicates", "resample", "interpolate", "ffill", "bfill"),
        *("get_dummies", "cut", "qcut", "concat", "fit_transform", "transform", "train_test_split"),
        *("to_datetime", "to_numeric", "clip", "reshape", "asfreq", "rolling", "shift", "query", "explode"),
        *(
            "sub",
            "lower",
            "strip",
            "split",
            "fit_resample",
            "factorize",
            "with_columns",
            "group_by",
            "select",
        ),
        *(
            "filter",
            "hstack",
            "vstack",
            "column_stack",
            "nlargest",
            "nsmallest",
            "crosstab",
            "isin",
            "cumsum",
        ),
    }
)
_TRAINS = frozenset({"fit", "partial_fit", "fit_predict", "fit_generator", "train_on_batch", "backward"})
_TRAIN_FUNCTIONS = frozenset(
    {"lightgbm.train", "lightgbm.cv", "xgboost.train", "xgboost.cv", "catboost.train"}
)
_SCORES = frozenset(
    {"predict", "predict_proba", "predict_log_proba", "decision_function", "forecast", "score_samples"}
)
_EVALUATES = frozenset(
    {
        *("classification_report", "confusion_matrix", "cross_validate", "cross_val_predict", "log_metric"),
        *(
            "log_figure",
            "learning_curve",
            "validation_curve",
            "permutation_importance",
            "evaluate",
            "roc_curve",
        ),
        *("rmse", "mae", "mse", "mape", "accuracy", "auc", "f1", "logloss", "log_loss", "mean_squared_error"),
        *("mean_absolute_error", "root_mean_squared_error", "precision_recall_curve", "auc_score"),
    }
)
_KEEPS = WRITING.keys() | {
    "pickle.dump",
    "cloudpickle.dump",
    "skops.io.dump",
    "dill.dump",
    "to_sql",
    "write_bytes",
}
_DRAWS = frozenset(
    {
        *("plot", "hist", "scatter", "bar", "barh", "boxplot", "heatmap", "countplot", "pairplot", "imshow"),
        *(
            "lineplot",
            "scatterplot",
            "histplot",
            "displot",
            "catplot",
            "violinplot",
            "show",
            "pie",
            "choropleth",
        ),
    }
)
_SHOWS = frozenset(
    {"print", "display", "head", "tail", "describe", "info", "sample", "value_counts", "pprint"}
)

MAGICS: dict[str, Sign] = {
    "dataset": ("import", 3),
    "model": ("import", 3),
    "web_input": ("import", 1),
    "transform": ("transform", 2),
    "score": ("score", 4),
    "batch": ("score", 4),
    "retrain": ("train", 6),
    "register": ("output", 4.5),
    "deploy": ("output", 4.5),
    "image": ("output", 4.5),
    "web_output": ("output", 2),
}

MOST = {"import": 4.0, "transform": 4.0, "output": 4.5}
"""However often it is done, reading, tidying and showing count for no more than this."""


def sign_of(call: Call) -> Sign | None:
    """The role that a call is a sign of.

    >>> sign_of(Call("model.fit", "sklearn.svm.SVC"))
    ('train', 6)
    """
    last, name = call.last, call.name
    loaded = _loaded(name)
    if loaded is not None:
        return loaded
    if last in _TRAINS:
        makes = kind_of(call.made_by, call.inner)
        return ("transform", 2) if makes == "transformer" and last == "fit" else ("train", 6)
    if name in _TRAIN_FUNCTIONS:
        return "train", 6
    if name.startswith("sklearn.metrics.") or last in _EVALUATES or last.endswith("_score"):
        return "evaluate", 5
    if last == "score" and call.given >= 2:
        return "evaluate", 5
    if last in _SCORES:
        return "score", 4
    if name in _IMPORTS or (last in _IMPORTS and last != "load"):
        return "import", 3
    if name in _KEEPS or last in _KEEPS or (last == "save" and call.given):
        return "output", 4.5
    if last in _TRANSFORMS and not name.startswith(("os.", "matplotlib.")):
        return "transform", 2
    if last in _DRAWS or name.startswith(("seaborn.", "plotly.express.", "matplotlib.pyplot.")):
        return "output", 2
    if last in _SHOWS:
        return "output", 1
    makes = kind_of(name, call.inner)
    if makes is not None:
        return ("train", 3) if makes == "estimator" else ("transform", 2)
    return None


def kind_of(maker: str, inner: tuple[str, ...]) -> str | None:
    """Whether what a call makes learns to predict (estimator) or to tidy (transformer)."""
    last = maker.rpartition(".")[2]
    if last in _MAKES_PIPELINE:
        kinds = {kind_of(one, ()) for one in inner}
        return "estimator" if "estimator" in kinds else "transformer" if "transformer" in kinds else None
    if last in TOPICS:
        return "estimator"
    if maker.startswith(_TRANSFORMERS) or last.endswith(_TRANSFORMER_ENDS) or last in _MAKES_COLUMNS:
        return "transformer"
    is_class = last[:1].isupper()
    if is_class and (maker.startswith(_ESTIMATORS) or last.endswith(_ESTIMATOR_ENDS)):
        return "estimator"
    return None


def _loaded(name: str) -> Sign | None:
    """What comes out of a library's or our own store of datasets."""
    parts = name.split(".")
    if len(parts) >= 2 and parts[-1] == "load" and parts[-2] in ("datasets", "models", "transforms"):
        return ("transform", 2) if parts[-2] == "transforms" else ("import", 3)
    if "datasets" in parts[:-1] and not parts[-1].startswith(("show", "list")):
        return "import", 3
    return None
