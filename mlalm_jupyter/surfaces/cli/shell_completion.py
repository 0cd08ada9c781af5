"""Completion in bash: `source <(mlalm completion bash)`; zsh takes the same after `bashcompinit`."""

from __future__ import annotations

from collections.abc import Sequence

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.surfaces.completion import following

# -o default: where we know nothing better, such as for a FILE, bash completes files
SCRIPT = """\
_mlalm() {
    local IFS=$'\\n'
    COMPREPLY=($(mlalm completion words "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
}
complete -o default -F _mlalm mlalm
"""


def completion(words: Sequence[str]) -> str:
    """What `mlalm completion ...` prints: the script, or the words that may come next on a line."""
    match list(words):
        case ["bash"]:
            return SCRIPT
        case ["words", line]:
            return "".join(f"{word}\n" for word in candidates(line))
        case _:
            raise InvalidInput(
                "The line `mlalm completion ...`",
                expected="`mlalm completion bash`",
                got=repr(" ".join(words)),
            )


def candidates(line: str) -> list[str]:
    """What may stand where the cursor is, as bash puts it in."""
    words = line.split()[1:]
    partial = "" if line.endswith(" ") or not words else words.pop()
    # bash takes a colon for the end of a word, so what stands before it is there already
    there = partial.rfind(":") + 1
    return [word[there:] for word in following(words, partial).words]
