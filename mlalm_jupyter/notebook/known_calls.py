"""What well-known functions, methods and magics do to names and files: tables, kept where they are easy to extend."""

from __future__ import annotations

COPYING_METHODS = frozenset(
    {
        *("copy", "assign", "drop", "dropna", "drop_duplicates", "fillna", "rename", "replace", "astype"),
        *("reset_index", "set_index", "merge", "join", "query", "sort_values", "sort_index"),
    }
)
"""Methods of tables and arrays that give another one, whose changes are not theirs."""

CHANGING_METHODS = frozenset(
    {
        # lists, dicts, sets, queues
        *("append", "extend", "insert", "pop", "clear", "sort", "reverse", "remove", "discard"),
        *("popitem", "setdefault", "update", "intersection_update", "difference_update"),
        *("symmetric_difference_update", "appendleft", "extendleft", "popleft", "rotate", "move_to_end"),
        # models
        *("fit", "partial_fit", "fit_transform", "fit_predict", "fit_resample", "set_params"),
        *("load_state_dict", "load_weights", "compile", "learn_one"),
    }
)
"""Methods that change what they are called on."""

CHANGING_STATEMENTS = frozenset(
    {"add", "train", "eval", "step", "zero_grad", "fill", "put", "resize", "cuda"}
)
"""Methods that do so when their result is not used; with it they may be another library's, which return a copy."""

CHANGING_FUNCTIONS = frozenset(
    {
        *(
            "setattr",
            "delattr",
            "next",
            "random.shuffle",
            "numpy.random.shuffle",
            "numpy.copyto",
            "numpy.put",
        ),
        *("numpy.fill_diagonal", "numpy.place", "heapq.heappush", "heapq.heappop", "heapq.heapify"),
        *("bisect.insort", "operator.setitem"),
    }
)
"""Functions that change their first argument."""

UNKNOWABLE_CALLS = {
    "exec": "exec runs text as code",
    "eval": "eval works text out",
    "globals": "globals() reaches every name",
    "locals": "locals() reaches every name",
    "vars": "vars() may reach every name",
    "get_ipython": "get_ipython() may run or set anything",
}

READING = frozenset(
    {
        *("read_csv", "read_table", "read_excel", "read_parquet", "read_json", "read_feather", "read_pickle"),
        *("read_hdf", "read_html", "read_xml", "read_stata", "read_sas", "read_orc", "read_fwf", "read_spss"),
        *("loadtxt", "genfromtxt", "fromfile", "imread", "open_dataset", "read_file", "scan_csv"),
        *(
            "scan_parquet",
            "loadarff",
            "load_workbook",
            "loadmat",
            "read_edgelist",
            "read_arff",
            "read_ndjson",
        ),
        *("numpy.load", "joblib.load", "torch.load", "PIL.Image.open", "load_model"),
    }
)
"""Functions that read the file that is their first argument; with a dot only that one, otherwise of any module."""

WRITING = {
    **dict.fromkeys(("to_csv", "to_parquet", "to_excel", "to_json", "to_pickle", "to_feather", "to_hdf"), 0),
    **dict.fromkeys(("to_html", "to_latex", "to_markdown", "to_xml", "to_stata", "to_orc", "to_netcdf"), 0),
    **dict.fromkeys(("write_csv", "write_parquet", "write_html", "write_image", "savefig", "imsave"), 0),
    **dict.fromkeys(
        ("imwrite", "save_model", "numpy.save", "numpy.savez", "numpy.savetxt", "save_weights"), 0
    ),
    **dict.fromkeys(("numpy.savez_compressed", "write_table"), 0),
    **dict.fromkeys(("joblib.dump", "torch.save", "pyarrow.parquet.write_table"), 1),
}
"""Functions that write a file, and which of their arguments names it."""

PATH_WORDS = frozenset(
    {
        *("filepath_or_buffer", "path", "io", "fname", "file", "filename", "path_or_buf", "path_or_buffer"),
        *("filepath", "buf", "source", "filepath_or_dataset", "f", "where"),
    }
)
"""What the argument with the path is called when it is given by name."""

QUIET_MAGICS = frozenset(
    {
        *(
            "matplotlib",
            "load_ext",
            "reload_ext",
            "unload_ext",
            "autoreload",
            "aimport",
            "config",
            "env",
            "set_env",
        ),
        *("pip", "conda", "mamba", "micromamba", "uv", "pwd", "ls", "ll", "who", "who_ls", "whos", "history"),
        *(
            "hist",
            "precision",
            "time",
            "timeit",
            "prun",
            "memit",
            "mprun",
            "lsmagic",
            "magic",
            "colors",
            "xmode",
        ),
        *(
            "doctest_mode",
            "pdoc",
            "pdef",
            "pinfo",
            "pinfo2",
            "psource",
            "pfile",
            "pprint",
            "tb",
            "debug",
            "pdb",
        ),
        *(
            "logstart",
            "logstop",
            "load_dotenv",
            "dotenv",
            "watermark",
            "notebook",
            "gui",
            "cat",
            "less",
            "more",
        ),
        *(
            "mlalm",
            "snapshot",
            "runs",
            "run_all",
            "run_to",
            "save_as",
            "dataset",
            "transform",
            "model",
            "image",
        ),
        *(
            "web_input",
            "web_output",
            "select_model",
            "register",
            "setup_service",
            "deploy",
            "endpoint",
            "endpoints",
            "patch",
        ),
        *("rollback", "score", "batch", "consume", "wsd", "trust", "retrain", "pipeline", "monitor"),
        *("download_output", "experiment", "open", "notebook_here"),
    }
)
"""Line magics that set no names beyond the one they are assigned to."""

FOREIGN_BODIES = frozenset(
    {
        *("bash", "sh", "script", "cmd", "powershell", "perl", "ruby", "html", "HTML", "javascript", "js"),
        *("latex", "svg", "SVG", "markdown", "python", "python2", "python3", "pypy", "writefile", "file"),
    }
)
"""Cell magics whose text runs elsewhere, or does not run at all."""

MAGIC_READS = {
    "register": 0,
    "web_input": 0,
    "web_output": 0,
    "score": 1,
    "batch": 1,
    "deploy": 0,
    "image": 1,
}
"""Our magics that take a variable, and which of their words it is."""

MAGIC_READING_OPTIONS = frozenset({"--sample", "--rows"})
