"""Writing any object with the code it brings along: the part of the format that needs cloudpickle itself."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle

from mlalm_jupyter.formats.torch_storage import plain_storage

PROTOCOL = 5


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
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


def dumped(model: object) -> bytes:
    """The pickle of an object."""
    out = io.BytesIO()
    Pickler(out, protocol=PROTOCOL).dump(model)
    return out.getvalue()


def refusal(part: object) -> Exception | None:
    """Why an object cannot be written, if it cannot."""
    try:
        dumped(part)
    except Exception as error:  # noqa: BLE001  # what it is, is the answer
        return error
    return None


@contextmanager
def own_modules_by_value() -> Iterator[None]:
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
