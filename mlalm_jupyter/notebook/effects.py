"""What a piece of code does with names and files, as a value that can be summed."""

from __future__ import annotations

from dataclasses import dataclass, fields

from mlalm_jupyter.notebook.code import Magic


@dataclass(frozen=True, slots=True)
class Call:
    """A call by its full name: `pandas.read_csv`, or `model.fit` with what `model` was made by."""

    name: str
    made_by: str = ""
    given: int = 0
    """How many arguments stand in it."""
    inner: tuple[str, ...] = ()
    """What its arguments are made by, such as the steps of a pipeline."""

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Flow:
    """What one statement, or several in a row, do.

    `reads` are names that must be there before; `certain` are those `writes` that happen whichever way it goes.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    certain: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    defines: frozenset[str] = frozenset()
    files_read: frozenset[str] = frozenset()
    files_written: frozenset[str] = frozenset()
    unknowns: tuple[str, ...] = ()
    magics: tuple[Magic, ...] = ()
    calls: tuple[Call, ...] = ()

    def then(self, later: Flow) -> Flow:
        """This, and something else after it."""
        together = {one.name: getattr(self, one.name) for one in fields(Flow)}
        for name, mine in together.items():
            others = getattr(later, name)
            if name == "reads":
                together[name] = mine | (others - self.certain)
            elif isinstance(mine, frozenset):
                together[name] = mine | others
            else:
                together[name] = (*mine, *(one for one in others if one not in mine))
        together["certain"] = (self.certain - later.deletes) | later.certain
        return Flow(**together)

    def to_dict(self) -> dict[str, object]:
        found: dict[str, object] = {
            one.name: sorted(getattr(self, one.name))
            for one in fields(Flow)
            if one.name not in ("unknowns", "magics", "calls", "certain")
        }
        found["unknowns"] = list(self.unknowns)
        found["magics"] = [_shown(magic) for magic in self.magics]
        return found


def _shown(magic: Magic) -> str:
    mark = {"cell": "%%", "shell": "!", "help": "?", "call": "/"}.get(magic.form, "%")
    return f"{mark}{magic.name} {magic.rest}".strip() if magic.name else f"{mark}{magic.rest}"
