"""The values of PyTorch's tensors inside a pickle, without the addresses that PyTorch itself writes there."""

from __future__ import annotations

from typing import Any

from mlalm_jupyter.formats.library import is_of, library


def plain_storage(part: object) -> tuple[Any, ...] | None:
    """How a storage is made again from its bytes; None for what is none, or lies on another device."""
    if not is_of(part, "torch.storage.TypedStorage"):
        return None
    storage: Any = part
    if storage.device.type != "cpu" or storage.dtype.is_complex:
        return None
    torch = library("torch")
    kind = str(storage.dtype).removeprefix("torch.")
    raw = torch.tensor([], dtype=torch.uint8).set_(storage.untyped())
    return storage_of, (raw.numpy().tobytes(), kind)


def storage_of(data: bytes, kind: str) -> Any:
    """A storage with these values."""
    torch = library("torch")
    dtype = getattr(torch, kind)
    values = torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)
    return torch.storage.TypedStorage(wrap_storage=values.untyped_storage(), dtype=dtype, _internal=True)
