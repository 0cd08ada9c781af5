"""The layers of PyTorch that we describe in words: how each is set, and that it is set plainly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlalm_jupyter.domain.errors import NotSerialisable
from mlalm_jupyter.formats.archive import damaged_payload

DEEPEST = 30
MOST_LAYERS = 10_000
# class: how it is set; what ends with `?` says whether there is such a part
_CONVOLUTION = (
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "groups",
    "bias?",
)
_NORM = ("num_features", "eps", "momentum", "affine", "track_running_stats")
_POOL = ("kernel_size", "stride", "padding", "ceil_mode")
_LAYERS: dict[str, tuple[str, ...]] = {
    "Sequential": (),
    "Identity": (),
    "Linear": ("in_features", "out_features", "bias?"),
    "Bilinear": ("in1_features", "in2_features", "out_features", "bias?"),
    "Embedding": ("num_embeddings", "embedding_dim", "padding_idx"),
    "Conv1d": (*_CONVOLUTION, "padding_mode"),
    "Conv2d": (*_CONVOLUTION, "padding_mode"),
    "BatchNorm1d": _NORM,
    "BatchNorm2d": _NORM,
    "LayerNorm": ("normalized_shape", "eps", "elementwise_affine", "bias?"),
    "MaxPool1d": (*_POOL, "dilation"),
    "MaxPool2d": (*_POOL, "dilation"),
    "AvgPool1d": (*_POOL, "count_include_pad"),
    "AvgPool2d": (*_POOL, "count_include_pad"),
    "AdaptiveAvgPool1d": ("output_size",),
    "AdaptiveAvgPool2d": ("output_size",),
    "Flatten": ("start_dim", "end_dim"),
    "Dropout": ("p", "inplace"),
    "ReLU": ("inplace",),
    "ReLU6": ("inplace",),
    "LeakyReLU": ("negative_slope", "inplace"),
    "PReLU": ("num_parameters",),
    "ELU": ("alpha", "inplace"),
    "SELU": ("inplace",),
    "GELU": ("approximate",),
    "SiLU": ("inplace",),
    "Mish": ("inplace",),
    "Sigmoid": (),
    "Tanh": (),
    "Softplus": ("beta", "threshold"),
    "Softmax": ("dim",),
    "LogSoftmax": ("dim",),
    "Hardtanh": ("min_val", "max_val", "inplace"),
}
_ON_A_DEVICE = frozenset(
    {
        "Linear",
        "Bilinear",
        "Embedding",
        "Conv1d",
        "Conv2d",
        "BatchNorm1d",
        "BatchNorm2d",
        "LayerNorm",
        "PReLU",
    }
)
_NAME = re.compile(r"[A-Za-z0-9_]{1,80}")
_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
)


def described(module: Any, *, path: str = "") -> dict[str, Any]:
    """A module in words; refused where it is more than one of the layers we know."""
    kind = type(module).__name__
    if not type(module).__module__.startswith("torch.nn.modules.") or kind not in _LAYERS:
        raise _unknown(module, path, f"a {kind} is none of PyTorch's plain layers")
    if any(getattr(module, name, None) for name in _HOOKS):
        raise _unknown(module, path, "it has hooks, which are code")
    told: dict[str, Any] = {"class": kind}
    if settings := {name.rstrip("?"): _setting(module, name, path) for name in _LAYERS[kind]}:
        told["settings"] = settings
    inner = dict(module.named_children())
    if inner and kind != "Sequential":
        raise _unknown(module, path, "it holds layers of its own")
    if kind == "Sequential":
        told["layers"] = [[name, described(one, path=f"{path}.{name}")] for name, one in inner.items()]
    return told


def check_description(told: Any, *, depth: int = 0) -> None:
    """Refuse a description that names anything but plain layers, plainly set."""
    kind = told.get("class") if isinstance(told, dict) else None
    if kind not in _LAYERS or depth > DEEPEST or not set(told) <= {"class", "settings", "layers"}:
        raise damaged_payload(f"It names a layer '{str(kind)[:40]}' that is not known here.")
    settings, layers = told.get("settings", {}), told.get("layers", [])
    is_set = isinstance(settings, dict) and set(settings) == {name.rstrip("?") for name in _LAYERS[kind]}
    if not is_set or not all(map(_is_plain, settings.values())):
        raise damaged_payload(f"Its layer '{kind}' is not set as such a layer is.")
    if not isinstance(layers, list) or (layers and kind != "Sequential") or len(layers) > MOST_LAYERS:
        raise damaged_payload(f"Its layer '{kind}' cannot hold those layers.")
    names = set()
    for one in layers:
        if not (
            isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) and _NAME.fullmatch(one[0])
        ):
            raise damaged_payload(f"Its layer '{kind}' holds one without a plain name.")
        names.add(one[0])
        check_description(one[1], depth=depth + 1)
    if len(names) != len(layers):
        raise damaged_payload("It has two layers of one name.")


def built(nn: Any, told: Mapping[str, Any]) -> Any:
    """The module of a checked description, without memory for its weights."""
    kind = told["class"]
    if kind == "Sequential":
        made = nn.Sequential()
        for name, inner in told.get("layers", []):
            if hasattr(made, name):
                raise damaged_payload(f"It has a layer of the name '{name}', which means something else.")
            made.add_module(name, built(nn, inner))
        return made
    settings = {key: _tuples(value) for key, value in told.get("settings", {}).items()}
    on_no_device = {"device": "meta"} if kind in _ON_A_DEVICE else {}
    try:
        return getattr(nn, kind)(**settings, **on_no_device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise damaged_payload(f"Its layer '{kind}' cannot be made: {str(error)[:100]}.") from error


def _setting(module: Any, name: str, path: str) -> Any:
    if name.endswith("?"):
        return getattr(module, name.rstrip("?"), None) is not None
    value = getattr(module, name)
    value = list(value) if isinstance(value, tuple) else value
    if not _is_plain(value):
        raise _unknown(module, f"{path}.{name}", f"a {type(value).__name__} is no plain setting")
    return value


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) < 10 and all(isinstance(one, int) and 0 <= one < 1 << 31 for one in value)
    if isinstance(value, str):
        return value in ("zeros", "none", "tanh", "same", "valid")
    if isinstance(value, int):
        return -(1 << 10) < value < 1 << 31
    return value is None or isinstance(value, float)


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _unknown(module: object, path: str, because: str) -> NotSerialisable:
    name = type(module).__name__
    return NotSerialisable(f"The {name}", attribute=path.lstrip(".") or name, because=because)
