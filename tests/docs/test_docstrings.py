"""The examples in docstrings are run, each module's as it stands there."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import warnings
from pathlib import Path

import pytest

import mlalm_jupyter


def modules() -> list[str]:
    found = pkgutil.walk_packages(mlalm_jupyter.__path__, "mlalm_jupyter.")
    return [
        one.name for one in found if "mlalm_jupyter.labextension" not in one.name and _has_examples(one.name)
    ]


def _has_examples(name: str) -> bool:
    place = Path(mlalm_jupyter.__file__).parents[1].joinpath(*name.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ">>> " in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module_do_what_they_say(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert not failed, capsys.readouterr().out


def test_there_are_examples_that_are_run_and_not_only_shown() -> None:
    finder = doctest.DocTestFinder()
    examples = [
        example
        for name in modules()
        for test in finder.find(importlib.import_module(name))
        for example in test.examples
        if not example.options.get(doctest.SKIP)
    ]
    assert len(examples) >= 20
