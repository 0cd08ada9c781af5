"""What takes something away asks first, whichever noun it is of."""

from __future__ import annotations

import pytest

from mlalm_jupyter.api.verb import Verb
from mlalm_jupyter.api.verbs import VERBS
from mlalm_jupyter.domain.errors import Unconfirmed
from mlalm_jupyter.surfaces.verbs_http import call
from mlalm_jupyter.workspace import Workspace
from tests.contract.parity_scenarios import SCENARIOS, aliased

DESTROYING = [verb for verb in VERBS if verb.name in ("delete", "remove")]


def test_there_are_some() -> None:
    assert len(DESTROYING) >= 6


@pytest.mark.parametrize("verb", DESTROYING, ids=lambda verb: f"{verb.noun} {verb.name}")
def test_a_verb_that_takes_something_away_asks_first(verb: Verb, hosted: Workspace) -> None:
    asked = SCENARIOS[verb.noun, verb.name].prepare(hosted)
    assert asked.pop("yes") is True
    with pytest.raises(Unconfirmed) as caught:
        call(verb, asked, workspace=hosted.path)
    assert caught.value.goes
    assert caught.value.fix == "Repeat with --yes."
    call(verb, {**asked, "yes": True}, workspace=hosted.path)


def test_taking_an_alias_away_asks_first_and_does_not_say_that_it_stands(hosted: Workspace) -> None:
    from mlalm_jupyter.surfaces.display import text_of

    reference = aliased(hosted)
    name, _, word = reference.partition("@")
    with pytest.raises(
        Unconfirmed, match=rf"Nobody said yes. This would go: {reference}, which stands for {name}:1"
    ):
        hosted.models.alias(name, word, remove=True)
    gone = hosted.models.alias(name, word, remove=True, yes=True)
    assert "It stands for nothing any more." in text_of(gone)
    assert "stands for  " not in text_of(gone)
    assert gone.to_dict()["model"] is None
