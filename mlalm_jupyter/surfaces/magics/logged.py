"""Metrics and figures of a run: shown where they are logged, and kept with the run that shows them."""

from __future__ import annotations

import base64
import io
import numbers
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.metrics import plain
from mlalm_jupyter.notebook.findings import FIGURE, METRIC

_PNG = b"\x89PNG\r\n\x1a\n"


def log_metric(name: str, value: float) -> None:
    """Show a number under a name; the run (or snapshot) of this notebook keeps it.

    Of several numbers under one name the last is kept. It works in any kernel, and outside a run it only shows.
    What became `nan` or infinite is kept as that.

    >>> log_metric("auc", 0.87)
    auc: 0.87
    """
    _check_name("metric", name)
    number = _number(name, value)
    _show({METRIC: {"name": name, "value": plain(number)}, "text/plain": f"{name}: {number:.6g}"})


def log_figure(figure: Any, name: str) -> None:
    """Show a figure under a name; the run (or snapshot) of this notebook keeps it.

    It takes what matplotlib draws, anything that can show itself as PNG, and the bytes of a PNG file.
    """
    _check_name("figure", name)
    picture = base64.b64encode(_png(figure, name)).decode()
    _show({FIGURE: {"name": name}, "image/png": picture, "text/plain": f"figure {name}"})


def _number(name: str, value: Any) -> float:
    item = getattr(value, "item", None)  # numpy's numbers, and arrays of one number
    given = item() if callable(item) and getattr(value, "size", 0) == 1 else value
    if isinstance(given, bool) or not isinstance(given, numbers.Real):
        raise InvalidInput(f"The metric '{name}'", expected="a number", got=f"a {type(value).__name__}")
    try:
        return float(given)
    except OverflowError as error:
        raise InvalidInput(
            f"The metric '{name}'", expected="a number", got="one too large to be kept"
        ) from error


def _png(figure: Any, name: str) -> bytes:
    if hasattr(figure, "get_figure") and not hasattr(figure, "savefig"):
        figure = figure.get_figure()
    if isinstance(figure, bytes) and figure.startswith(_PNG):
        return figure
    if hasattr(figure, "savefig"):
        drawn = io.BytesIO()
        # without the time of drawing and the library's version, equal figures are equal bytes
        figure.savefig(drawn, format="png", bbox_inches="tight", metadata={"Software": None})
        return drawn.getvalue()
    shown = figure._repr_png_() if hasattr(figure, "_repr_png_") else None
    shown = shown[0] if isinstance(shown, tuple) else shown
    if isinstance(shown, bytes) and shown.startswith(_PNG):
        return shown
    raise InvalidInput(
        f"The figure '{name}'",
        expected="a matplotlib figure, an object that shows itself as PNG, or the bytes of a PNG file",
        got=f"a {type(figure).__name__}",
    )


def _check_name(kind: str, name: object) -> None:
    if not isinstance(name, str) or not name.strip() or len(name) > 200 or not name.isprintable():
        raise InvalidInput(
            f"The {kind}'s name", expected="1 to 200 characters on one line", got=repr(name)[:80]
        )


def _show(bundle: dict[str, Any]) -> None:
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(bundle["text/plain"])
    else:
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
