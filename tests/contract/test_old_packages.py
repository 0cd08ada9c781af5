"""Packages that earlier versions wrote: they are read for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlalm_jupyter.formats import bundle, frames
from mlalm_jupyter.formats.samples import plain_rows
from tests.frameworks import need

pytestmark = [pytest.mark.prove_models, pytest.mark.filterwarnings("ignore::Warning")]
FILES = sorted((Path(__file__).parent / "files").glob("package-*.ilearner"))
LIBRARIES = {"onnx": "onnxruntime", "torch-export": "torch", "torchscript": "torch"}


def test_there_are_files_of_every_version() -> None:
    assert {int(path.stem.split("-")[1]) for path in FILES} == set(bundle.READABLE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_package_of_an_earlier_version_opens_and_says_what_it_said(path: Path) -> None:
    version, kind = path.stem.split("-")[1:]
    opened = bundle.read(path)
    assert (opened.version, opened.format) == (int(version), kind)
    assert opened.model_hash == opened.manifest["model_hash"]
    if kind not in ("skops", "cloudpickle"):
        need(LIBRARIES.get(kind, kind))
    model = opened.load(trusted=not opened.is_data_only)
    told: dict[str, Any] = json.loads(opened.members["sample.json"])
    rows = pd.DataFrame([*opened.sample_rows], columns=pd.Index(opened.signature.inputs.names))
    assert plain_rows(frames.score(model, rows)) == told["outputs"]
    assert bundle.read(path.read_bytes()).model_hash == opened.model_hash


def test_the_hash_of_a_version_1_package_is_over_the_bytes_themselves() -> None:
    opened = bundle.read(FILES[1])
    assert opened.model_hash == "eb3c7582c40230a39808067d959bc2532dae398900bfc2861589ac4f4ca76d49"
    assert (opened.requirements, dict(opened.lineage), opened.seal) == ((), {}, None)


def test_a_sealed_package_of_version_2_is_still_sealed() -> None:
    (path,) = (path for path in FILES if path.stem == "package-2-skops")
    seal = bundle.read(path).seal
    assert seal is not None
    assert (seal.key_id, seal.is_whole) == ("fixture", True)


def test_the_reader_on_the_reference_page_reads_them_too() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "ilearner.md"
    code = page.read_text("utf-8").split("```python\n")[1].split("```")[0]
    scope: dict[str, Any] = {}
    exec(code, scope)
    for path in FILES:
        if path.stem.startswith("package-2"):
            manifest, members = scope["read_ilearner"](path)
            assert manifest["format"] == path.stem.split("-", 2)[2]
            assert {"sample.json", "signature.json"} < set(members)
