"""PyTorch: layers in words and weights as numbers where that is enough, programs where somebody trusts them.

- `torch`: a network of PyTorch's own plain layers. The words are JSON; the weights lie one after the other as in a
  safetensors file. Nothing of it can run, and nothing larger is made than what lies there.
- `torchscript` and `torch-export`: a program of the person's. Both are code by themselves, and their readers open
  pickles besides.
- A module of a class of one's own is kept with its class, by cloudpickle.
"""

from __future__ import annotations

import io
import json
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from mlalm_jupyter.domain.errors import Corrupt, NotSerialisable, UntrustedContent
from mlalm_jupyter.formats.archive import damaged_payload, json_text, read_json
from mlalm_jupyter.formats.library import is_of, library
from mlalm_jupyter.formats.pickles import NOT_READ, Patience, wanted
from mlalm_jupyter.formats.torch_layers import built, check_description, described

LAYERS = "layers.json"
WEIGHTS = "weights.safetensors"
_TYPES = {"F32": "float32", "F64": "float64", "I64": "int64", "I32": "int32", "U8": "uint8", "BOOL": "bool"}
_KINDS = {name: short for short, name in _TYPES.items()}
_MOST_HEADER = 4 << 20


class TorchFormat:
    """The format of networks made of PyTorch's own plain layers."""

    name = "torch"
    is_data_only = True
    is_deterministic = True
    known = ("torch",)

    def takes(self, model: object) -> bool:
        return is_of(model, "torch.nn.modules.module.Module") and not is_of(
            model, "torch.jit._script.ScriptModule", "torch.jit.ScriptModule"
        )

    def framework(self, model: object) -> str:
        return _framework()

    def dump(self, model: Any) -> dict[str, bytes]:
        told = described(model)
        again = built(library("torch").nn, told)
        for (path, one), (_, other) in zip(model.named_modules(), again.named_modules(), strict=True):
            if more := sorted(set(vars(one)) - set(vars(other))):
                raise NotSerialisable(
                    "The network",
                    attribute=f"{path}.{more[0]}".lstrip("."),
                    because="no plain layer has such a part",
                )
        return {LAYERS: json_text(told), WEIGHTS: _weights(model)}

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        return list(self.known)

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        _check_names(payload, LAYERS, WEIGHTS)
        check_description(read_json(payload[LAYERS], f"payload/{LAYERS}"))
        _arrays(payload[WEIGHTS])
        return []

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        _check_names(payload, LAYERS, WEIGHTS)
        told, arrays = read_json(payload[LAYERS], f"payload/{LAYERS}"), _arrays(payload[WEIGHTS])
        check_description(told)
        torch = library("torch")
        model = built(torch.nn, told)
        state = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        wanted_shapes = {name: tuple(one.shape) for name, one in model.state_dict().items()}
        if wanted_shapes != {name: tuple(one.shape) for name, one in state.items()}:
            raise damaged_payload("Its weights are not those of its layers.")
        try:
            model.load_state_dict(state, assign=True)
        except RuntimeError as error:
            raise damaged_payload(f"Its weights are not those of its layers: {str(error)[:100]}.") from error
        return model.eval()


class _ProgramFormat(ABC):
    is_data_only = False
    is_deterministic = False
    known = ("torch",)
    _file = ""
    _what = ""

    def framework(self, model: object) -> str:
        return _framework()

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        return list(self.known)

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        return [self._what, *pickled_in(payload.get(self._file, b""))]

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object:
        if not trusted:
            raise UntrustedContent("The model's payload", wants=self.wants(payload), digest="")
        _check_names(payload, self._file)
        return self._opened(library("torch"), io.BytesIO(payload[self._file]))

    @abstractmethod
    def _opened(self, torch: Any, file: io.BytesIO) -> object: ...


class TorchScriptFormat(_ProgramFormat):
    """The format of scripted and traced modules."""

    name = "torchscript"
    _file = "model.pt"
    _what = "a program (TorchScript)"

    def takes(self, model: object) -> bool:
        return is_of(model, "torch.jit._script.ScriptModule", "torch.jit.ScriptModule")

    def dump(self, model: Any) -> dict[str, bytes]:
        out = io.BytesIO()
        library("torch").jit.save(model, out)
        return {self._file: out.getvalue()}

    def _opened(self, torch: Any, file: io.BytesIO) -> object:
        return torch.jit.load(file)


class TorchExportFormat(_ProgramFormat):
    """The format of what `torch.export.export` gives."""

    name = "torch-export"
    is_deterministic = True
    _file = "model.pt2"
    _what = "a program (torch.export)"

    def takes(self, model: object) -> bool:
        return is_of(model, "torch.export.exported_program.ExportedProgram")

    def dump(self, model: Any) -> dict[str, bytes]:
        out = io.BytesIO()
        library("torch").export.save(model, out)
        return {self._file: out.getvalue()}

    def _opened(self, torch: Any, file: io.BytesIO) -> object:
        return torch.export.load(file)


def pickled_in(data: bytes, patience: Patience | None = None) -> list[str]:
    """What the pickles in a file of PyTorch's would import."""
    patience = patience or Patience()
    found: dict[str, None] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                is_pickled = info.filename.endswith((".pkl", "sample_inputs/model.pt"))
                if not is_pickled or info.compress_type != zipfile.ZIP_STORED or info.file_size > len(data):
                    continue
                if not patience.lasts(size=info.file_size):
                    found[NOT_READ] = None
                    break
                inner = archive.read(info)
                names = pickled_in(inner, patience) if inner[:2] == b"PK" else wanted(inner, patience)
                found.update(dict.fromkeys(names))
    except (
        zipfile.BadZipFile,
        ValueError,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        RecursionError,
    ):
        return wanted(data, patience) if data[:1] == b"\x80" else list(found)
    return list(found)


def _framework() -> str:
    return f"torch {library('torch').__version__}"


def _check_names(payload: Mapping[str, bytes], *names: str) -> None:
    if set(payload) != set(names):
        raise damaged_payload(f"It should hold {' and '.join(repr(name) for name in names)}.")


def _weights(model: Any) -> bytes:
    """All values by name, as safetensors writes them: a header in JSON, then one after the other."""
    told: dict[str, Any] = {}
    parts = []
    place = 0
    for name, tensor in sorted(model.state_dict().items()):
        array = tensor.detach().cpu().contiguous().numpy()
        if array.dtype.name not in _KINDS:
            raise NotSerialisable(
                "The network",
                attribute=name,
                because=f"values of the type {array.dtype} have no plain form here",
            )
        part = array.tobytes()
        told[name] = {
            "dtype": _KINDS[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [place, place + len(part)],
        }
        parts.append(part)
        place += len(part)
    header = json.dumps(told, separators=(",", ":"), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + b"".join(parts)


def _arrays(data: bytes) -> dict[str, Any]:
    size = int.from_bytes(data[:8], "little")
    if size > min(len(data) - 8, _MOST_HEADER):
        raise damaged_payload("Its weights have a header that is longer than there is.")
    try:
        told = read_json(data[8 : 8 + size], f"payload/{WEIGHTS}")
        body = memoryview(data)[8 + size :]
        found, place = {}, 0
        for name, one in sorted(told.items(), key=lambda item: item[1]["data_offsets"]):
            first, past = one["data_offsets"]
            kind = np.dtype(_TYPES[one["dtype"]])
            count = 1
            for length in one["shape"]:
                count *= length
            if (
                first != place
                or past - first != count * kind.itemsize
                or past > len(body)
                or min([1, *one["shape"]]) < 0
            ):
                raise ValueError("places that do not fit")
            found[name] = np.frombuffer(body[first:past], kind).reshape(one["shape"])
            place = past
    except Corrupt:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise damaged_payload("Its weights are not where its header says.") from error
    return found
