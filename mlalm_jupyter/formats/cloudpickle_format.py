"""Any Python object as a cloudpickle: opening one runs what it says, so it is opened only when trusted."""

from __future__ import annotations

import importlib
import platform
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import cloudpickle

from mlalm_jupyter.domain.errors import Corrupt, MissingDependency, NotSerialisable, UntrustedContent
from mlalm_jupyter.formats.culprit import culprit

FILE = "model.pkl"


class CloudpickleFormat:
    """The format of everything that can predict or transform, or that is a function of a table."""

    name = "cloudpickle"
    is_data_only = False

    def takes(self, model: object) -> bool:
        can_score = callable(getattr(model, "predict", None)) or callable(getattr(model, "transform", None))
        return (can_score or callable(model)) and not isinstance(model, type)

    def framework(self, model: object) -> str:
        root = type(model).__module__.partition(".")[0]
        version = getattr(sys.modules.get(root), "__version__", None)
        return f"{root} {version}" if version else f"Python {platform.python_version()}"

    def dump(self, model: object) -> dict[str, bytes]:
        with _own_modules_by_value():
            try:
                return {FILE: cloudpickle.dumps(model, protocol=5)}
            except Exception as error:  # any part of any object may object in its own way
                path, said = culprit(model, _refusal)
                raise NotSerialisable(f"The {type(model).__name__}", attribute=path, because=said) from error

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        return ["arbitrary Python (cloudpickle)"]

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        if not trusted:
            raise UntrustedContent("The model's payload", wants=self.wants(payload), digest="")
        data = payload.get(FILE)
        if data is None or len(payload) != 1:
            raise Corrupt("The model's payload", why=f"It should hold one file '{FILE}'.")
        try:
            return cloudpickle.loads(data)
        except ModuleNotFoundError as error:
            raise MissingDependency(
                "The model", library=f"the module '{error.name}'", install=f"pip install {error.name}"
            ) from error


def _refusal(part: object) -> Exception | None:
    try:
        cloudpickle.dumps(part, protocol=5)
    except Exception as error:  # noqa: BLE001  # what it is, is the answer
        return error
    return None


@contextmanager
def _own_modules_by_value() -> Iterator[None]:
    """Modules beside the notebook travel with the model; installed ones are named."""
    registered: list[ModuleType] = []
    known = cloudpickle.list_registry_pickle_by_value()
    for module in list(sys.modules.values()):
        if module.__name__ not in known and _is_own(module):
            cloudpickle.register_pickle_by_value(module)
            registered.append(module)
    try:
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


_INSTALLED = tuple({Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib", "stdlib")})
_OURS = Path(importlib.import_module("mlalm_jupyter").__file__ or "").resolve().parent


def _is_own(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if not file or module.__name__ == "__main__" or module.__name__ not in sys.modules:
        return False
    path = Path(file).resolve()
    here = Path.cwd().resolve()
    return path.is_relative_to(here) and not any(path.is_relative_to(place) for place in (*_INSTALLED, _OURS))
