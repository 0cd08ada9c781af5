"""Training again on the same data through the product: a notebook, a run, a service, `retrain run` twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import notebook
from tests.frameworks import FRAMEWORKS

pytestmark = [pytest.mark.prove_models, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]
NAMES = [name for name, one in FRAMEWORKS.items() if one.is_deterministic]
TRAINING = f"""
import sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, {str(ROOT)!r})
from mlalm_jupyter import Workspace
from tests.frameworks import FRAMEWORKS
rows = Workspace.open().datasets.load("rows")
for name in {NAMES!r}:
    try:
        model = FRAMEWORKS[name].make()
    except BaseException as error:
        if type(error).__name__ != "Skipped":
            raise
        continue
    Workspace.open().models.register(model, name.replace(" ", "-").replace(".", "-"), sample=rows.head())
"""
SEARCHING = """
search = Workspace.open().models.register(FRAMEWORKS["a search"].make(), "search", sample=rows.head())
"""


@pytest.mark.full
def test_retraining_on_the_same_data_gives_the_hash_of_every_form_that_says_so(
    hosted: Workspace, figures: Counter[str]
) -> None:
    from tests.frameworks import ROWS

    ROWS.to_csv(hosted.path / "rows.csv", index=False)
    hosted.datasets.upload(str(hosted.path / "rows.csv"), "rows")
    hosted.experiments.run(notebook(hosted, TRAINING, SEARCHING, name="forms.ipynb"), timeout_s=200)
    hosted.services.deploy("scikit-learn:1", "forms")
    again = [hosted.retraining.run("forms").model for _ in range(2)]
    assert [one.reference for one in again if one] == ["scikit-learn:2", "scikit-learn:3"]
    assert [one.equal_to for one in again if one] == [1, 2]
    made = [one.name for one in hosted.models.list(limit=100)]
    for name in made:
        versions = hosted.models.list(name=name)
        hashes = {one.model_hash for one in versions}
        assert len(versions) == 3
        if name == "search":
            assert {one.is_deterministic for one in versions} == {False}
            assert len(hashes) == 3
            assert "keeps how long its fitting took" in versions[0].varies[0]
            continue
        assert {one.is_deterministic for one in versions} == {True}, name
        assert len(hashes) == 1, name
        figures["forms whose hash came again from `retrain run`"] += 1
    assert {"scikit-learn", "search"} <= set(made)
