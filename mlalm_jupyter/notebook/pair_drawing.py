"""A training notebook and what was cut out of it, side by side, as a picture and as a text that says the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlalm_jupyter.domain.setup import SetUp, SourceCell
from mlalm_jupyter.notebook.roles import ROLES
from mlalm_jupyter.notebook.strokes import safe, short, svg, text_width

_MARGIN = 16.0
_HEIGHT = 28.0
_ROW = 36.0
_HEAD = 26.0
_BETWEEN = 96.0
_PADDING = 11.0
_NARROWEST = 190.0
_MOST_TITLE = 36
_MOST_NAMES = 4
_MANY = 12
_RUN = 3
_STAYS = {"all": "as it is", "part": "in part"}


@dataclass(frozen=True, slots=True)
class _Box:
    """One line of one of the two notebooks; `cells` are the source's that it stands for, or has something of."""

    cells: tuple[int, ...]
    word: str
    title: str
    remark: str
    look: str

    @property
    def width(self) -> float:
        parts = (text_width(self.word, 12), text_width(self.title, 12), text_width(self.remark, 11))
        return sum(parts) + 10 * sum(1 for part in parts if part) + 2 * _PADDING


def drawn(pair: SetUp) -> str:
    """Both notebooks as SVG: what each cell of the source is for, what stays of it, and what goes.

    >>> from mlalm_jupyter.domain.experiment import Experiment
    >>> drawn(SetUp(Experiment("e", "a.predictive.ipynb", "predictive", ""), "a.ipynb")).startswith("<svg")
    True
    """
    left, right = _source(pair), _made(pair)
    rows = _rows(left, right)
    widths = [max([_NARROWEST, *(one.width for one in side)]) for side in (left, right)]
    starts = (_MARGIN, _MARGIN + widths[0] + _BETWEEN)
    tops = [[_MARGIN + _HEAD + row * _ROW for row in range(len(left))]]
    tops.append([_MARGIN + _HEAD + row * _ROW for row in rows])
    names = (pair.source, pair.experiment.path)
    parts = [
        f'<text class="mlalm-title" x="{x:.1f}" y="{_MARGIN + 12:.1f}">{safe(_end(name))}</text>'
        for x, name in zip(starts, names, strict=True)
    ]
    for one, top in zip(right, tops[1], strict=True):
        ends = [
            (tops[0][index] + _HEIGHT / 2, other)
            for index, other in enumerate(left)
            if set(other.cells) & set(one.cells)
        ]
        for y, other in ends:
            parts.append(_line(_MARGIN + widths[0], y, starts[1], top + _HEIGHT / 2, other, one))
    for side, x, width, places in zip((left, right), starts, widths, tops, strict=True):
        parts += [_drawn_box(one, x, top, width) for one, top in zip(side, places, strict=True)]
    height = max([*tops[0], *tops[1], _MARGIN]) + _HEIGHT + _MARGIN
    title = f"What stays of {_end(pair.source)} in {_end(pair.experiment.path)}"
    return svg(parts, starts[1] + widths[1] + _MARGIN, height, title=title, text=told(pair))


def told(pair: SetUp) -> str:
    """The same as plain text: each cell of the source, and what became of it.

    >>> from mlalm_jupyter.domain.experiment import Experiment
    >>> cells = (SourceCell(1, "Read", "import"), SourceCell(2, "Tidy", "transform", stays="all"))
    >>> made = Experiment("e", "a.predictive.ipynb", "predictive", "")
    >>> print(told(SetUp(made, "a.ipynb", inputs=("age",), outputs=("p",), cells=cells)), end="")
    What stays of a.ipynb in a.predictive.ipynb
      in   rows come in: age
      1    import     Read  left out
      2    transform  Tidy  stays as it is
      out  answers go out: p
    """
    lines = [f"What stays of {_end(pair.source)} in {_end(pair.experiment.path)}"]
    if pair.inputs:
        lines.append(f"  in   rows come in: {_listed(pair.inputs)}")
    rows = [(_word(cell) or "-", short(cell.title, _MOST_TITLE)) for cell in pair.cells]
    words = max((len(word) for word, _ in rows), default=0)
    titles = max((len(title) for _, title in rows), default=0)
    for cell, (word, title) in zip(pair.cells, rows, strict=True):
        lines.append(f"  {cell.number:<3}  {word:<{words}}  {title:<{titles}}  {_fate(pair, cell)}")
    if pair.outputs:
        lines.append(f"  out  answers go out: {_listed(pair.outputs)}")
    return "".join(f"{line}\n" for line in lines)


def _fate(pair: SetUp, cell: SourceCell) -> str:
    kept = f"stays {_STAYS[cell.stays]}" if cell.stays in _STAYS else ""
    loaded = f"what it fitted is loaded: {_listed(_loaded(pair, cell.fitted))}" if cell.fitted else ""
    return "; ".join(filter(None, (kept, loaded))) or "left out"


def _loaded(pair: SetUp, names: Sequence[str]) -> list[str]:
    """What something fitted is kept as; a value that is text goes by its name."""
    return [one.name if one.kind == "value" else one.reference for one in pair.assets if one.name in names]


def _source(pair: SetUp) -> list[_Box]:
    """A box for each cell; where there are many, one for those that are left out one after the other."""
    boxes: list[_Box] = []
    left_out: list[_Box] = []
    for cell in pair.cells:
        box = _cell(cell)
        if box.remark:
            left_out.append(box)
            continue
        boxes += [*_together(left_out, is_many=len(pair.cells) > _MANY), box]
        left_out = []
    return [*boxes, *_together(left_out, is_many=len(pair.cells) > _MANY)]


def _cell(cell: SourceCell) -> _Box:
    is_left_out = cell.stays not in _STAYS and not cell.fitted
    word = " ".join(filter(None, (str(cell.number), _word(cell))))
    look = "none" if is_left_out else _look(cell)
    return _Box((cell.number,), word, short(cell.title, _MOST_TITLE), "left out" if is_left_out else "", look)


def _look(cell: SourceCell) -> str:
    return cell.role if cell.role in ROLES else "other"


def _word(cell: SourceCell) -> str:
    return f"{cell.role or 'skip'} ✎" if cell.by_hand else cell.role or ""


def _together(boxes: Sequence[_Box], *, is_many: bool) -> list[_Box]:
    if not is_many or len(boxes) < _RUN:
        return list(boxes)
    numbers = f"{boxes[0].cells[0]}-{boxes[-1].cells[0]}"
    return [_Box(tuple(one.cells[0] for one in boxes), numbers, f"{len(boxes)} cells", "left out", "none")]


def _made(pair: SetUp) -> list[_Box]:
    """What stands in the predictive notebook, from top to bottom."""
    boxes = [_Box((), "rows come in", short(_listed(pair.inputs), _MOST_TITLE), "", "import")]
    fitting = [cell for cell in pair.cells if cell.fitted]
    loaded = _loaded(pair, [name for cell in fitting for name in cell.fitted])
    if loaded:
        cells = tuple(cell.number for cell in fitting)
        boxes.append(_Box(cells, "loads", short(_listed(loaded), _MOST_TITLE), "", "asset"))
    boxes += [
        _Box((cell.number,), "", short(cell.title, _MOST_TITLE), _STAYS[cell.stays], _look(cell))
        for cell in pair.cells
        if cell.stays in _STAYS
    ]
    return [*boxes, _Box((), "answers go out", short(_listed(pair.outputs), _MOST_TITLE), "", "output")]


def _rows(left: Sequence[_Box], right: Sequence[_Box]) -> list[int]:
    """Each line of the predictive notebook beside the cell it comes from, and below the one before it."""
    rows: list[int] = []
    for one in right:
        beside = [
            index
            for index, other in enumerate(left)
            if one.look != "asset" and set(other.cells) & set(one.cells)
        ]
        rows.append(max([rows[-1] + 1 if rows else 0, *beside]))
    return rows


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _MOST_NAMES
    return ", ".join(words) if more <= 0 else f"{', '.join(words[:_MOST_NAMES])} and {more} more"


def _end(path: str) -> str:
    return path.rpartition("/")[2]


def _line(x: float, y: float, to_x: float, to_y: float, source: _Box, target: _Box) -> str:
    bow = (to_x - x) / 2
    path = f"M{x:.1f},{y:.1f} C{x + bow:.1f},{y:.1f} {to_x - bow:.1f},{to_y:.1f} {to_x - 5:.1f},{to_y:.1f}"
    said = f"{_spoken(source)} to {_spoken(target)}"
    kind = "function" if target.look == "asset" else "value"
    return (
        f'<path class="mlalm-edge mlalm-edge-{kind}" d="{path}" marker-end="url(#MARK)">'
        f"<title>{safe(said)}</title></path>"
    )


def _spoken(box: _Box) -> str:
    return " ".join(filter(None, (box.word, box.title)))


def _drawn_box(box: _Box, x: float, top: float, width: float) -> str:
    return "".join(_strokes(box, x, top, width))


def _strokes(box: _Box, x: float, top: float, width: float) -> Iterator[str]:
    look = "mlalm-asset" if box.look == "asset" else f"mlalm-role-{box.look}"
    shape = f'x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_HEIGHT:.1f}" rx="7"'
    y = top + 18
    yield f'<g class="mlalm-node {look}"><title>{safe(" ".join(filter(None, (_spoken(box), box.remark))))}</title>'
    yield f'<rect class="mlalm-paper" {shape}/><rect class="mlalm-box" {shape}/>'
    at = x + _PADDING
    if box.word:
        yield f'<text class="mlalm-name mlalm-beside" x="{at:.1f}" y="{y:.1f}">'
        yield f'<tspan class="mlalm-word">{safe(box.word)}</tspan></text>'
        at += text_width(box.word, 12) + 10
    yield f'<text class="mlalm-name mlalm-beside" x="{at:.1f}" y="{y:.1f}">{safe(box.title)}</text>'
    if box.remark:
        yield f'<text class="mlalm-origin" x="{x + width - _PADDING:.1f}" y="{y:.1f}">{safe(box.remark)}</text>'
    yield "</g>"
