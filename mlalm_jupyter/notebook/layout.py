"""Places for the nodes of a graph: in layers from top to bottom, few crossings, nothing on top of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_SWEEPS = 12
_GAP = 26.0
_BEND_WIDTH = 10.0
_STRAIGHT = 6.0
"""How much more a long edge minds being bent than a node minds standing aside."""

Bend = tuple[str, str, int]
"""Where a long edge passes a layer: from which node, by which port, in which layer."""
Key = str | Bend


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to be drawn: out of a port of one node, into another."""

    source: str
    port: str
    target: str


@dataclass(slots=True)
class Layout:
    """The layer of each node, and the middle of each node and bend from left to right."""

    layers: list[list[Key]] = field(default_factory=list)
    middles: dict[Key, float] = field(default_factory=dict)
    layer_of: dict[str, int] = field(default_factory=dict)

    def bends(self, link: Link) -> list[Bend]:
        """The bends of an edge that goes by a layer or more, from top to bottom."""
        first, last = self.layer_of[link.source], self.layer_of[link.target]
        return [(link.source, link.port, layer) for layer in range(first + 1, last)]


def laid_out(order: Sequence[str], links: Sequence[Link], widths: Mapping[str, float]) -> Layout:
    """A layout of nodes that are linked without cycles; `order` is that of the notebook.

    >>> found = laid_out(["a", "b"], [Link("a", "x", "b")], {"a": 10, "b": 10})
    >>> found.layer_of, found.middles["a"] == found.middles["b"]
    ({'a': 0, 'b': 1}, True)
    """
    layout = Layout(layer_of=_layers(order, links))
    above: dict[Key, list[Key]] = {}
    below: dict[Key, list[Key]] = {}
    found: list[list[Key]] = [[] for _ in range(max(layout.layer_of.values(), default=-1) + 1)]
    for node in order:
        found[layout.layer_of[node]].append(node)
    for link in links:
        chain: list[Key] = [link.source, *layout.bends(link), link.target]
        for upper, lower in pairwise(chain):
            if lower not in below.setdefault(upper, []):
                below[upper].append(lower)
                above.setdefault(lower, []).append(upper)
            if isinstance(lower, tuple) and lower not in found[lower[2]]:
                found[lower[2]].append(lower)
    layout.layers = _uncrossed(found, above, below)
    _spread(layout, above, below, widths)
    return layout


def _layers(order: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """As far down as the longest way to a node; what has no way to it stands right above where it goes."""
    into: dict[str, list[str]] = {node: [] for node in order}
    out: dict[str, list[str]] = {node: [] for node in order}
    for link in links:
        into[link.target].append(link.source)
        out[link.source].append(link.target)
    layer: dict[str, int] = {}
    waiting = [node for node in order if not into[node]]
    missing = {node: len(into[node]) for node in order}
    for node in waiting:
        layer[node] = max((layer[one] + 1 for one in into[node]), default=0)
        for target in out[node]:
            missing[target] -= 1
            if not missing[target]:
                waiting.append(target)
    for node in order:
        if not into[node] and out[node]:
            layer[node] = min(layer[one] for one in out[node]) - 1
    lowest = min(layer.values(), default=0)
    return {node: layer[node] - lowest for node in order}


def _uncrossed(
    layers: list[list[Key]], above: Mapping[Key, list[Key]], below: Mapping[Key, list[Key]]
) -> list[list[Key]]:
    best, fewest = [list(one) for one in layers], _crossings(layers, below)
    for sweep in range(_SWEEPS):
        goes_down = sweep % 2 == 0
        neighbours = above if goes_down else below
        for index in range(len(layers)) if goes_down else reversed(range(len(layers))):
            nearby = layers[index - 1 if goes_down else (index + 1) % len(layers)]
            place = {key: position for position, key in enumerate(nearby)}
            wanted: dict[Key, float] = {}
            for position, key in enumerate(layers[index]):
                theirs = [place[one] for one in neighbours.get(key, ()) if one in place]
                wanted[key] = sum(theirs) / len(theirs) if theirs else position
            layers[index].sort(key=lambda key: wanted[key])
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = [list(one) for one in layers], crossings
    return best


def _crossings(layers: Sequence[Sequence[Key]], below: Mapping[Key, list[Key]]) -> int:
    count = 0
    for upper, lower in pairwise(layers):
        place = {key: position for position, key in enumerate(lower)}
        ends: list[int] = []
        for key in upper:
            theirs = sorted(place[one] for one in below.get(key, ()) if one in place)
            count += sum(end > one for one in theirs for end in ends)
            ends += theirs
    return count


def _spread(
    layout: Layout,
    above: Mapping[Key, list[Key]],
    below: Mapping[Key, list[Key]],
    widths: Mapping[str, float],
) -> None:
    """Everything as near to the middle of its neighbours as its own layer leaves room for."""
    middles = layout.middles
    for layer in layout.layers:
        left = 0.0
        for key in layer:
            width = _width(key, widths)
            middles[key] = left + width / 2
            left += width + _GAP
    for sweep in range(2 * _SWEEPS):
        goes_down = sweep % 2 == 0
        for layer in layout.layers if goes_down else reversed(layout.layers):
            wanted = []
            for key in layer:
                near = [*above.get(key, ()), *below.get(key, ())] if sweep > _SWEEPS else []
                near = near or list((above if goes_down else below).get(key, ()))
                wanted.append(sum(middles[one] for one in near) / len(near) if near else middles[key])
            half = [_width(key, widths) / 2 for key in layer]
            weights = [1.0 if isinstance(key, str) else _STRAIGHT for key in layer]
            for key, middle in zip(layer, _apart(wanted, half, weights), strict=True):
                middles[key] = middle
    leftmost = min((middles[key] - _width(key, widths) / 2 for key in middles), default=0.0)
    for key in middles:
        middles[key] -= leftmost


def _width(key: Key, widths: Mapping[str, float]) -> float:
    return widths[key] if isinstance(key, str) else _BEND_WIDTH


def _apart(wanted: Sequence[float], half: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The places nearest to those wanted that keep the order and a gap: neighbours that would touch share."""
    offsets: list[float] = []
    for index, one in enumerate(half):
        offsets.append(offsets[-1] + half[index - 1] + one + _GAP if index else 0.0)
    blocks: list[tuple[float, float, int]] = []  # of each: the sum of what is wanted, its weight, how many
    for place, offset, weight in zip(wanted, offsets, weights, strict=True):
        block = ((place - offset) * weight, weight, 1)
        while blocks and blocks[-1][0] / blocks[-1][1] > block[0] / block[1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    starts = [total / weight for total, weight, count in blocks for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]
