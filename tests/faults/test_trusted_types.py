"""Classes trusted by their name: in files of data alone, one by one, and only as long as the owner says so."""

from __future__ import annotations

import io
import json
import pickle
import sqlite3
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import skops.io as sio
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from mlalm_jupyter.domain.errors import AgainstPolicy, InvalidInput, MissingDependency, UntrustedContent
from mlalm_jupyter.domain.trust import TYPE
from mlalm_jupyter.formats import bundle
from mlalm_jupyter.formats.audit import audited
from mlalm_jupyter.formats.inspection import inspected
from mlalm_jupyter.surfaces.display import html_of, text_of
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import package, write

pytestmark = [pytest.mark.prove_models, pytest.mark.timeout(240)]

ROWS = pd.DataFrame({"hour": [1.0, 2.0, 3.0, 4.0], "wind": [4.5, 0.0, 1.25, 3.0]})
SPLINE = "scipy.interpolate._bsplines.BSpline"
OWN = """
from pathlib import Path
from sklearn.base import BaseEstimator, TransformerMixin
Path({canary!r}).write_text("imported")

class Ratio(TransformerMixin, BaseEstimator):
    def fit(self, rows, y=None):
        self.mean_ = float(rows.to_numpy().mean())
        return self
    def transform(self, rows):
        return rows / self.mean_

class Other(Ratio):
    def __setstate__(self, state):
        Path({canary!r}).write_text("made")
        self.__dict__.update(state)
"""


def spline(tmp_path: Path) -> tuple[str, Any]:
    """A skops file as somebody else wrote it, which holds objects of a class of scipy's."""
    model = make_pipeline(SplineTransformer(n_knots=3, degree=2), LinearRegression())
    sio.dump(model.fit(ROWS, ROWS["hour"] * 2), tmp_path / "spline.skops")
    return str(tmp_path / "spline.skops"), model


def listed(ws: Workspace) -> list[str]:
    return [seal.digest for seal in ws.trust.list() if seal.kind == TYPE]


def test_a_type_that_nobody_trusts_is_refused_with_its_name_and_the_line_that_trusts_it(
    hosted: Workspace, tmp_path: Path
) -> None:
    ws, (file, model) = hosted, spline(tmp_path)
    with pytest.raises(UntrustedContent) as caught:
        ws.models.register(file, "curve", sample=ROWS)
    assert (caught.value.wants, caught.value.types) == ((SPLINE,), (SPLINE,))
    assert f"It would make objects of '{SPLINE}', which this workspace does not trust." in str(caught.value)
    assert f"`mlalm trust add {SPLINE}`" in caught.value.fix
    assert f"`mlalm trust add {caught.value.digest} --kind file`" in caught.value.fix
    assert len(ws.models.list()) == 0
    assert ws.models.verify(file).opening == f"opening it would make objects of {SPLINE}"

    assert (ws.trust.add(SPLINE).kind, listed(ws)) == (TYPE, [SPLINE])
    assert ws.trust.add(SPLINE) == ws.trust.list()[0], "saying it again changes nothing"
    made = ws.models.register(file, "curve", sample=ROWS)
    assert (made.format, made.is_data_only) == ("skops", False)
    assert "trusts by name" in ws.models.verify("curve:1").opening
    loaded: Any = ws.models.load("curve:1")
    assert loaded.predict(ROWS).tolist() == model.predict(ROWS).tolist()
    assert SPLINE in text_of(ws.trust.list())
    assert SPLINE in html_of(ws.trust.add(SPLINE))


def test_what_serves_by_trust_in_a_type_serves_as_long_as_it_is_not_taken_back(
    hosted: Workspace, tmp_path: Path
) -> None:
    ws, (file, model) = hosted, spline(tmp_path)
    ws.trust.add(SPLINE)
    ws.models.register(file, "curve", sample=ROWS)
    ws.services.deploy("curve:1", "curve")
    expected = model.predict(ROWS).tolist()
    assert [row[-1] for row in ws.services.score("curve", ROWS).rows] == expected
    ws.trust.remove(SPLINE, yes=True)
    assert listed(ws) == []
    assert [row[-1] for row in ws.services.score("curve", ROWS).rows] == expected, "what serves goes on"
    for refused in (
        lambda: ws.models.load("curve:1"),
        lambda: ws.services.deploy("curve:1", "again"),
        lambda: ws.models.register(file, "curve", sample=ROWS),
    ):
        with pytest.raises(UntrustedContent, match=f"`mlalm trust add {SPLINE}`"):
            refused()


def test_a_trusted_type_is_no_signature(workspace: Workspace, tmp_path: Path) -> None:
    file, _ = spline(tmp_path)
    workspace.trust.add(SPLINE)
    workspace.models.register(file, "curve", sample=ROWS)
    workspace.policies.add("signed", "signed-models")
    with pytest.raises(AgainstPolicy):
        workspace.services.deploy("curve:1", "curve")


def test_a_package_with_such_objects_is_opened_where_its_types_are_trusted_too(
    hosted: Workspace, tmp_path: Path
) -> None:
    ws, (file, model) = hosted, spline(tmp_path)
    ws.trust.add(SPLINE)
    ws.models.register(file, "curve", sample=ROWS)
    sent = ws.models.download("curve:1", str(tmp_path / "curve.ilearner")).file
    look = inspected(Path(sent))
    assert (look.wants, look.types) == ((SPLINE,), (SPLINE,))
    with Workspace.init(tmp_path / "elsewhere") as other:
        other.models.register(sent, "curve")
        for refused in (lambda: other.models.load("curve:1"), lambda: other.models.load(sent)):
            with pytest.raises(UntrustedContent, match=f"`mlalm trust add {SPLINE}`"):
                refused()
        other.trust.add(SPLINE)
        for opened in (other.models.load("curve:1"), other.models.load(sent)):
            found: Any = opened
            assert found.predict(ROWS).tolist() == model.predict(ROWS).tolist()


def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *classes: str) -> tuple[Path, Path]:
    """A skops file with objects of classes of a person's own, and where they show that they came to life."""
    canary, file = tmp_path / "canary", tmp_path / "own.skops"
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "own_features.py").write_text(OWN.format(canary=str(canary)))
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    sys.modules.pop("own_features", None)
    import own_features  # type: ignore[import-not-found]

    steps = [getattr(own_features, name)() for name in classes]
    sio.dump(make_pipeline(*steps, LinearRegression()).fit(ROWS, ROWS["hour"]), file)
    del sys.modules["own_features"]
    canary.unlink()
    return file, canary


def test_nothing_of_an_untrusted_type_is_imported_and_trust_in_one_is_none_in_another(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, canary = own(tmp_path, monkeypatch, "Ratio", "Other")
    with pytest.raises(UntrustedContent) as caught:
        workspace.models.register(str(file), "own", sample=ROWS)
    assert set(caught.value.types) == {"own_features.Ratio", "own_features.Other"}
    workspace.trust.add("own_features.Ratio")
    with pytest.raises(UntrustedContent) as caught:
        workspace.models.register(str(file), "own", sample=ROWS)
    assert caught.value.types == ("own_features.Other",)
    assert not canary.exists()
    assert "own_features" not in sys.modules
    workspace.trust.add("own_features.Other")
    workspace.models.register(str(file), "own", sample=ROWS)
    assert canary.read_text() == "made", "it does show where it is made"


def test_a_trusted_type_that_is_not_installed_is_named(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = own(tmp_path, monkeypatch, "Ratio")
    workspace.trust.add("own_features.Ratio")
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one != str(tmp_path / "lib")])
    with pytest.raises(MissingDependency, match="the module 'own_features'"):
        workspace.models.register(str(file), "own", sample=ROWS)


def test_no_name_lets_a_pickle_in(workspace: Workspace, tmp_path: Path) -> None:
    fitted = LinearRegression().fit(ROWS, ROWS["hour"])
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(fitted))
    look = inspected(path)
    assert look.types == ()
    for name in ("sklearn.linear_model._base.LinearRegression", "numpy.ndarray", "numpy.dtype"):
        workspace.trust.add(name)
    for name in look.wants:
        if "." in name and " " not in name and not name.startswith("builtins"):
            workspace.trust.add(name)
    with pytest.raises(UntrustedContent) as caught:
        workspace.models.register(str(path), "pickled", sample=ROWS)
    assert caught.value.types == ()
    coded = bundle.pack(lambda rows: rows, sample=ROWS)
    assert (coded.format, coded.types()) == ("cloudpickle", [])
    asked: list[str] = []
    with pytest.raises(UntrustedContent):
        coded.load(trusted=False, allows=lambda name: not asked.append(name))
    assert asked == [], "formats with code in them never ask"
    workspace.models.register(write(workspace, "coded.ilearner", coded.data), "coded")
    with pytest.raises(UntrustedContent):
        workspace.models.load("coded:1")


@pytest.mark.parametrize("loader", ["FunctionNode", "TypeNode", "ConstructorFromReduceNode", "PartialNode"])
def test_a_name_is_trusted_for_objects_and_for_nothing_else(loader: str) -> None:
    def schema(*loaders: str) -> dict[str, Any]:
        nodes = [{"__loader__": one, "__module__": "features", "__class__": "Ratio"} for one in loaders]
        return {"protocol": 2, "parts": nodes}

    assert audited(schema("ObjectNode")).types == {"features.Ratio"}
    assert audited(schema(loader)).types == set()
    assert audited(schema("ObjectNode", loader)).types == set(), "a file that wants it for more is not let in"


@pytest.mark.parametrize(
    "name", ["subprocess.Popen", "os.system", "builtins.eval", "__main__.Ratio", "tempfile._X"]
)
def test_what_belongs_to_python_itself_is_not_trusted_by_name(workspace: Workspace, name: str) -> None:
    before = len(workspace.trust.list())
    with pytest.raises(InvalidInput, match="Trust the hash of the file instead"):
        workspace.trust.add(name)
    assert len(workspace.trust.list()) == before


@pytest.mark.parametrize("name", ["Ratio", "features.Ratio()", "features..Ratio", "a b.c", "x." + "y" * 300])
def test_what_names_no_class_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(InvalidInput, match="64 hex digits, or a class such as"):
        workspace.trust.add(name)


def test_a_type_that_somebody_wrote_into_the_catalog_does_not_count(
    workspace: Workspace, tmp_path: Path
) -> None:
    file, _ = spline(tmp_path)
    workspace.trust.add("features.Ratio")
    with sqlite3.connect(workspace.path / ".mlalm/catalog.sqlite") as db:
        db.execute("UPDATE seals SET digest = ? WHERE kind = 'type'", (SPLINE,))
    with pytest.raises(UntrustedContent):
        workspace.models.register(file, "curve", sample=ROWS)
    (found,) = [one for one in workspace.workspaces.doctor().findings if SPLINE in one.where]
    assert f"mlalm trust remove {SPLINE}" in found.fix


def test_a_file_that_wants_more_beside_types_is_refused_by_its_hash_alone(
    workspace: Workspace, tmp_path: Path
) -> None:
    file, _ = spline(tmp_path)
    out = io.BytesIO()
    with zipfile.ZipFile(file) as given, zipfile.ZipFile(out, "w") as made:
        for name in given.namelist():
            data = given.read(name)
            if name == "schema.json":
                schema = json.loads(data)
                schema["more"] = {"__loader__": "FunctionNode", "__module__": "os", "__class__": "system"}
                data = json.dumps(schema).encode()
            made.writestr(name, data)
    workspace.trust.add(SPLINE)
    path = write(workspace, "more.skops", out.getvalue())
    with pytest.raises(UntrustedContent) as caught:
        workspace.models.register(path, "more", sample=ROWS)
    assert caught.value.types == ()
    assert "os.system" in caught.value.wants
    assert "trust add os.system" not in caught.value.fix


def test_a_package_of_data_is_opened_without_a_question(workspace: Workspace) -> None:
    opened = bundle.read(package())
    assert opened.load(trusted=False, allows=lambda name: pytest.fail(name)) is not None
