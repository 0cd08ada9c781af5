"""Any Python object as a cloudpickle: opening one runs what it says, so it is opened only when trusted.

What is defined in the notebook, or in modules that a fresh interpreter would not find, travels with the model.
Most models give the same bytes when they are made again; sets of text and the like may still differ.
"""

from __future__ import annotations

import io
import os
import platform
import subprocess
import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle

from mlalm_jupyter.domain.errors import MissingDependency, NotSerialisable, UntrustedContent
from mlalm_jupyter.formats.archive import damaged_payload
from mlalm_jupyter.formats.culprit import culprit
from mlalm_jupyter.formats.library import install_line
from mlalm_jupyter.formats.pickles import distributions, wanted
from mlalm_jupyter.formats.torch_storage import plain_storage

FILE = "model.pkl"
ANYTHING = "arbitrary Python (cloudpickle)"
_PROTOCOL = 5


class CloudpickleFormat:
    """The format of everything that can predict or transform, or that is a function of a table."""

    name = "cloudpickle"
    is_data_only = False
    is_deterministic = True
    known = ("cloudpickle",)

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
                return {FILE: _dumped(model)}
            except Exception as error:  # any part of any object may object in its own way
                path, said = culprit(model, _refusal)
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
            return cloudpickle.loads(data)
        except ModuleNotFoundError as error:
            root = str(error.name).partition(".")[0]
            raise MissingDependency(
                "The model", library=f"the module '{error.name}'", install=install_line(root)
            ) from error


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Leaves out what differs each time: the number cloudpickle gives a class, the folder of a cell's code, addresses.

    Without the number two versions of a class stay apart in one scorer, even when they have one name.
    """

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, types.CodeType):
            if os.sep not in obj.co_filename:
                return NotImplemented
            named = obj.replace(co_filename=os.path.basename(obj.co_filename))
            return self.dispatch_table[types.CodeType](named)
        if (stored := plain_storage(obj)) is not None:
            return stored
        reduced = super().reducer_override(obj)
        if isinstance(reduced, tuple) and reduced[0].__name__ in (
            "_make_skeleton_class",
            "_make_skeleton_enum",
        ):
            made, arguments, *rest = reduced
            return (made, (*arguments[:-2], None, arguments[-1]), *rest)
        return reduced


def _dumped(model: object) -> bytes:
    out = io.BytesIO()
    _Pickler(out, protocol=_PROTOCOL).dump(model)
    return out.getvalue()


def _refusal(part: object) -> Exception | None:
    try:
        _dumped(part)
    except Exception as error:  # noqa: BLE001  # what it is, is the answer
        return error
    return None


@contextmanager
def _own_modules_by_value() -> Iterator[None]:
    """Modules beside the notebook travel with the model; installed ones are named."""
    known = cloudpickle.list_registry_pickle_by_value()
    own = [name for name in _not_installed() if name not in known]
    for name in own:
        cloudpickle.register_pickle_by_value(sys.modules[name])
    try:
        yield
    finally:
        for name in own:
            cloudpickle.unregister_pickle_by_value(sys.modules[name])


_INSTALLED = tuple(
    {str(Path(sysconfig.get_path(name)).resolve()) for name in ("purelib", "platlib", "stdlib", "platstdlib")}
)
# prints which of the modules named in pairs with their places it would not import from there
_ASK = """
import importlib.util, os, sys
for name, place in zip(sys.argv[1::2], sys.argv[2::2]):
    spec = importlib.util.find_spec(name)
    found = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    if place not in [os.path.realpath(one) for one in found if one]:
        print(name)
"""


def _not_installed() -> list[str]:
    """The top-level modules of this process that a scorer, which starts elsewhere, would not find."""
    places: dict[str, str] = {}
    for name, module in sys.modules.copy().items():
        told = getattr(module, "__path__", ())  # a package without __init__.py has no file
        folders = list(told) if isinstance(told, Iterable) else []  # some modules make anything of any name
        place = getattr(module, "__file__", None) or (folders[0] if folders else None)
        if place and name.isidentifier() and not name.startswith("__"):
            places[name] = os.path.realpath(place)
    loose = {name: place for name, place in places.items() if not place.startswith(_INSTALLED)}
    if not loose:
        return []
    # Asked of a fresh interpreter, because an editable install is found there and lies anywhere.
    pairs = [word for pair in loose.items() for word in pair]
    command = [sys.executable, "-P", "-c", _ASK, *pairs]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")
    return asked.stdout.split()
