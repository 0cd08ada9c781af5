"""Lines that mark where a service's rows come in and go out, and which model is meant; run, they only look at themselves."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import line_magic

from mlalm_jupyter.domain.errors import InvalidInput, nearest
from mlalm_jupyter.domain.names import checked_name


class Marks:
    """Magics that are read where a notebook becomes a service."""

    shell: Any
    marks = {"web_input": "VARIABLE [NAME]", "web_output": "VARIABLE [NAME]", "select_model": "VARIABLE"}
    """What each line takes."""

    @line_magic
    def web_input(self, line: str) -> None:
        """Mark where a service's rows come in: %web_input VARIABLE [NAME]. Run, it does nothing."""
        self._marked("web_input", line)

    @line_magic
    def web_output(self, line: str) -> None:
        """Mark what a service answers: %web_output VARIABLE [NAME]. Run, it does nothing."""
        self._marked("web_output", line)

    @line_magic
    def select_model(self, line: str) -> None:
        """Say which of several trained models a service is to answer with: %select_model VARIABLE. Run, it does nothing."""
        self._marked("select_model", line)

    def _marked(self, name: str, line: str) -> None:
        words = line.partition("#")[0].split()
        shape = self.marks[name]
        if words in (["--help"], ["-h"]):
            print(f"usage: %{name} {shape}\n\n{getattr(type(self), name).__doc__}")
            return
        if not 1 <= len(words) <= len(shape.split()):
            raise InvalidInput(
                f"The line `%{name} {line}`", expected=f"%{name} {shape}", got=f"{len(words)} words"
            )
        variable = words[0]
        known = self.shell.user_ns if self.shell else {}
        if variable not in known:
            near = nearest(variable, [one for one in known if not one.startswith("_")])
            raise InvalidInput(
                f"The line `%{name} {line}`",
                expected="a variable that is there by then",
                got=f"'{variable}'",
                fix=f"Did you mean '{near[0]}'?" if near else "Run the cell that sets it first.",
            )
        if len(words) == 2:
            checked_name("port", words[1])
