"""What is shown: every kind of answer as text and as HTML, escaped, legible aloud, and without keys."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.definition import ModelAsset, code_definition, scoring_definition
from mlalm_jupyter.domain.estate import Plan, Region, Terms
from mlalm_jupyter.domain.event import Event
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.job import Job, JobState
from mlalm_jupyter.domain.lineage import Dependent, LineageGraph, ModelComparison, Step, Thing
from mlalm_jupyter.domain.listing import Listing
from mlalm_jupyter.domain.model import Alias, Lineage, TrainedModel
from mlalm_jupyter.domain.outcome import (
    Comparison,
    ModelSample,
    Opened,
    Preview,
    Published,
    Removed,
    Retrained,
    SavedAs,
    Snippet,
    Swap,
    Written,
)
from mlalm_jupyter.domain.policy import Policy
from mlalm_jupyter.domain.run import Cells, Figure, Findings, Output, Run, RunStatus, Snapshot
from mlalm_jupyter.domain.server import Key, KeyPair, Scored, ServerProcess, ServerStatus
from mlalm_jupyter.domain.service import Endpoint, Move, WebService
from mlalm_jupyter.domain.settings import EndpointSettings
from mlalm_jupyter.domain.setup import FittedAsset, Proven, SetUp, SourceCell
from mlalm_jupyter.domain.signature import Column, ColumnType, Schema, Signature, Table
from mlalm_jupyter.domain.trigger import DraftState, Firing, FiringOutcome, Missed, Trigger
from mlalm_jupyter.domain.trust import Check, Seal, Signed, Verification
from mlalm_jupyter.domain.workspace import Checkup, Finding, Freed, WorkspaceInfo
from mlalm_jupyter.domain.wsd.changes import DefinitionChange, differences_between
from mlalm_jupyter.notebook.changes import changes_between
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.graph import graph_of
from mlalm_jupyter.surfaces.display import _MANY, _ONE, bundle_of, html_of, text_of
from mlalm_jupyter.surfaces.display.parts import Moment, seconds_between, size
from mlalm_jupyter.surfaces.verbs_http import to_json

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AT = "2026-11-21T09:30:00.000000Z"
ID, HASH = "0193ab12cd34" + "0" * 20, "9f" * 32
EVIL = "<script>alert('x')</script>&\"'"

SCHEMA = Schema((Column("hour", ColumnType.INT64), Column(EVIL, ColumnType.STRING)))
DATASET = Dataset(ID, "bikes", 1, "GenericCSV", HASH, 51200, 8645, SCHEMA, AT, EVIL, equal_to=3)
MODEL = TrainedModel(
    id=ID,
    name="bikes",
    version=2,
    model_hash=HASH,
    bundle_digest=HASH,
    size_bytes=7_400_000,
    format="skops",
    framework="scikit-learn 1.6",
    is_data_only=True,
    signature=Signature(SCHEMA, SCHEMA),
    lineage=Lineage(
        "run", ID, "train.ipynb", ("dataset bikes:1",), 3, "3.forest", {"python": EVIL}, {"commit": "c0ffee"}
    ),
    created_at=AT,
    created_by="ann",
    tags={"season": EVIL},
    description=EVIL,
    properties={EVIL: EVIL},
    metrics={EVIL: 0.5},
    parameters={"depth": EVIL},
    is_deterministic=False,
    varies=(EVIL,),
    aliases=("champion",),
    note=EVIL,
)
ALIAS = Alias("bikes", "champion", 2, 3, AT, EVIL, before=1, note=EVIL)
LINEAGE = LineageGraph(
    "model bikes:2",
    (
        Thing("dataset bikes:1", "dataset", EVIL, EVIL, AT, EVIL),
        Thing("run a", "run", EVIL),
        Thing("model bikes:2", "model", EVIL, EVIL),
    ),
    (Step("dataset bikes:1", "run a", EVIL), Step("run a", "model bikes:2", "made")),
    EVIL,
)
DEPENDENT = Dependent("WSD", EVIL, EVIL)
POLICY = Policy(ID, EVIL, "follow", "bikes/autumn", "bikes@champion", AT, EVIL, "bikes:2", AT, EVIL)
EVENT = Event(AT, EVIL, "model", "tag", ID, EVIL, {EVIL: EVIL})
RUN = Run(
    id=ID,
    experiment_id=ID,
    path="train.ipynb",
    status=RunStatus.FAILED,
    snapshot=Snapshot(HASH, {"dataset": EVIL}, {}, {"commit": "c0ffee" * 6, "is_dirty": True}),
    origin="scheduler",
    created_at=AT,
    created_by="ann",
    started_at=AT,
    ended_at="2026-11-21T09:31:19.000000Z",
    cause=EVIL,
    failed_cell=4,
    cells=Cells(3, 6),
    tags={EVIL: EVIL},
    findings=Findings((1, 3), EVIL, {EVIL: 0.5}, (Figure(EVIL, HASH, "image/png"),)),
)
ENDPOINT = Endpoint(
    ID, ID, "bikes", "default", HASH, 3, AT, AT, "bikes:2", HASH, "http://127.0.0.1:1/x", note=EVIL,
    settings=EndpointSettings(EVIL, "High", 50, True, "All"),
)  # fmt: skip
JOB = Job(
    ID,
    "run",
    {},
    JobState.RUNNING,
    1,
    2,
    AT,
    "ann",
    owner=EVIL,
    cancel_requested=True,
    progress={"cells_done": 3, "cells_total": 6},
    cause=EVIL,
)
SERVICE = WebService(
    ID, "bikes", "classic", f"model bikes:2 {EVIL}", AT, "ann", (ENDPOINT,), "stopped", EVIL, EVIL
)
PLAN = Plan("small", 1, 4, 64, AT, EVIL, (EVIL,))
REGION = Region("west", EVIL, AT, EVIL, "http://127.0.0.1:2", True, 2, (EVIL,), EVIL)
KEYS = KeyPair("bikes/default", Key("PRIMARY-SECRET-abcd=="), Key("SECONDARY-SECRET-wxyz=="))
CODE = code_definition(
    title="comfort",
    source=f"def comfort(rows):  # {EVIL}\n    return rows\n",
    entry="comfort",
    inputs=SCHEMA,
    outputs=SCHEMA,
    example=(),
)
SCORED = Scored(
    ("hour", EVIL, "Scored Labels"),
    ("Int64", "String", "Double"),
    ((12, EVIL, 129.303870), (13, None, 22.5)),
    "bikes/default",
    HASH,
    "bikes:2",
    HASH,
    "original",
    "6a134408",
)
SEAL = Seal(HASH, "definition", "key1", "signature", EVIL, AT, "ann")
MOVE = Move("bikes/default", 1, "rollback", HASH, EVIL, AT, "ann")

SAID = read_notebook(
    json.dumps(
        {"nbformat": 4, "cells": [{"cell_type": "code", "source": f"# {EVIL}\nrows = %dataset rides"}]}
    ).encode()
)

TRANSFORM = Transform(
    ID,
    EVIL,
    2,
    HASH,
    HASH,
    51200,
    "skops",
    EVIL,
    True,
    MODEL.signature,
    MODEL.lineage,
    AT,
    EVIL,
    {EVIL: EVIL},
    EVIL,
)
FIRING = Firing(ID, ID, AT, AT, FiringOutcome.FAILED, EVIL, ID, 3)
TRIGGER = Trigger(
    id=ID,
    name="nightly",
    kind="experiment",
    path=EVIL,
    cron="0 3 * * *",
    timezone="Europe/Berlin",
    missed=Missed.SKIP,
    created_at=AT,
    created_by=EVIL,
    due_at="2026-11-22T02:00:00.000000Z",
    snapshot_run_id=ID,
    parameters={"dataset": EVIL},
    until=EVIL,
    last=FIRING,
    snapshot=HASH,
    draft=DraftState.DIFFERS,
    next_times=("2026-11-22T03:00:00+01:00",),
    firings=(FIRING,),
    note=EVIL,
)

ONE: list[Any] = [
    TRANSFORM,
    DATASET,
    Preview(DATASET, Table(("hour", EVIL), ((1, EVIL), (2, None)))),
    MODEL,
    ModelSample("bikes:2", Table(("hour", EVIL), ((1, EVIL), (2, None))), Table((EVIL,), ((EVIL,), (0.5,)))),
    ALIAS,
    LINEAGE,
    ModelComparison((MODEL, replace(MODEL, metrics={}, size_bytes=1))),
    Signed(EVIL, SEAL, EVIL, EVIL),
    Verification(EVIL, HASH, (Check(EVIL, False, EVIL),), (EVIL,), EVIL),
    POLICY,
    SCORED,
    Written("dataset bikes:1", EVIL, 12, HASH),
    Removed("trust", HASH),
    Experiment(ID, EVIL, "training", AT, 2, RUN),
    RUN,
    Opened(RUN, EVIL, f"<p>{html.escape(EVIL)}</p>"),
    graph_of(SAID),
    changes_between(SAID, read_notebook(b'{"nbformat": 4, "cells": []}')),
    Published(EVIL, EVIL, AT, EVIL, (EVIL,), EVIL),
    SavedAs(
        Experiment(ID, EVIL, "training", AT, parent=EVIL, parent_run_id=ID),
        (Swap("dataset", EVIL, EVIL, EVIL),),
        EVIL,
    ),
    Comparison((RUN, replace(RUN, findings=Findings(metrics={"auc": 0.75, EVIL: -1.0})))),
    JOB,
    Retrained(RUN, MODEL, ENDPOINT),
    TRIGGER,
    SERVICE,
    SetUp(
        Experiment(ID, EVIL, "predictive", AT, parent=EVIL, parent_run_id=ID),
        EVIL,
        ID,
        inputs=(EVIL,),
        outputs=(EVIL,),
        assets=(FittedAsset(EVIL, "value", EVIL),),
        kept=(1, 2, 4),
        left_out=(3,),
        cells=(
            SourceCell(1, EVIL, EVIL, (EVIL,), stays="all", fitted=(EVIL,)),
            SourceCell(2, "b", "score", stays="part"),
            SourceCell(3, "c"),
        ),
        not_needed=(EVIL,),
        proven=Proven(1, 2, 3),
        by_hand=(EVIL, "b"),
        held_back=(EVIL,),
        warnings=(EVIL,),
        note=EVIL,
    ),
    ENDPOINT,
    KEYS,
    Snippet("bikes/default", "curl", f"curl {EVIL}"),
    CODE,
    SEAL,
    WorkspaceInfo(ID, EVIL, "0001", AT, {"models": 2}),
    Checkup({"blobs": 3}, (Finding("blob 9f", EVIL, "Restore it."),)),
    Freed(3, 51200, 7),
    ServerStatus(
        True, "http://127.0.0.1:1", EVIL, "0.1.0", 7, (ServerProcess("worker", 7, AT, 1),), {ID: EVIL}
    ),
    PLAN,
    REGION,
]
MANY: dict[str, Any] = {
    "dataset": DATASET,
    "model": MODEL,
    "alias": ALIAS,
    "dependent": DEPENDENT,
    "event": EVENT,
    "policy": POLICY,
    "transform": TRANSFORM,
    "experiment": next(one for one in ONE if isinstance(one, Experiment)),
    "run": RUN,
    "job": JOB,
    "trigger": TRIGGER,
    "change": DefinitionChange(EVIL, EVIL, EVIL, EVIL, (EVIL,)),
    "package": Published(EVIL, EVIL, AT, EVIL, (EVIL,), EVIL),
    "output": Output(3, EVIL, "parquet", EVIL, HASH, 51200, EVIL),
    "service": SERVICE,
    "endpoint": ENDPOINT,
    "plan": PLAN,
    "region": REGION,
    "move": MOVE,
    "trust": SEAL,
}
EVERYTHING = [*ONE, *(Listing(kind, [item, item]) for kind, item in MANY.items())]
NAMES = [type(one).__name__ for one in ONE] + [f"listing-{kind}" for kind in MANY]


class Page(HTMLParser):
    """Reads a piece of HTML strictly: which tags there are, and whether they close as they opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_kind_of_answer_is_tried_here() -> None:
    assert {type(one) for one in ONE} == set(_ONE)
    assert set(MANY) == set(_MANY)


@pytest.mark.parametrize("answer", EVERYTHING, ids=NAMES)
def test_html_escapes_all_that_people_wrote(answer: Any) -> None:
    tags = {tag for tag, _ in Page(html_of(answer)).tags}
    assert "script" not in tags
    assert "<script" not in html_of(answer)


@pytest.mark.parametrize("answer", EVERYTHING, ids=NAMES)
def test_tables_can_be_read_aloud(answer: Any) -> None:
    page = Page(html_of(answer))
    heads = [attributes for tag, attributes in page.tags if tag == "th"]
    assert all(head.get("scope") in ("col", "row") for head in heads)
    tables = [tag for tag, _ in page.tags if tag == "table"]
    captions = [tag for tag, _ in page.tags if tag == "caption"]
    # who answered stands under the scored rows, whose caption it shares
    assert len(captions) == len(tables) - isinstance(answer, Scored)


@pytest.mark.parametrize("answer", EVERYTHING, ids=NAMES)
def test_text_has_no_markup_and_no_loose_ends(answer: Any) -> None:
    text = text_of(answer, now=NOW)
    assert text.strip()
    assert not re.search(r"</?(table|td|span|code)\b", text)
    assert all(line == line.rstrip() for line in text.splitlines() if EVIL not in line)


@pytest.mark.parametrize("answer", EVERYTHING, ids=NAMES)
def test_a_bundle_is_plain_json_of_all_kinds(answer: Any) -> None:
    bundle = bundle_of(answer)
    assert json.loads(json.dumps(bundle)) == bundle
    assert {"text/plain", "text/html"} <= set(bundle)
    extra = set(bundle) - {"text/plain", "text/html"}
    if isinstance(answer, KeyPair):
        assert extra == set()
    else:
        assert all(re.fullmatch(r"application/vnd\.mlalm\.[a-z]+\+json", mime) for mime in extra)
        assert len(extra) == 1


def test_what_stands_in_a_heading_or_a_note_stands_there_once() -> None:
    changed = changes_between(SAID, read_notebook(b'{"nbformat": 4, "cells": []}'))
    assert text_of(changed).count(changed.summary) == 1
    graph = graph_of(SAID)
    graph = replace(graph, notes=("A cell does not parse.",))
    assert text_of(graph).count("A cell does not parse.") == 1
    assert html_of(graph).count("A cell does not parse.") == 1
    assert text_of(graph_of(read_notebook(b'{"nbformat": 4, "cells": []}'))) == "No code cells to draw."


def test_ids_and_references_at_the_head_of_a_comparison_are_as_one_types_them() -> None:
    assert RUN.id[:12] in text_of(Comparison((RUN, RUN)))
    assert MODEL.reference in text_of(ModelComparison((MODEL, MODEL)))


def test_a_list_that_nothing_is_in_for_a_reason_says_that() -> None:
    note = "None of the 7 runs of t.ipynb meets this."
    assert text_of(Listing("run", note=note)) == note
    assert text_of(Listing("model", note=note)) == note
    assert text_of(Listing("alias", note=note)) == note


def test_metrics_without_a_finite_number_are_shown_beside_those_with_one() -> None:
    odd = {"auc": math.nan, "gain": math.inf}
    pair = Comparison((RUN, replace(RUN, findings=Findings(metrics={"auc": 0.5, "gain": 2.0}))))
    pair = replace(pair, runs=(replace(RUN, findings=Findings(metrics=odd)), pair.runs[1]))
    models = ModelComparison((replace(MODEL, metrics=odd), replace(MODEL, metrics={"auc": 0.5, "gain": 2.0})))
    for answer in (pair, models, *pair.runs, *models.models):
        Page(html_of(answer))
        text = text_of(answer, now=NOW)
        assert ("nan" in text and "inf" in text) or answer in (pair.runs[1], models.models[1])
        assert "NaN" not in json.dumps(to_json(answer), allow_nan=False)
    assert to_json(pair)["metrics"] == {"auc": ["nan", 0.5], "gain": ["inf", 2.0]}
    assert to_json(models)["metrics"] == to_json(pair)["metrics"]
    assert 'style="width:nan' not in html_of(pair) + html_of(models)


@pytest.mark.parametrize("kind", MANY)
def test_an_empty_list_says_how_to_begin(kind: str) -> None:
    text = text_of(Listing(kind), now=NOW)
    assert text.endswith(".")
    assert text in re.sub(r"</?code>", "`", html_of(Listing(kind)))


def test_keys_are_never_in_what_a_notebook_keeps() -> None:
    kept = json.dumps(bundle_of(KEYS))
    assert "SECRET" not in kept
    assert "abcd" in kept
    assert ".primary" in kept
    assert "SECRET" not in text_of(KEYS, now=NOW)


def test_keys_are_whole_where_nothing_is_kept() -> None:
    assert "PRIMARY-SECRET-abcd==" in text_of(KEYS, now=NOW, reveals=True)


def test_a_status_is_a_word_and_a_symbol_not_a_colour_alone() -> None:
    assert "✗ Failed" in text_of(RUN, now=NOW)
    assert '<b aria-hidden="true">✗</b> Failed' in html_of(RUN)


@pytest.mark.parametrize("status", list(RunStatus))
def test_every_status_of_a_run_is_shown_in_its_own_words(status: RunStatus) -> None:
    from dataclasses import replace

    assert status.value in text_of(Listing("run", [replace(RUN, status=status)]), now=NOW)


def test_columns_of_text_are_aligned() -> None:
    text = text_of(Listing("move", [MOVE, Move("b/d", 12, "patch", HASH, "bikes:2", AT, "bob")]), now=NOW)
    title, head, first, second = text.splitlines()
    assert title == "History of bikes/default"
    assert head.startswith("REVISION  WHAT")
    assert first.startswith("       1  rolled back")
    assert second.startswith("      12  patched")


def test_names_of_somebodys_columns_are_kept_as_they_are() -> None:
    assert "hour  " in text_of(SCORED, now=NOW)
    assert "Scored Labels" in text_of(SCORED, now=NOW)


def test_many_rows_are_cut_and_counted() -> None:
    from dataclasses import replace

    many = replace(SCORED, rows=tuple((number, "x", 1.0) for number in range(1000)))
    assert "950 more rows are not shown" in text_of(many, now=NOW)
    assert len(json.dumps(bundle_of(many))) < 50_000


def test_a_retraining_that_goes_on_says_how_to_follow_it() -> None:
    from dataclasses import replace

    text = text_of(Retrained(replace(RUN, job_id=ID), None, None), now=NOW)
    assert text.endswith(f"follow it with `mlalm job follow {ID}`.")


def test_a_retraining_without_patch_says_that_nothing_moved() -> None:
    assert "Nothing that serves has changed." in text_of(Retrained(RUN, MODEL, None), now=NOW)


def test_differences_between_definitions_are_sentences_and_lines_of_code() -> None:
    other = code_definition(
        title="f", source="def f(t):\n    return t + 1\n", entry="f", inputs=Schema(), outputs=Schema()
    )
    one = code_definition(
        title="f", source="def f(t):\n    return t\n", entry="f", inputs=Schema(), outputs=Schema()
    )
    text = text_of(Listing("change", differences_between(one, other)))
    assert "The code of step code1 changed: 1 line came, 1 went." in text
    assert "+    return t + 1" in text
    assert text_of(Listing("change", [])) == "They are the same."


def test_a_definition_shows_its_models_and_its_code() -> None:
    scoring = scoring_definition(
        title="bikes", model=ModelAsset("a", "bikes", 2, HASH), inputs=SCHEMA, outputs=SCHEMA, example=()
    )
    assert "bikes:2" in text_of(scoring, now=NOW)
    assert "def comfort(rows):" in text_of(CODE, now=NOW)


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=50), "1 min ago"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(minutes=61), "1 h ago"),
        (timedelta(hours=25), "1 day ago"),
        (timedelta(days=13), "13 days ago"),
        (timedelta(days=20), "2026-11-01"),
        (-timedelta(seconds=20), "in a moment"),
        (-timedelta(hours=1), "in 1 h"),
        (-timedelta(days=3), "in 3 days"),
        (-timedelta(days=20), "2026-12-11"),
    ],
)
def test_times_are_told_as_people_tell_them(passed: timedelta, told: str) -> None:
    assert Moment((NOW - passed).isoformat()).relative(NOW) == told


def test_what_is_read_at_once_tells_how_long_ago_and_what_is_kept_tells_when() -> None:
    runs = Listing("run", [RUN])
    assert "2 h ago" in text_of(runs, now=NOW)
    assert "2026-11-21 09:30:00 UTC (2 h ago)" in text_of(RUN, now=NOW)
    told = f'<time datetime="{AT}" title="2026-11-21 09:30:00 UTC">2026-11-21 09:30:00</time>'
    assert told in html_of(runs)
    for kept in (*bundle_of(runs).values(), *bundle_of(RUN).values()):
        assert " ago" not in str(kept)


@pytest.mark.parametrize(
    ("count", "told"),
    [(12, "12 bytes"), (2048, "2 kB"), (5600, "5.5 kB"), (7_400_000, "7.1 MB"), (3 << 30, "3 GB")],
)
def test_sizes_are_told_as_people_tell_them(count: int, told: str) -> None:
    assert size(count) == told


def test_durations_are_told_as_people_tell_them() -> None:
    assert seconds_between(AT, "2026-11-21T09:30:07.250000Z") == "7.2 s"
    assert seconds_between(AT, "2026-11-21T09:31:19Z") == "1 min 19 s"
    assert seconds_between(AT, "2026-11-21T12:31:19Z") == "3 h 1 min"
    assert seconds_between(AT, None) is None


def test_a_trigger_tells_what_will_run_when_in_its_own_time_zone_and_what_came_of_it() -> None:
    text = text_of(TRIGGER, now=NOW)
    assert "the snapshot differs from your editor" in text
    assert "2026-11-22 02:00:00 UTC (in 14 h)" in text
    assert "Sun 2026-11-22 03:00 +01:00" in text
    assert "✗ failed" in text
    assert "in 14 h" in text_of(Listing("trigger", [TRIGGER]), now=NOW)
    followed = text_of(replace(TRIGGER, snapshot_run_id=None, draft=None), now=NOW)
    assert "it is at each time" in followed
    assert "your editor" not in followed


def test_a_new_service_is_shown_with_its_place_and_no_endpoint() -> None:
    own = replace(ENDPOINT, is_service=True, service="bikes", name="default")
    new = replace(SERVICE, kind="new", terms=Terms("west", PLAN), endpoints=(own,), state="running")
    assert new.to_dict()["endpoints"] == []
    assert new.to_dict()["address"] == own.address
    for text in (text_of(new, now=NOW), text_of(Listing("service", [new]), now=NOW)):
        assert "west" in text
        assert "bikes/default" not in text
        assert "mlalm endpoint" not in text


def test_an_endpoint_tells_how_it_is_set_and_a_stopped_service_how_it_is_started() -> None:
    text = text_of(ENDPOINT, now=NOW)
    assert re.search(r"calls at once +50 \(High\)", text)
    assert re.search(r"updates +prevented", text)
    assert "any number" in text_of(replace(ENDPOINT, settings=EndpointSettings()), now=NOW)
    assert "`mlalm service start bikes`" in text_of(SERVICE, now=NOW)
    assert "service start" not in text_of(replace(SERVICE, state="running"), now=NOW)
