"""Which cell of one notebook is which of another: by id, then by what they say."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

Key = tuple[str | None, str, str]
"""A cell's id, its type and its text."""

_ALIKE = 0.6
_MOST_COMPARED = 3_000
_MOST_TEXT = 4_000


def matched(before: Sequence[Key], after: Sequence[Key]) -> dict[int, int]:
    """Of each cell that is in both, its index before and after.

    >>> matched([("a", "code", "x"), (None, "code", "y = 1")], [(None, "code", "y = 2"), ("a", "code", "z")])
    {0: 1, 1: 0}
    """
    pairs = _by_id(before, after)
    _by_text(before, after, pairs)
    _by_likeness(before, after, pairs)
    return pairs


def in_place(pairs: Mapping[int, int]) -> frozenset[int]:
    """The most cells whose order is the same on both sides; the others have moved.

    >>> sorted(in_place({0: 1, 1: 2, 2: 0}))
    [0, 1]
    """
    ends: list[int] = []
    chains: list[list[int]] = []
    for ours, theirs in sorted(pairs.items()):
        length = bisect_left(ends, theirs)
        chain = [*(chains[length - 1] if length else ()), ours]
        if length == len(ends):
            ends.append(theirs)
            chains.append(chain)
        else:
            ends[length], chains[length] = theirs, chain
    return frozenset(chains[-1] if chains else ())


def _by_id(before: Sequence[Key], after: Sequence[Key]) -> dict[int, int]:
    ours, theirs = _once(before), _once(after)
    return {index: theirs[id] for id, index in ours.items() if id in theirs}


def _once(cells: Sequence[Key]) -> dict[str, int]:
    """Ids that one cell has, and that cell; an id that several have tells nothing."""
    count = Counter(id for id, _, _ in cells)
    return {id: index for index, (id, _, _) in enumerate(cells) if id is not None and count[id] == 1}


def _free(cells: Sequence[Key], taken: Iterable[int]) -> list[int]:
    used = set(taken)
    return [index for index in range(len(cells)) if index not in used]


def _by_text(before: Sequence[Key], after: Sequence[Key], pairs: dict[int, int]) -> None:
    ours, theirs = _free(before, pairs), _free(after, pairs.values())
    matcher = SequenceMatcher(
        None, [before[one][1:] for one in ours], [after[one][1:] for one in theirs], autojunk=False
    )
    for first, second, length in matcher.get_matching_blocks():
        pairs.update(zip(ours[first : first + length], theirs[second : second + length], strict=True))
    where: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in reversed(_free(after, pairs.values())):
        where[after[index][1:]].append(index)
    for index in _free(before, pairs):
        if where[before[index][1:]] and before[index][2]:
            pairs[index] = where[before[index][1:]].pop()


def _by_likeness(before: Sequence[Key], after: Sequence[Key], pairs: dict[int, int]) -> None:
    ours, theirs = _free(before, pairs), _free(after, pairs.values())
    if len(ours) * len(theirs) > _MOST_COMPARED:
        return  # two other notebooks, rather than two states of one
    found = []
    for index in ours:
        for other in theirs:
            if before[index][1] == after[other][1]:
                ratio = _likeness(before[index][2][:_MOST_TEXT], after[other][2][:_MOST_TEXT])
                if ratio >= _ALIKE:
                    found.append((-ratio, abs(index - other), index, other))
    for _, _, index, other in sorted(found):
        if index not in pairs and other not in pairs.values():
            pairs[index] = other


def _likeness(first: str, second: str) -> float:
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
        return 0.0
    return matcher.ratio()
