"""A definition made ready to answer, and everything that keeps it from being made ready."""

from __future__ import annotations

import gc
import hashlib
import linecache
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mlalm_jupyter.adapters.keyring import FolderKeyring
from mlalm_jupyter.domain.errors import Corrupt, MlalmError, NotFound, ScoringFailed, UntrustedContent
from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema
from mlalm_jupyter.domain.trust import sealed_statement
from mlalm_jupyter.formats import frames
from mlalm_jupyter.formats.code import let_go
from mlalm_jupyter.scoring.errors import Refusal
from mlalm_jupyter.scoring.predictor import Predictor
from mlalm_jupyter.scoring.requests import Request, Table
from tests.contract.served import ROWS, Fixed, Handmade, body, logistic

SUM = Schema((Column("total", ColumnType.DOUBLE),))
ADD = "def add(rows):\n    return rows.assign(total=rows['age'] + rows['hours'])[['total']]\n"


@pytest.fixture
def made(tmp_path: Path) -> Handmade:
    return Handmade(tmp_path / "ws")


def load(made: Handmade, servable: Servable) -> Predictor:
    return Predictor.load(servable, made.keys.public_key)


def request(rows: pd.DataFrame = ROWS) -> Request:
    given = body(rows)["Inputs"]["input1"]
    return Request(Inputs={"input1": Table(given["ColumnNames"], given["Values"])})


def test_it_says_what_the_model_says(made: Handmade) -> None:
    model = logistic()
    output = load(made, made.model(model)).predict(request())["output1"]
    expected = frames.score(model, ROWS)
    assert list(output.names) == list(expected.columns)
    assert output.types == ("Double", "Double", "Int64", "Double")
    assert [float(cell) for cell in output.columns[3] if cell] == list(expected["Scored Probabilities"])


def test_it_says_what_the_code_says_without_any_model(made: Handmade) -> None:
    predictor = load(made, made.code(ADD, "add", outputs=SUM))
    output = predictor.predict(request())["output1"]
    assert (output.names, output.columns) == (("total",), (["30", "75", "88", "70", "88", "73"],))
    assert dict(predictor.headers).keys() == {b"x-mlalm-definition", b"x-mlalm-form"}


def test_every_answer_names_definition_and_model(made: Handmade) -> None:
    servable = made.model(logistic(), name="churn", version=3)
    assert dict(load(made, servable).headers) == {
        b"x-mlalm-definition": servable.digest.encode(),
        b"x-mlalm-form": b"original",
        b"x-mlalm-model": b"churn:3",
        b"x-mlalm-model-hash": servable.models[0].model_hash.encode(),
    }


def test_no_rows_give_no_rows_and_run_nothing(made: Handmade) -> None:
    predictor = load(made, made.code("def f(rows):\n    raise ValueError", "f", outputs=SUM, example=()))
    assert predictor.predict(request(ROWS.head(0)))["output1"].columns == ([],)


# trust


def canary(folder: Path) -> tuple[str, Path]:
    mark = folder / "canary"
    return f"open({str(mark)!r}, 'w').close()\n{ADD}", mark


def test_the_canary_sings_when_the_code_is_signed(made: Handmade, tmp_path: Path) -> None:
    source, mark = canary(tmp_path)
    load(made, made.code(source, "add", outputs=SUM))
    assert mark.exists()


@pytest.mark.parametrize("seal", ["none", "text", "of another kind", "of another hash", "of another key"])
def test_code_without_a_seal_of_this_workspace_never_runs(made: Handmade, tmp_path: Path, seal: str) -> None:
    source, mark = canary(tmp_path)
    servable = made.code(source, "add", outputs=SUM, is_sealed=False)
    stranger = FolderKeyring.create(tmp_path / "stranger")
    seals = {
        "none": None,
        "text": "no base64!",
        "of another kind": made.sealed("model", servable.digest),
        "of another hash": made.sealed("definition", hashlib.sha256(b"").hexdigest()),
        "of another key": stranger.sign(sealed_statement("definition", servable.digest)),
    }
    with pytest.raises(UntrustedContent, match=servable.digest):
        load(made, replace(servable, seal=seals[seal]))
    assert not mark.exists()


class Bird:
    """A model whose pickle sings while it is opened."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (_sing, (self.mark,))

    def predict(self, rows: pd.DataFrame) -> list[int]:
        return [0] * len(rows)


def _sing(mark: str) -> Bird:
    Path(mark).touch()
    return Bird(mark)


def test_a_pickle_without_a_seal_is_never_opened(made: Handmade, tmp_path: Path) -> None:
    mark = tmp_path / "canary"
    servable = made.model(Bird(str(mark)), is_sealed=False)
    assert mark.exists(), "registering opens it: the canary sings"
    mark.unlink()
    with pytest.raises(UntrustedContent, match=servable.models[0].model_hash):
        load(made, servable)
    assert not mark.exists()
    sealed = replace(servable.models[0], seal=made.sealed("model", servable.models[0].model_hash))
    load(made, replace(servable, models=(sealed,)))
    assert mark.exists()


def test_a_model_that_is_only_data_needs_no_seal(made: Handmade) -> None:
    load(made, made.model(logistic(), is_sealed=False)).replay()


# damage


def flip(path: str, at: int) -> None:
    file = Path(path)
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.chmod(0o644)
    file.write_bytes(bytes(data))


@pytest.mark.parametrize("at", [0, 100, -2])
def test_a_flipped_bit_in_a_definition_is_found(made: Handmade, at: int) -> None:
    servable = made.code(ADD, "add", outputs=SUM)
    flip(servable.path, at)
    with pytest.raises(Corrupt, match=r"Definition .* is damaged"):
        load(made, servable)


@pytest.mark.parametrize("at", [0, 1000, -2])
def test_a_flipped_bit_in_a_bundle_is_found(made: Handmade, at: int) -> None:
    servable = made.model(logistic())
    flip(servable.models[0].bundle_path, at)
    with pytest.raises(Corrupt, match="census:1 is damaged"):
        load(made, servable)


def test_a_bundle_of_another_model_is_found(made: Handmade) -> None:
    one, other = made.model(logistic()), made.model(logistic(shift=5), version=2)
    swapped = replace(other.models[0], model_hash=one.models[0].model_hash)
    with pytest.raises(Corrupt, match="something else than its definition names"):
        load(made, replace(one, models=(swapped,)))


def test_a_model_nobody_gave_a_file_for_is_found(made: Handmade) -> None:
    with pytest.raises(Corrupt, match="given no file"):
        load(made, replace(made.model(logistic()), models=()))


def test_files_that_are_gone_are_named(made: Handmade) -> None:
    servable = made.model(logistic())
    Path(servable.models[0].bundle_path).unlink()
    with pytest.raises(NotFound):
        load(made, servable)
    Path(servable.path).unlink()
    with pytest.raises(NotFound):
        load(made, servable)


def test_a_definition_that_was_kept_in_another_form_serves_under_the_hash_of_that_form(
    made: Handmade,
) -> None:
    servable = made.model(logistic())
    text = Path(servable.path).read_text().replace("  ", " ")
    digest = made.blobs.put(text.encode())
    kept = replace(servable, digest=digest, path=str(made.blobs.path(digest)))
    assert load(made, kept).definition.digest == digest


# what a step may do


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "def f(rows):\n    raise ValueError('no such thing')",
            "ValueError: no such thing (line 2 of its code).",
        ),
        ("def f(rows):\n    return rows['nope']", "KeyError: 'nope' (line 2 of its code)."),
        ("import sys\ndef f(rows):\n    sys.exit(3)", "SystemExit: 3 (line 3 of its code)."),
        ("def f(rows):\n    return f(rows)", "RecursionError"),
        ("def f(rows):\n    return next(iter(()))", "StopIteration"),
        ("def f(rows):\n    return 7", "Expected a table, got a int."),
        ("def f(rows):\n    return rows", "no column 'total'"),
        (
            "def f(rows):\n    return __import__('pandas').concat([rows.assign(total=1.0)] * 2, axis=1)",
            "'total' twice",
        ),
    ],
)
def test_what_goes_wrong_in_a_step_is_told_with_its_place(made: Handmade, source: str, said: str) -> None:
    predictor = load(made, made.code(source, "f", outputs=SUM))
    with pytest.raises(ScoringFailed) as caught:
        predictor.predict(request())
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(rows:\n", "SyntaxError"),
        ("raise RuntimeError('at once')", "RuntimeError: at once (line 1 of its code)"),
        ("raise SystemExit", "SystemExit"),
        ("g = 1", "defines no function 'f'"),
        ("f = 1", "defines no function 'f'"),
    ],
)
def test_code_that_does_not_load_is_told_of(made: Handmade, source: str, said: str) -> None:
    with pytest.raises(ScoringFailed, match="step 'code1'") as caught:
        load(made, made.code(source, "f", outputs=SUM))
    assert said in str(caught.value)


def test_an_example_that_does_not_score_is_found_before_it_serves(made: Handmade) -> None:
    predictor = load(made, made.code(ADD, "add", outputs=SUM, example=(("x", 1.0),)))
    with pytest.raises(ScoringFailed, match="own example"):
        predictor.replay()


def test_code_may_hold_dataclasses_and_pickle_them(made: Handmade) -> None:
    source = (
        "from __future__ import annotations\nimport pickle\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Unit:\n    by: float\n"
        "def f(rows):\n    unit = pickle.loads(pickle.dumps(Unit(2.0)))\n"
        "    return rows.assign(total=rows['age'] * unit.by)[['total']]\n"
    )
    output = load(made, made.code(source, "f", outputs=SUM)).predict(request())["output1"]
    assert output.columns[0][0] == "40"


def test_each_call_sees_rows_of_its_own(made: Handmade) -> None:
    source = (
        "def f(rows):\n    rows['total'] = rows['age']\n    rows['age'] = 0\n    return rows[['total']]\n"
    )
    predictor = load(made, made.code(source, "f", outputs=SUM))
    first, second = (predictor.predict(request())["output1"].columns for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("expression", "kind", "expected"),
    [
        ("pd.array([1, None], dtype='Int64')", ColumnType.INT64, ["1", None]),
        ("pd.array([True, None], dtype='boolean')", ColumnType.BOOLEAN, ["True", None]),
        ("pd.Categorical(['x', None])", ColumnType.STRING, ["x", None]),
        ("pd.array(['x', None], dtype='str')", ColumnType.STRING, ["x", None]),
        ("[pd.NA, 'x']", ColumnType.STRING, [None, "x"]),
        (
            "pd.to_datetime(['2010-05-30T20:07:00+02:00', None])",
            ColumnType.DATETIME,
            ["5/30/2010 6:07:00 PM", None],
        ),
        ("[pd.NaT, pd.Timestamp('2010-05-30')]", ColumnType.DATETIME, [None, "5/30/2010 12:00:00 AM"]),
        ("[[1, 2], None]", ColumnType.STRING, ["[1, 2]", None]),
    ],
)
def test_missing_values_of_any_kind_become_null(
    made: Handmade, expression: str, kind: ColumnType, expected: list[str | None]
) -> None:
    source = f"import pandas as pd\ndef f(rows):\n    return pd.DataFrame({{'total': {expression}}})\n"
    servable = made.code(source, "f", outputs=Schema((Column("total", kind),)))
    assert load(made, servable).predict(request())["output1"].columns == (expected,)


# what a request may hold


@pytest.mark.parametrize(
    ("inputs", "cause"),
    [
        (None, "MissingRequestInput"),
        ({}, "MissingRequestInput"),
        ({"Input1": [{"age": 1, "hours": 2}]}, "InvalidInputNames"),
        ({"input1": [{"age": 1, "hours": 2}], "input2": []}, "InvalidInputNames"),
        ({"input1": [{"age": 1}]}, "InputMismatchError"),
        ({"input1": [{"age": "old", "hours": 2}]}, "InputParseError"),
    ],
)
def test_inputs_that_do_not_fit_are_told_by_their_cause(made: Handmade, inputs: object, cause: str) -> None:
    predictor = load(made, made.model(Fixed(1)))
    with pytest.raises(Refusal) as caught:
        predictor.predict(Request(Inputs=inputs))  # type: ignore[arg-type]  # any shape comes in
    assert (caught.value.status, caught.value.cause) == (400, cause)


def test_a_parameter_nobody_declared_is_refused(made: Handmade) -> None:
    predictor = load(made, made.model(Fixed(1)))
    asked = request()
    asked.GlobalParameters = {"Random seed": b"1"}  # type: ignore[dict-item]  # stands for raw JSON
    with pytest.raises(Refusal, match="Random seed") as caught:
        predictor.predict(asked)
    assert caught.value.cause == "UnexpectedParameter"


def test_errors_travel_between_processes_with_their_facts(made: Handmade) -> None:
    from mlalm_jupyter.scoring.control import told
    from mlalm_jupyter.serving.told import error_told

    servable = made.code(ADD, "add", outputs=SUM, is_sealed=False)
    with pytest.raises(UntrustedContent) as caught:
        load(made, servable)
    again = error_told(told(caught.value))
    assert type(again) is UntrustedContent
    assert isinstance(again, MlalmError)
    assert (str(again), again.wants, again.digest) == (str(caught.value), caught.value.wants, servable.digest)


def our_modules() -> set[str]:
    gc.collect()
    let_go()
    return {name for name in sys.modules if name.startswith("mlalm_definition_")}


def test_nothing_is_left_of_code_that_nobody_holds_any_more(made: Handmade) -> None:
    before, lines = our_modules(), set(linecache.cache)
    for number in range(5):
        source = ADD.replace("rows['age']", f"{number} + rows['age']")
        predictor = load(made, made.code(source, "add", outputs=SUM))
        assert len(our_modules() - before) == 1
    del predictor
    assert our_modules() == before
    assert not {file for file in set(linecache.cache) - lines if file.startswith("<code1 of")}


def test_the_same_code_loaded_twice_is_two_modules(made: Handmade) -> None:
    source = "count = 0\ndef f(rows):\n    global count\n    count += 1\n    return rows.assign(total=count)[['total']]\n"
    servable = made.code(source, "f", outputs=SUM)
    first, second = load(made, servable), load(made, servable)
    assert [load.predict(request(ROWS.head(1)))["output1"].columns for load in (first, first, second)] == [
        (["1"],), (["2"],), (["1"],)
    ]  # fmt: skip
    del first
    our_modules()
    with pytest.raises(ScoringFailed, match="line 2 of its code"):
        load(made, made.code("def f(rows):\n    raise ValueError", "f", outputs=SUM)).predict(request())
    assert second.predict(request(ROWS.head(1)))["output1"].columns == (["2"],)


def test_code_that_fails_at_once_leaves_no_module(made: Handmade) -> None:
    before = our_modules()
    with pytest.raises(ScoringFailed):
        load(made, made.code("raise RuntimeError", "f", outputs=SUM))
    assert our_modules() == before
