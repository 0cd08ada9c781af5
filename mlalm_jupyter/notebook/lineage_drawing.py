"""Where a version came from and what came of it, as a picture and as a text that says the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlalm_jupyter.domain.lineage import LineageGraph, Step, Thing
from mlalm_jupyter.notebook.layout import Layout, Link, laid_out
from mlalm_jupyter.notebook.strokes import curve, safe, short, svg, text_width

_MARGIN = 20.0
_LAYER_GAP = 44.0
_PADDING = 13.0
_HEIGHT = 56.0
_NARROWEST = 96.0
_MOST_NAME = 34
_ROLES = {
    "dataset": "import",
    "file": "import",
    "transform": "transform",
    "run": "train",
    "cell": "none",
    "model": "score",
    "image": "evaluate",
    "endpoint": "output",
}
"""Kinds of things in the colours of the roles of cells."""


def drawn(graph: LineageGraph) -> str:
    """The picture as SVG, for light and dark themes, with a title and a description for screen readers.

    >>> drawn(LineageGraph("a", (Thing("a", "model", "churn:1"),), ())).startswith("<svg")
    True
    """
    links = [Link(step.source, "", step.target) for step in _forward(graph)]
    widths = {thing.id: _width(thing) for thing in graph.things}
    layout = laid_out(_sources_first(graph), links, widths)
    tops = [_MARGIN + layer * (_HEIGHT + _LAYER_GAP) for layer in range(len(layout.layers) + 1)]
    middles = {key: layout.middles[key] + _MARGIN for key in widths}
    width = max((middles[key] + widths[key] / 2 for key in widths), default=0.0)
    width = max([width, *(middle + _MARGIN for middle in layout.middles.values())]) + _MARGIN
    parts = [
        *(_step(step, graph, layout, middles, tops) for step in _forward(graph)),
        *(
            "".join(_thing(one, graph, middles[one.id], tops[layout.layer_of[one.id]], widths[one.id]))
            for one in graph.things
        ),
    ]
    subject = graph.thing(graph.subject)
    height = tops[-1] - _LAYER_GAP + _MARGIN
    return svg(parts, width, height, title=f"Lineage of {subject.kind} {subject.name}", text=told(graph))


def told(graph: LineageGraph) -> str:
    """The same as plain text: each thing, and what it came from.

    >>> print(told(LineageGraph("a", (Thing("a", "model", "churn:1", "skops"),), ())), end="")
    * model churn:1 (skops)
    """
    lines: list[str] = []
    for key in _sources_first(graph):
        one = graph.thing(key)
        mark = "*" if key == graph.subject else "-"
        lines.append(f"{mark} {named(one)}{f' ({one.told})' if one.told else ''}")
        for step in graph.steps:
            if step.target == key:
                lines.append(f"    {step.how} <- {named(graph.thing(step.source))}")
    if graph.note:
        lines.append(graph.note)
    return "".join(f"{line}\n" for line in lines)


def in_order(graph: LineageGraph) -> list[Thing]:
    """Every thing after what it came from."""
    return [graph.thing(key) for key in _sources_first(graph)]


def named(thing: Thing) -> str:
    """A thing as a sentence says it.

    >>> named(Thing("a", "model", "churn:1"))
    'model churn:1'
    """
    return thing.name if thing.kind in ("cell", "file") else f"{thing.kind} {thing.name}"


def _sources_first(graph: LineageGraph) -> list[str]:
    order: dict[str, None] = {}
    before: dict[str, list[str]] = {}
    for step in _forward(graph):
        before.setdefault(step.target, []).append(step.source)
    waiting = [one.id for one in reversed(graph.things)]
    while waiting:
        key = waiting[-1]
        missing = [one for one in before.get(key, ()) if one not in order]
        if key not in order and missing:
            waiting += reversed(missing)
            continue
        waiting.pop()
        order[key] = None
    return list(order)


def _forward(graph: LineageGraph) -> list[Step]:
    """The steps without any that leads back to where it came from; records of people may say such things."""
    out: dict[str, set[str]] = {}
    kept = []
    for step in graph.steps:
        seen: set[str] = set()
        waiting = [step.target]
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += out.get(one, ())
        if step.source not in seen:
            out.setdefault(step.source, set()).add(step.target)
            kept.append(step)
    return kept


def _width(thing: Thing) -> float:
    lines = (
        text_width(short(thing.name, _MOST_NAME), 13),
        text_width(short(thing.told, _MOST_NAME), 11),
        text_width(thing.kind, 11),
    )
    return max(_NARROWEST, *(line + 2 * _PADDING for line in lines))


def _step(
    step: Step, graph: LineageGraph, layout: Layout, middles: Mapping[str, float], tops: Sequence[float]
) -> str:
    x, y = middles[step.source], tops[layout.layer_of[step.source]] + _HEIGHT
    path = [f"M{x:.1f},{y:.1f}"]
    for bend in layout.bends(Link(step.source, "", step.target)):
        bend_x, top = layout.middles[bend] + _MARGIN, tops[bend[2]]
        path.append(curve(x, y, bend_x, top))
        x, y = bend_x, top + _HEIGHT
        path.append(f"L{x:.1f},{y:.1f}")
    path.append(curve(x, y, middles[step.target], tops[layout.layer_of[step.target]] - 5))
    title = f"{named(graph.thing(step.source))} {step.how}: {named(graph.thing(step.target))}"
    return f'<path class="mlalm-edge" d="{" ".join(path)}" marker-end="url(#MARK)"><title>{safe(title)}</title></path>'


def _thing(thing: Thing, graph: LineageGraph, middle: float, top: float, width: float) -> Iterator[str]:
    left = middle - width / 2
    shape = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_HEIGHT:g}" rx="7"'
    asked = " mlalm-asked" if thing.id == graph.subject else ""
    yield f'<g class="mlalm-node mlalm-role-{_ROLES.get(thing.kind, "none")}{asked}">'
    yield f"<title>{safe(named(thing))}{safe(f' ({thing.told})') if thing.told else ''}</title>"
    yield f'<rect class="mlalm-paper" {shape}/><rect class="mlalm-box" {shape}/>'
    x = left + _PADDING
    yield f'<text class="mlalm-role" x="{x:.1f}" y="{top + 16:.1f}"><tspan class="mlalm-word">{safe(thing.kind)}</tspan></text>'
    yield f'<text class="mlalm-title" x="{x:.1f}" y="{top + 33:.1f}">{safe(short(thing.name, _MOST_NAME))}</text>'
    if thing.told:
        told_short = safe(short(thing.told, _MOST_NAME))
        yield f'<text class="mlalm-role" x="{x:.1f}" y="{top + 48:.1f}">{told_short}</text>'
    yield "</g>"
