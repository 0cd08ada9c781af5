"""Datasets through the Python API: versions, kinds, what is refused, and who keeps one from going."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from mlalm_jupyter.api.contents import profile_of
from mlalm_jupyter.domain.errors import InUse, InvalidInput, NotFound, Unconfirmed
from mlalm_jupyter.surfaces.display import html_of, text_of
from mlalm_jupyter.surfaces.lab import typescript
from mlalm_jupyter.surfaces.verbs_http import to_json
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import begun, scaling
from tests.unit.formats.test_tables import RDATA

pytestmark = pytest.mark.prove_experiments

RIDES = "hour,wind,town\n1,4.5,Bern\n2,,Basel\n3,1.25,Bern\n"
ARFF = "@relation r\n@attribute hour integer\n@attribute town {Bern,Basel}\n@data\n1,Bern\n2,Basel\n"


@pytest.fixture
def ws(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workspace:
    monkeypatch.chdir(tmp_path)
    return workspace


def file(name: str, data: str | bytes = RIDES) -> str:
    Path(name).write_bytes(data.encode() if isinstance(data, str) else data)
    return name


def every_kind() -> dict[str, tuple[str, int, int | None]]:
    """A small file of every kind: its name, how many rows, and how many columns when it loads."""
    pd.DataFrame({"hour": [1, 2]}).to_parquet("rides.parquet")
    with zipfile.ZipFile("one.zip", "w") as archive:
        archive.writestr("rides.csv", RIDES)
    with zipfile.ZipFile("two.zip", "w") as archive:
        archive.writestr("a.csv", RIDES)
        archive.writestr("b.csv", RIDES)
    return {
        "GenericCSV": (file("rides.csv"), 3, 3),
        "GenericTSV": (file("rides.tsv", RIDES.replace(",", "\t")), 3, 3),
        "ARFF": (file("rides.arff", ARFF), 2, 2),
        "Parquet": ("rides.parquet", 2, 1),
        "Zip": ("one.zip", 3, 3),
        "PlainText": (file("notes.txt", "one\ntwo\n"), 2, 1),
        "RData": (file("rides.RData", RDATA), 0, None),
        "": ("two.zip", 2, None),
    }


def test_every_kind_is_kept_byte_by_byte_shown_and_loaded(ws: Workspace) -> None:
    for kind, (name, rows, columns) in every_kind().items():
        kept = ws.datasets.upload(name, "rides")
        assert kept.format == (kind or "Zip")
        assert kept.row_count == rows
        assert ws.blobs.get(kept.digest) == Path(name).read_bytes()
        shown = ws.datasets.show(kept.reference)
        assert text_of(shown)
        assert html_of(shown)
        assert json.dumps(shown.to_dict(), allow_nan=False)
        if columns is None:
            assert shown.note
            with pytest.raises(InvalidInput, match="dataset download"):
                ws.datasets.load(kept.reference)
        else:
            assert len(kept.schema.columns) == columns
            frame = ws.datasets.load(kept.reference)
            assert frame.shape == (rows, columns)
            assert frame.attrs["mlalm.dataset"] == kept.reference
        copy = Path(f"copy-{kept.version}")
        ws.datasets.download(kept.reference, str(copy))
        assert copy.read_bytes() == Path(name).read_bytes()


def test_answers_fit_the_schema_that_the_panel_is_made_from(ws: Workspace) -> None:
    schema = typescript.answers_schema()

    def fits(kind: str, answer: object) -> None:
        jsonschema.validate(json.loads(json.dumps(to_json(answer))), {**schema, "$ref": f"#/$defs/{kind}"})

    for name, _, _ in every_kind().values():
        kept = ws.datasets.upload(name, "rides")
        fits("Dataset", kept)
        fits("Preview", ws.datasets.show(kept.reference))
    fits("Dataset", ws.datasets.upload(str(Path("rides.csv").resolve()), "outside", by_reference=True))
    (ws.path / "scale.ilearner").write_bytes(scaling())
    fits("Transform", ws.transforms.register("scale.ilearner", "scale"))


def test_a_zip_tells_what_is_in_it(ws: Workspace) -> None:
    every_kind()
    shown = ws.datasets.show(ws.datasets.upload("two.zip", "rides").reference)
    assert shown.profile is not None
    assert [one.name for one in shown.profile.members] == ["a.csv", "b.csv"]
    assert "a.csv" in text_of(shown)


def test_a_table_without_names_is_taken_when_that_is_said(ws: Workspace) -> None:
    name = file("rides.csv", "1,2\n3,4\n")
    with pytest.raises(InvalidInput, match="--no-header"):
        ws.datasets.upload(name, "rides")
    kept = ws.datasets.upload(name, "rides", header=False)
    assert (kept.format, kept.row_count) == ("GenericCSVNoHeader", 2)
    assert list(ws.datasets.load("rides").columns) == ["Col1", "Col2"]
    again = ws.datasets.update("rides", file("more.csv", "5,6\n"))
    assert (again.format, again.row_count) == ("GenericCSVNoHeader", 1), (
        "an update is read as the version before"
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "a,b\n1\n"),
        ("a.csv", b"a\n\xff\n"),
        ("a.tsv", "a,b\n1,2\n"),
        ("a.arff", "hello"),
        ("a.parquet", "PAR1"),
        ("a.zip", "PK"),
        ("a.rda", "RDX"),
        ("a.txt", b"\xff"),
        ("a.csv", ""),
    ],
)
def test_what_is_not_of_its_kind_leaves_nothing(ws: Workspace, name: str, data: str | bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        ws.datasets.upload(file(name, data), "bad")
    assert caught.value.why
    assert list(ws.blobs.digests()) == []
    assert [
        path for path in (ws.path / ".mlalm" / "blobs").rglob("*") if path.is_file() and path.name != ".lock"
    ] == []
    assert ws.datasets.list() == ()
    with ws.catalog.read() as tx:
        assert tx.events.find(noun="dataset") == []
    assert ws.datasets.upload(file("good.csv"), "bad").version == 1, "and no number was used up"


def test_versions_count_on_and_equal_bytes_say_so(ws: Workspace) -> None:
    first = ws.datasets.upload(file("rides.csv"), "rides", tags={"year": "2024"}, description="Rides")
    second = ws.datasets.upload("rides.csv", "rides")
    third = ws.datasets.update("rides", file("more.csv", RIDES + "4,2,Thun\n"))
    assert [first.version, second.version, third.version] == [1, 2, 3]
    assert [first.equal_to, second.equal_to, third.equal_to] == [None, 1, None]
    assert [one.version for one in ws.datasets.list(name="rides")] == [1, 2, 3]
    assert (second.tags, second.description) == ({}, "")
    fourth = ws.datasets.update("rides", "rides.csv", tags={"year": "2025"}, description="More rides")
    fifth = ws.datasets.update("rides", "rides.csv")
    assert (fifth.tags, fifth.description) == (fourth.tags, "More rides"), "an update keeps what is not said"


def test_a_cell_that_uploads_may_run_again_and_make_no_version(ws: Workspace) -> None:
    first = ws.datasets.upload(file("rides.csv"), "rides", if_changed=True)
    again = ws.datasets.upload("rides.csv", "rides", if_changed=True)
    assert again == replace(first, note="Nothing changed: rides:1 has the same bytes.")
    referred = ws.datasets.upload("rides.csv", "rides", by_reference=True, if_changed=True)
    assert referred.version == 2, "bytes that are kept are not those that lie somewhere"
    again = ws.datasets.upload("rides.csv", "rides", by_reference=True, if_changed=True)
    assert again == replace(referred, note="Nothing changed: rides:2 has the same bytes.")
    read_otherwise = ws.datasets.upload("rides.csv", "rides", header=False, if_changed=True)
    assert read_otherwise.version == 3
    same = ws.datasets.upload("rides.csv", "rides", if_changed=True)
    assert same.reference == "rides:1", "whichever version it equals is given, as of models"
    assert same.note == "Nothing changed: rides:1 has the same bytes; the newest is version 3."
    assert str(same.note) in text_of(same)


def test_an_update_of_a_name_that_nobody_has_is_refused(ws: Workspace) -> None:
    ws.datasets.upload(file("rides.csv"), "rides")
    with pytest.raises(NotFound, match="rides"):
        ws.datasets.update("ridez", "rides.csv")
    with pytest.raises(InvalidInput, match="a new one"):
        ws.datasets.update("rides")
    assert len(ws.datasets.list(name="rides")) == 1


def test_a_profile_is_worked_out_once_and_shown(ws: Workspace) -> None:
    kept = ws.datasets.upload(file("rides.csv"), "rides")
    profile = profile_of(ws.context, kept)
    assert profile is not None
    assert [(one.name, one.kind, one.missing) for one in profile.columns] == [
        ("hour", "number", 0),
        ("wind", "number", 1),
        ("town", "text", 0),
    ]
    shown = ws.datasets.show("rides", rows=2)
    assert len(shown.head.rows) == 2
    assert "▁" in text_of(shown) or "█" in text_of(shown)
    assert html_of(shown).count("<svg") == 3
    assert "Bern (2)" in text_of(shown)


def test_a_dataset_without_a_profile_is_still_shown(ws: Workspace) -> None:
    """As older versions of this package kept them."""
    from dataclasses import replace

    kept = ws.datasets.upload(file("rides.csv"), "rides")
    with ws.catalog.write() as tx:
        tx.datasets.add(replace(kept, id="f" * 32, name="old", profile_digest=None))
    shown = ws.datasets.show("old")
    assert shown.profile is None
    assert "First rows" in text_of(shown)


def test_deleting_asks_says_what_goes_and_takes_one_version(ws: Workspace) -> None:
    ws.datasets.upload(file("rides.csv"), "rides")
    ws.datasets.update("rides", "rides.csv")
    with pytest.raises(Unconfirmed, match=r"rides:2, 3 rows, \d+ bytes"):
        ws.datasets.delete("rides:2")
    with pytest.raises(InvalidInput, match="NAME:VERSION"):
        ws.datasets.delete("rides", yes=True)
    ws.datasets.delete("rides:2", yes=True)
    assert [one.version for one in ws.datasets.list(name="rides")] == [1]
    assert ws.datasets.update("rides", "rides.csv").version == 3


def test_a_dataset_that_a_snapshot_or_a_model_refers_to_stays(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.linear_model import LinearRegression

    for _ in range(3):
        ws.datasets.upload(file("rides.csv"), "rides")
    run, _ = begun(ws, "factor = 1", "rows = ws.datasets.load('rides:1')")
    with pytest.raises(InUse, match=f"run {run.id[:12]} of train.ipynb"):
        ws.datasets.delete("rides:1", yes=True)
    reader, _ = begun(ws, "factor = 1")
    monkeypatch.setenv("MLALM_RUN", reader.id)
    ws.datasets.load("rides:2")
    monkeypatch.delenv("MLALM_RUN")
    with pytest.raises(InUse, match=f"run {reader.id[:12]}"):
        ws.datasets.delete("rides:2", yes=True)
    rows = ws.datasets.load("rides:3")[["hour"]]
    ws.models.register(LinearRegression().fit(rows, rows["hour"]), "hours", sample=rows)
    ws.models.register(
        LinearRegression().fit(rows, rows["hour"]), "hours", sample=ws.datasets.load("rides:3")[["hour"]]
    )
    with pytest.raises(InUse, match="model hours"):
        ws.datasets.delete("rides:3", yes=True)
    assert len(ws.datasets.list(name="rides")) == 3


def test_in_a_run_a_name_is_what_its_snapshot_pinned(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.datasets.upload(file("rides.csv"), "rides")
    ws.datasets.upload("rides.csv", "other")
    run, _ = begun(ws, "factor = 1", "rows = %dataset rides")
    newer = RIDES + "4,2,Thun\n"
    ws.datasets.update("rides", file("more.csv", newer))
    ws.datasets.update("other", "more.csv")
    monkeypatch.setenv("MLALM_RUN", run.id)
    assert len(ws.datasets.load("rides")) == 3, "the pin"
    assert len(ws.datasets.load("other")) == 3, "not pinned: what was there before the run"
    assert len(ws.datasets.load("rides:2")) == 4, "said outright"
    ws.datasets.upload("more.csv", "late")
    monkeypatch.delenv("MLALM_RUN")
    assert len(ws.datasets.load("rides")) == 4
    ws.datasets.upload("rides.csv", "fresh")
    monkeypatch.setenv("MLALM_RUN", run.id)
    assert len(ws.datasets.load("late")) == 4, "made by the run itself"
    with pytest.raises(NotFound, match="newer than this run's snapshot"):
        ws.datasets.load("fresh")
    assert ws.runs.show(run.id).inputs == (
        "dataset rides:1",
        "dataset other:1",
        "dataset rides:2",
        "dataset late:1",
    )


def test_what_a_kernel_loads_is_remembered_over_openings(ws: Workspace) -> None:
    ws.datasets.upload(file("rides.csv"), "rides")
    ws.datasets.load("rides")
    with Workspace.open(ws.path) as again:
        again.datasets.load("rides:1")
        assert again.context.used == ["dataset rides:1"]
    assert ws.context.used == ["dataset rides:1"]


def test_a_run_of_another_workspace_is_no_run_here(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.datasets.upload(file("rides.csv"), "rides")
    monkeypatch.setenv("MLALM_RUN", "ab" * 16)
    assert len(ws.datasets.load("rides")) == 3
    assert ws.datasets.upload("rides.csv", "rides").run_id is None


def test_a_large_file_tells_its_progress_and_is_never_whole_in_memory_for_hashing(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int, int]] = []
    ws.context.progress = lambda *one: told.append(one)
    Path("big.txt").write_bytes((b"x" * 1023 + b"\n") * 6 * 1024)
    ws.datasets.upload("big.txt", "big")
    copied = [one for one in told if one[0] == "Copying big.txt (MB)"]
    assert [done for _, done, _ in copied] == [1, 2, 3, 4, 5, 6], "one piece of a megabyte after the other"
    assert {total for _, _, total in copied} == {6}


def test_a_disk_that_is_full_leaves_no_version(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.write, []

    def full(handle: int, data: bytes) -> int:
        calls.append(handle)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Exception, match="The disk is full"):
        ws.datasets.upload(file("rides.csv"), "rides")
    monkeypatch.setattr(os, "write", real)
    assert calls
    assert ws.datasets.list() == ()


def test_the_checkup_knows_profiles_references_and_transforms(ws: Workspace) -> None:
    kept = ws.datasets.upload(file("rides.csv"), "rides")
    ws.datasets.upload(str(Path("rides.csv").resolve()), "outside", by_reference=True)
    assert ws.workspaces.doctor().is_healthy
    assert kept.profile_digest is not None
    blob = ws.blobs.path(kept.profile_digest)
    blob.chmod(0o600)
    blob.write_text("{}")
    assert "dataset rides:1" in text_of(ws.workspaces.doctor())
