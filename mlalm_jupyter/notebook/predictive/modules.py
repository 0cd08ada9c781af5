"""Modules beside a notebook, written into the text that is deployed, so that they travel with it."""

from __future__ import annotations

import ast
from collections.abc import Callable

from mlalm_jupyter.domain.errors import InvalidInput

_LOADER = '''
def {loader}(name, loaded={{}}):
    """A module that lay beside the notebook."""
    import types

    if name not in loaded:
        module = types.ModuleType(name)
        module.{loader} = {loader}
        loaded[name] = module
        try:
            exec(compile({texts}[name], f"<{{name}}.py beside the notebook>", "exec"), module.__dict__)
        except BaseException:
            del loaded[name]
            raise
    return loaded[name]
'''
_FUTURE = "from __future__"


def with_modules(code: str, find: Callable[[str], str | None]) -> str:
    """Code in which what it imports from modules beside it is written out; `find` gives the text of one by its name.

    >>> print(with_modules("import tidy\\n", {"tidy": "limit = 3\\n"}.get).splitlines()[-1])
    tidy = _beside("tidy")
    """
    texts: dict[str, str] = {}
    loader, holder = "_beside", "_BESIDE"
    while loader in code:
        loader, holder = f"{loader}_", f"{holder}_"
    changed = _rewritten(code, find, texts, loader)
    if not texts:
        return code
    # a module may import another one in the same way, so each text brings what it needs to find them
    held = "".join(f"    {name!r}: {text!r},\n" for name, text in sorted(texts.items()))
    head = f"{holder} = {{\n{held}}}\n\n{_LOADER.format(loader=loader, texts=holder)}\n\n"
    lines = changed.splitlines(keepends=True)
    first = next((place for place, line in enumerate(lines) if not line.startswith(_FUTURE)), 0)
    return "".join(lines[:first]) + head + "".join(lines[first:])


def _rewritten(code: str, find: Callable[[str], str | None], texts: dict[str, str], loader: str) -> str:
    """Code whose imports of modules beside it have become calls; their texts are gathered on the way."""
    lines = code.splitlines(keepends=True)
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    for node in sorted(nodes, key=lambda one: one.lineno, reverse=True):
        if not any(_is_beside(name, find, texts) for name in _modules(node)):
            continue
        parts = _calls(node, find, texts, loader)
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        before = lines[first].encode()[: node.col_offset].decode()
        after = lines[last].encode()[node.end_col_offset or 0 :].decode()
        lines[first : last + 1] = [f"{before}{'; '.join(parts)}{after}"]
    for name in sorted(_modules_in(nodes)):
        if name in texts and texts[name] is _NEW:
            text = find(name) or ""
            texts[name] = ""
            texts[name] = _inner(text, name, find, texts, loader)
    return "".join(lines)


_NEW = "\0"


def _inner(
    text: str, name: str, find: Callable[[str], str | None], texts: dict[str, str], loader: str
) -> str:
    try:
        return _rewritten(text, find, texts, loader)
    except SyntaxError as error:
        raise InvalidInput(
            f"The module '{name}.py' beside the notebook",
            expected="Python",
            got=f"line {error.lineno}: {error.msg}",
        ) from error


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return [node.module] if node.module and not node.level else []


def _modules_in(nodes: list[ast.Import | ast.ImportFrom]) -> set[str]:
    return {name for node in nodes for name in _modules(node)}


def _is_beside(name: str, find: Callable[[str], str | None], texts: dict[str, str]) -> bool:
    top = name.partition(".")[0]
    if top in texts:
        is_there = True
    else:
        text = find(top)
        is_there = text is not None
        if is_there and top == name:
            texts[top] = _NEW
    if is_there and top != name:
        raise InvalidInput(
            f"The module '{name}' beside the notebook",
            expected="a module that is one file, which can travel with the notebook",
            got="one in a folder",
            fix="Put what is needed into one file, or install it as a package.",
        )
    return is_there


def _calls(
    node: ast.Import | ast.ImportFrom, find: Callable[[str], str | None], texts: dict[str, str], loader: str
) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        if any(one.name == "*" for one in node.names):
            raise InvalidInput(
                f"`from {node.module} import *`",
                expected="names that are written out, so that the module can travel with the notebook",
                got="all of them",
            )
        return [f'{one.asname or one.name} = {loader}("{node.module}").{one.name}' for one in node.names]
    return [
        f'{one.asname or one.name} = {loader}("{one.name}")'
        if _is_beside(one.name, find, texts)
        else f"import {one.name}" + (f" as {one.asname}" if one.asname else "")
        for one in node.names
    ]
