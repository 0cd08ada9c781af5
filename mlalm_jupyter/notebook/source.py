"""The source of a function with all it needs, so that it runs where its notebook is not."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.gathering import Gathering, refused


def source_of(function: Callable[..., Any]) -> str:
    """A function defined in a notebook as text that stands alone: imports, constants, helpers, itself.

    >>> from mlalm_jupyter.notebook.source import _sample_double
    >>> print(source_of(_sample_double).partition("def ")[2].strip())
    _sample_double(rows: Any) -> Any:  # stands for a cell's function in the example above
        return rows * 2
    """
    in_a_cell = "Write it as a `def` in a cell."
    if not isinstance(function, types.FunctionType):
        raise refused(function, f"a {type(function).__name__}", in_a_cell)
    if function.__name__ == "<lambda>":
        raise refused(function, "a lambda", in_a_cell)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise refused(function, "an `async def`", "Write it without `async`.")
    return Gathering(function).text()


def is_script(text: str) -> bool:
    """Whether a Python file is a scoring script, with an `init` and a `run` at its top.

    >>> is_script("def init():\\n    pass\\n\\n\\ndef run(data):\\n    return data\\n")
    True
    """
    try:
        tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False  # whoever runs it says what is wrong
    return {"init", "run"} <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def function_in(text: str, name: str | None, *, where: str = "The code") -> tuple[str, str]:
    """The text of a Python file and the function in it to call: the one named, or the only public one.

    >>> function_in("def tidy(rows):\\n    return rows\\n", None)[1]
    'tidy'
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InvalidInput(
            f"{where}, line {error.lineno},", expected="Python", got=str(error.msg), fix="Mend that line."
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, or nested without end
        raise InvalidInput(where, expected="Python", got=str(error) or "text nested too deeply") from error
    functions = list(dict.fromkeys(node.name for node in tree.body if isinstance(node, ast.FunctionDef)))
    public = [one for one in functions if not one.startswith("_")]
    if name is not None and name not in functions:
        raise InvalidInput(
            "The function to deploy", expected=f"one of {', '.join(functions) or 'none'}", got=f"'{name}'"
        )
    if name is None and len(public) != 1:
        raise InvalidInput(
            "The function to deploy",
            expected="a file with one public function, or a name: FILE.py:FUNCTION",
            got=f"{len(public)}: {', '.join(public)}" if public else "none",
        )
    return text, name or public[0]


def _sample_double(rows: Any) -> Any:  # stands for a cell's function in the example above
    return rows * 2
