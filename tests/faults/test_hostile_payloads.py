"""Models made to do harm, each with a canary that is shown to fire when opened plainly."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io as sio
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from mlalm_jupyter.domain.errors import Corrupt, UntrustedContent
from mlalm_jupyter.formats import bundle
from tests.faults.tampering import (
    ROWS,
    Canary,
    good_package,
    in_package,
    members,
    relisted,
    rewritten,
    zipped,
)


@pytest.fixture
def good() -> bytes:
    return good_package()


def test_a_pickle_called_skops_is_never_opened(good: bytes, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    evil = pickle.dumps(Canary(canary))
    data = zipped(relisted({**members(good), "payload/model.skops": evil}))
    opened = bundle.read(data)
    with pytest.raises(Corrupt, match="no readable skops"):
        opened.load(trusted=False)
    assert not canary.exists()
    pickle.loads(evil)
    assert canary.read_text() == "sang"


def test_a_pickle_that_says_it_is_only_data_is_refused(good: bytes, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    parts = members(good)
    parts.pop("payload/model.skops")
    evil = pickle.dumps(Canary(canary))
    data = zipped(relisted({**parts, "payload/model.pkl": evil}, format="cloudpickle", is_data_only=True))
    opened = bundle.read(data)
    assert not opened.is_data_only
    with pytest.raises(UntrustedContent, match="arbitrary Python"):
        opened.load(trusted=False)
    assert not canary.exists()
    pickle.loads(evil)
    assert canary.exists()


def test_a_skops_file_that_names_other_types_is_refused_by_their_names(good: bytes, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    inner = members(sio.dumps(LinearRegression()))
    schema = json.loads(inner["schema.json"])
    schema["content"]["content"]["fit_intercept"] = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "content": {"module_path": "os", "function": "system"},
        "__id__": 1,
    }
    evil = zipped({**inner, "schema.json": json.dumps(schema).encode()})
    opened = bundle.read(zipped(relisted({**members(good), "payload/model.skops": evil})))
    assert any("system" in one for one in opened.wants())
    with pytest.raises(UntrustedContent, match="system"):
        opened.load(trusted=False)
    assert not canary.exists()


def left_to(place: int) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    """Make the first node of the first tree lead to a place that is not there."""

    def change(schema: dict[str, Any], inner: dict[str, bytes]) -> None:
        for name, data in inner.items():
            array = np.load(io.BytesIO(data))
            for field in ("left_child", "left"):
                if field in (array.dtype.names or ()):
                    array[field][0] = array["right_child" if field == "left_child" else "right"][0] = place
                    out = io.BytesIO()
                    np.save(out, array)
                    inner[name] = out.getvalue()
                    return
        raise AssertionError("no tree in the file")

    return change


PLAIN = """
import sys
import pandas as pd, skops.io as sio
data = open(sys.argv[1], "rb").read()
model = sio.loads(data, trusted=sio.get_untrusted_types(data=data))
model.predict(pd.DataFrame({"a": [1.0, 2.0, 3.0]}))
"""


@pytest.mark.parametrize(
    ("model", "place"),
    [
        (DecisionTreeRegressor(), 2**40),
        (HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=1), 2**31),
    ],
    ids=["tree", "boosting"],
)
def test_a_tree_that_leads_outside_itself_is_refused(
    good: bytes, tmp_path: Path, model: Any, place: int
) -> None:
    """The canary is the process itself: opened plainly, it dies of a segmentation fault."""
    honest = sio.dumps(model.fit(ROWS, ROWS["a"]))
    assert in_package(good, honest).load(trusted=False) is not None
    evil = rewritten(honest, left_to(place))
    with pytest.raises(Corrupt, match="in it points outside itself"):
        in_package(good, evil).load(trusted=False)
    (tmp_path / "evil.skops").write_bytes(evil)
    plain = [sys.executable, "-c", PLAIN, str(tmp_path / "evil.skops")]
    assert subprocess.run(plain, capture_output=True, timeout=120, check=False).returncode < 0


def test_a_tree_that_leads_back_to_itself_is_refused(good: bytes) -> None:
    """Followed plainly, it would never end."""
    evil = rewritten(sio.dumps(DecisionTreeRegressor().fit(ROWS, ROWS["a"])), left_to(0))
    with pytest.raises(Corrupt, match="in it points outside itself"):
        in_package(good, evil).load(trusted=False)


def test_a_tree_for_wider_rows_than_its_estimator_takes_is_refused(good: bytes) -> None:
    wide = pd.DataFrame(dict.fromkeys("abcdefgh", ROWS["a"]))

    def narrow(schema: dict[str, Any], inner: dict[str, bytes]) -> None:
        schema["content"]["content"]["n_features_in_"]["content"] = "1"

    evil = rewritten(sio.dumps(DecisionTreeRegressor().fit(wide, ROWS["a"])), narrow)
    with pytest.raises(Corrupt, match="in it points outside itself"):
        in_package(good, evil).load(trusted=False)


def test_a_neighbour_that_is_not_there_is_refused(good: bytes) -> None:
    def elsewhere(schema: dict[str, Any], inner: dict[str, bytes]) -> None:
        for name, data in inner.items():
            array = np.load(io.BytesIO(data))
            if array.dtype == np.int64 and array.shape == (len(ROWS),):
                out = io.BytesIO()
                np.save(out, array + 10**12)
                inner[name] = out.getvalue()

    model = KNeighborsRegressor(1, algorithm="kd_tree").fit(ROWS, ROWS["a"])
    assert in_package(good, sio.dumps(model)).load(trusted=False) is not None
    with pytest.raises(Corrupt, match="A KDTree in it points outside itself"):
        in_package(good, rewritten(sio.dumps(model), elsewhere)).load(trusted=False)


def test_a_model_that_reads_the_files_its_rows_name_is_refused(good: bytes, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame sesame")
    reader = CountVectorizer(input="filename", vocabulary=["sesame"])
    evil = sio.dumps(reader)
    opened = in_package(good, evil)
    with pytest.raises(UntrustedContent, match="reads files"):
        opened.load(trusted=False)
    assert sio.loads(evil).transform([str(secret)]).toarray().tolist() == [[2]]


def test_a_part_that_borrows_the_number_of_another_is_what_it_says_it_is(good: bytes) -> None:
    """skops takes the first part with a number for all of them; the audit reads what is written."""

    def borrowed(schema: dict[str, Any], inner: dict[str, bytes]) -> None:
        held = schema["content"]["content"]
        other = {**held["input"], "__id__": 77, "content": '"filename"'}
        schema["content"]["content"] = {"_first": other, **held, "input": {**held["input"], "__id__": 77}}
        schema["content"]["key_types"]["content"].append(schema["content"]["key_types"]["content"][0])

    evil = rewritten(sio.dumps(CountVectorizer(vocabulary=["sesame"])), borrowed)
    assert sio.loads(evil).input == "filename"
    loaded: Any = in_package(good, evil).load(trusted=False)
    assert loaded.input == "content"


def test_a_method_of_an_allowed_object_is_refused_by_its_name(good: bytes) -> None:
    def method(schema: dict[str, Any], inner: dict[str, bytes]) -> None:
        held = schema["content"]["content"]
        held["fit_intercept"] = {
            "__class__": "LinearRegression",
            "__module__": "sklearn.linear_model._base",
            "__loader__": "MethodNode",
            "content": {"func": "set_params", "obj": json.loads(json.dumps(schema))},
        }

    opened = in_package(good, rewritten(sio.dumps(LinearRegression()), method))
    assert "sklearn.linear_model._base.LinearRegression.set_params" in opened.wants()


@pytest.mark.parametrize("protocol", [0, 3, "2", None])
def test_a_file_that_asks_for_other_readers_is_refused(good: bytes, protocol: object) -> None:
    evil = rewritten(sio.dumps(LinearRegression()), lambda schema, inner: schema.update(protocol=protocol))
    with pytest.raises(Corrupt, match="it says protocol"):
        in_package(good, evil).wants()


def test_a_sparse_array_that_grows_is_refused(good: bytes) -> None:
    out = io.BytesIO()
    np.savez_compressed(out, data=np.zeros(10_000_000))
    inner = {**members(sio.dumps(LinearRegression())), "1.npz": out.getvalue()}
    with pytest.raises(Corrupt, match=r"Its part '1.npz' is compressed"):
        in_package(good, zipped(inner)).wants()


def test_text_nested_without_end_is_refused(good: bytes) -> None:
    inner = members(sio.dumps(LinearRegression()))
    inner["schema.json"] = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    with pytest.raises(Corrupt, match="no readable skops"):
        in_package(good, zipped(inner)).load(trusted=False)


def test_a_skops_file_that_grows_is_refused(good: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"[" + b" " * 50_000_000)
    opened = bundle.read(zipped(relisted({**members(good), "payload/model.skops": out.getvalue()})))
    with pytest.raises(Corrupt, match="compressed"):
        opened.wants()
