"""Lines of words become commands, and wrong ones say what is wrong with them."""

from __future__ import annotations

import re
import shlex

import pytest

from mlalm_jupyter.api.verb import Verb
from mlalm_jupyter.api.verbs import VERBS, find
from mlalm_jupyter.domain.errors import InvalidInput, NotFound
from mlalm_jupyter.surfaces.grammar import Command, Form, Page, read, read_form
from mlalm_jupyter.surfaces.magics.forms import form
from mlalm_jupyter.surfaces.magics.magics import _words


def command(line: str) -> Command:
    asked = read(shlex.split(line))
    assert isinstance(asked, Command), asked
    return asked


def help_of(line: str) -> Page:
    asked = read(shlex.split(line))
    assert isinstance(asked, Page), asked
    return asked


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("endpoint patch wine/ep2 --model wine:2", {"endpoint": "wine/ep2", "model": "wine:2"}),
        ("endpoint patch --model wine:2 wine/ep2", {"endpoint": "wine/ep2", "model": "wine:2"}),
        ("endpoint patch --model=wine:2 wine/ep2", {"endpoint": "wine/ep2", "model": "wine:2"}),
        ("endpoint rollback wine/ep2 --to 3", {"endpoint": "wine/ep2", "to": 3}),
        ("service deploy wine:1 wine --update", {"what": "wine:1", "service": "wine", "update": True}),
        ("retrain run wine --no-wait", {"service": "wine", "wait": False}),
        ("retrain run wine --wait", {"service": "wine", "wait": True}),
        ("job follow 0193ab --timeout-s 2.5", {"job": "0193ab", "timeout_s": 2.5}),
        ("dataset show -- -odd-", {"dataset": "-odd-"}),
        ("workspace init", {}),
        ("workspace init rides", {"path": "rides"}),
    ],
)
def test_words_become_arguments(line: str, arguments: dict[str, object]) -> None:
    assert command(line).arguments == arguments


@pytest.mark.parametrize(
    ("pairs", "parameters"),
    [
        ("-p depth=4", {"depth": 4}),
        ("-pdepth=4", {"depth": 4}),
        ("--parameters rate=0.5 --parameter name=bikes:1", {"rate": 0.5, "name": "bikes:1"}),
        ("-p on=true -p off=False -p none=null", {"on": True, "off": False, "none": None}),
        ('-p \'columns=["a", "b"]\'', {"columns": ["a", "b"]}),
        ("-p code=007 -p nan=NaN -p empty=", {"code": "007", "nan": "NaN", "empty": ""}),
        ("-p where=a=b", {"where": "a=b"}),
        ("-p depth=-3", {"depth": -3}),
    ],
)
def test_pairs_are_read_as_json_where_they_are_json(pairs: str, parameters: dict[str, object]) -> None:
    assert command(f"experiment run train.ipynb {pairs}").arguments["parameters"] == parameters


def test_tags_stay_text() -> None:
    tags = command("model register m.ilearner wine --tag year=2024 --tag ok=true").arguments["tags"]
    assert tags == {"year": "2024", "ok": "true"}


@pytest.mark.parametrize(
    "line",
    [
        "--workspace rides --json dataset list",
        "dataset --workspace rides --json list",
        "dataset list --json --workspace=rides",
    ],
)
def test_what_holds_for_every_verb_may_stand_anywhere(line: str) -> None:
    asked = command(line)
    assert (asked.verb.name, asked.workspace, asked.as_json) == ("list", "rides", True)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "service find",
            "The line `mlalm service find ...` is not valid. "
            "Expected `mlalm service find --model MODEL`, got no --model MODEL.",
        ),
        (
            "dataset download",
            "The line `mlalm dataset download ...` is not valid. "
            "Expected `mlalm dataset download DATASET FILE`, got no DATASET and no FILE.",
        ),
        (
            "dataset show a b",
            "The line `mlalm dataset show ...` is not valid. "
            "Expected `mlalm dataset show DATASET [--rows ROWS]`, got one word too many, 'b'.",
        ),
        (
            "service find --modle c",
            "The option --modle is not valid. Expected an option of `mlalm service find`, "
            "got one it does not have. Perhaps `--model` is meant. See `mlalm service find --help`.",
        ),
        (
            "--workspce x dataset list",
            "The option --workspce is not valid. Expected an option of `mlalm`, got one it does not have. "
            "Perhaps `--workspace` is meant. See `mlalm --help`.",
        ),
        (
            "dataset show a --rows many",
            "The argument --rows is not valid. Expected a whole number, got 'many'.",
        ),
        ("job follow a --timeout-s x", "The argument --timeout-s is not valid. Expected a number, got 'x'."),
        (
            "dataset show a --rows",
            "The option --rows is not valid. Expected a value after it, got the end of the line.",
        ),
        ("retrain run a -p x", "The option -p is not valid. Expected NAME=VALUE, got 'x'."),
        ("retrain run a --wait=no", "The option --wait is not valid. Expected no value, got 'no'."),
    ],
)
def test_a_wrong_line_says_what_is_wrong(line: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(shlex.split(line))
    assert str(caught.value) == sentence


def test_a_mistyped_noun_offers_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"No noun 'endpiont'\. The nearest names are 'endpoint'"):
        read(["endpiont", "list"])


def test_a_mistyped_noun_alone_offers_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"No noun 'endpiont'\. The nearest names are 'endpoint'"):
        read(["endpiont"])


def test_a_mistyped_verb_offers_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"No verb of 'endpoint' 'ptach'\. The nearest names are 'patch'"):
        read(["endpoint", "ptach"])


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb.noun}-{verb.name}")
def test_the_help_of_every_verb_tells_all_its_arguments(verb: Verb) -> None:
    page = help_of(f"{verb.noun} {verb.name} --help")
    told = " ".join(page.text.split())
    assert page.is_asked
    assert verb.help in told
    assert ">>>" not in told
    for parameter in verb.parameters:
        assert parameter.help in told
    assert Form.of(verb).usage in page.text


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb.noun}-{verb.name}")
def test_the_usage_of_every_verb_reads_back(verb: Verb) -> None:
    words = [f"value{index}" for index, parameter in enumerate(verb.parameters) if parameter.is_positional]
    needed = [p for p in verb.parameters if p.is_required and not p.is_positional]
    options = [word for parameter in needed for word in (parameter.option, "x")]
    asked = command(shlex.join([verb.noun, verb.name, *words, *options]))
    assert set(asked.arguments) >= {p.name for p in verb.parameters if p.is_required or p.is_positional}


@pytest.mark.parametrize("line", ["", "endpoint", "--json"])
def test_no_verb_gives_help_that_nobody_asked_for(line: str) -> None:
    assert not help_of(line).is_asked


def test_the_page_of_everything_names_every_noun_and_verb() -> None:
    # the verbs of a noun go on in the next lines, further in
    page = re.sub(r"\n {4,}", " ", help_of("--help").text)
    for verb in VERBS:
        line = next(line for line in page.splitlines() if line.startswith(f"  {verb.noun} "))
        assert verb.name in line


def test_a_form_may_make_an_option_positional() -> None:
    form = Form("%patch", find("endpoint", "patch"), ("endpoint", "model"))
    asked = read_form(form, ["wine/ep2", "wine:2"])
    assert isinstance(asked, Command)
    assert asked.arguments == {"endpoint": "wine/ep2", "model": "wine:2"}
    needed = Form("%serving", find("service", "find"), ("model",))
    with pytest.raises(InvalidInput, match="Expected `%serving MODEL`, got no MODEL"):
        read_form(needed, [])


def test_a_form_may_leave_out_what_its_surface_knows() -> None:
    form = Form("%runs", find("experiment", "history"), ("notebook",), frozenset({"notebook"}))
    asked = read_form(form, ["--limit", "3"])
    assert isinstance(asked, Command)
    assert asked.arguments == {"limit": 3}
    assert form.usage.startswith("%runs [NOTEBOOK] [--limit LIMIT]")


def test_help_spells_a_repeated_option_in_the_singular_and_says_what_goes_after_an_option() -> None:
    assert "--tag KEY=VALUE" in help_of("model register --help").text
    assert "--tags" not in help_of("model register --help").text
    assert "--patch SERVICE/ENDPOINT" in help_of("retrain run --help").text
    assert "--only WHICH" in help_of("endpoint keys --help").text
    assert command("model register m.ilearner m --tags a=b").arguments["tags"] == {"a": "b"}, (
        "the plural is read"
    )


def test_help_of_a_short_form_says_what_the_form_does() -> None:
    page = read_form(form("dataset"), ["--help"])
    assert isinstance(page, Page)
    assert "Load a dataset as a frame" in page.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bikes:1 bikes --update  # again", ["bikes:1", "bikes", "--update"]),
        ("# nothing else", []),
        ("a -m 'fixes #12'", ["a", "-m", "fixes #12"]),
        ('a -m "say \\" # no" # yes', ["a", "-m", 'say " # no']),
        ("a --tag issue=#12 #x", ["a", "--tag", "issue=#12"]),
        ("a\\ #b", ["a #b"]),
        ("a \\#b", ["a", "#b"]),
        ("a ''#b", ["a", "#b"]),
    ],
)
def test_a_comment_after_a_line_is_no_part_of_it(line: str, words: list[str]) -> None:
    assert list(_words(line)) == words
