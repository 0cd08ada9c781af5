"""Every verb, magic, error, setting and exit code is documented, and the documents say nothing else."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from mlalm_jupyter.api.verb import Verb
from mlalm_jupyter.api.verbs import VERBS
from mlalm_jupyter.domain import errors
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.scoring.limits import Limits
from mlalm_jupyter.surfaces.cli import codes, reference
from mlalm_jupyter.surfaces.grammar import Command, read
from mlalm_jupyter.surfaces.magics.forms import NAMES, form
from mlalm_jupyter.surfaces.magics.magics import MlalmMagics

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
VARIABLE = re.compile(r"\bMLALM_[A-Z][A-Z_]*\b|\bSKIP_JUPYTER_BUILDER\b")
FAMILIES = {MlalmError, errors.Conflict}
"""Classes that are only caught, never raised."""

SOMEBODY_ELSES_WORDS = (errors.RunFailed, errors.ScoringFailed)
"""What a cell or a function raised stands in them as it is."""


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def error_classes() -> list[type[MlalmError]]:
    found, waiting = [], [MlalmError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += [one for one in kind.__subclasses__() if one.__module__ == errors.__name__]
    return found


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_made_page_is_up_to_date(name: str) -> None:
    assert page(name) == reference.PAGES[name](), "run: python -m mlalm_jupyter.surfaces.cli.reference"


def test_the_pages_are_written_where_asked(tmp_path: Path) -> None:
    assert reference.main([str(tmp_path / "made")]) == 0
    for name in reference.PAGES:
        assert (tmp_path / "made" / name).read_text(encoding="utf-8") == page(name)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb.noun}-{verb.name}")
def test_every_verb_is_documented_with_all_its_arguments(verb: Verb) -> None:
    section = page("verbs.md").partition(f"\n### {verb.noun} {verb.name}\n")[2].partition("\n### ")[0]
    assert verb.help.endswith(".")
    assert verb.help in section
    assert f"mlalm {verb.noun} {verb.name}" in section
    for parameter in verb.parameters:
        assert parameter.help, f"{parameter.name} has no help"
        assert f"| `{parameter.name}` |" in section


def test_every_error_has_an_example_that_says_what_why_and_how_to_go_on() -> None:
    examples = {type(error): error for error in reference.example_errors()}
    assert set(examples) == set(error_classes()) - FAMILIES
    for error in examples.values():
        assert error.what.endswith("."), error.what
        assert error.why.endswith(".") or isinstance(error, SOMEBODY_ELSES_WORDS), error.why
        assert error.fix.endswith((".", "`")) or isinstance(error, errors.InvalidInput), error.fix
        assert f"\n## {error.code}\n\n> {error}\n" in page("errors.md")


def test_the_code_of_an_error_is_its_class() -> None:
    assert {kind.__name__: kind.code for kind in error_classes() if kind is not MlalmError} == {
        kind.__name__: kind.__name__ for kind in error_classes() if kind is not MlalmError
    }


def variables(*places: str) -> set[str]:
    files = [file for place in places for file in ROOT.glob(place) if file.is_file()]
    return {name for file in files for name in VARIABLE.findall(file.read_text(encoding="utf-8"))}


def test_every_environment_variable_is_documented_and_every_documented_one_is_read() -> None:
    used = variables("mlalm_jupyter/**/*.py", ".ci/*", "tests/**/*.py", "labextension/src/**/*.ts*")
    used |= {f"MLALM_{limit.name.upper()}" for limit in dataclasses.fields(Limits)}
    assert {"MLALM_HOME", "MLALM_WORKSPACE", "MLALM_RUN", "MLALM_JOB"} <= used, "the pattern finds them"
    assert used == variables("docs/reference/settings.md")


def test_the_documented_limits_are_the_ones_that_hold() -> None:
    rows = dict(re.findall(r"^\| `(MLALM_\w+)` \| [^|]+ \| (\d+)[^|]* \|$", page("settings.md"), flags=re.M))
    limits = dataclasses.asdict(Limits())
    assert {name: float(value) for name, value in rows.items()} == {
        f"MLALM_{name.upper()}": value for name, value in limits.items()
    }


def test_the_lines_in_the_readme_are_lines_of_the_examples() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = readme.partition("```python\n")[2].partition("```")[0].splitlines()
    assert len(lines) == 10
    tour = (ROOT / "examples" / "tour.ipynb").read_text(encoding="utf-8")
    assert [line for line in lines if line.replace('"', '\\"') not in tour] == []


def test_the_documented_exit_codes_are_the_ones_there_are() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", page("settings.md"), flags=re.M)}
    assert documented == {
        codes.OK,
        codes.USAGE,
        codes.INTERRUPTED,
        *(codes.exit_code(kind) for kind in error_classes()),
    }


def test_every_magic_is_documented_with_its_usage() -> None:
    text = page("magics.md")
    usages = [form(name).usage for name in NAMES]
    assert [usage for usage in usages if f"`{usage}`" not in text] == []
    marks = [f"%{name} {shape}" for name, shape in MlalmMagics.marks.items()]
    assert [usage for usage in marks if f"`{usage}`" not in text] == []
    others = set(MlalmMagics.names()) - set(NAMES) - set(MlalmMagics.marks) - {"mlalm"}
    assert [name for name in others if f"`%{name} VERB ...`" not in text] == []
    known = {*MlalmMagics.names(), "load_ext"}
    assert set(re.findall(r"%(\w+)", text)) <= known


def commands() -> list[tuple[str, str]]:
    """Every `$ mlalm ...` line of the documents, and where it stands."""
    found = []
    for file in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))):
        for line in re.findall(r"^\$ (mlalm .*)$", file.read_text(encoding="utf-8"), flags=re.M):
            found.append((str(file.relative_to(ROOT)), line))
    return found


def test_every_command_in_the_documents_is_one_that_the_terminal_reads() -> None:
    assert len(commands()) > 30
    for file, line in commands():
        words = shlex.split(line.partition(" && ")[0], comments=True)
        assert isinstance(read(words[1:]), Command), f"{file}: {line}"
