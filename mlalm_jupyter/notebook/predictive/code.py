"""The kept statements of a plan as one function of a table, in the text of a module that stands alone.

All that depends on the table or on something fitted is inside the function, also helpers that read such names as
globals; imports, other helpers and constants that nothing changes are above it and run once. So nothing of a call is
ever in a global, and calls in several threads cannot meet. An `init` that puts the fitted things into globals would
need a second way for helpers that read the table, so there is none: they are arguments.
"""

from __future__ import annotations

import ast
import io
import symtable
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.code import code_of
from mlalm_jupyter.notebook.knowledge import Knowledge
from mlalm_jupyter.notebook.literals import literal_text
from mlalm_jupyter.notebook.predictive.parts import Plan, Port, Statement
from mlalm_jupyter.notebook.statements import statement_flow

ENTRY = "run"
TABLE, ARRAY, COLUMN = "table", "array", "column"
AS_TABLE = '''
def {name}(answers, name):
    """Whatever the notebook calls its answers, as a table."""
    import numpy
    import pandas

    if isinstance(answers, pandas.DataFrame):
        return answers.set_axis([str(one) for one in answers.columns], axis="columns")
    if isinstance(answers, pandas.Series):
        return answers.to_frame(name)
    answers = numpy.asarray(answers.toarray() if hasattr(answers, "toarray") else answers)
    if answers.ndim == 2 and answers.shape[1] != 1:
        names = [f"{{name}}_{{place}}" for place in range(answers.shape[1])]
        return pandas.DataFrame(answers, columns=names)
    return pandas.DataFrame({{name: answers.reshape(len(answers))}})
'''
"""A function of what a notebook calls its answers, and the name of their variable."""

_ONCE = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.Try,
    ast.If,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How the table of a service becomes what the notebook's variable held."""

    kind: str = TABLE
    """"table" is a frame, "array" its values, "column" its only column."""
    columns: tuple[str, ...] = ()
    """All columns in their order; given where some are filled."""
    fills: Mapping[str, str] = field(default_factory=dict)
    """What stands in columns that change no answer but must be there, as expressions."""
    absent: tuple[str, ...] = ()
    """Columns that the notebook has, and that nothing asks for."""
    labels: Mapping[str, object] = field(default_factory=dict)
    """What the notebook calls columns, where that is no text."""


def code_text(plan: Plan, *, shape: Shape | None = None) -> str:
    """A module with `run(TABLE, *, FITTED...)`, which gives a table of the answers.

    >>> from mlalm_jupyter.notebook.predictive.parts import Fitted, Place
    >>> kept = Statement(Place(2, 0), "z = model.predict(df)", "z = model.predict(df)")
    >>> port = Port("input", "df", Place(1, 0))
    >>> fitted = Fitted("model", "model", Place(1, 1), "model")
    >>> plan = Plan((port,), (Port("output", "z", Place(2, 0)),), (), (kept,), (fitted,))
    >>> "def run(df, *, model):" in code_text(plan)
    True
    """
    port, answer = only_port(plan.inputs, "brings rows in"), only_port(plan.outputs, "gives answers")
    known = Knowledge()
    parts = [_Part.of(one, known) for one in plan.kept if one.frozen.strip()]
    given = [one.name for one in plan.fitted]
    inside = _depending(parts, {port.variable, *given})
    above = [one for one in parts if one not in inside]
    taken = {name for one in parts for name in one.reads | one.binds} | {port.variable, *given}
    if ENTRY in taken:
        raise InvalidInput(
            "The notebook", expected=f"no name '{ENTRY}', which its service has", got="one", fix="Rename it."
        )
    as_table = _free("as_table", taken)
    parameters = f"{port.variable}, *, {', '.join(given)}" if given else port.variable
    body = [
        '"""The answers to rows, as the notebook works them out."""',
        *shaped(port, shape or Shape()),
        *(f"{name} = None" for name in _unbound(inside, {port.variable, *given})),
        *(_nested(one, inside) for one in inside),
        f"return {as_table}({answer.variable}, {answer.variable!r})",
    ]
    return "".join(
        [
            *(f"{one.text}\n" for one in sorted(above, key=lambda one: not one.is_future)),
            f"\n{AS_TABLE.format(name=as_table)}",
            f"\n\ndef {ENTRY}({parameters}):\n",
            *(_indented(text) for text in body),
        ]
    ).lstrip("\n")


def scoring_part(plan: Plan) -> Plan:
    """The plan without the fitted things that only statements read which no answer needs."""
    known = Knowledge()
    parts = [_Part.of(one, known) for one in plan.kept if one.frozen.strip()]
    read = {name for one in parts for name in one.reads}
    return replace(plan, fitted=tuple(one for one in plan.fitted if one.name in read))


def only_port(ports: Sequence[Port], does: str) -> Port:
    """The one port there is; a service of several is refused."""
    if len(ports) != 1:
        raise InvalidInput(
            "The notebook",
            expected=f"one place that {does}",
            got=", ".join(f"'{one.variable}' in {one.place}" for one in ports) or "none",
            fix="Mark the one that is meant with %web_input or %web_output.",
        )
    return ports[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A kept statement, with what it does to names."""

    text: str
    reads: frozenset[str]
    binds: frozenset[str]
    shared: frozenset[str]
    """What functions in it declare as global and set."""
    changes: frozenset[str]
    can_be_above: bool
    is_future: bool

    @classmethod
    def of(cls, statement: Statement, known: Knowledge) -> _Part:
        text = statement.frozen.strip("\n")
        try:
            tree = ast.parse(text)
            table = symtable.symtable(text, "<statement>", "exec")
        except (SyntaxError, ValueError) as error:
            raise InvalidInput(
                str(statement.place).capitalize(),
                expected="Python that runs outside of a notebook as well",
                got=text.splitlines()[0][:80],
                fix="Bring its rows in with a statement before, or leave that line out.",
            ) from error
        code = code_of(text)
        flows = [statement_flow(one, code, known) for one in code.tree.body]
        shared = frozenset(_shared(table))
        binds = {one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()}
        return cls(
            text,
            frozenset(_read(table)),
            frozenset(binds) | shared,
            shared,
            frozenset(name for one in flows for name in one.changes | one.deletes),
            all(map(_is_for_once, tree.body)),
            any(isinstance(one, ast.ImportFrom) and one.module == "__future__" for one in tree.body),
        )


def _is_for_once(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return all(isinstance(one, (ast.Name, ast.Tuple)) for one in node.targets)
    if isinstance(node, (ast.Try, ast.If)):
        inner = [*node.body, *node.orelse]
        if isinstance(node, ast.Try):
            inner += [*node.finalbody, *(one for handler in node.handlers for one in handler.body)]
        return all(isinstance(one, ast.Pass) or _is_for_once(one) for one in inner)
    return isinstance(node, _ONCE)


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    is_top = table.get_type() == "module"
    for one in table.get_symbols():
        if one.is_referenced() and (is_top or one.is_global()):
            yield one.get_name()
    for child in table.get_children():
        yield from _read(child)


def _shared(table: symtable.SymbolTable) -> Iterator[str]:
    for one in table.get_symbols():
        if one.is_declared_global() and one.is_assigned():
            yield one.get_name()
    for child in table.get_children():
        yield from _shared(child)


def _depending(parts: Sequence[_Part], own: set[str]) -> list[_Part]:
    """The statements that every call has to run, because of what they read, set or change."""
    local = set(own)
    changed = {name for one in parts for name in one.changes}
    inside: list[_Part] = []
    while True:
        found = [
            one
            for one in parts
            if not one.can_be_above or one.reads & local or one.binds & (local | changed) or one.shared
        ]
        local |= {name for one in found for name in one.binds}
        if len(found) == len(inside):
            return found
        inside = found


def _unbound(inside: Sequence[_Part], own: set[str]) -> list[str]:
    """Names that only functions set; around them stands something that they can set."""
    bound = {name for one in inside for name in one.binds - one.shared} | own
    return sorted({name for one in inside for name in one.shared} - bound)


def _nested(part: _Part, inside: Sequence[_Part]) -> str:
    """A statement inside the function, where what was global is of the function around."""
    if not part.shared:
        return part.text
    lines = part.text.split("\n")
    for node in ast.walk(ast.parse(part.text)):
        if isinstance(node, ast.Global):
            local = {name for one in inside for name in one.binds}
            if not set(node.names) <= local:
                raise InvalidInput(
                    "The notebook",
                    expected="functions that set only what the rows give",
                    got=f"`{ast.unparse(node)}`",
                    fix="Give that function what it needs, and have it return what it makes.",
                )
            row = lines[node.lineno - 1].encode()
            start = node.col_offset
            lines[node.lineno - 1] = (row[:start] + b"nonlocal" + row[start + len(b"global") :]).decode()
    return "\n".join(lines)


def shaped(port: Port, shape: Shape) -> list[str]:
    name, lines = port.variable, []
    if shape.fills:
        fills = ", ".join(f"{column!r}: {text}" for column, text in shape.fills.items())
        lines += (
            ["import pandas", ""] if any(text.startswith("pandas.") for text in shape.fills.values()) else []
        )
        lines += [
            "# these columns change no answer, but the statements below name them",
            f"fills = {{{fills}}}",
            f"{name} = {name}.assign(**{{one: fill for one, fill in fills.items() if one not in {name}.columns}})",
            f"{name} = {name}[{list(shape.columns)!r}]",
        ]
    else:
        lines += [f"{name} = {name}.copy()"]
    if shape.labels:
        lines += [f"{name} = {name}.rename(columns={literal_text(dict(shape.labels))})"]
    if shape.kind != TABLE:
        lines += [f"{name} = {name}.to_numpy()" if shape.kind == ARRAY else f"{name} = {name}.iloc[:, 0]"]
    return lines


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{name}_"
    return name


def _indented(text: str) -> str:
    """A statement four columns further in, apart from lines that a text of several lines holds."""
    within: set[int] = set()
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            opened.append(token.start[0])
        elif kind in ("STRING", "FSTRING_END"):
            first = token.start[0] if kind == "STRING" else opened.pop()
            within.update(range(first + 1, token.end[0] + 1))
    lines = text.split("\n")
    return "".join(
        f"{line}\n" if number in within or not line.strip() else f"    {line}\n"
        for number, line in enumerate(lines, start=1)
    )
