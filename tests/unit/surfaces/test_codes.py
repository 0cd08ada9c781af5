"""One table from errors to exit codes, one to HTTP statuses; no class falls through."""

from __future__ import annotations

import pytest

from mlalm_jupyter.api.verbs import find
from mlalm_jupyter.domain import errors
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.domain.job import Job, JobState
from mlalm_jupyter.domain.trust import Check, Verification
from mlalm_jupyter.domain.workspace import Checkup, Finding
from mlalm_jupyter.surfaces.cli.codes import exit_code, outcome_code
from mlalm_jupyter.surfaces.verbs_http import status_of

TABLE: dict[type[MlalmError], tuple[int, int]] = {
    MlalmError: (1, 500),
    errors.NotFound: (3, 404),
    errors.WorkspaceNotFound: (3, 404),
    errors.MissingAssets: (3, 404),
    errors.InvalidInput: (2, 400),
    errors.Unconfirmed: (2, 400),
    errors.Conflict: (4, 409),
    errors.AlreadyExists: (4, 409),
    errors.StaleRevision: (4, 409),
    errors.IllegalStatusChange: (4, 409),
    errors.SnapshotLocked: (4, 409),
    errors.InUse: (4, 409),
    errors.AgainstPolicy: (4, 409),
    errors.NothingToRollBack: (4, 409),
    errors.UpdatePrevented: (4, 409),
    errors.NoEndpoints: (4, 409),
    errors.TermsAreFixed: (4, 409),
    errors.DefaultEndpointNotPatchable: (4, 409),
    errors.UntrustedContent: (5, 400),
    errors.Unauthorized: (5, 401),
    errors.NotSerialisable: (1, 400),
    errors.MissingDependency: (1, 501),
    errors.Corrupt: (1, 500),
    errors.NewerSchema: (1, 501),
    errors.RunFailed: (7, 422),
    errors.ScoringFailed: (7, 422),
    errors.Unavailable: (6, 503),
    errors.ServerVersionMismatch: (6, 503),
    errors.PortTaken: (6, 503),
}


def family(kind: type[MlalmError] = MlalmError) -> list[type[MlalmError]]:
    return [kind, *(one for child in kind.__subclasses__() for one in family(child))]


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_every_class_has_its_exit_code_and_status(kind: type[MlalmError]) -> None:
    assert (exit_code(kind), status_of(kind)) == TABLE[kind]


def test_no_class_is_missing_from_the_table() -> None:
    assert {kind for kind in family() if kind.__module__ == errors.__name__} == set(TABLE)


@pytest.mark.parametrize(
    ("state", "code"),
    [(JobState.FINISHED, 0), (JobState.RUNNING, 0), (JobState.FAILED, 7), (JobState.CANCELED, 1)],
)
def test_following_a_job_ends_as_the_job_did(state: JobState, code: int) -> None:
    job = Job("0" * 32, "run", {}, state, 1, 1, "2026-01-01T00:00:00Z", "ann")
    assert outcome_code(find("job", "follow"), job) == code
    assert outcome_code(find("job", "show"), job) == 0


def test_a_model_that_is_not_well_is_no_success() -> None:
    verify = find("model", "verify")
    assert outcome_code(verify, Verification("a", "", (Check("package", True, "b"),))) == 0
    assert outcome_code(verify, Verification("a", "", (Check("package", False, "b"),))) == 1


def test_a_checkup_with_findings_is_no_success() -> None:
    doctor = find("workspace", "doctor")
    assert outcome_code(doctor, Checkup({})) == 0
    assert outcome_code(doctor, Checkup({}, (Finding("a", "b", "c"),))) == 1
