"""Names in a search that no version has, which are misspelt: told with those there are."""

from __future__ import annotations

from collections.abc import Sequence

from mlalm_jupyter.domain.errors import InvalidInput, nearest
from mlalm_jupyter.domain.names import AssetRef
from mlalm_jupyter.domain.search import KEPT, SORTS, Search
from mlalm_jupyter.ports import Transaction


def check_known(tx: Transaction, search: Search) -> None:
    """Refuse what can find nothing because nothing has that name; what is only too strict finds nothing."""
    if search.name is not None and not tx.models.has_name(search.name):
        tx.models.get(AssetRef("model", search.name))
    for term in search.terms:
        if term.name:
            kinds = KEPT if term.kind == "any" else (term.kind,)
            what = "tag, property, metric or parameter" if term.kind == "any" else term.kind
            _check_word(
                tx,
                kinds,
                term.name,
                where="The condition",
                expected=f"the name of a {what} that some model has",
            )
    by = search.sort.by
    if by not in SORTS:
        kind, dot, name = by.partition(".")
        if kind not in KEPT or not dot:
            kind, name = "metric", by
        expected = f"{', '.join(SORTS)}, or the name of a {kind} that some model has"
        _check_word(tx, (kind,), name, where="The order", expected=expected)


def _check_word(tx: Transaction, kinds: Sequence[str], name: str, *, where: str, expected: str) -> None:
    if tx.models.has_word(kinds, name):
        return
    words = tx.models.words(kinds)
    if not words and where == "The condition" and not tx.models.words(KEPT):
        return  # nothing is said of any model yet, so nothing can be misspelt
    near = nearest(name, words)
    raise InvalidInput(
        where,
        expected=f"{expected} ({', '.join(words[:20])})" if words else expected,
        got=f"'{name}'",
        fix=f"The nearest is '{near[0]}'."
        if near
        else "See what versions say with `mlalm model show MODEL`.",
    )
