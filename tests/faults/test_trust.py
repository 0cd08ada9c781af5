"""Whose code runs here: what this workspace signed, and nothing else, whichever way it comes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from sklearn.linear_model import LinearRegression

from mlalm_jupyter.domain.errors import InvalidInput, MlalmError, NotFound, UntrustedContent
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_skeleton, pytest.mark.timeout(240)]

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
CODE = "def f(rows):\n    rows['b'] = rows['a'] * 2\n    return rows\n"


@pytest.fixture
def served(hosted: Workspace, tmp_path: Path) -> Workspace:
    """A workspace whose service `twice` runs a function of its own."""
    (tmp_path / "f.py").write_text(CODE)
    hosted.services.deploy(str(tmp_path / "f.py"), "twice", sample=ROWS)
    return hosted


def state(ws: Workspace) -> Any:
    endpoint = ws.endpoints.show("twice").to_dict()
    return endpoint, [move.to_dict() for move in ws.endpoints.history("twice")], len(ws.services.list())


def altered(ws: Workspace, tmp_path: Path, old: str, new: str) -> Path:
    ws.definitions.export("twice", str(tmp_path / "twice.json"))
    text = (tmp_path / "twice.json").read_text()
    assert text.count(old) == 1
    path = tmp_path / "altered.json"
    path.write_text(text.replace(old, new))
    return path


def test_one_changed_character_of_a_signed_definition_is_refused(served: Workspace, tmp_path: Path) -> None:
    before = state(served)
    file = altered(served, tmp_path, "* 2", "* 3")
    with pytest.raises(UntrustedContent) as caught:
        served.services.deploy(str(file), "twice", update=True)
    assert "the code of node code1 (f)" in str(caught.value)
    assert f"mlalm trust add {caught.value.digest}" in str(caught.value)
    assert state(served) == before
    assert served.services.score("twice", ROWS).rows[0] == (1.0, 2.0)


def test_the_same_definition_unaltered_is_ours(served: Workspace, tmp_path: Path) -> None:
    served.definitions.export("twice", str(tmp_path / "twice.json"))
    again = served.services.deploy(str(tmp_path / "twice.json"), "again")
    assert again.default.definition_hash == served.endpoints.show("twice").definition_hash


def test_an_owner_may_trust_what_came_from_elsewhere(served: Workspace, tmp_path: Path) -> None:
    file = altered(served, tmp_path, "* 2", "* 3")
    with pytest.raises(UntrustedContent) as caught:
        served.services.deploy(str(file), "twice", update=True)
    served.trust.add(caught.value.digest)
    served.services.deploy(str(file), "twice", update=True)
    assert served.services.score("twice", ROWS).rows[0] == (1.0, 3.0)
    served.trust.remove(caught.value.digest, yes=True)
    with pytest.raises(NotFound, match=r"No seal 'aaa'\. .* List them with `mlalm trust list`\."):
        served.trust.remove("aaa", yes=True)
    with pytest.raises(UntrustedContent):
        served.services.deploy(str(file), "third")
    assert served.services.score("twice", ROWS).rows[0] == (1.0, 3.0), "what serves goes on"


def test_a_definition_from_another_workspace_is_refused(served: Workspace, tmp_path: Path) -> None:
    served.definitions.export("twice", str(tmp_path / "twice.json"))
    other = Workspace.init(tmp_path / "other")
    with pytest.raises(UntrustedContent):
        other.services.deploy(str(tmp_path / "twice.json"), "twice")
    assert len(other.services.list()) == 0


def test_a_definition_posted_over_http_is_refused_with_400(served: Workspace, tmp_path: Path) -> None:
    before = state(served)
    canary = tmp_path / "canary"
    document = served.definitions.show("twice").to_dict()
    source = document["properties"]["package"]["nodes"]["code1"]["parameters"]["Source"]
    source["value"] = f"import pathlib; pathlib.Path({str(canary)!r}).write_text('sang')\n" + source["value"]
    base = served.server.status().base_url
    url = f"{base}/mlalm/api/service/deploy"
    body = json.dumps({"what": document, "service": "twice", "update": True})
    token = served.context.keyring.management_token()
    answer = requests.post(url, data=body, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "UntrustedContent"
    scoring_key = served.endpoints.key_pair("twice").primary
    for wrong in (scoring_key, "nonsense", ""):
        refused = requests.post(url, data=body, headers={"Authorization": f"Bearer {wrong}"}, timeout=30)
        assert refused.status_code == 401
    assert state(served) == before
    assert not canary.exists()
    exec(compile(source["value"], "<plainly>", "exec"), {})
    assert canary.exists(), "the canary does sing when it is run"


def test_a_seal_that_somebody_wrote_into_the_catalog_does_not_count(
    served: Workspace, tmp_path: Path
) -> None:
    import sqlite3

    file = altered(served, tmp_path, "* 2", "* 3")
    digest = served.definitions.validate(str(file)).digest
    with sqlite3.connect(served.path / ".mlalm/catalog.sqlite") as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(seals)")]
        row = db.execute("SELECT * FROM seals WHERE kind = 'definition'").fetchone()
        forged = {**dict(zip(columns, row, strict=True)), "digest": digest}
        db.execute(
            f"INSERT INTO seals ({', '.join(forged)}) VALUES ({', '.join('?' * len(forged))})",
            list(forged.values()),
        )
    db.close()
    with pytest.raises(UntrustedContent):
        served.services.deploy(str(file), "twice", update=True)
    assert any("key did not make it" in finding.what for finding in served.workspaces.doctor().findings)


def test_a_model_from_elsewhere_that_carries_code_is_kept_but_not_served(
    hosted: Workspace, tmp_path: Path
) -> None:
    other = Workspace.init(tmp_path / "other")
    other.models.register(lambda rows: rows.assign(b=1), "theirs", sample=ROWS)
    other.models.download("theirs", str(tmp_path / "theirs.ilearner"))
    kept = hosted.models.register(str(tmp_path / "theirs.ilearner"), "theirs")
    assert (kept.is_data_only, kept.lineage.origin) == (False, "external")
    with pytest.raises(UntrustedContent, match=kept.model_hash):
        hosted.services.deploy("theirs:1", "theirs")
    assert len(hosted.services.list()) == 0
    hosted.trust.add(kept.model_hash)
    hosted.services.deploy("theirs:1", "theirs")
    assert hosted.services.score("theirs", ROWS).rows[0] == (1.0, 1)


def test_a_model_of_data_only_serves_wherever_it_was_trained(hosted: Workspace, tmp_path: Path) -> None:
    other = Workspace.init(tmp_path / "other")
    theirs = other.models.register(LinearRegression().fit(ROWS, ROWS["a"] * 2), "line", sample=ROWS)
    other.models.download("line", str(tmp_path / "line.ilearner"))
    kept = hosted.models.register(str(tmp_path / "line.ilearner"), "line")
    assert kept.model_hash == theirs.model_hash
    hosted.services.deploy("line:1", "line")
    answer = hosted.services.score("line", ROWS)
    assert (answer.model, answer.model_hash) == ("line:1", kept.model_hash)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("mlalm://models/line/1?", "mlalm://models/line/7?", NotFound),
        ("mlalm://models/line/1?", "mlalm://models/lane/1?", NotFound),
        ("?sha256=", "?sha256=0", InvalidInput),
        ("mlalm://models", "file:///models", InvalidInput),
    ],
)
def test_a_definition_whose_model_is_not_here_moves_nothing(
    hosted: Workspace, tmp_path: Path, old: str, new: str, error: type[MlalmError]
) -> None:
    hosted.models.register(LinearRegression().fit(ROWS, ROWS["a"]), "line", sample=ROWS)
    hosted.services.deploy("line:1", "line")
    hosted.definitions.export("line", str(tmp_path / "line.json"))
    text = (tmp_path / "line.json").read_text()
    assert old in text
    (tmp_path / "line.json").write_text(text.replace(old, new))
    before = hosted.endpoints.show("line").to_dict()
    with pytest.raises(error):
        hosted.services.deploy(str(tmp_path / "line.json"), "line", update=True)
    assert hosted.endpoints.show("line").to_dict() == before


def test_deploying_again_signs_again_what_somebody_broke(served: Workspace, tmp_path: Path) -> None:
    digest = served.endpoints.show("twice").definition_hash
    (seal,) = served.trust.list()
    with sqlite3.connect(served.path / ".mlalm" / "catalog.sqlite") as file:
        file.execute("UPDATE seals SET signature = ?", ("00" * 64,))
    with pytest.raises(UntrustedContent):
        served.endpoints.add("twice/second")
    again = served.services.deploy(str(tmp_path / "f.py"), "twice", sample=ROWS, update=True)
    assert "holds again" in again.default.note
    assert [(one.digest, one.signature) for one in served.trust.list()] == [(digest, seal.signature)]
    assert served.services.deploy(str(tmp_path / "f.py"), "twice", sample=ROWS, update=True).default.note == (
        "Nothing changed: it serves exactly this already."
    )
    assert served.services.score("twice", ROWS).rows[0] == (1.0, 2.0)
