"""What a pickle would import, read from its opcodes: nothing is imported, nothing is made.

The list helps a person to decide; it permits nothing, because a pickle can reach everything from anything.
"""

from __future__ import annotations

import importlib.metadata
import pickletools
import sys
from collections.abc import Iterator, Sequence
from functools import cache

MOST_OPCODES = 500_000
MOST_BYTES = 64 << 20
MOST_NAMES = 1000
TOO_LONG = "it is longer than is looked through"
_UNREAD = "what follows where it cannot be read: "
NOT_READ = f"{_UNREAD}{TOO_LONG}"
_OPCODES = {op.code.encode("latin-1")[0]: op for op in pickletools.opcodes}
# how an argument's length is written, where it is written before it
_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_TEXTS = (
    "SHORT_BINUNICODE",
    "BINUNICODE",
    "BINUNICODE8",
    "UNICODE",
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
)
_LONGEST = 200
_CUT = "it is cut"
_ENDLESS = "it does not end"
_CARRIES_CODE = ("cloudpickle.cloudpickle._builtin_type", "cloudpickle.cloudpickle._make_function")


class Patience:
    """How much is looked through, over all the pickles that one file may hold.

    >>> patience = Patience()
    >>> patience.lasts(size=1000), patience.lasts(size=MOST_BYTES)
    (True, False)
    """

    def __init__(self) -> None:
        self._opcodes = MOST_OPCODES
        self._bytes = MOST_BYTES

    def lasts(self, *, opcodes: int = 0, size: int = 0) -> bool:
        """Take so much of it; False where that was more than there is."""
        self._opcodes -= opcodes
        self._bytes -= size
        return self._opcodes >= 0 and self._bytes >= 0


def wanted(data: bytes, patience: Patience | None = None) -> list[str]:
    """What it names to import, each once, in the order it is met; and why it could not be read to its end.

    >>> import pickle, os
    >>> wanted(pickle.dumps(os.getcwd))
    ['posix.getcwd']
    """
    found: dict[str, None] = {}
    texts: list[str] = []
    memo: dict[int, str] = {}
    top: str | None = None
    try:
        for name, argument in opcodes(data, patience):
            if len(found) > MOST_NAMES:
                raise _Unread("it names more than is told")
            if name in _TEXTS:
                top = argument.decode("utf-8", "replace")
                texts = [*texts[-1:], top]
            elif name in ("PUT", "BINPUT", "LONG_BINPUT") and top is not None:
                memo[_number(argument)] = top
            elif name == "MEMOIZE":
                if top is not None:
                    memo[len(memo)] = top
                else:
                    memo[len(memo)] = ""
            elif name in ("GET", "BINGET", "LONG_BINGET"):
                top = memo.get(_number(argument), "")
                texts = [*texts[-1:], top]
            elif name in ("GLOBAL", "INST"):
                found[_shown(argument.decode("utf-8", "replace").replace("\n", " ").replace(" ", "."))] = None
                top = None
            elif name == "STACK_GLOBAL":
                found[_shown(".".join(texts[-2:]) or "something that it works out")] = None
                top = None
            elif name in ("EXT1", "EXT2", "EXT4"):
                found["something registered with copyreg"] = None
                top = None
            elif name != "PROTO":
                top = None
    except _Unread as error:
        found[f"{_UNREAD}{error}"] = None
    return list(found)


class _Unread(Exception):
    """Why the opcodes of a pickle cannot be followed."""


def opcodes(data: bytes, patience: Patience | None = None) -> Iterator[tuple[str, bytes]]:
    """The opcodes of a pickle, and of those right behind it, with what stands behind each; long arguments are cut."""
    patience = patience or Patience()
    place = 0
    view = memoryview(data)
    while place < len(data):
        op = _OPCODES.get(data[place])
        if op is None:
            raise _Unread(f"byte {place} is no opcode")
        begin = place
        place += 1
        argument = b""
        if op.arg is not None:
            if op.arg.n >= 0:
                size = op.arg.n
            elif op.arg.n == pickletools.UP_TO_NEWLINE:
                lines = 2 if op.name in ("GLOBAL", "INST") else 1
                end = place
                for _ in range(lines):
                    end = data.find(b"\n", end, place + 4096) + 1
                    if not end:
                        raise _Unread(f"a line at byte {place} does not end")
                yield op.name, data[place : end - 1]
                place = end
                if not patience.lasts(opcodes=1, size=place - begin):
                    raise _Unread(TOO_LONG)
                continue
            else:
                width = _LENGTHS[op.arg.n]
                size = int.from_bytes(data[place : place + width], "little")
                place += width
            if place + size > len(data):
                raise _Unread(_CUT)
            argument = bytes(view[place : place + min(size, _LONGEST)])
            place += size
        if not patience.lasts(opcodes=1, size=place - begin):
            raise _Unread(TOO_LONG)
        yield op.name, argument
        # joblib and torch.save put several behind each other
        if op.name == "STOP" and data[place : place + 1] != b"\x80":
            return
    raise _Unread(_ENDLESS)


def holds_sets(data: bytes) -> bool:
    """Whether it holds sets, whose order is another one in each process; also where it cannot be read to its end.

    >>> import pickle
    >>> holds_sets(pickle.dumps({"a"})), holds_sets(pickle.dumps(["a"]))
    (True, False)
    """
    try:
        return any(
            name in ("ADDITEMS", "FROZENSET") or argument == b"set" for name, argument in opcodes(data)
        )
    except _Unread:
        return True


def cut_short(wants: Sequence[str]) -> str:
    """What a look at a pickle found wrong with its end; empty where it has one.

    >>> import pickle
    >>> cut_short(wanted(pickle.dumps([1])[:-1])), cut_short(wanted(pickle.dumps([1])))
    ('it does not end', '')
    """
    told = [one.removeprefix(_UNREAD) for one in wants if one.startswith(_UNREAD)]
    return next((one for one in told if one in (_CUT, _ENDLESS)), "")


def is_pickle(head: bytes) -> bool:
    """Whether bytes begin as a pickle of any protocol that has been in use."""
    return (head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5")) or head[:1] in (
        b"c",
        b"(",
        b"]",
        b"}",
    )


def distributions(data: bytes) -> list[str]:
    """The distributions that bring what a pickle names, as far as they are installed here."""
    roots = {name.partition(".")[0] for name in (*wanted(data), *_imported(data))}
    known = _distributions()
    return sorted({one for root in roots for one in known.get(root, ())[:1]})


def _imported(data: bytes) -> Iterator[str]:
    """Modules that functions travelling in a cloudpickle use: they are named by text."""
    try:
        for name, argument in opcodes(data):
            if name in _TEXTS:
                text = argument.decode("utf-8", "replace")
                if text.partition(".")[0] in _distributions() and text in sys.modules:
                    yield text
    except _Unread:
        return


@cache
def _distributions() -> dict[str, list[str]]:
    return {
        name: sorted(ones)
        for name, ones in importlib.metadata.packages_distributions().items()
        if name.isidentifier()
    }


def _number(argument: bytes) -> int:
    try:
        return int(argument) if argument.isdigit() else int.from_bytes(argument, "little")
    except ValueError:
        return -1


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:_LONGEST]
