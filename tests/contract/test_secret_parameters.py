"""Parameters stay in the record for all to see, so no secret is taken for one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlalm_jupyter.domain.errors import InvalidInput
from mlalm_jupyter.domain.secrecy import given_secrecy, secrecy
from mlalm_jupyter.workspace import Workspace
from tests.contract.test_experiment_history import write

SECRET = "hunter2-and-more"


@pytest.mark.parametrize(
    "door",
    [
        lambda ws, given: ws.experiments.run("train.ipynb", parameters=given, wait=False),
        lambda ws, given: ws.triggers.add("train.ipynb", "nightly", cron="0 3 * * *", parameters=given),
        lambda ws, given: ws.triggers.add(
            "train.ipynb", "nightly", cron="0 3 * * *", parameters=given, follow_draft=True
        ),
        lambda ws, given: ws.recorder.begin(
            (ws.path / "train.ipynb").read_bytes(),
            path="train.ipynb",
            parameters=given,
            origin="papermill",
            owner="me",
        ),
        lambda ws, given: ws.recorder.submit(
            (ws.path / "train.ipynb").read_bytes(), path="train.ipynb", parameters=given, origin="retraining"
        ),
    ],
    ids=["run", "trigger", "trigger of the draft", "papermill", "retraining"],
)
@pytest.mark.parametrize("given", [{"password": SECRET}, {"options": {"db_password": SECRET}}])
def test_no_door_takes_a_secret_as_a_parameter(
    workspace: Workspace, door: Callable[[Workspace, dict[str, object]], object], given: dict[str, object]
) -> None:
    write(workspace, ("password = ''\noptions = {}", ["parameters"]))
    with pytest.raises(InvalidInput, match=r"its name is that of a secret.*from the environment") as caught:
        door(workspace, given)
    assert SECRET not in str(caught.value)
    assert workspace.experiments.list() == ()
    assert workspace.triggers.list() == ()
    for file in (workspace.path / ".mlalm").rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "x"),
        ("dbPassword", "x"),
        ("api-key", "x"),
        ("access_key", "x"),
        ("hub_token", "x"),
        ("client_secret2", "x"),
        ("credentials", ["x"]),
        ("where", "postgres://me:word@db/rides"),
        ("note", "AKIA" + "A" * 16),
    ],
)
def test_what_is_a_secret_by_name_or_form_is_not_taken(name: str, value: object) -> None:
    assert given_secrecy(name, value)
    assert secrecy(name, value), "what is not taken is not kept either"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", "id"),
        ("join_key", "id"),
        ("sort_keys", ["hour"]),
        ("token", 5),
        ("max_tokens", 512),
        ("password", ""),
        ("tokenizer", "bert"),
        ("digest", "1f3870be274f6c49b3e31a0c6728957f"),
        ("commit", "Zm9vYmFyMTIzNDU2Nzg5MEFCQ0RFRg"),
        ("dataset", "wine:2"),
        ("where", "https://example.org/rides.csv"),
    ],
)
def test_what_only_sounds_like_one_is_taken(name: str, value: object) -> None:
    assert not given_secrecy(name, value)
