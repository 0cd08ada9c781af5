"""The whole error tree. Every error says what happened, why, and what to do.

MlalmError
├─ NotFound                      kind, name, nearest names
│  ├─ WorkspaceNotFound
│  └─ MissingAssets              which, by kind and id
├─ InvalidInput                  where, expected, got
│  └─ Unconfirmed                what would go
├─ Conflict
│  ├─ AlreadyExists
│  ├─ StaleRevision
│  ├─ IllegalStatusChange
│  ├─ SnapshotLocked
│  ├─ InUse                      by whom
│  ├─ AgainstPolicy              which policy, and what it wants
│  ├─ NothingToRollBack
│  ├─ UpdatePrevented
│  ├─ DefaultEndpointNotPatchable
│  ├─ NoEndpoints
│  └─ TermsAreFixed
├─ UntrustedContent              what wants to run, and its hash
├─ NotSerialisable               which attribute
├─ MissingDependency             the install line
├─ Corrupt                       which file or record, and what is wrong with it
├─ NewerSchema                   the workspace was written by a newer version
├─ Unauthorized                  which credential
├─ RunFailed                     notebook, cell, its own error
├─ ScoringFailed                 where in the service
└─ Unavailable                   server down, port taken, disk full, no permission
   ├─ ServerVersionMismatch
   └─ PortTaken
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence


class MlalmError(Exception):
    """Something could not be done: `what` happened, `why`, and how to `fix` it."""

    code = "Error"

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        self.what = what
        self.why = why
        self.fix = fix
        super().__init__(what, why, fix)

    def __str__(self) -> str:
        parts = [part for part in (self.what, self.why, self.fix) if part]
        # somebody else's words, such as the error of a cell, come without a full stop
        ended = [part if part.endswith((".", "!", "?")) else f"{part}." for part in parts[:-1]]
        return " ".join([*ended, *parts[-1:]])

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuilt, (type(self), self.__dict__ | {"what": self.what}))

    def _render_traceback_(self) -> list[str]:
        """One line in a notebook instead of a traceback (an IPython hook)."""
        return [f"{type(self).__name__}: {self}"]

    def to_dict(self) -> dict[str, str]:
        return {"code": self.code, "what": self.what, "why": self.why, "fix": self.fix}


def _rebuilt(cls: type[MlalmError], state: dict[str, object]) -> MlalmError:
    error = cls.__new__(cls)
    MlalmError.__init__(error, str(state["what"]), why=str(state["why"]), fix=str(state["fix"]))
    error.__dict__.update(state)
    return error


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """The names a person may have meant, best first.

    >>> nearest("chrun", ["churn", "census"])
    ['churn']
    """
    return difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.5)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


class NotFound(MlalmError):
    code = "NotFound"

    def __init__(
        self, kind: str, name: str, *, known: Iterable[str] = (), none: str = "", fix: str = ""
    ) -> None:
        self.kind = kind
        self.name = name
        known = sorted(set(known))
        self.nearest = nearest(name, known)
        if self.nearest:
            why = f"The nearest names are {_listed(self.nearest)}."
        elif known:
            shown = known[:5]
            why = f"There are {_listed(shown)}{' and more' if len(known) > 5 else ''}."
        else:
            why = none or f"There is no {kind} here yet."
        super().__init__(f"No {kind} '{name}'.", why=why, fix=fix or f"List them with `mlalm {kind} list`.")


class WorkspaceNotFound(NotFound):
    code = "WorkspaceNotFound"

    def __init__(self, place: str, *, why: str) -> None:
        self.kind = "workspace"
        self.name = place
        self.nearest = []
        MlalmError.__init__(
            self,
            f"No workspace at '{place}'.",
            why=why,
            fix="Make one with `mlalm workspace init FOLDER`, or name one: --workspace or MLALM_WORKSPACE.",
        )


class MissingAssets(NotFound):
    code = "MissingAssets"

    def __init__(self, what: str, *, missing: Sequence[str]) -> None:
        self.kind = "asset"
        self.name = what
        self.nearest = []
        self.missing = tuple(missing)
        MlalmError.__init__(
            self,
            f"{what} was not opened.",
            why=f"It refers to {'; '.join(self.missing)}.",
            fix="Bring those with the same ids: `mlalm experiment copy` carries them from where they are.",
        )


class InvalidInput(MlalmError):
    code = "InvalidInput"
    path: tuple[str | int, ...] | None = None
    """Where in a document it is, when it is in one."""

    def __init__(self, where: str, *, expected: str, got: str, why: str = "", fix: str = "") -> None:
        """Without a fix of its own it is to give what was expected, which one sentence need not say twice."""
        self.where = where
        self.expected = expected
        self.got = got
        super().__init__(
            f"{where} is not valid.",
            why=why or f"Expected {expected}, got {got}.",
            fix=fix or f"Give {expected}.",
        )

    def __str__(self) -> str:
        # one that came from elsewhere has only its words
        given = self.fix.removeprefix("Give ").removesuffix(".")
        if given and self.fix == f"Give {given}." and given in self.why:
            return f"{self.what} {self.why}"
        return super().__str__()


class Unconfirmed(InvalidInput):
    code = "Unconfirmed"

    def __init__(self, name: str, *, goes: Sequence[str], is_final: bool = True) -> None:
        """`is_final`: whether what goes cannot be made again as it was."""
        self.goes = tuple(goes)
        self.is_final = is_final
        self.where = name
        self.expected = "a spoken yes"
        self.got = "none"
        MlalmError.__init__(
            self,
            f"{name} was not deleted.",
            why=f"{'That cannot be undone, and nobody' if is_final else 'Nobody'} said yes. "
            f"This would go: {', '.join(self.goes)}.",
            fix="Repeat with --yes.",
        )


def refused_by_system(error: OSError) -> MlalmError | None:
    """What the system refused because of what was asked for, or because of who asked; None for anything else."""
    name = str(error.filename or "")
    if error.errno == errno.ENAMETOOLONG:
        told = f"'{name[:60]}...'" if len(name) > 60 else f"'{name}'"
        return InvalidInput(
            f"The name {told}",
            expected="one that a file can have, of 255 bytes at most",
            got=f"{len(name)} characters",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Unavailable(
            f"'{name}' was not used.",
            why="You may not read it, or not write there.",
            fix="Have its permissions changed, or use a place of your own.",
        )
    return None


class Conflict(MlalmError):
    code = "Conflict"


class AlreadyExists(Conflict):
    code = "AlreadyExists"

    def __init__(self, kind: str, name: str, *, fix: str) -> None:
        super().__init__(f"{kind.capitalize()} '{name}' was not made.", why="That name is taken.", fix=fix)


class StaleRevision(Conflict):
    code = "StaleRevision"

    def __init__(self, kind: str, name: str, *, expected: int, current: int | None = None) -> None:
        why = f"Someone else changed it after revision {expected} was read."
        if current is not None and current < expected:
            at = f"is at revision {current}" if current else "is not there yet"
            why = f"It {at}, and revision {expected} was expected."
        super().__init__(
            f"{kind.capitalize()} '{name}' was not changed.",
            why=why,
            fix="Look at it again, then repeat the change if it is still wanted.",
        )


class IllegalStatusChange(Conflict):
    code = "IllegalStatusChange"

    def __init__(self, kind: str, name: str, *, current: str, wanted: str) -> None:
        super().__init__(
            f"{kind.capitalize()} '{name}' did not become {wanted}.",
            why=f"It is {current}, and from there that move does not exist.",
            fix=f"Start a new {kind} instead.",
        )


class SnapshotLocked(Conflict):
    code = "SnapshotLocked"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Snapshot '{name}' was not changed.",
            why="A snapshot is the record of what ran and stays as it is.",
            fix="Save it as an experiment of your own (`mlalm experiment save-as run:ID NAME`) and edit that; "
            "`mlalm run replay` runs it again as it is.",
        )


class InUse(Conflict):
    code = "InUse"

    def __init__(
        self, kind: str, name: str, *, users: Sequence[str], fix: str = "Move those to something else first."
    ) -> None:
        self.users = tuple(users)
        super().__init__(
            f"{kind.capitalize()} '{name}' was not deleted.",
            why=f"It is in use by {_listed(self.users)}.",
            fix=fix,
        )


class AgainstPolicy(Conflict):
    code = "AgainstPolicy"

    def __init__(self, what: str, *, policy: str, because: str, fix: str) -> None:
        self.policy = policy
        super().__init__(f"{what} was refused.", why=f"There is the policy '{policy}': {because}.", fix=fix)


class NothingToRollBack(Conflict):
    code = "NothingToRollBack"

    def __init__(self, endpoint: str) -> None:
        super().__init__(
            f"Endpoint '{endpoint}' was not rolled back.",
            why="There is no earlier step left to go back to.",
            fix=f"See its history with `mlalm endpoint history {endpoint}`, and name a revision of it with --to.",
        )


class UpdatePrevented(Conflict):
    code = "UpdatePrevented"

    def __init__(self, endpoint: str, *, done: str = "patched") -> None:
        super().__init__(
            f"Endpoint '{endpoint}' was not {done}.",
            why="It is set to prevent updates.",
            fix=f"If it may move after all, allow it with `mlalm endpoint patch {endpoint} --allow-update`.",
        )


class DefaultEndpointNotPatchable(Conflict):
    code = "DefaultEndpointNotPatchable"

    def __init__(self, endpoint: str, *, done: str = "patched") -> None:
        service = endpoint.partition("/")[0]
        super().__init__(
            f"Endpoint '{endpoint}' was not {done}.",
            why="The default endpoint follows what is deployed and changes only by deploying again.",
            fix=f"Add another with `mlalm endpoint add {service}/ep2` and patch that one, "
            f"or deploy again with `--update`.",
        )


class NoEndpoints(Conflict):
    code = "NoEndpoints"

    def __init__(self, service: str, *, done: str, fix: str) -> None:
        super().__init__(
            f"Service '{service}' has no endpoint to be {done}.",
            why="It is a New service: it has one definition and one address, and no endpoints.",
            fix=fix,
        )


class TermsAreFixed(Conflict):
    code = "TermsAreFixed"

    def __init__(self, service: str, *, term: str, has: str, wanted: str) -> None:
        super().__init__(
            f"Service '{service}' was not updated.",
            why=f"Its {term} is '{has}' as long as it lives, and '{wanted}' was asked for.",
            fix=f"Leave --{term} away to update it where it is, or deploy the definition there under another name.",
        )


class UntrustedContent(MlalmError):
    code = "UntrustedContent"

    def __init__(
        self, what: str, *, wants: Sequence[str], digest: str, kind: str = "", types: Sequence[str] = ()
    ) -> None:
        """`types` are those of what it wants that may be trusted by name."""
        self.wants = tuple(wants)
        self.digest = digest
        self.types = tuple(types)
        add = f"mlalm trust add {digest}{f' --kind {kind}' if kind else ''}"
        if wants and set(wants) <= set(types):
            by_name = ", ".join(f"`mlalm trust add {name}`" for name in sorted(set(wants)))
            super().__init__(
                f"{what} was refused.",
                why=f"It would make objects of {_listed(self.wants)}, which this workspace does not trust.",
                fix=f"If you know what they do: {by_name}, for every file that holds them; or `{add}`, "
                "for this one alone. Then repeat.",
            )
            return
        super().__init__(
            f"{what} was refused.",
            why=f"It would run {_listed(self.wants)}, and this workspace has not signed those bytes.",
            fix=f"Read it; if you want it to run here: `{add}`, then repeat.",
        )


class NotSerialisable(MlalmError):
    code = "NotSerialisable"

    def __init__(self, what: str, *, attribute: str, because: str, fix: str = "") -> None:
        self.attribute = attribute
        super().__init__(
            f"{what} was not registered.",
            why=f"Its attribute `{attribute}` cannot be written to a file: {because}.",
            fix=fix
            or "Replace that attribute by something that can be saved, or drop it before registering.",
        )


class MissingDependency(MlalmError):
    code = "MissingDependency"

    def __init__(self, what: str, *, library: str, install: str) -> None:
        self.library = library
        self.install = install
        super().__init__(
            f"{what} was not opened.",
            why=f"It needs {library}, which is not installed.",
            fix=f"Run `{install}`.",
        )


class Corrupt(MlalmError):
    code = "Corrupt"

    def __init__(self, what: str, *, why: str, fix: str = "") -> None:
        super().__init__(
            f"{what} is damaged.",
            why=why,
            fix=fix or "Run `mlalm workspace doctor`, and restore it from a copy.",
        )


class NewerSchema(MlalmError):
    code = "NewerSchema"

    def __init__(self, workspace: str, *, found: str, known: str) -> None:
        super().__init__(
            f"Workspace '{workspace}' was not opened.",
            why=f"A newer mlalm wrote it (its schema is {found}; this version knows {known}).",
            fix="Install the newer mlalm that wrote it, and try again.",
        )


class Unauthorized(MlalmError):
    code = "Unauthorized"

    def __init__(self, what: str, *, needs: str) -> None:
        super().__init__(
            f"{what} was refused.",
            why=f"It needs {needs}.",
            fix="Send that, and only over a channel you trust.",
        )


class RunFailed(MlalmError):
    code = "RunFailed"

    def __init__(self, notebook: str, *, run_id: str, cause: str, cell: int | None = None) -> None:
        self.run_id = run_id
        self.cell = cell
        place = f" in cell {cell}" if cell is not None else ""
        super().__init__(
            f"The run of '{notebook}' failed{place}.",
            why=cause,
            fix=f"See what it left with `mlalm run show {run_id[:12]}`.",
        )


class ScoringFailed(MlalmError):
    code = "ScoringFailed"

    def __init__(self, where: str, *, why: str, fix: str = "") -> None:
        super().__init__(f"Scoring failed at {where}.", why=why, fix=fix)


class Unavailable(MlalmError):
    code = "Unavailable"


class ServerVersionMismatch(Unavailable):
    code = "ServerVersionMismatch"

    def __init__(self, *, running: str, mine: str) -> None:
        super().__init__(
            "The server was not used.",
            why=f"It runs version {running}, and this is version {mine}.",
            fix="Stop it with `mlalm server stop`; the next deploy starts the right one at the same address.",
        )


class PortTaken(Unavailable):
    code = "PortTaken"

    def __init__(self, port: int, *, region: str | None = None) -> None:
        self.port = port
        of = f" --region {region}" if region else ""
        super().__init__(
            f"The server did not start at port {port}.",
            why="Another program listens there, and the addresses of your services name this port.",
            fix=f"Stop that program, or give the services a new address: `mlalm server start{of} --port PORT`.",
        )
