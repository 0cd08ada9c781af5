"""What well-known methods and functions do to rows: tables, kept where they are easy to extend."""

from __future__ import annotations

SCHEMA = frozenset({"columns", "dtypes", "dtype", "feature_names", "target_names", "ndim", "categories"})
"""Attributes of a table that tell of its columns."""

OVER_ROWS = frozenset(
    {
        *("mean", "median", "mode", "std", "var", "sem", "min", "max", "sum", "prod", "quantile", "count"),
        *("nunique", "unique", "value_counts", "describe", "corr", "cov", "skew", "kurt", "kurtosis", "mad"),
        *("idxmax", "idxmin", "argmax", "argmin", "any", "all", "agg", "aggregate", "corrwith", "item"),
        *("pivot_table", "select_dtypes", "info", "memory_usage", "to_dict", "keys", "tolist", "to_list"),
        *("percentile", "ptp", "crosstab", "hist", "plot", "boxplot"),
    }
)
"""Methods that look over all rows, unless they are told to go along a row."""

KEEPS_ROWS = frozenset({"select_dtypes", "tolist", "to_list", "to_dict"})
"""Of these, what gives one item for each row after all."""

OVER_ROWS_FUNCTIONS = frozenset(
    {
        *("mean", "median", "std", "var", "min", "max", "amin", "amax", "sum", "percentile", "quantile"),
        *("nanmean", "nanmedian", "nanstd", "nanmin", "nanmax", "nanpercentile", "nanquantile", "nansum"),
        *("unique", "bincount", "histogram", "corrcoef", "cov", "average", "ptp", "prod", "argmax", "argmin"),
        *("crosstab", "pivot_table", "skew", "kurtosis", "pearsonr", "spearmanr", "ttest_ind", "mode"),
        *("f_oneway", "chi2_contingency", "boxcox_normmax", "any", "all", "value_counts"),
    }
)
"""Functions of numpy, pandas and scipy that do."""

OVER_ROWS_BUILTINS = frozenset(
    {"max", "min", "sum", "set", "frozenset", "sorted", "dict", "any", "all", "Counter"}
)

ORDERED = frozenset(
    {
        *("shift", "diff", "cumsum", "cumprod", "cummax", "cummin", "cumcount", "rolling", "expanding"),
        *("ewm", "rank", "pct_change", "interpolate", "ffill", "bfill", "pad", "backfill", "resample"),
        *("asfreq", "ngroup", "roll", "gradient", "nancumsum", "zscore", "rankdata"),
    }
)
"""What a row gets from its neighbours, or from its place among all rows."""

RESHAPES = frozenset({"explode", "melt", "pivot", "unstack", "wide_to_long"})

SELECTS_ROWS = frozenset(
    {
        *("dropna", "drop_duplicates", "sample", "head", "tail", "query", "nlargest", "nsmallest"),
        *("sort_values", "sort_index", "truncate", "between_time", "first", "last"),
    }
)
"""Methods that leave rows out, or give them another order."""

KEEPS_VALUES = frozenset({"copy", "reset_index", "convert_dtypes", "infer_objects", "rename_axis"})
"""Methods that give a table with the same columns and what stands in them."""

HANDS_IN = frozenset({"to_csv", "to_excel", "to_parquet", "to_json", "to_sql", "to_feather", "savetxt"})
"""What writes answers to where a contest or a colleague gets them."""

SCORES = frozenset(
    {
        *("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples"),
        *("predict_classes", "get_prediction"),
    }
)
FITS = frozenset({"fit", "partial_fit", "fit_regularized", "fit_generator", "train_on_batch"})
TRAINS = frozenset({"xgboost.train", "lightgbm.train", "catboost.train", "xgb.train", "lgb.train"})
"""Functions that give a trained model."""

CURVES = frozenset(
    {
        *("numpy.polyfit", "numpy.linalg.lstsq", "numpy.polynomial.polynomial.polyfit"),
        *("scipy.optimize.curve_fit", "scipy.optimize.least_squares", "scipy.stats.linregress"),
    }
)
"""Functions that fit a curve and give its numbers."""
POWERS = frozenset({"scipy.stats.boxcox", "scipy.stats.yeojohnson"})
"""Functions that give rows to a power, and the power that they found."""
POLYNOMIALS = frozenset({"numpy.polyval", "numpy.polynomial.polynomial.polyval"})
"""Functions that say where a curve is, with its numbers or where it is asked for among their arguments."""
POLYNOMIAL = "numpy.poly1d"

LEARNS_ONCE = frozenset(
    {
        *("DBSCAN", "HDBSCAN", "OPTICS", "AgglomerativeClustering", "SpectralClustering", "TSNE", "MDS"),
        *("SpectralEmbedding", "FeatureAgglomeration", "UMAP"),
    }
)
"""What tells something of the rows it was trained on and nothing of others."""

NETWORKS = ("torch", "keras", "tensorflow", "fastai", "pytorch_lightning", "transformers", "jax", "flax")

BRINGS_TABLE = frozenset(
    {
        *("read_csv", "read_table", "read_excel", "read_parquet", "read_json", "read_feather", "read_pickle"),
        *("read_hdf", "read_html", "read_xml", "read_stata", "read_sas", "read_orc", "read_fwf", "read_spss"),
        *(
            "read_sql",
            "read_sql_query",
            "read_sql_table",
            "read_gbq",
            "read_clipboard",
            "loadtxt",
            "genfromtxt",
        ),
        *("fromfile", "scan_csv", "scan_parquet", "load_dataset", "read_arff", "fetchdf"),
    }
)
BRINGS_CONTAINER = ("load_", "fetch_")
BRINGS_PAIR = ("make_",)

IMPURE = frozenset(
    {"joblib.load", "pickle.load", "cloudpickle.load", "dill.load", "numpy.load", "skops.io.load"}
)

WELL_KNOWN = frozenset(
    {
        *(
            "numpy",
            "pandas",
            "sklearn",
            "scipy",
            "matplotlib",
            "seaborn",
            "statsmodels",
            "xgboost",
            "lightgbm",
        ),
        *(
            "catboost",
            "plotly",
            "joblib",
            "imblearn",
            "category_encoders",
            "nltk",
            "IPython",
            "mlalm_jupyter",
        ),
        *(
            "tqdm",
            "shap",
            "spacy",
            "polars",
            "pyarrow",
            "altair",
            "bokeh",
            "skops",
            "torch",
            "tensorflow",
            "keras",
        ),
        *(
            "umap",
            "hdbscan",
            "optuna",
            "mlxtend",
            "yellowbrick",
            "missingno",
            "eli5",
            "lime",
            "wordcloud",
            "requests",
        ),
    }
)
"""Modules that a table keeps its values through, unless it is said otherwise."""
