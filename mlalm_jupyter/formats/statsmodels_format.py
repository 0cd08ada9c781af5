"""Results of statsmodels, without the rows they were fitted on: a pickle, so opened only when trusted."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mlalm_jupyter.domain.errors import NotSerialisable, UntrustedContent
from mlalm_jupyter.formats.archive import damaged_payload
from mlalm_jupyter.formats.cloudpickle_format import CloudpickleFormat
from mlalm_jupyter.formats.culprit import culprit
from mlalm_jupyter.formats.library import is_of, library
from mlalm_jupyter.formats.pickles import distributions, wanted

FILE = "results.pkl"
# a formula that is read back looks for its names in the frames around it, and fails where there are too few
_FRAMES = 16
T = TypeVar("T")


class StatsmodelsFormat:
    """The format of what `fit` of a statsmodels model gives."""

    name = "statsmodels"
    is_data_only = False
    is_deterministic = True
    known = ("statsmodels",)

    def takes(self, model: object) -> bool:
        is_results = is_of(model, "statsmodels.base.wrapper.ResultsWrapper", "statsmodels.base.model.Results")
        return type(model).__module__.startswith("statsmodels.") and is_results

    def framework(self, model: object) -> str:
        return f"statsmodels {library('statsmodels').__version__}"

    def dump(self, model: Any) -> dict[str, bytes]:
        whole = CloudpickleFormat().dump(model)["model.pkl"]
        copy: Any = within(_FRAMES, lambda: _unpickled(whole))
        try:
            copy.remove_data()
            out = io.BytesIO()
            copy.save(out)
        except Exception as error:  # each of its many models objects in its own way
            path, said = culprit(model, lambda part: None)
            raise NotSerialisable(
                f"The {type(model).__name__}", attribute=path, because=str(error) or said
            ) from error
        return {FILE: out.getvalue()}

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        return [*self.known, *distributions(payload[FILE])]

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        return ["arbitrary Python (a pickle of statsmodels)", *wanted(payload.get(FILE, b""))]

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        if not trusted:
            raise UntrustedContent("The model's payload", wants=self.wants(payload), digest="")
        data = payload.get(FILE)
        if data is None or len(payload) != 1:
            raise damaged_payload(f"It should hold one file '{FILE}'.")
        library("statsmodels")
        return within(_FRAMES, lambda: _unpickled(data))


def within(frames: int, act: Callable[[], T]) -> T:
    """What `act` gives when it is called from so many frames deep."""
    return act() if frames <= 0 else within(frames - 1, act)


def _unpickled(data: bytes) -> object:
    import pickle

    return pickle.loads(data)
