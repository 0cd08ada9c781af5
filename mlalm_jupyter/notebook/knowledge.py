"""What is known of names while a notebook is read from top to bottom."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from mlalm_jupyter.notebook.code import dotted
from mlalm_jupyter.notebook.effects import Flow

CONVENTIONAL = {
    "np": "numpy",
    "pd": "pandas",
    "pl": "polars",
    "plt": "matplotlib.pyplot",
    "sns": "seaborn",
    "sm": "statsmodels.api",
    "tf": "tensorflow",
}
"""What everybody means by a name, should a notebook have it from elsewhere."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function or class of the notebook: what calling it does."""

    parameters: tuple[str, ...]
    flow: Flow
    """Of its body; `reads` are the names it takes from around it."""
    changed_parameters: frozenset[str]


@dataclass(slots=True)
class Knowledge:
    """Names with what stands behind them; it grows with every statement."""

    imports: dict[str, str] = field(default_factory=CONVENTIONAL.copy)
    makers: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """What call made a value, and what the arguments of that call were made by."""
    constants: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    aliases: dict[str, frozenset[str]] = field(default_factory=dict)
    """Other names that may stand for the same value."""
    written: set[str] = field(default_factory=set)

    def inner(self, hidden: frozenset[str]) -> Knowledge:
        """What a function knows, whose own names hide others."""
        kept = Knowledge(
            dict(self.imports),
            dict(self.makers),
            dict(self.constants),
            dict(self.functions),
            dict(self.aliases),
            set(self.written),
        )
        for name in hidden:
            kept.forget(name)
        return kept

    def forget(self, name: str) -> None:
        """A name stands for something else from here on."""
        for facts in (self.imports, self.makers, self.constants, self.functions):
            facts.pop(name, None)
        for other in self.aliases.pop(name, ()):
            self.aliases[other] = self.aliases.get(other, frozenset()) - {name}
        self.written.add(name)

    def same(self, name: str, other: str) -> None:
        """Two names stand for one value."""
        group = {name, other} | self.aliases.get(other, frozenset()) | self.aliases.get(name, frozenset())
        for one in group:
            self.aliases[one] = frozenset(group - {one})

    def full_name(self, node: ast.AST) -> str:
        """A dotted name with what its beginning was imported as: `pd.read_csv` is `pandas.read_csv`."""
        short = dotted(node)
        first, dot, rest = short.partition(".")
        return f"{self.imports.get(first, first)}{dot}{rest}"

    def path(self, node: ast.AST | None) -> str | None:
        """The text of a path that is written out, perhaps in pieces and by way of names; None when worked out."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self.constants.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
            left, right = self.path(node.left), self.path(node.right)
            if left is None or right is None:
                return None
            return left + right if isinstance(node.op, ast.Add) else f"{left.rstrip('/')}/{right}"
        if isinstance(node, ast.JoinedStr):
            parts = [self.path(one) for one in node.values]
            return None if None in parts else "".join(map(str, parts))
        if isinstance(node, ast.FormattedValue) and node.format_spec is None:
            return self.path(node.value)
        if isinstance(node, ast.Call) and not node.keywords:
            name = self.full_name(node.func)
            if name.rpartition(".")[2] in ("Path", "join", "PurePath") and node.args:
                parts = [self.path(one) for one in node.args]
                return None if None in parts else "/".join(str(part).rstrip("/") for part in parts)
        return None
