"""What statements and cells do with names and files."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.effects import Flow
from mlalm_jupyter.notebook.flow import CellFlow, flow_of

pytestmark = pytest.mark.prove_experiments


def flows(*cells: str, language: str = "python") -> tuple[CellFlow, ...]:
    made = [{"cell_type": "code", "source": text, "metadata": {}} for text in cells]
    content = {"nbformat": 4, "metadata": {"language_info": {"name": language}}, "cells": made}
    return flow_of(read_notebook(json.dumps(content).encode()))


def last(*cells: str) -> Flow:
    return flows(*cells)[-1].flow


def words(names: frozenset[str]) -> str:
    return " ".join(sorted(names))


@pytest.mark.parametrize(
    ("text", "reads", "writes", "changes"),
    [
        ("y = x + 1", "x", "y", ""),
        ("y = x\nz = y", "x", "y z", ""),
        ("x += 1", "x", "x", "x"),
        ("df['a'] = s", "df s", "", "df"),
        ("df.loc[i, 'a'].b = 1", "df i", "", "df"),
        ("a, (b, *c) = f(x)", "f x", "a b c", ""),
        ("df.drop(columns='a', inplace=True)", "df", "", "df"),
        ("df.drop(columns='a', inplace=False)", "df", "", ""),
        ("df.copy().drop(columns='a', inplace=True)", "df", "", ""),
        ("items.append(x)", "items x", "", "items"),
        ("def f(d):\n    d = d.copy()\n    d['a'] = 1\n    return d\nf(x)", "x", "f", ""),
        ("def f(d):\n    d['a'] = 1\n    d = d.copy()\n    return d\nf(x)", "x", "f", "x"),
        ("def f(d):\n    d = d[:]\n    d['a'] = 1\n    return d\nf(x)", "x", "f", "x"),
        ("df.query('a < @most and b > @least.x')", "df least most", "", ""),
        ("model.fit(X, y)", "X model y", "", "model"),
        ("fitted = model.fit(X, y)", "X model y", "fitted", "model"),
        ("del df['a'], old", "df", "", "df"),
        ("if a:\n    x = 1\nprint(x)", "a x", "x", ""),
        ("if a:\n    x = 1\nelse:\n    x = 2\nprint(x)", "a", "x", ""),
        ("for i in rows:\n    t = i\nprint(t)", "rows t", "i t", ""),
        ("while go:\n    n = 1\nn", "go n", "n", ""),
        ("try:\n    x = f()\nexcept ValueError as e:\n    x = None\nx", "f", "e x", ""),
        ("try:\n    x = f()\nexcept ValueError:\n    raise\nx", "f", "x", ""),
        ("with g() as h:\n    x = h.read()\nx", "g", "h x", ""),
        ("[i + k for i in xs if i in ys]", "k xs ys", "", ""),
        ("{a: b for a, b in pairs}\na", "a pairs", "", ""),
        ("[y := i for i in xs]\ny", "xs", "y", ""),
        ("f = lambda a, b=c: a + b + d", "c d", "f", ""),
        ("match v:\n    case {'k': p, **rest}:\n        q = p\n    case _:\n        q = 0\n", "v", "p q rest", ""),
        ("x: int\ny: int = z", "z", "y", ""),
        ("print(len(xs), id)", "xs", "", ""),
        ("import a.b as c, d.e\nfrom f import g as h", "", "c d h", ""),
        ("np.random.shuffle(x)", "np x", "", "x"),
        ("import numpy as np\nnp.random.seed(0)\nnp.random.shuffle(x)", "x", "np", "x"),
        ("np.add(a, b, out=c)", "a b c np", "", "c"),
        ("t.add_(1)", "t", "", "t"),
        ("seen.add(1)\nd = df.add(1)", "df seen", "d", "seen"),
        ("await go(x)", "go x", "", ""),
        ("%time y = x", "x", "y", ""),
        ("%%time\ny = x", "x", "y", ""),
        ("y = %dataset census", "", "y", ""),
        ("x?", "", "", ""),
        ("def f(a, b=c):\n    g = a + d\n    return g", "c", "f", ""),
        ("class A(B):\n    x = y\n    def m(self):\n        return z", "B y", "A", ""),
        ("a = b\na['x'] = 1", "b", "a", "a b"),
        ("a = b\na = 1\na += 1", "b", "a", "a"),
        ("for d in (train, test):\n    d['x'] = 1", "test train", "d", "d test train"),
        ("a, b = b, a", "a b", "a b", ""),
        ("def f():\n    global n\n    n = x", "", "f", ""),
        ("def f():\n    global n\n    n = x\nf()", "x", "f n", "n"),
        ("def f(d, k):\n    d[k] = 1\nf(table, key)", "key table", "f", "table"),
        ("def f(d):\n    e = d\n    e.pop(1)\nf(d=table)", "table", "f", "table"),
        ("def even(n):\n    return odd(n - 1)\ndef odd(n):\n    return even(n - 1) + base\neven(4)", "base", "even odd", ""),
    ],
)  # fmt: skip
def test_a_cell_reads_writes_and_changes_names(text: str, reads: str, writes: str, changes: str) -> None:
    flow = last(text)
    assert (words(flow.reads), words(flow.writes), words(flow.changes)) == (reads, writes, changes)


def test_what_a_function_takes_from_around_it_is_read_where_it_is_called() -> None:
    define, call, given_on = flows("def f(x):\n    return x * rate", "f(rows)", "rows.apply(f)")
    assert (words(define.flow.reads), words(define.flow.defines)) == ("", "f")
    assert words(call.flow.reads) == "f rate rows"
    assert words(given_on.flow.reads) == "f rate rows"


@pytest.mark.parametrize(
    "text",
    [
        "def f(rows: pd.DataFrame):\n    pass",
        "def f(rows, *, how: pd.Series | None = None) -> None:\n    pass",
        "async def f(*rows: pd.DataFrame) -> list[pd.Series]:\n    pass",
        "def f(rows=pd.NA):\n    pass",
        "class C:\n    def f(self, rows: pd.DataFrame) -> None:\n        pass",
        "class C:\n    def f(self, rows=pd.NA):\n        pass",
    ],
)
def test_types_and_defaults_of_a_function_are_read_where_it_is_defined(text: str) -> None:
    assert words(last("import pandas as pd", text).reads) == "pd"


def test_what_a_class_sets_is_not_read_from_around_it_by_its_methods() -> None:
    assert (
        words(last("class C:\n    T = int\n    def f(self, rows: T = T()) -> T:\n        pass").reads) == ""
    )


def test_an_alias_made_in_one_cell_is_known_in_the_next() -> None:
    assert words(last("b = a", "b.append(1)").changes) == "a b"
    assert words(last("b = a", "b = []", "b.append(1)").changes) == "b"


def test_a_builtin_that_the_notebook_sets_is_a_name_like_others() -> None:
    assert words(last("id = 3", "print(id)").reads) == "id"
    assert words(last("print(id)").reads) == ""


@pytest.mark.parametrize(
    ("text", "read", "written"),
    [
        ("df = pd.read_csv('a.csv')", "a.csv", ""),
        ("df = pd.read_parquet(path='a.parquet')", "a.parquet", ""),
        ("df.to_csv('b.csv', index=False)", "", "b.csv"),
        ("text = df.to_csv()", "", ""),
        ("with open('a.txt') as f:\n    f.read()", "a.txt", ""),
        ("open('a.txt', 'w').write('x')", "", "a.txt"),
        ("open('a.bin', mode='rb+')", "a.bin", "a.bin"),
        ("joblib.dump(model, 'm.joblib')\njoblib.load('n.joblib')", "n.joblib", "m.joblib"),
        ("import numpy as n\nn.save('a.npy', x); n.load('b.npy')", "b.npy", "a.npy"),
        ("FOLDER = 'data'\npd.read_csv(FOLDER + '/a.csv'); pd.read_csv(f'{FOLDER}/b.csv')", "data/a.csv data/b.csv", ""),
        ("from pathlib import Path\np = Path('data')\npd.read_csv(p / 'a.csv')", "data/a.csv", ""),
        ("pd.read_csv(os.path.join('data', 'a.csv'))", "data/a.csv", ""),
        ("Path('a.txt').read_text(); Path('b.txt').write_text('x')", "a.txt", "b.txt"),
        ("(Path('d') / 'x').open('w')", "", "d/x"),
        ("plt.savefig('p.png')", "", "p.png"),
        ("%%writefile -a s.py\nx = 1", "", "s.py"),
        ("def load():\n    return pd.read_csv('in.csv')\ndf = load()", "in.csv", ""),
        ("def load():\n    return pd.read_csv('in.csv')", "", ""),
    ],
)  # fmt: skip
def test_files_are_named_by_their_paths(text: str, read: str, written: str) -> None:
    flow = last(text)
    assert (words(flow.files_read), words(flow.files_written)) == (read, written)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("exec(code)", "exec runs text as code"),
        ("eval('x')", "eval works text out"),
        ("globals()['x'] = 1", "globals() reaches every name"),
        ("from pylab import *", "from pylab import * sets names that are not written here"),
        ("%run other.py", "%run runs code that is not here"),
        ("%cd data", "after %cd, paths begin in another folder"),
        ("!rm -r data", "a shell line may read and write any file"),
        ("%%bash\nls", "a %%bash cell may read and write any file"),
        ("%%mystery\nx = 1", "what %%mystery does is not known"),
        ("pd.read_csv(name)", "the file that read_csv reads is not written out"),
        ("open('a', mode)", "whether open reads or writes is worked out"),
        ("x = = 1", "this cell is no Python (line 1: invalid syntax)"),
    ],
)
def test_what_cannot_be_known_is_said(text: str, sentence: str) -> None:
    assert sentence in last(text).unknowns


def test_plain_code_leaves_nothing_unknown() -> None:
    assert (
        last("import pandas as pd\n%matplotlib inline\n%pip install x\ndf = pd.read_csv('a')").unknowns == ()
    )


def test_a_table_evaluating_a_text_is_not_the_eval_that_runs_code() -> None:
    assert last("df.eval('a + b')").unknowns == ()


def test_our_magics_read_the_variables_they_take() -> None:
    assert words(last("model, rows = f()", "%register model $name --sample rows").reads) == "model rows"
    assert words(last("name = 'x'", "%dataset $name").reads) == "name"
    assert words(last("rows = f()", "%score churn rows").reads) == "rows"
    assert words(last("a = 1", "!echo $a {a} $HOME").reads) == "a"
    assert (words(last("%R -i a,b -o c x").reads), words(last("%R -i a,b -o c x").writes)) == ("a b", "c")
    assert words(last("%%capture out\nx = 1").writes) == "out x"


def test_statements_keep_their_lines_and_add_up_to_the_cell() -> None:
    (cell,) = flows("# note\nx = a\n\ny = (x +\n  b)\n%store y\ny")
    assert [(one.first_row, one.last_row, one.text) for one in cell.statements] == [
        (2, 2, "x = a"),
        (4, 5, "y = (x +\n  b)"),
        (6, 6, "%store y"),
        (7, 7, "y"),
    ]
    assert [words(one.flow.reads) for one in cell.statements] == ["a", "b x", "y", "y"]
    assert words(cell.flow.reads) == "a b"
    assert [one.is_expression for one in cell.statements] == [False, False, True, True]


def test_a_statement_too_deep_to_be_read_is_said_to_be() -> None:
    assert last("x = " + " + ".join(["a"] * 2000)).unknowns == (
        "a statement is nested too deeply to be read",
    )


def test_nothing_is_told_of_another_language() -> None:
    assert flows("x <- 1", language="R") == ()


def test_a_flow_can_be_written_as_json() -> None:
    (cell,) = flows("%%time\nx = !ls $a\ndf.to_csv('b')")
    told = json.loads(json.dumps(cell.to_dict()))
    assert (told["cell"], told["writes"], told["files_written"]) == (1, ["x"], ["b"])
    assert told["magics"] == ["%%time", "!ls $a"]
    assert told["statements"][0]["rows"] == [2, 2]


@given(st.text(alphabet="ab=()[]:.,+%!?#'\" \n\t\\1é", max_size=60))
def test_no_text_is_too_odd_to_be_looked_at(text: str) -> None:
    for cell in flows(text, text):
        assert cell.flow.certain <= cell.flow.writes
