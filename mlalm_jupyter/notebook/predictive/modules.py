"""Modules beside a notebook, written into the text that is deployed, so that they travel with it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.notebook.predictive.beside import module_file

Find = Callable[[str], str | None]
"""The text of a module by its name, such as `tidy` or `tools.tidy`; None of one that does not lie there."""
LOADER = "_beside"
"""The function in such a text that loads a module; longer where the notebook has that name."""
_LARGEST = 1 << 20
_LOADER = '''
def {loader}(name, loaded={{}}, lock=__import__("threading").RLock()):
    """A module that lay beside the notebook."""
    import sys
    import types

    with lock:
        if name not in loaded:
            # under a name of its own, because what is in it is looked for by that
            module = types.ModuleType(f"{{__name__}}.{{name}}")
            module.__file__ = f"<{{name}} beside the notebook>"
            module.{loader} = {loader}
            loaded[name] = sys.modules[module.__name__] = module
            try:
                exec(compile({texts}[name], module.__file__, "exec"), module.__dict__)
            except BaseException:
                del loaded[name]
                raise
        return loaded[name]
'''
_FUTURE = "from __future__"


def with_modules(code: str, find: Find) -> str:
    """Code in which what it imports from modules beside it is written out.

    >>> print(with_modules("import tidy\\n", {"tidy": "limit = 3\\n"}.get).splitlines()[-1])
    tidy = _beside("tidy")
    """
    loader, holder = LOADER, "_BESIDE"
    while loader in code:
        loader, holder = f"{loader}_", f"{holder}_"
    bundle = _Bundle(find, loader)
    changed = bundle.rewritten(code)
    if not bundle.texts:
        return code
    held = "".join(f"    {name!r}: {text!r},\n" for name, text in sorted(bundle.texts.items()))
    head = f"{holder} = {{\n{held}}}\n\n{_LOADER.format(loader=loader, texts=holder)}\n\n"
    lines = changed.splitlines(keepends=True)
    first = next((place for place, line in enumerate(lines) if not line.startswith(_FUTURE)), 0)
    return "".join(lines[:first]) + head + "".join(lines[first:])


def texts_beside(folder: Path) -> Find:
    """The modules in a folder, and in folders in it."""

    def text(name: str) -> str | None:
        file = module_file(folder, name)
        if file is None:
            # a folder of modules and nothing more
            place = folder.joinpath(*name.split("."))
            return "" if place.is_dir() and any(place.glob("*.py")) else None
        if not file.resolve().is_relative_to(folder.resolve()):
            raise InvalidInput(
                f"The module '{name}' beside the notebook", expected="a file that lies there", got="a link"
            )
        if file.stat().st_size > _LARGEST:
            raise InvalidInput(
                f"The module '{name}' beside the notebook", expected="at most 1 MB", got="more"
            )
        try:
            return file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"The module '{name}' beside the notebook", expected="UTF-8 text", got=str(error)
            ) from error

    return text


@dataclass
class _Bundle:
    """Gathers the texts of modules, in which imports of each other have become calls."""

    find: Find
    loader: str
    texts: dict[str, str] = field(default_factory=dict)

    def rewritten(self, code: str, *, package: str = "") -> str:
        lines = code.splitlines(keepends=True)
        nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, (ast.Import, ast.ImportFrom))]
        for node in sorted(nodes, key=lambda one: (one.lineno, one.col_offset), reverse=True):
            parts = list(self._import(node) if isinstance(node, ast.Import) else self._from(node, package))
            if parts == [ast.unparse(node)]:
                continue
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            before = lines[first].encode()[: node.col_offset].decode()
            after = lines[last].encode()[node.end_col_offset or 0 :].decode()
            lines[first : last + 1] = [f"{before}{'; '.join(parts)}{after}"]
        return "".join(lines)

    def _import(self, node: ast.Import) -> Iterator[str]:
        others = [one for one in node.names if not self._has(one.name)]
        if others:
            yield ast.unparse(ast.Import(others))
        for one in node.names:
            if one in others:
                continue
            if one.asname:
                yield f"{one.asname} = {self._call(one.name)}"
                continue
            words = one.name.split(".")
            yield f"{words[0]} = {self._call(words[0])}"
            for length in range(2, len(words) + 1):
                path = ".".join(words[:length])
                yield f"{path} = {self._call(path)}"

    def _from(self, node: ast.ImportFrom, package: str) -> Iterator[str]:
        module = node.module or ""
        if node.level:
            around = package.split(".")[: len(package.split(".")) - node.level + 1]
            module = ".".join(filter(None, [*around, module]))
        if not module or not self._has(module):
            yield ast.unparse(node)
            return
        for one in node.names:
            if one.name == "*":
                raise InvalidInput(
                    f"`from {module} import *`",
                    expected="names that are written out, so that the module can travel with the notebook",
                    got="all of them",
                )
            inner = f"{module}.{one.name}"
            value = self._call(inner) if self._has(inner) else f"{self._call(module)}.{one.name}"
            yield f"{one.asname or one.name} = {value}"

    def _has(self, name: str) -> bool:
        return name in self.texts or (
            self.find(name.partition(".")[0]) is not None and self.find(name) is not None
        )

    def _call(self, name: str) -> str:
        if name not in self.texts:
            text = self.find(name) or ""
            self.texts[name] = ""  # two modules may import each other
            is_package = any(self.find(f"{name}.{one}") is not None for one in ("__init__",))
            try:
                self.texts[name] = self.rewritten(
                    text, package=name if is_package else name.rpartition(".")[0]
                )
            except SyntaxError as error:
                raise InvalidInput(
                    f"The module '{name}' beside the notebook",
                    expected="Python",
                    got=f"line {error.lineno}: {error.msg}",
                ) from error
        return f'{self.loader}("{name}")'
