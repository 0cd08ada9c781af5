"""A graph as a picture that a person can read, and as a text that says the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mlalm_jupyter.notebook.graph import Edge, Graph, Node
from mlalm_jupyter.notebook.layout import Layout, Link, laid_out
from mlalm_jupyter.notebook.strokes import curve, safe, short, svg, text_width

_MARGIN = 20.0
_LAYER_GAP = 46.0
_PADDING = 12.0
_CELL_HEIGHT = 46.0
_PORT_HEIGHT = 24.0
_ASSET_HEIGHT = 30.0
_MOST_PORTS = 4
_MOST_TITLE = 34
_MOST_NAME = 18
_NARROWEST = 120.0
_REST = "…"


@dataclass(frozen=True, slots=True)
class _Box:
    """A node as drawn: where its middle and top are, how large it is, and where its ports are from the middle."""

    node: Node
    ports: Mapping[str, tuple[float, float]]
    """Of each port its middle and its width."""
    names: Mapping[str, tuple[str, ...]]
    width: float
    height: float
    middle: float = 0.0
    top: float = 0.0


def drawn(graph: Graph, *, name: str = "notebook") -> str:
    """The graph as SVG, for light and dark themes, with a title and a description for screen readers.

    >>> drawn(Graph((), ())).startswith("<svg")
    True
    """
    linked = {end for edge in graph.edges for end in (edge.source, edge.target)}
    order = [node for node in graph.nodes if node.id in linked]
    ports = _ports(graph)
    boxes = {node.id: _box(node, ports.get(node.id, {})) for node in graph.nodes}
    links = _links(graph, ports)
    layout = laid_out(_upstream_first(order, links), links, {key: box.width for key, box in boxes.items()})
    boxes |= {key: _uncrossed_ports(box, links, layout) for key, box in boxes.items() if len(box.ports) > 1}
    tops, bottom = _tops(layout, boxes)
    placed = {
        node.id: _moved(boxes[node.id], layout.middles[node.id] + _MARGIN, tops[layout.layer_of[node.id]])
        for node in order
    }
    width = max((box.middle + box.width / 2 for box in placed.values()), default=0.0)
    width = max([width, *(middle + _MARGIN for middle in layout.middles.values())])
    loose = [boxes[node.id] for node in graph.nodes if node.id not in linked]
    aside, bottom = _rows(loose, max(width, 720.0), bottom)
    width = max([width, *(box.middle + box.width / 2 for box in aside)]) + _MARGIN
    parts = [
        *(_edge(edge, graph, layout, placed, tops) for edge in _drawn_links(graph, ports)),
        *(_node(box) for box in [*placed.values(), *aside]),
    ]
    if aside and placed:
        y = aside[0].top - 12
        parts.insert(
            0,
            f'<text class="mlalm-aside" x="{_MARGIN:g}" y="{y:g}">Without a value from or for others</text>',
        )
    return svg(parts, width, bottom + _MARGIN, title=f"Graph of {name}", text=told(graph))


def told(graph: Graph) -> str:
    """The graph as plain text: each cell with its role, where its values come from and what it takes and gives.

    >>> print(told(Graph((Node("cell-1", "cell", "Read", 1, "import"),), ())), end="")
    1  import     Read
    """
    names = {node.id: node for node in graph.nodes}
    lines: list[str] = []
    digits = max((len(str(node.number)) for node in graph.cells), default=1)
    for node in graph.cells:
        said = "".join(f"  ({one})" for one in _remarks(node))
        lines.append(f"{node.number:>{digits}}  {node.role or '-':<9}  {node.title}{said}".rstrip())
        into: dict[str, list[str]] = {}
        for edge in graph.edges:
            if edge.target == node.id:
                into.setdefault(edge.source, []).append(edge.name)
            elif edge.source == node.id and names[edge.target].kind != "cell":
                lines.append(f"{'':>{digits}}    gives {names[edge.target].kind} {names[edge.target].title}")
        for source, values in into.items():
            other = names[source]
            what = (
                f"from {other.number}: {', '.join(values)}"
                if other.number
                else f"takes {other.kind} {other.title}"
            )
            lines.append(f"{'':>{digits}}    {what}")
    lines += [f"Note: {note}" for note in graph.notes]
    return "".join(f"{line}\n" for line in lines)


def _remarks(node: Node) -> Iterator[str]:
    """What is said of a cell beside its role."""
    if node.by_hand:
        yield f"by hand: {', '.join(node.by_hand)}"
    if node.cut_from is not None:
        yield f"from cell {node.cut_from} of the training notebook"


# what is drawn


def _ports(graph: Graph) -> dict[str, dict[str, tuple[str, ...]]]:
    """Of each node, its ports with the names behind each; those read most get one of their own."""
    uses: dict[str, dict[str, int]] = {}
    kinds = {node.id: node.kind for node in graph.nodes}
    for edge in graph.edges:
        if kinds[edge.source] == "cell" and kinds[edge.target] == "cell":
            names = uses.setdefault(edge.source, {})
            names[edge.name] = names.get(edge.name, 0) + 1
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for source, names in uses.items():
        order = sorted(names, key=lambda one: (-names[one], one))
        own = order if len(order) <= _MOST_PORTS else order[: _MOST_PORTS - 1]
        found[source] = {one: (one,) for one in sorted(own)}
        if len(own) < len(order):
            found[source][_REST] = tuple(sorted(set(order) - set(own)))
    return found


def _port_of(edge: Edge, ports: Mapping[str, Mapping[str, tuple[str, ...]]]) -> str:
    for port, names in ports.get(edge.source, {}).items():
        if edge.name in names:
            return port
    return ""


@dataclass(frozen=True, slots=True)
class _Drawn:
    link: Link
    kind: str
    names: tuple[str, ...]


def _drawn_links(graph: Graph, ports: Mapping[str, Mapping[str, tuple[str, ...]]]) -> list[_Drawn]:
    found: dict[Link, list[Edge]] = {}
    for edge in graph.edges:
        if edge.source != edge.target:
            found.setdefault(Link(edge.source, _port_of(edge, ports), edge.target), []).append(edge)
    return [
        _Drawn(link, edges[0].kind, tuple(dict.fromkeys(edge.name for edge in edges)))
        for link, edges in _acyclic(found).items()
    ]


def _acyclic(found: dict[Link, list[Edge]]) -> dict[Link, list[Edge]]:
    """Without the way back: a file that is read and then written by one cell, or by an earlier one."""
    out: dict[str, set[str]] = {}
    kept: dict[Link, list[Edge]] = {}
    for link, edges in found.items():
        seen, waiting = set(), [link.target]
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += out.get(one, ())
        if link.source not in seen:
            out.setdefault(link.source, set()).add(link.target)
            kept[link] = edges
    return kept


def _links(graph: Graph, ports: Mapping[str, Mapping[str, tuple[str, ...]]]) -> list[Link]:
    return [one.link for one in _drawn_links(graph, ports)]


def _upstream_first(nodes: Sequence[Node], links: Sequence[Link]) -> list[str]:
    """Assets before the first cell that takes them, so that the order of the notebook stays."""
    first: dict[str, int] = {}
    numbers = {node.id: node.number for node in nodes}
    for link in links:
        for asset, cell in ((link.source, link.target), (link.target, link.source)):
            number = numbers.get(cell)
            if numbers.get(asset) is None and number is not None:
                first[asset] = min(first.get(asset, number), number)
    return [node.id for node in sorted(nodes, key=lambda one: one.number or first.get(one.id, 0))]


# sizes and places


def _box(node: Node, names: Mapping[str, tuple[str, ...]]) -> _Box:
    if node.kind != "cell":
        width = text_width(short(node.title, _MOST_TITLE), 12) + 2 * _PADDING
        width = max(width, text_width(node.kind, 10) + 2 * _PADDING)
        return _Box(node, {}, {}, width, _ASSET_HEIGHT + 8)
    ports = _side_by_side({port: text_width(_label(port, names), 11, mono=True) + 14 for port in names})
    row = 2 * max((middle + width / 2 for middle, width in ports.values()), default=0.0)
    origin = f"   from {node.cut_from}" if node.cut_from is not None else ""
    head = text_width(f"{node.number} {_word(node)}{origin}", 11)
    width = max(_NARROWEST, text_width(short(node.title, _MOST_TITLE), 13), head, row) + 2 * _PADDING
    return _Box(node, ports, names, width, _CELL_HEIGHT + (_PORT_HEIGHT if ports else 0))


def _side_by_side(widths: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    left = -(sum(widths.values()) + 6 * (len(widths) - 1)) / 2
    ports: dict[str, tuple[float, float]] = {}
    for port, width in widths.items():
        ports[port] = left + width / 2, width
        left += width + 6
    return ports


def _uncrossed_ports(box: _Box, links: Sequence[Link], layout: Layout) -> _Box:
    """Ports in the order of where their edges go next."""
    towards: dict[str, list[float]] = {port: [] for port in box.ports}
    for link in links:
        if link.source == box.node.id:
            bends = layout.bends(link)
            towards[link.port].append(layout.middles[bends[0] if bends else link.target])
    order = sorted(box.ports, key=lambda port: sum(towards[port]) / max(len(towards[port]), 1))
    return replace(box, ports=_side_by_side({port: box.ports[port][1] for port in order}))


def _label(port: str, names: Mapping[str, tuple[str, ...]]) -> str:
    return f"+{len(names[port])}" if port == _REST else short(port, _MOST_NAME)


def _moved(box: _Box, middle: float, top: float) -> _Box:
    return replace(box, middle=middle, top=top)


def _tops(layout: Layout, boxes: Mapping[str, _Box]) -> tuple[list[float], float]:
    tops, y = [], _MARGIN
    for layer in layout.layers:
        tops.append(y)
        heights = [boxes[key].height for key in layer if isinstance(key, str)]
        y += max(heights, default=0.0) + _LAYER_GAP
    return [*tops, y], (y - _LAYER_GAP if tops else _MARGIN)


def _rows(boxes: Sequence[_Box], width: float, bottom: float) -> tuple[list[_Box], float]:
    """Boxes side by side below everything else."""
    if not boxes:
        return [], bottom
    found: list[_Box] = []
    x, y, tallest = _MARGIN, bottom + (54 if bottom > _MARGIN else 0), 0.0
    for box in boxes:
        if x > _MARGIN and x + box.width > width:
            x, y, tallest = _MARGIN, y + tallest + 16, 0.0
        found.append(_moved(box, x + box.width / 2, y))
        x += box.width + 16
        tallest = max(tallest, box.height)
    return found, y + tallest


# writing


def _edge(
    one: _Drawn, graph: Graph, layout: Layout, placed: Mapping[str, _Box], tops: Sequence[float]
) -> str:
    source, target = placed[one.link.source], placed[one.link.target]
    x = source.middle + source.ports.get(one.link.port, (0.0, 0.0))[0]
    y = source.top + source.height
    path = [f"M{x:.1f},{y:.1f}"]
    for bend in layout.bends(one.link):
        bend_x, top = layout.middles[bend] + _MARGIN, tops[bend[2]]
        path.append(curve(x, y, bend_x, top))
        x, y = bend_x, tops[bend[2] + 1] - _LAYER_GAP
        path.append(f"L{x:.1f},{y:.1f}")
    path.append(curve(x, y, target.middle, target.top - 5))
    title = f"{', '.join(one.names)}: {_named(source.node)} to {_named(target.node)}"
    return (
        f'<path class="mlalm-edge mlalm-edge-{one.kind}" d="{" ".join(path)}" marker-end="url(#MARK)">'
        f"<title>{safe(title)}</title></path>"
    )


def _named(node: Node) -> str:
    return f"cell {node.number}" if node.number else f"{node.kind} {node.title}"


def _node(box: _Box) -> str:
    return "".join(_cell(box) if box.node.kind == "cell" else _asset(box))


def _cell(box: _Box) -> Iterator[str]:
    node, left = box.node, box.middle - box.width / 2
    role = node.role or "none"
    shape = f'x="{left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="7"'
    more = [", ".join(node.roles)] if len(node.roles) > 1 else []
    said = "".join(f" ({one})" for one in [*more, *_remarks(node)])
    hand = " mlalm-by-hand" if node.by_hand else ""
    yield f'<g class="mlalm-node mlalm-role-{role}{hand}">'
    yield f"<title>{safe(f'Cell {node.number}: {node.title}{said}')}</title>"
    yield f'<rect class="mlalm-paper" {shape}/><rect class="mlalm-box" {shape}/>'
    x = left + _PADDING
    yield f'<text class="mlalm-role" x="{x:.1f}" y="{box.top + 17:.1f}">{node.number}'
    yield f' <tspan class="mlalm-word">{safe(word)}</tspan></text>' if (word := _word(node)) else "</text>"
    if node.cut_from is not None:
        end = left + box.width - _PADDING
        yield f'<text class="mlalm-origin" x="{end:.1f}" y="{box.top + 17:.1f}">from {node.cut_from}</text>'
    title = safe(short(node.title, _MOST_TITLE))
    yield f'<text class="mlalm-title" x="{x:.1f}" y="{box.top + 36:.1f}">{title}</text>'
    for port, (middle, width) in box.ports.items():
        port_x, port_y = box.middle + middle - width / 2, box.top + box.height - _PORT_HEIGHT
        names = safe(", ".join(box.names[port]))
        yield f'<g class="mlalm-port"><title>{names}</title>'
        yield f'<rect x="{port_x:.1f}" y="{port_y:.1f}" width="{width:.1f}" height="18" rx="9"/>'
        yield f'<text x="{box.middle + middle:.1f}" y="{port_y + 12.5:.1f}">{safe(_label(port, box.names))}</text></g>'
    yield "</g>"


def _word(node: Node) -> str:
    """A cell's role as it is drawn; a pen stands behind what a person said."""
    if node.by_hand:
        return f"{node.role or 'left out'} ✎"
    return node.role or ""


def _asset(box: _Box) -> Iterator[str]:
    node, left = box.node, box.middle - box.width / 2
    shape = f'x="{left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{box.height / 2:g}"'
    port = f" mlalm-{node.kind}-port" if node.kind in ("input", "output") else ""
    yield f'<g class="mlalm-node{port} mlalm-asset"><title>{safe(f"{node.kind} {node.title}")}</title>'
    yield f'<rect class="mlalm-paper" {shape}/><rect class="mlalm-box" {shape}/>'
    yield f'<text class="mlalm-kind" x="{box.middle:.1f}" y="{box.top + 14:.1f}">{safe(node.kind)}</text>'
    title = safe(short(node.title, _MOST_TITLE))
    yield f'<text class="mlalm-name" x="{box.middle:.1f}" y="{box.top + 29:.1f}">{title}</text></g>'
