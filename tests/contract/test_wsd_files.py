"""Definitions in files: changed with sed, with a verb, reverted with git, deployed, applied, and told apart in words."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from mlalm_jupyter.domain.errors import Conflict, InUse, InvalidInput, NotFound, UntrustedContent
from mlalm_jupyter.domain.wsd.changes import differences_between
from mlalm_jupyter.domain.wsd.editing import with_model_in
from mlalm_jupyter.workspace import Workspace

pytestmark = [pytest.mark.prove_services, pytest.mark.timeout(240)]
ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
CODE = "def f(rows, *, factor=2.0):\n    return rows.assign(b=rows['a'] * factor)\n"


def fitted(factor: float) -> LinearRegression:
    return LinearRegression().fit(ROWS, ROWS["a"] * factor)


@pytest.fixture
def ws(hosted: Workspace) -> Workspace:
    """A workspace with three models, the first of them served."""
    for factor in (1.0, 2.0, 3.0):
        hosted.models.register(fitted(factor), "line", sample=ROWS)
    hosted.services.deploy("line:1", "line")
    return hosted


def says(ws: Workspace, service: str) -> list[float]:
    answer = ws.services.score(service, ROWS)
    return [round(float(str(row[-1])), 6) for row in answer.rows]


def told(ws: Workspace, old: str, new: str) -> list[str]:
    return [one.told for one in ws.definitions.diff(old, new)]


def test_sed_on_an_exported_file_makes_a_service_with_the_other_model(ws: Workspace) -> None:
    file = Path(ws.definitions.export("line", str(ws.path / "line.wsd.json")).file)
    edit = r"s#models/line/1?sha256=[0-9a-f]*#models/line/2#"
    subprocess.run(["sed", "-i", edit, str(file)], check=True)
    before = ws.endpoints.show("line").definition_hash
    made = ws.definitions.deploy(str(file), "other")
    assert made.default.model == "line:2"
    assert says(ws, "other") == [2, 4, 6]
    assert says(ws, "line") == [1, 2, 3]
    assert ws.endpoints.show("line").definition_hash == before


def test_a_location_that_does_not_exist_is_refused_before_anything_moves(ws: Workspace) -> None:
    file = Path(ws.definitions.export("line", str(ws.path / "line.wsd.json")).file)
    text = file.read_text()
    services = len(ws.services.list())
    for wrong, error, said in (
        (text.replace("models/line/1", "models/line/9"), NotFound, "line:9"),
        (text.replace("models/line/1", "models/lime/1"), NotFound, "lime:1"),
        (text.replace("models/line/1", "models/line/2"), InvalidInput, "the hash of line:2"),
        (
            re.sub(r"mlalm://[^\"]*", "https://example.org/a.ilearner", text),
            InvalidInput,
            "mlalm://models/NAME",
        ),
    ):
        file.write_text(wrong)
        with pytest.raises(error, match=re.escape(said)):
            ws.definitions.deploy(str(file), "other")
        with pytest.raises(error):
            ws.definitions.apply(str(file), "line")
    assert len(ws.services.list()) == services
    assert says(ws, "line") == [1, 2, 3]


def test_applying_a_file_follows_git_forward_and_back(ws: Workspace) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
        subprocess.run(["git", *who, *words], cwd=ws.path, check=True, capture_output=True)

    git("init", "-q")
    ws.definitions.export("line", str(ws.path / "line.wsd.json"))
    git("add", "line.wsd.json")
    git("commit", "-qm", "one")
    first = ws.endpoints.show("line").definition_hash
    assert (
        ws.definitions.apply("line.wsd.json").default.note
        == "Nothing changed: it serves exactly this already."
    )
    ws.definitions.set_model("line.wsd.json", "line:3")
    git("commit", "-qam", "three")
    assert ws.definitions.apply("line.wsd.json").default.model == "line:3"
    assert says(ws, "line") == [3, 6, 9]
    git("revert", "--no-edit", "HEAD")
    assert ws.definitions.apply("line.wsd.json").default.definition_hash == first
    assert says(ws, "line") == [1, 2, 3]
    assert [move.action for move in ws.endpoints.history("line")] == ["deploy", "update", "update"]


def test_a_file_is_applied_to_a_service_that_is_not_there_and_to_one_endpoint(ws: Workspace) -> None:
    ws.definitions.export("line:2", str(ws.path / "fresh.wsd.json"))
    assert ws.definitions.apply("fresh.wsd.json").default.model == "line:2"
    ws.endpoints.add("line/ep2")
    ws.definitions.apply("fresh.wsd.json", "line/ep2")
    assert (says(ws, "line/ep2"), says(ws, "line")) == ([2, 4, 6], [1, 2, 3])
    assert [move.action for move in ws.endpoints.history("line/ep2")] == ["add", "apply"]
    with pytest.raises(NotFound, match="line/nope"):
        ws.definitions.apply("fresh.wsd.json", "line/nope")


def test_the_definition_of_a_model_is_what_deploying_it_would_serve(ws: Workspace) -> None:
    written = ws.definitions.export("line:1", str(ws.path / "one.wsd.json"))
    assert written.digest == ws.endpoints.show("line").definition_hash
    assert Path(written.file).read_text() == ws.definitions.show("line").text


def test_the_older_published_form_is_written_and_read_as_the_same_definition(ws: Workspace) -> None:
    (ws.path / "f.py").write_text(CODE)
    ws.services.deploy(str(ws.path / "f.py"), "twice", sample=ROWS)
    newer = ws.definitions.export("twice", str(ws.path / "new.json"))
    older = ws.definitions.export("twice", str(ws.path / "old.json"), api_version="2016-05-01-preview")
    node = json.loads(Path(older.file).read_text())["properties"]["package"]["nodes"]["code1"]
    assert node["parameters"]["Source"] == CODE
    assert ws.definitions.validate(older.file).digest == newer.digest
    assert told(ws, older.file, newer.file) == []
    with pytest.raises(InvalidInput, match="2017-01-01 or 2016-05-01-preview, got '2015'"):
        ws.definitions.export("twice", str(ws.path / "x.json"), api_version="2015")


def test_set_model_changes_two_values_and_no_other_byte(ws: Workspace) -> None:
    file = ws.path / "typed.wsd.json"
    text = ws.definitions.show("line").text.replace("  ", "\t").replace('"assets"', '"Assets"')
    file.write_text(text.replace('"title": "line"', '"title":   "line"'))
    before = file.read_text().splitlines()
    written = ws.definitions.set_model(str(file), "line:2", asset="line")
    after = file.read_text().splitlines()
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert len(changed) == 1
    assert "mlalm://models/line/2?sha256=" in changed[0][1]
    assert written.note == "asset1 went from line:1 to line:2; nothing serves it yet."
    assert ws.definitions.set_model(str(file), "line:2").note.startswith("Nothing changed")
    with pytest.raises(InvalidInput, match="The asset 'lime' is not valid"):
        ws.definitions.set_model(str(file), "line:1", asset="lime")
    with pytest.raises(NotFound):
        ws.definitions.set_model(str(file), "line:7")
    assert file.read_text().splitlines() == after


def test_set_model_leaves_what_another_wrote_meanwhile_and_marks_that_an_editor_put(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ws.path / "line.wsd.json"
    text = ws.definitions.show("line").text.replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    ws.definitions.set_model(str(file), "line:2")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf{\r\n")
    others = text.replace('"title": "line"', '"title": "mine"').encode()

    def saves(*given: Any) -> str:
        file.write_bytes(others)
        return with_model_in(*given)

    monkeypatch.setattr("mlalm_jupyter.api.definitions.with_model_in", saves)
    with pytest.raises(
        Conflict, match=r"The definition 'line\.wsd\.json' was not changed\. Somebody saved it"
    ):
        ws.definitions.set_model(str(file), "line:3")
    assert file.read_bytes() == others


def test_set_model_takes_a_file_whose_other_addresses_leave_their_hash_away(ws: Workspace) -> None:
    (ws.path / "rates.csv").write_text("a\n1\n")
    ws.datasets.upload(str(ws.path / "rates.csv"), "rates")
    document = ws.definitions.show("line").to_dict()
    properties = document["properties"]
    properties["assets"]["asset2"] = {
        "name": "rates", "type": "Resource", "locationInfo": {"uri": "mlalm://datasets/rates/1"},
    }  # fmt: skip
    properties["package"]["nodes"] |= {"rates": {"assetId": "asset2"}, "out2": {"outputId": "output2"}}
    properties["package"]["edges"].append({"sourceNodeId": "rates", "targetNodeId": "out2"})
    properties["output"]["properties"]["output2"] = {"type": "object", "properties": {}}
    file = ws.path / "short.wsd.json"
    file.write_text(json.dumps(document))
    assert "to line:2" in ws.definitions.set_model(str(file), "line:2").note
    assert '"mlalm://datasets/rates/1"' in file.read_text()


def test_code_stays_trusted_while_only_models_move_and_no_longer(ws: Workspace) -> None:
    (ws.path / "f.py").write_text(CODE)
    ws.services.deploy(str(ws.path / "f.py"), "twice", sample=ROWS)
    document = ws.definitions.show("twice").to_dict()
    line = ws.definitions.show("line").to_dict()["properties"]
    properties = document["properties"]
    properties["assets"] |= line["assets"]
    nodes, edges = properties["package"]["nodes"], properties["package"]["edges"]
    nodes |= {"model1": {"assetId": "asset1"}, "score1": {"assetId": "score", "parameters": {}}}
    for one in edges:
        if one["targetNodeId"] == "code1":
            one |= {"sourceNodeId": "score1", "sourcePortId": "Scored dataset"}
    edges += [
        {"sourceNodeId": "input1", "targetNodeId": "score1", "targetPortId": "Dataset"},
        {"sourceNodeId": "model1", "sourcePortId": "Results", "targetNodeId": "score1", "targetPortId": "Trained model"},
    ]  # fmt: skip
    file = ws.path / "both.wsd.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UntrustedContent) as caught:
        ws.definitions.apply(str(file))
    ws.trust.add(caught.value.digest)
    ws.definitions.apply(str(file))
    ws.definitions.set_model(str(file), "line:2")
    assert ws.definitions.apply(str(file)).default.model == "line:2"
    assert told(ws, "both", str(file)) == []
    file.write_text(file.read_text().replace("* factor", "* 7 * factor"))
    with pytest.raises(UntrustedContent):
        ws.definitions.apply(str(file))


def test_a_read_only_definition_stays_until_it_is_deleted(ws: Workspace) -> None:
    file = Path(ws.definitions.export("line:1", str(ws.path / "still.wsd.json")).file)
    document = json.loads(file.read_text())
    document["properties"]["readOnly"] = "true"
    file.write_text(json.dumps(document))
    ws.definitions.apply(str(file))
    before = ws.endpoints.show("still").to_dict()
    ws.definitions.set_model(str(file), "line:2")
    with pytest.raises(Conflict, match="Its definition is read-only"):
        ws.definitions.apply(str(file))
    with pytest.raises(Conflict, match="Its definition is read-only"):
        ws.services.deploy("line:2", "still", update=True)
    assert ws.endpoints.show("still").to_dict() == before
    ws.services.delete("still", yes=True)


def test_differences_are_told_in_words(ws: Workspace) -> None:
    one = Path(ws.definitions.export("line", str(ws.path / "one.wsd.json")).file)
    document = json.loads(one.read_text())
    properties = document["properties"]
    columns = properties["input"]["properties"]["input1"]["properties"]
    columns["age"] = {"type": "Integer", "format": "Int64"}
    columns["a"]["x-ms-isnullable"] = False
    properties["exampleRequest"]["inputs"] = {}
    properties["title"] = "other"
    properties["realtimeConfiguration"] = {"maxConcurrentCalls": 8}
    other = ws.path / "other.wsd.json"
    other.write_text(json.dumps(document))
    ws.definitions.set_model(str(other), "line:2")
    sentences = told(ws, str(one), str(other))
    assert sentences[0] == "The trained model asset1 went from line:1 to line:2."
    assert "The column 'age' of input1 came: Int64." in sentences
    assert "The column 'a' of input1 went from Double to Double, never missing." in sentences
    assert "$.properties.title went from 'line' to 'other'." in sentences
    assert "$.properties.realtimeConfiguration.maxConcurrentCalls came: 8." in sentences
    assert not any("package" in one for one in sentences)
    back = told(ws, str(other), str(one))
    assert "The column 'age' of input1 went; it was Int64." in back
    (ws.path / "f.py").write_text(CODE)
    (ws.path / "g.py").write_text(CODE.replace("* factor", "* 2 * factor"))
    for name in "fg":
        ws.services.deploy(str(ws.path / f"{name}.py"), name, sample=ROWS)
    (change,) = ws.definitions.diff("f", "g")
    assert change.told == "The code of step code1 changed: 1 line came, 1 went."
    assert [line for line in change.lines if line.startswith("+")] == [
        "+    return rows.assign(b=rows['a'] * 2 * factor)"
    ]


def test_every_difference_is_told_somehow(ws: Workspace) -> None:
    base = ws.definitions.show("line")

    def turned(value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        return f"{value}x" if isinstance(value, str) else value

    found = 0
    for key in ("title", "description", "exposeSampleData", "readOnly"):
        document = base.to_dict()
        properties = document["properties"]
        properties[key] = turned(properties.get(key, key not in ("exposeSampleData",)))
        changed = type(base).from_dict(document)
        if changed.digest != base.digest:
            found += 1
            assert differences_between(base, changed), key
    assert found == 4


def test_what_a_service_is_made_of_cannot_be_deleted_while_it_answers(ws: Workspace) -> None:
    ws.transforms.register(StandardScaler().fit(ROWS), "scale", sample=ROWS)
    (ws.path / "rates.csv").write_text("a,b\n1,2\n")
    ws.datasets.upload(str(ws.path / "rates.csv"), "rates")
    document = ws.definitions.show("line").to_dict()
    properties = document["properties"]
    properties["assets"] |= {
        "asset2": {
            "name": "scale",
            "type": "Resource",
            "locationInfo": {"uri": "mlalm://transforms/scale/1"},
        },
        "asset3": {"name": "rates", "type": "Resource", "locationInfo": {"uri": "mlalm://datasets/rates/1"}},
        "apply": {
            "name": "Apply",
            "type": "Module",
            "locationInfo": {"uri": "aml://module/mlalm.apply-transformation.1"},
        },
    }
    properties["package"]["nodes"] |= {
        "rates": {"assetId": "asset3"}, "scale": {"assetId": "asset2"}, "apply1": {"assetId": "apply"},
        "out2": {"outputId": "output2"},
    }  # fmt: skip
    properties["package"]["edges"] += [
        {"sourceNodeId": "rates", "sourcePortId": "Results", "targetNodeId": "apply1", "targetPortId": "Dataset"},
        {"sourceNodeId": "scale", "sourcePortId": "Results", "targetNodeId": "apply1", "targetPortId": "Transformation"},
        {"sourceNodeId": "apply1", "targetNodeId": "out2"},
    ]  # fmt: skip
    properties["output"]["properties"]["output2"] = {"type": "object", "properties": {}}
    file = ws.path / "all.wsd.json"
    file.write_text(json.dumps(document))
    # the scaler knows only `a`, so the rates are cut to it in the table
    (ws.path / "rates2.csv").write_text("a\n1\n4\n")
    ws.datasets.upload(str(ws.path / "rates2.csv"), "rates")
    file.write_text(file.read_text().replace("rates/1", "rates/2"))
    ws.definitions.apply(str(file))
    assert says(ws, "line") == [1, 2, 3]
    for call in (
        lambda: ws.transforms.delete("scale:1", yes=True),
        lambda: ws.datasets.delete("rates:2", yes=True),
    ):
        with pytest.raises(InUse, match="endpoint all/default"):
            call()
    ws.datasets.delete("rates:1", yes=True)
