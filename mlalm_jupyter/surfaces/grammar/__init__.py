"""One grammar for the terminal and for `%mlalm`: words in, a command or a page of help out.

mlalm NOUN VERB POSITIONAL... --option VALUE --flag -p NAME=VALUE
"""

from __future__ import annotations

from mlalm_jupyter.surfaces.grammar.form import Form, metavar
from mlalm_jupyter.surfaces.grammar.line import Command, read, read_form
from mlalm_jupyter.surfaces.grammar.pages import Page, page

__all__ = ["Command", "Form", "Page", "metavar", "page", "read", "read_form"]
