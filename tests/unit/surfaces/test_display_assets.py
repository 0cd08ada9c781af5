"""How profiles, archives and referenced datasets are shown: drawn, in words, and harmless whatever they hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd

from mlalm_jupyter.domain.asset import Source
from mlalm_jupyter.domain.outcome import Preview
from mlalm_jupyter.domain.profile import Member, Profile
from mlalm_jupyter.domain.signature import Table
from mlalm_jupyter.formats.profiles import profiled
from mlalm_jupyter.surfaces.display import bundle_of, html_of, text_of
from mlalm_jupyter.surfaces.display.parts import Spark
from tests.unit.surfaces.test_display import DATASET, Page

EVIL = '<script>alert("x")</script>\x1b[2J'
FRAME = pd.DataFrame(
    {
        "age": [20, 30, 30, None],
        EVIL: ["a", EVIL, EVIL, None],
        "seen": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
    }
)


def shown(profile: Profile | None, note: str = "") -> Preview:
    return Preview(DATASET, Table(()), profile, note)


def test_each_column_has_a_row_and_a_picture_that_can_be_read_aloud() -> None:
    page = Page(html_of(shown(Profile(profiled(FRAME)))))
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(pictures) == 3
    assert all(one["role"] == "img" and one["aria-label"] for one in pictures)
    assert "script" not in {tag for tag, _ in page.tags}
    text = text_of(shown(Profile(profiled(FRAME))))
    assert "\x1b" not in text
    lines = text.splitlines()
    head = next(line for line in lines if "MISSING" in line)
    assert "MEAN" in head
    assert next(line for line in lines if line.startswith("age")).split()[:4] == ["age", "number", "1", "2"]
    assert "2024-01-01" in text


def test_pictures_follow_the_theme() -> None:
    html = html_of(shown(Profile(profiled(FRAME))))
    assert "currentColor" in html
    assert "fill:var(--jp-brand-color1" in html
    assert 'fill="#' not in html


def test_what_no_column_has_is_left_out() -> None:
    text = text_of(shown(Profile(profiled(FRAME[["age"]]))))
    assert "COMMONEST" not in text
    assert "MEAN" not in text_of(shown(Profile(profiled(FRAME[["seen"]]))))


def test_a_table_without_columns_or_profile_is_shown() -> None:
    assert "Columns" not in text_of(shown(None))
    assert html_of(shown(Profile()))


def test_the_files_of_an_archive_are_listed_and_a_long_list_says_so() -> None:
    profile = Profile((), (Member("a.csv", 2048), Member(EVIL, 1)), 7000, "It holds 7000 tables.")
    text = text_of(shown(profile, profile.note))
    assert "the first 2 of 7000" in text
    assert "2 kB" in text
    assert "\x1b" not in text
    assert "It holds 7000 tables." in text
    assert "<script" not in html_of(shown(profile, profile.note))


def test_where_a_referenced_dataset_lies_is_shown() -> None:
    kept = replace(DATASET, source=Source("https://example.org/?sig=...", sealed_address="SEALED"))
    assert "https://example.org/?sig=..." in text_of(kept, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert "SEALED" not in str(bundle_of(kept))


def test_a_spark_draws_nothing_only_where_nothing_is() -> None:
    assert Spark((), "").text == ""
    assert Spark((0, 1, 1000), "").text == " ▁█"
    assert Spark((5,), "").text == "█"
