"""Any Python object as a cloudpickle: opening one runs what it says, so it is opened only when trusted.

What is defined in the notebook, or in modules that a fresh interpreter would not find, travels with the model.
Most models give the same bytes when they are made again, but an object may hold anything, so nothing is promised.
"""

from __future__ import annotations

import pickle
import platform
import sys
from collections.abc import Mapping

from mlalm_jupyter.domain.errors import MissingDependency, NotSerialisable, UntrustedContent
from mlalm_jupyter.formats.archive import damaged_payload
from mlalm_jupyter.formats.culprit import culprit
from mlalm_jupyter.formats.library import install_line, library
from mlalm_jupyter.formats.pickles import distributions, wanted

FILE = "model.pkl"
ANYTHING = "arbitrary Python (cloudpickle)"


class CloudpickleFormat:
    """The format of everything that can predict or transform, or that is a function of a table."""

    name = "cloudpickle"
    is_data_only = False
    is_deterministic = False
    varies = "a pickle keeps whatever its objects hold, also times and the order of sets"
    known = ("cloudpickle",)

    def takes(self, model: object) -> bool:
        can_score = callable(getattr(model, "predict", None)) or callable(getattr(model, "transform", None))
        return (can_score or callable(model)) and not isinstance(model, type)

    def framework(self, model: object) -> str:
        root = type(model).__module__.partition(".")[0]
        version = getattr(sys.modules.get(root), "__version__", None)
        return f"{root} {version}" if version else f"Python {platform.python_version()}"

    def dump(self, model: object) -> dict[str, bytes]:
        library("cloudpickle")
        from mlalm_jupyter.formats import pickling

        with pickling.own_modules_by_value():
            try:
                return {FILE: pickling.dumped(model)}
            except Exception as error:  # any part of any object may object in its own way
                path, said = culprit(model, pickling.refusal)
                raise NotSerialisable(f"The {type(model).__name__}", attribute=path, because=said) from error

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        return [*self.known, *distributions(payload[FILE])]

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        return [ANYTHING, *wanted(payload.get(FILE, b""))]

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        if not trusted:
            raise UntrustedContent("The model's payload", wants=self.wants(payload), digest="")
        data = payload.get(FILE)
        if data is None or len(payload) != 1:
            raise damaged_payload(f"It should hold one file '{FILE}'.")
        try:
            library("cloudpickle")
            return pickle.loads(data)
        except ModuleNotFoundError as error:
            root = str(error.name).partition(".")[0]
            raise MissingDependency(
                "The model", library=f"the module '{error.name}'", install=install_line(root)
            ) from error
