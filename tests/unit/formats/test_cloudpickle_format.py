"""Models that carry code: what travels with them, and what is said when something cannot."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlalm_jupyter.domain.errors import InvalidInput, MissingDependency, NotSerialisable, UntrustedContent
from mlalm_jupyter.formats import bundle, frames
from mlalm_jupyter.formats.cloudpickle_format import FILE, CloudpickleFormat
from mlalm_jupyter.formats.culprit import culprit

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})

NOTEBOOK = """
import sys
sys.path.insert(0, sys.argv[1])
import pandas as pd
from mlalm_jupyter.formats import bundle
from beside import scaled
from folder.inner import shifted

class Doubler:
    factor = 2
    def predict(self, rows):
        return shifted(scaled(rows["a"]) * self.factor)

rows = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
sys.stdout.buffer.write(bundle.pack(Doubler(), sample=rows).data)
"""


def run(code: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done


def test_a_class_of_the_notebook_and_a_module_beside_it_travel_with_the_model(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("BY = 10\n\ndef scaled(column):\n    return column * BY\n")
    (tmp_path / "folder").mkdir()  # no __init__.py: most people leave it out
    (tmp_path / "folder" / "inner.py").write_text("def shifted(column):\n    return column + 1\n")
    made = bundle.read(run(NOTEBOOK, str(tmp_path)).stdout)
    assert (made.format, made.is_data_only) == ("cloudpickle", False)
    assert "beside" not in sys.modules
    scored = frames.score(made.load(trusted=True), ROWS)
    assert list(scored["Scored Labels"]) == [21.0, 41.0, 61.0]


def test_two_versions_of_a_class_with_one_name_stay_apart() -> None:
    code = "class M:\n    def predict(self, rows):\n        return rows['a'] * {by}\nmodel = M()\n"
    packed = []
    for by in (2, 3):
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(code.format(by=by), scope)
        packed.append(bundle.pack(scope["model"], sample=ROWS))
    answers = [list(frames.score(one.load(trusted=True), ROWS)["Scored Labels"]) for one in packed]
    assert answers == [[2.0, 4.0, 6.0], [3.0, 6.0, 9.0]]


def test_the_folder_of_a_cell_is_no_part_of_a_model() -> None:
    """A kernel runs its cells from a folder named by its process number."""
    text = "def twice(rows):\n    return rows * 2\n"
    payloads = []
    for folder in ("/tmp/ipykernel_11", "/tmp/ipykernel_22"):
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(text, f"{folder}/3735.py", "exec"), scope)
        payloads.append(CloudpickleFormat().dump(scope["twice"]))
    assert payloads[0] == payloads[1]


def test_code_is_opened_only_when_trusted() -> None:
    payload = CloudpickleFormat().dump(lambda rows: rows)
    wants = CloudpickleFormat().wants(payload)
    assert wants[0] == "arbitrary Python (cloudpickle)"
    assert "cloudpickle.cloudpickle._make_function" in wants
    with pytest.raises(UntrustedContent, match="arbitrary Python"):
        CloudpickleFormat().load(payload, trusted=False)


def test_a_module_that_is_missing_where_it_is_opened_is_named() -> None:
    payload = {FILE: b"\x80\x05cno_such_module_here\nModel\n)\x81."}
    with pytest.raises(MissingDependency, match="pip install no_such_module_here"):
        CloudpickleFormat().load(payload, trusted=True)


LOCK = threading.Lock()


class Slotted:
    """Keeps its parts without a dictionary."""

    __slots__ = ("lock",)

    def __init__(self) -> None:
        self.lock = LOCK

    def predict(self, rows: pd.DataFrame) -> Any:
        return rows["a"]


IN_A_CELL: dict[str, Any] = {"__name__": "__main__", "LOCK": LOCK}
exec("def uses_a_lock(rows):\n    return rows.assign(locked=LOCK.locked())\n", IN_A_CELL)
uses_a_lock = IN_A_CELL["uses_a_lock"]


def around() -> Any:
    kept = [LOCK]
    return lambda rows: rows.assign(locked=kept[0].locked())


@pytest.mark.parametrize(
    ("model", "attribute"),
    [
        (Slotted(), "lock"),
        (uses_a_lock, "<global>.LOCK"),
        (around(), "<closure>.kept[0]"),
        (functools.partial(print, other={"deep": (1, LOCK)}), "keywords['other']['deep'][1]"),
    ],
    ids=["slot", "global", "closure", "partial"],
)
def test_the_part_that_cannot_be_saved_is_found_wherever_it_hides(model: Any, attribute: str) -> None:
    with pytest.raises(NotSerialisable) as caught:
        CloudpickleFormat().dump(model)
    assert caught.value.attribute == attribute
    assert "cannot pickle '_thread.lock' object" in str(caught.value)


def test_looking_for_the_culprit_ends_in_a_circle() -> None:
    one: dict[str, Any] = {}
    one["self"] = one
    assert culprit(one, lambda part: RecursionError("too deep")) == (
        "dict",
        "it refers to itself, or is nested too deeply",
    )


def test_what_a_model_raises_on_its_sample_is_said_in_one_sentence() -> None:
    def broken(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[["no such column"]]

    with pytest.raises(InvalidInput, match=r"rows of which it says KeyError: .*no such column"):
        bundle.pack(broken, sample=ROWS)


def test_a_model_that_answers_otherwise_once_read_back_is_not_kept() -> None:
    class Moody:
        asked = 0

        def predict(self, rows: pd.DataFrame) -> Any:
            Moody.asked += 1
            return rows["a"] * Moody.asked

    with pytest.raises(NotSerialisable, match="read back, it gives other answers"):
        bundle.pack(Moody(), sample=ROWS)
