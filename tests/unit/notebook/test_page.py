"""Snapshots as pages, and as text for a terminal."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.notebook.document import NotebookDocument, read_notebook
from mlalm_jupyter.notebook.inert import inert
from mlalm_jupyter.notebook.page import Bar, in_terminal, page

pytestmark = pytest.mark.prove_experiments

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.ipynb"))
BAR = Bar("0193ab12", "Finished", "2026-01-05 10:00", "mlalm experiment save-as run:0193ab12 NAME")
PNG = base64.b64encode(b"\x89PNG not really").decode()


def notebook(*cells: dict[str, Any], language: str = "python") -> NotebookDocument:
    metadata = {"language_info": {"name": language}}
    return read_notebook(json.dumps({"nbformat": 4, "metadata": metadata, "cells": cells}).encode())


def code(text: str, *outputs: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": text, "outputs": outputs}


def data(**forms: Any) -> dict[str, Any]:
    names = {name.replace("__", "/").replace("_plus_", "+"): value for name, value in forms.items()}
    return {"output_type": "display_data", "metadata": {}, "data": names}


def shown(*cells: dict[str, Any], language: str = "python") -> str:
    return page(notebook(*cells, language=language), name="train.ipynb", bar=BAR)


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def check_inert(html: str) -> None:
    seen = Seen()
    seen.feed(html)
    assert not {"script", "iframe", "object", "embed", "link", "base", "form", "svg"} & set(seen.tags)
    for tag, name, value in seen.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in ("srcset", "srcdoc", "formaction", "background")
        if name == "src":
            assert value.startswith("data:image/")
        if name == "href":
            assert re.match(r"https?://|mailto:|#", value)
        if name == "style":
            assert "url" not in value
            assert "position" not in value


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_page_runs_nothing_and_fetches_nothing(path: Path) -> None:
    html = page(read_notebook(path.read_bytes()), name=path.name, bar=BAR)
    check_inert(html)
    head = html.index("Content-Security-Policy")
    assert "default-src 'none'" in html
    assert head < html.index("<style>") < html.index("<body>")


def test_the_bar_says_which_run_it_is_that_it_is_locked_and_how_to_go_on() -> None:
    html = shown(code("x = 1"))
    bar = html[html.index("<header") : html.index("</header>")]
    assert re.sub(r"<[^>]+>", "", bar) == (
        "Locked. train.ipynb, run 0193ab12, Finished, 2026-01-05 10:00. This is the record of what ran and stays as "
        "it is. To go on from here, save it as an experiment of your own: "
        "mlalm experiment save-as run:0193ab12 NAME"
    )


def test_the_bar_takes_no_html_from_names() -> None:
    html = page(notebook(), name="<script>a</script>", bar=Bar("<b>", "<i>", "&", "`<u>`"))
    check_inert(html)
    assert "&lt;script&gt;a&lt;/script&gt;" in html


@pytest.mark.parametrize(
    ("hostile", "left"),
    [
        ("<script>alert(1)</script>a", "a"),
        ("<SCRIPT SRC=//x>alert(1)</SCRIPT >a", "a"),
        ("<img src=x onerror=alert(1) alt=pic>", "pic"),
        ("<img src='data:image/svg+xml;base64,AAAA'>", ""),
        ("<a href='javascript:alert(1)'>a</a>", "<a>a</a>"),
        ("<a href=' java\nscript:alert(1)'>a</a>", "<a>a</a>"),
        ("<a href='data:text/html,x'>a</a>", "<a>a</a>"),
        ("<svg><script>alert(1)</script></svg>a", "a"),
        ("<iframe srcdoc='<script>'></iframe>a", "a"),
        ("<style>body{display:none}</style>a", "a"),
        ("<div style='position:fixed;top:0;color:red'>a</div>", '<div style="color: red">a</div>'),
        ("<div style='background-color:url(x)'>a</div>", "<div>a</div>"),
        ("<p class='bar' id='x'>a", "<p>a</p>"),
        ("</div></main></body>a", "a"),
        ("<table><tr><td>1<td>2</table>", "<table><tr><td>1<td>2</td></td></tr></table>"),
        ("<base href='//x'><link rel=stylesheet href=x><meta http-equiv=refresh>a", "a"),
        ("<form action=x><input name=a><button>b</button></form>a", "a"),
        ("1 < 2 & <unknown>b</unknown>", "1 &lt; 2 &amp; b"),
    ],
)
def test_hostile_html_becomes_harmless(hostile: str, left: str) -> None:
    found = inert(hostile)
    check_inert(found)
    assert found == left


@pytest.mark.parametrize(
    "broken",
    [
        "<svg/onload=alert(1)>a",
        "<!--><script>alert(1)</script>-->a",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<script>alert(1)",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<a href=x title='\"><script>alert(1)</script>'>a",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    ],
)
def test_html_that_readers_disagree_about_acts_for_none(broken: str) -> None:
    check_inert(inert(broken))
    check_inert(inert(inert(broken)))


@given(st.text("<>/=\"' abscriptonerrvg!-&;#x:\n", max_size=80))
def test_no_text_becomes_anything_that_acts(text: str) -> None:
    once = inert(text)
    check_inert(once)
    check_inert(shown(code("", data(text__html=text)), {"cell_type": "markdown", "source": text}))


def test_pictures_are_embedded_and_vector_pictures_cannot_act() -> None:
    html = shown(
        code("a", data(image__png=PNG[:4] + "\n" + PNG[4:], text__plain="<Figure>")),
        code("b", {**data(), "data": {"image/svg+xml": "<svg onload='alert(1)'/>"}}),
        code("c", data(image__png='"><script>')),
    )
    check_inert(html)
    assert f'<img src="data:image/png;base64,{PNG}" alt="&lt;Figure&gt;">' in html
    assert 'src="data:image/svg+xml;base64,PHN2' in html


def test_an_attached_picture_is_shown_in_its_text() -> None:
    cell = {
        "cell_type": "markdown",
        "source": "![p](attachment:p.png)",
        "attachments": {"p.png": {"image/png": PNG}},
    }
    assert f'src="data:image/png;base64,{PNG}"' in shown(cell)


def test_a_script_that_is_left_out_is_said_to_be() -> None:
    html = shown(code("a", data(application__javascript="alert(1)", text__plain="<Javascript>")))
    assert "They are not run on this page" in html
    assert "alert" not in html


def test_an_error_and_a_stream_lose_their_escapes() -> None:
    error = {
        "output_type": "error",
        "ename": "KeyError",
        "evalue": "'b'",
        "traceback": ["\x1b[31mKeyError\x1b[0m: 'b'"],
    }
    stream = {"output_type": "stream", "name": "stderr", "text": ["10%\r", "100%\n"]}
    html = shown(code("a", stream, error))
    assert '<pre class="stderr">100%\n</pre>' in html
    assert '<pre class="error">KeyError: &#x27;b&#x27;</pre>' in html


def test_five_megabytes_of_output_are_cut_and_said_to_be() -> None:
    html = shown(code("a", {"output_type": "stream", "name": "stdout", "text": "x" * 5_000_000}))
    assert len(html) < 300_000
    assert "4,800,000 more characters are in the notebook itself" in html


def test_code_of_any_language_is_shown() -> None:
    assert re.sub(r"<[^>]+>", "", shown(code("f(x) = 2x"), language="julia")).count("f(x) = 2x") == 1
    assert "plus &lt;- 1" in shown(code("plus <- 1"), language="no such language")


@pytest.mark.parametrize(
    "odd", [None, 3, {}, [None], [{"output_type": "stream"}], [{"data": {"text/plain": 3}}]]
)
def test_odd_outputs_are_survived(odd: Any) -> None:
    cell = {"cell_type": "code", "source": "a", "outputs": odd}
    check_inert(shown(cell))
    in_terminal(notebook(cell), name="a")


def test_a_terminal_gets_cells_with_their_numbers_and_first_outputs() -> None:
    many = {"output_type": "stream", "text": "\n".join(map(str, range(100)))}
    document = notebook(
        {"cell_type": "markdown", "source": "# Title\ntext"},
        code("x = 1\nx", data(text__plain="1")),
        code(""),
        code("loop()", many, data(image__png=PNG, text__plain="<Figure>")),
    )
    text = in_terminal(document, name="train.ipynb", bar=BAR)
    assert text.startswith(
        "train.ipynb, run 0193ab12, Finished, 2026-01-05 10:00. Locked.\n"
        "Save as: mlalm experiment save-as run:0193ab12 NAME\n\n"
        "# Title\ntext\n\n[1] x = 1\n    x\n    > 1\n\n[2] loop()\n    > 0\n    > 1\n"
    )
    assert text.endswith("    > 29\n    > … 72 more lines\n")


def test_a_terminal_is_not_steered_by_what_a_notebook_holds() -> None:
    nasty = "a\x1b]0;title\x07b\x1b[2Jc\x9b31md\x08e\u202ef"
    document = notebook(
        code(f"s = '{nasty}'", {"output_type": "stream", "text": nasty}),
        {"cell_type": "raw", "source": nasty},
    )
    text = in_terminal(document, name=nasty)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_cells_have_the_numbers_their_run_counts() -> None:
    """Papermill adds a cell that sets the parameters, and the run calls the one after it cell 2 all the same."""
    cells = [
        {"cell_type": "code", "source": "depth = 1", "metadata": {"tags": ["parameters"]}},
        {"cell_type": "code", "source": "depth = 4", "metadata": {"tags": ["injected-parameters"]}},
        {"cell_type": "code", "source": "fit(depth)"},
    ]
    executed = NotebookDocument({"nbformat": 4, "cells": cells})
    assert [line[:3] for line in in_terminal(executed, name="a").splitlines()[2::2]] == ["[1]", "[p]", "[2]"]
    html = page(executed, name="a", bar=Bar("r", "Finished", "now", "save"))
    assert 'aria-label="Parameters of the run"' in html
    assert 'aria-label="Cell 2">[2]' in html
