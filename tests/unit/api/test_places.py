"""Arguments that may name files say so, because a page names files from another folder than a terminal does."""

from __future__ import annotations

import re

from mlalm_jupyter.api.verbs import VERBS

_FILE = re.compile(r"\bfile\b|\bfolder\b|\.ilearner\b|\bnotebook\b")
# they speak of files, and name none
_WORDS = {
    ("dataset", "upload", "format"),
    ("experiment", "save-as", "name"),
    ("experiment", "import", "name"),
    ("gallery", "publish", "name"),
    ("gallery", "clone", "name"),
    ("model", "download", "form"),
    ("trust", "add", "kind"),
    ("wsd", "apply", "service"),
}


def test_every_argument_whose_help_speaks_of_a_file_says_which_it_may_name() -> None:
    silent = {
        (verb.noun, verb.name, one.name)
        for verb in VERBS
        for one in verb.parameters
        if one.type is str and not one.place and _FILE.search(one.help)
    }
    assert silent == _WORDS
