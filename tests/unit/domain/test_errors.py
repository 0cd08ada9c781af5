"""The sentence of every error is read here; a class without one fails."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

import pytest

from mlalm_jupyter.domain import errors
from mlalm_jupyter.domain.errors import MlalmError

HASH = "9f" * 32

SENTENCES: list[tuple[MlalmError, str]] = [
    (
        MlalmError("The thing was not done.", why="It could not.", fix="Do another."),
        "The thing was not done. It could not. Do another.",
    ),
    (
        errors.NotFound("model", "biks:9", known=["bikes:1", "bikes:2", "wine:1"]),
        "No model 'biks:9'. The nearest names are 'bikes:2', 'bikes:1'. List them with `mlalm model list`.",
    ),
    (
        errors.WorkspaceNotFound("rides", why="That folder is no workspace."),
        "No workspace at 'rides'. That folder is no workspace. Make one with `mlalm workspace init FOLDER`, "
        "or name one: --workspace or MLALM_WORKSPACE.",
    ),
    (
        errors.MissingAssets("Experiment 'a'", missing=["dataset rides:1 (id 0193ab), which is not here"]),
        "Experiment 'a' was not opened. It refers to dataset rides:1 (id 0193ab), which is not here. "
        "Bring those with the same ids: `mlalm experiment copy` carries them from where they are.",
    ),
    (
        errors.InvalidInput("$.rows[2].age", expected="a whole number", got="'old'", fix="Send a number."),
        "$.rows[2].age is not valid. Expected a whole number, got 'old'. Send a number.",
    ),
    (
        errors.Unconfirmed("bikes:1", goes=["bikes:1, 51200 bytes", "its sample"]),
        "bikes:1 was not deleted. That cannot be undone, and nobody said yes. "
        "This would go: bikes:1, 51200 bytes, its sample. Repeat with --yes.",
    ),
    (
        errors.Conflict("The catalog was not moved.", why="Somebody is writing.", fix="Wait."),
        "The catalog was not moved. Somebody is writing. Wait.",
    ),
    (
        errors.AlreadyExists("service", "bikes", fix="Choose another name, or deploy with --update."),
        "Service 'bikes' was not made. That name is taken. Choose another name, or deploy with --update.",
    ),
    (
        errors.StaleRevision("endpoint", "bikes/autumn", expected=3),
        "Endpoint 'bikes/autumn' was not changed. Someone else changed it after revision 3 was read. "
        "Look at it again, then repeat the change if it is still wanted.",
    ),
    (
        errors.IllegalStatusChange("run", "0193ab12cd34", current="Finished", wanted="Running"),
        "Run '0193ab12cd34' did not become Running. It is Finished, and from there that move does not exist. "
        "Start a new run instead.",
    ),
    (
        errors.SnapshotLocked("train.ipynb, 0193ab"),
        "Snapshot 'train.ipynb, 0193ab' was not changed. A snapshot is the record of what ran and stays "
        "as it is. Save it as an experiment of your own (`mlalm experiment save-as run:ID NAME`) and edit that; "
        "`mlalm run replay` runs it again as it is.",
    ),
    (
        errors.InUse("model", "bikes:1", users=["bikes/default", "bikes/autumn"]),
        "Model 'bikes:1' was not deleted. It is in use by 'bikes/default', 'bikes/autumn'. "
        "Move those to something else first.",
    ),
    (
        errors.AgainstPolicy(
            "Model bikes:1", policy="signed", because="it wants a signature", fix="Sign it."
        ),
        "Model bikes:1 was refused. There is the policy 'signed': it wants a signature. Sign it.",
    ),
    (
        errors.NothingToRollBack("bikes/default"),
        "Endpoint 'bikes/default' was not rolled back. There is no earlier step left to go back to. "
        "See its history with `mlalm endpoint history bikes/default`, and name a revision of it with --to.",
    ),
    (
        errors.UpdatePrevented("bikes/autumn"),
        "Endpoint 'bikes/autumn' was not patched. It is set to prevent updates. If it may move after all, "
        "allow it with `mlalm endpoint patch bikes/autumn --allow-update`.",
    ),
    (
        errors.NoEndpoints("bikes", done="patched", fix="Deploy it again."),
        "Service 'bikes' has no endpoint to be patched. It is a New service: it has one definition and one address, "
        "and no endpoints. Deploy it again.",
    ),
    (
        errors.TermsAreFixed("bikes", term="region", has="west", wanted="east"),
        "Service 'bikes' was not updated. Its region is 'west' as long as it lives, and 'east' was asked for. "
        "Leave --region away to update it where it is, or deploy the definition there under another name.",
    ),
    (
        errors.DefaultEndpointNotPatchable("bikes/default"),
        "Endpoint 'bikes/default' was not patched. The default endpoint follows what is deployed and changes "
        "only by deploying again. Add another with `mlalm endpoint add bikes/ep2` and patch that one, "
        "or deploy again with `--update`.",
    ),
    (
        errors.UntrustedContent("Definition 9f9f", wants=["the code of node code1"], digest=HASH),
        "Definition 9f9f was refused. It would run 'the code of node code1', and this workspace has not "
        f"signed those bytes. Read it; if you want it to run here: `mlalm trust add {HASH}`, then repeat.",
    ),
    (
        errors.UntrustedContent(
            "The file 'm.skops'", wants=["a.Ratio"], digest=HASH, kind="file", types=["a.Ratio"]
        ),
        "The file 'm.skops' was refused. It would make objects of 'a.Ratio', which this workspace does not trust. "
        "If you know what they do: `mlalm trust add a.Ratio`, for every file that holds them; or "
        f"`mlalm trust add {HASH} --kind file`, for this one alone. Then repeat.",
    ),
    (
        errors.NotSerialisable("The model", attribute="steps[0].lock", because="cannot pickle a lock"),
        "The model was not registered. Its attribute `steps[0].lock` cannot be written to a file: "
        "cannot pickle a lock. Replace that attribute by something that can be saved, "
        "or drop it before registering.",
    ),
    (
        errors.MissingDependency("The model bikes:1", library="skops", install="pip install skops"),
        "The model bikes:1 was not opened. It needs skops, which is not installed. Run `pip install skops`.",
    ),
    (
        errors.Corrupt("Blob 9f9f", why="Its bytes no longer give its name."),
        "Blob 9f9f is damaged. Its bytes no longer give its name. "
        "Run `mlalm workspace doctor`, and restore it from a copy.",
    ),
    (
        errors.NewerSchema("rides", found="0007", known="0001"),
        "Workspace 'rides' was not opened. A newer mlalm wrote it (its schema is 0007; this version "
        "knows 0001). "
        "Install the newer mlalm that wrote it, and try again.",
    ),
    (
        errors.Unauthorized("The call", needs="a key of endpoint bikes/default"),
        "The call was refused. It needs a key of endpoint bikes/default. "
        "Send that, and only over a channel you trust.",
    ),
    (
        errors.RunFailed("train.ipynb", run_id="0193ab12cd34ef", cause="KeyError: 'weather'", cell=4),
        "The run of 'train.ipynb' failed in cell 4. KeyError: 'weather'. "
        "See what it left with `mlalm run show 0193ab12cd34`.",
    ),
    (
        errors.ScoringFailed("node code1", why="KeyError: 'wind'", fix="Send the column 'wind'."),
        "Scoring failed at node code1. KeyError: 'wind'. Send the column 'wind'.",
    ),
    (
        errors.Unavailable("The file was not written.", why="The disk is full.", fix="Choose another place."),
        "The file was not written. The disk is full. Choose another place.",
    ),
    (
        errors.ServerVersionMismatch(running="0.1.0", mine="0.2.0"),
        "The server was not used. It runs version 0.1.0, and this is version 0.2.0. Stop it with "
        "`mlalm server stop`; the next deploy starts the right one at the same address.",
    ),
    (
        errors.PortTaken(8971),
        "The server did not start at port 8971. Another program listens there, and the addresses of your "
        "services name this port. Stop that program, or give the services a new address: "
        "`mlalm server start --port PORT`.",
    ),
]

ids = [type(error).__name__ for error, _ in SENTENCES]


def family(kind: type[MlalmError] = MlalmError) -> list[type[MlalmError]]:
    return [kind, *(one for child in kind.__subclasses__() for one in family(child))]


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=ids)
def test_every_error_reads_as_it_should(error: MlalmError, sentence: str) -> None:
    assert str(error) == sentence


def test_no_class_of_errors_is_missing_here() -> None:
    assert {kind for kind in family() if kind.__module__ == errors.__name__} == {
        type(error) for error, _ in SENTENCES
    }


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = {line.strip("│├└─ ").split()[0] for line in str(errors.__doc__).splitlines() if "─ " in line}
    assert drawn == {kind.__name__ for kind in family()} - {"MlalmError"}


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=ids)
def test_an_error_crosses_processes_whole(error: MlalmError, sentence: str) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), sentence, vars(error))


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=ids)
def test_a_notebook_shows_an_error_in_one_line(error: MlalmError, sentence: str) -> None:
    assert error._render_traceback_() == [f"{type(error).__name__}: {sentence}"]


def test_an_error_as_json_has_its_code_and_three_sentences() -> None:
    assert errors.PortTaken(80).to_dict().keys() == {"code", "what", "why", "fix"}


def test_a_name_without_near_ones_lists_what_there_is() -> None:
    known = [f"model{number}" for number in range(7)]
    assert errors.NotFound("model", "zzz", known=known).why == (
        "There are 'model0', 'model1', 'model2', 'model3', 'model4' and more."
    )
    assert errors.NotFound("model", "zzz").why == "There is no model here yet."


def test_every_error_says_what_to_do() -> None:
    assert all(error.fix for error, _ in SENTENCES)
    refused = errors.InvalidInput("The limit", expected="1 or more", got="0")
    assert refused.fix == "Give 1 or more."
    assert str(refused) == "The limit is not valid. Expected 1 or more, got 0.", "a sentence says it once"
    assert str(pickle.loads(pickle.dumps(refused))) == str(refused)
    assert (
        str(errors.InvalidInput("A", expected="b", got="c", why="Not so."))
        == "A is not valid. Not so. Give b."
    )


PLAIN = ("MlalmError", "Conflict", "Unavailable", "ScoringFailed")
"""Those that have no fix unless they are given one."""


def test_no_error_is_raised_without_a_fix() -> None:
    package = Path(errors.__file__).parents[1]
    without, seen = [], 0
    for file in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") in PLAIN):
                continue
            seen += 1
            fix = next((word.value for word in node.keywords if word.arg == "fix"), None)
            if fix is None or (isinstance(fix, ast.Constant) and not fix.value):
                without.append(f"{file.name}:{node.lineno}")
    assert seen > 20
    assert without == []
