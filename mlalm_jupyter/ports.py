"""What the API needs from outside, as small protocols; adapters and plug-ins fill them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

from mlalm_jupyter.domain.asset import Dataset, Transform
from mlalm_jupyter.domain.definition import ServiceDefinition
from mlalm_jupyter.domain.estate import Plan, Region
from mlalm_jupyter.domain.event import Event
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.job import Job, JobState, Lease
from mlalm_jupyter.domain.model import Alias, TrainedModel
from mlalm_jupyter.domain.names import AssetRef, EndpointRef
from mlalm_jupyter.domain.policy import Policy
from mlalm_jupyter.domain.projection import Projection, Servable
from mlalm_jupyter.domain.run import Cells, Condition, Output, Run, RunStatus, Sorting
from mlalm_jupyter.domain.search import Search
from mlalm_jupyter.domain.server import Scored, ServerStatus
from mlalm_jupyter.domain.service import Endpoint, Move, WebService
from mlalm_jupyter.domain.signature import Table
from mlalm_jupyter.domain.trigger import Firing, Trigger
from mlalm_jupyter.domain.trust import Seal
from mlalm_jupyter.domain.workspace import Finding, WorkspaceInfo

if TYPE_CHECKING:
    from mlalm_jupyter.notebook.predictive.parts import Plan as ConversionPlan
    from mlalm_jupyter.notebook.predictive.proof import Proof, Trace


class Clock(Protocol):
    """Time and fresh ids."""

    def now(self) -> str:
        """UTC as ISO 8601 with microseconds and `Z`."""

    def time_s(self) -> float:
        """Seconds since the epoch, for leases."""

    def new_id(self) -> str:
        """32 lower-case hex digits, ordered by time (UUIDv7)."""


class Surroundings(Protocol):
    """What a run depends on besides its notebook."""

    def environment(self) -> tuple[dict[str, object], bytes]:
        """Interpreter and platform, and the installed packages as the text of a lock."""

    def git(self, folder: Path) -> dict[str, object]:
        """Commit and whether there are changes; empty outside a repository."""


class BlobStore(Protocol):
    """Bytes named by their sha256. Publishing is atomic and durable; nothing is ever overwritten."""

    def put(self, data: bytes) -> str: ...
    def put_pieces(self, pieces: Sequence[bytes]) -> str:
        """Keep the pieces joined, each stored once however many blobs it is part of; the digest of the whole."""

    def put_file(
        self,
        path: Path,
        *,
        check: Callable[[Path], None] | None = None,
        told: Callable[[int], None] | None = None,
    ) -> tuple[str, int]:
        """Copy a file in; its digest and size.

        `check` looks at the copy before it is kept, and nothing is if that raises; `told` hears how many bytes
        there are so far.
        """

    def get(self, digest: str) -> bytes:
        """The bytes, checked against their name."""

    def path(self, digest: str) -> Path:
        """The file of a blob that was put in one piece."""

    def pieces(self, digest: str) -> tuple[str, ...]:
        """The digests of the pieces a blob is made of; none when it was put whole."""

    def has(self, digest: str) -> bool: ...
    def digests(self) -> Iterator[str]: ...
    def fault(self, digest: str) -> str | None:
        """What is wrong with a blob, or None."""

    def free(
        self, keep: Collection[str], *, before_s: float, only: Collection[str] | None = None
    ) -> tuple[int, int]:
        """Remove the blobs that are not to be kept and were last put before a time; how many, how many bytes.

        With `only`, no other is looked at.
        """


@dataclass(frozen=True, slots=True)
class Fetched:
    """What lay at an address: the hash of its bytes, how many there were, and what the other side calls it."""

    digest: str
    size_bytes: int
    etag: str | None = None
    modified: str | None = None


class OutsideFiles(Protocol):
    """Files that are not in the workspace: at http(s) addresses, or by their paths."""

    def fetch(self, address: str, into: BinaryIO, *, told: Callable[[int, int], None]) -> Fetched:
        """Write all there is into an open file; no error names more of the address than people may see."""


class Keyring(Protocol):
    """The workspace's keys: one signs, one hides the service keys at rest."""

    @property
    def key_id(self) -> str: ...
    @property
    def public_key(self) -> str:
        """The public half, base64."""

    def sign(self, statement: bytes) -> str: ...
    def verifies(self, statement: bytes, signature: str) -> bool: ...
    def encrypt(self, secret: str, *, context: str) -> str: ...
    def decrypt(self, ciphertext: str, *, context: str) -> str: ...
    def new_service_key(self) -> str:
        """64 random bytes in base64."""

    def management_token(self) -> str: ...
    def faults(self) -> list[Finding]:
        """What is wrong with the keys, down to who else may read them."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One service key at rest: its sha256 for lookup and its ciphertext for showing."""

    endpoint_id: str
    slot: str
    digest: str
    ciphertext: str


class DatasetStore(Protocol):
    def next_version(self, name: str) -> int:
        """Reserve the next number of a name; numbers are never given twice."""

    def claim(self, name: str, version: int) -> int:
        """Take a number that something has elsewhere, or the next one where it may have been given already."""

    def add(self, dataset: Dataset) -> None: ...
    def get(self, ref: AssetRef) -> Dataset:
        """That version, or the newest when none is named."""

    def find(self, *, name: str | None = None) -> list[Dataset]:
        """All versions of a name, or the newest version of every name."""

    def equal_to(self, name: str, digest: str) -> int | None: ...
    def users(self, dataset: Dataset) -> list[str]:
        """The snapshots, models and transforms that refer to it."""

    def delete(self, dataset_id: str) -> None: ...


class TransformStore(Protocol):
    def next_version(self, name: str) -> int: ...
    def claim(self, name: str, version: int) -> int:
        """Take a number that something has elsewhere, or the next one where it may have been given already."""

    def add(self, transform: Transform) -> None: ...
    def get(self, ref: AssetRef) -> Transform: ...
    def find(self, *, name: str | None = None) -> list[Transform]: ...
    def equal_to(self, name: str, transform_hash: str) -> int | None: ...
    def has_hash(self, transform_hash: str) -> bool: ...
    def users(self, transform: Transform) -> list[str]:
        """The snapshots that refer to it."""

    def made_from(self, told: str, *, limit: int | None = None) -> list[Transform]:
        """The versions that were fitted with something, such as `dataset census:3`; the oldest first."""

    def delete(self, transform_id: str) -> None: ...


class ModelStore(Protocol):
    def next_version(self, name: str) -> int: ...
    def claim(self, name: str, version: int) -> int:
        """Take a number that something has elsewhere, or the next one where it may have been given already."""

    def add(self, model: TrainedModel) -> None: ...
    def get(self, ref: AssetRef) -> TrainedModel:
        """That version, the one an alias stands for, or the newest."""

    def find(self, *, name: str | None = None, run_id: str | None = None) -> list[TrainedModel]: ...
    def search(self, search: Search) -> list[TrainedModel]:
        """The versions that meet every condition, in the order that was asked for."""

    def words(self, kinds: Sequence[str]) -> list[str]:
        """The names of all tags, properties, metrics or parameters that some version has."""

    def has_word(self, kinds: Sequence[str], name: str) -> bool: ...
    def tell(self, model: TrainedModel) -> None:
        """Keep what may be said anew of a version: tags, properties, metrics, description."""

    def alias(self, name: str, alias: str) -> Alias: ...
    def aliases(self, *, name: str | None = None) -> list[Alias]: ...
    def move_alias(self, alias: Alias, *, expected_revision: int) -> None:
        """Compare and swap (0: there was none): StaleRevision when someone was quicker."""

    def remove_alias(self, name: str, alias: str) -> None: ...
    def equal_to(self, name: str, model_hash: str) -> int | None: ...
    def has_hash(self, model_hash: str) -> bool: ...
    def with_hash(self, model_hash: str) -> list[TrainedModel]:
        """The versions, of whatever name, that have this content; the newest first."""

    def has_name(self, name: str) -> bool: ...
    def users(self, model: TrainedModel) -> list[str]:
        """The snapshots that refer to it."""

    def delete(self, model_id: str) -> None: ...


class ExperimentStore(Protocol):
    def add(self, experiment: Experiment) -> None: ...
    def at_path(self, path: str) -> Experiment | None: ...
    def id_at(self, path: str) -> str | None:
        """Which experiment is at a path, for who need not know of its runs: with very many, counting takes time."""

    def move(self, experiment_id: str, *, old: str, new: str) -> None:
        """Have an experiment, its runs and the triggers of its notebook follow that to another path."""

    def delete(self, experiment_id: str) -> None:
        """Remove an experiment that has no runs any more."""

    def find(self) -> list[Experiment]: ...


class RunStore(Protocol):
    def add(self, run: Run) -> None: ...
    def get(self, prefix: str) -> Run:
        """The one run whose id begins so."""

    def move(self, run: Run, *, expected: RunStatus) -> None:
        """Keep a moved run if its status is still `expected`, else IllegalStatusChange."""

    def progress(self, run_id: str, cells: Cells) -> None: ...
    def add_input(self, run_id: str, reference: str) -> None: ...
    def add_model(self, run_id: str, reference: str) -> None: ...
    def find(
        self,
        *,
        experiment_id: str | None = None,
        status: RunStatus | None = None,
        where: Sequence[Condition] = (),
        since: str | None = None,
        sort: Sorting | None = None,
        limit: int | None = None,
    ) -> list[Run]:
        """Those that meet every condition, newest first or as asked."""

    def count_of(self, experiment_id: str) -> int: ...

    def names_of(self, experiment_id: str) -> list[str]:
        """What the runs of an experiment can be sorted by: names of their parameters, metrics and tags."""

    def add_outputs(self, run_id: str, outputs: Sequence[Output]) -> None: ...
    def outputs(self, run_id: str) -> list[Output]: ...
    def has_output(self, digest: str) -> bool: ...
    def output_digests(self) -> list[tuple[str, str]]:
        """The run and digest of every value that is kept."""

    def delete_of(self, experiment_id: str) -> int:
        """Remove all runs of an experiment, and their jobs; how many there were."""


class TriggerStore(Protocol):
    def add(self, trigger: Trigger) -> None:
        """A new trigger; AlreadyExists when the name is taken."""

    def get(self, name: str) -> Trigger: ...
    def find(self, *, path: str | None = None) -> list[Trigger]:
        """Those of one notebook, or all."""

    def due(self, now: str) -> list[Trigger]:
        """Those whose due time has come, the longest due first."""

    def next_due_at(self) -> str | None:
        """The soonest due time of all."""

    def move_on(self, trigger: Trigger, *, due_at: str | None) -> bool:
        """Compare and swap of the due time; False when another scheduler, or a person, was quicker."""

    def pause(self, trigger_id: str) -> None: ...
    def resume(self, trigger_id: str, *, due_at: str | None) -> None: ...
    def add_firing(self, firing: Firing) -> None:
        """Keep what was done about a due time; there can be one for each time."""

    def has_fired(self, trigger_id: str, due_at: str) -> bool: ...
    def firings(self, trigger_id: str, *, limit: int | None = None) -> list[Firing]:
        """Newest first."""

    def count_firings(self, trigger_id: str) -> int: ...
    def delete(self, trigger_id: str) -> None:
        """Remove a trigger and what it noted; the runs it started stay."""


class DefinitionStore(Protocol):
    def add(self, definition: ServiceDefinition, *, at: str) -> None:
        """Note a definition and the models in it; noting it again changes nothing."""

    def has(self, digest: str) -> bool: ...
    def digests(self) -> list[str]: ...


class ServiceStore(Protocol):
    def add(self, service: WebService) -> None:
        """A new service without its endpoints; AlreadyExists when the name is taken."""

    def kind(self, name: str) -> str | None:
        """Whether a service is classic or new; None where there is none of that name."""

    def get(self, name: str) -> WebService: ...
    def find(self) -> list[WebService]: ...
    def save(self, service: WebService) -> None:
        """Keep its state and its description; NotFound when it is gone."""

    def delete(self, service_id: str) -> None:
        """Forget a service whose endpoints are deleted."""


class EndpointStore(Protocol):
    def add(self, endpoint: Endpoint, keys: Sequence[StoredKey]) -> None: ...
    def get(self, ref: EndpointRef) -> Endpoint: ...
    def save(self, endpoint: Endpoint, *, expected_revision: int) -> None:
        """Compare and swap what it serves: StaleRevision when someone was quicker. Its settings stay."""

    def save_settings(self, endpoint: Endpoint) -> None:
        """Keep its settings and nothing else; NotFound when it is gone."""

    def replace_key(self, key: StoredKey) -> None:
        """Put a key in place of the one in its slot, which opens nothing any more."""

    def delete(self, endpoint_id: str) -> None:
        """Forget an endpoint and its keys; the events of it stay."""

    def find(self) -> list[Endpoint]: ...
    def keys(self, endpoint_id: str) -> list[StoredKey]: ...
    def moves(self, endpoint_id: str) -> list[Move]:
        """What it served and when, oldest first (read from the events)."""

    def serving_model(self, model_hash: str) -> list[str]:
        """References of endpoints whose present definition holds that model."""

    def serving(self, references: Sequence[str]) -> list[Endpoint]:
        """The endpoints whose present definition names one of these models, such as `churn:3`."""

    def serving_any(self, name: str) -> list[Endpoint]:
        """The endpoints whose present definition names any version of this model."""

    def that_served(self, reference: str) -> list[str]:
        """References of endpoints that have served that model, and could be rolled back to it."""


class PolicyStore(Protocol):
    def add(self, policy: Policy) -> None:
        """A new policy; AlreadyExists when the name is taken."""

    def get(self, name: str) -> Policy: ...
    def find(self, *, rule: str | None = None) -> list[Policy]: ...
    def applied(self, policy_id: str, *, model: str | None, at: str, note: str, expected: str | None) -> bool:
        """Keep what it acted on and what came of that; False when it is gone, or has acted on another than expected."""

    def delete(self, policy_id: str) -> None: ...


class SealStore(Protocol):
    def add(self, seal: Seal) -> None:
        """Keep a seal, in place of the one for the same kind and digest if there is any."""

    def get(self, kind: str, digest: str) -> Seal | None: ...
    def find(self) -> list[Seal]: ...
    def remove(self, digest: str) -> int: ...


class JobStore(Protocol):
    def add(self, job: Job) -> None: ...
    def get(self, prefix: str) -> Job: ...
    def find(self, *, state: JobState | None = None, limit: int | None = None) -> list[Job]:
        """Newest first."""

    def claim(self, owner: str, *, limit: int, now_s: float, lease_s: float, at: str) -> list[Job]:
        """Take queued jobs for an owner; each claim raises the attempt."""

    def adopt(self, job_id: str, owner: str, *, now_s: float, lease_s: float, at: str) -> Lease:
        """Take one named queued job: how a caller executes a job in its own process."""

    def heartbeat(self, lease: Lease, *, now_s: float, lease_s: float) -> bool:
        """Keep the lease; False when it is no longer ours."""

    def progress(self, lease: Lease, progress: Mapping[str, object]) -> bool: ...
    def finish(
        self,
        lease: Lease,
        state: JobState,
        *,
        at: str,
        result: Mapping[str, object] | None,
        cause: str | None,
    ) -> bool:
        """Record the end once; False when another attempt holds the job (fencing)."""

    def request_cancel(self, job_id: str, *, at: str) -> Job:
        """A queued job is Canceled at once; a running one is asked to stop."""

    def owners(self) -> list[str]:
        """Owners of running jobs."""

    def release(self, owner: str, *, at: str, cause: str = "The process that ran it is gone.") -> list[Job]:
        """Put a dead owner's jobs back (or end them, see `after_lost_owner`); the jobs as they are now."""

    def expired(self, *, now_s: float) -> list[str]:
        """Owners that hold a lease which has run out."""


class EventStore(Protocol):
    def append(self, event: Event) -> int: ...
    def find(
        self, *, noun: str | None = None, subject_id: str | None = None, limit: int = 1000
    ) -> list[Event]:
        """The newest `limit` of them, oldest first."""

    def last_seq(self) -> int: ...


class Transaction(Protocol):
    """All stores inside one transaction."""

    @property
    def info(self) -> WorkspaceInfo: ...
    @property
    def datasets(self) -> DatasetStore: ...
    @property
    def transforms(self) -> TransformStore: ...
    @property
    def models(self) -> ModelStore: ...
    @property
    def experiments(self) -> ExperimentStore: ...
    @property
    def runs(self) -> RunStore: ...
    @property
    def triggers(self) -> TriggerStore: ...
    @property
    def definitions(self) -> DefinitionStore: ...
    @property
    def services(self) -> ServiceStore: ...
    @property
    def endpoints(self) -> EndpointStore: ...
    @property
    def policies(self) -> PolicyStore: ...
    @property
    def seals(self) -> SealStore: ...
    @property
    def jobs(self) -> JobStore: ...
    @property
    def events(self) -> EventStore: ...


class Catalog(Protocol):
    """The record of everything; a `write` is all or nothing and excludes other writers."""

    def read(self) -> AbstractContextManager[Transaction]: ...
    def write(self) -> AbstractContextManager[Transaction]: ...
    def faults(self) -> list[str]:
        """What the storage engine itself finds wrong."""

    def close(self) -> None: ...


class ModelFormat(Protocol):
    """One way to keep a model object in files."""

    name: str
    is_data_only: bool
    """Whether opening the files can run nothing but what our own allow-list names."""
    is_deterministic: bool
    """Whether the same model, made again from the same data, gives the same files."""

    def takes(self, model: object) -> bool: ...
    def framework(self, model: object) -> str: ...
    def dump(self, model: object) -> dict[str, bytes]:
        """Files of the payload; NotSerialisable names the attribute that does not fit."""

    def libraries(self, payload: Mapping[str, bytes]) -> list[str]:
        """The distributions that opening it needs, beside numpy and pandas."""

    def wants(self, payload: Mapping[str, bytes]) -> list[str]:
        """What opening it would construct beyond the allow-list, without constructing anything."""

    def load(self, payload: Mapping[str, bytes], *, trusted: bool) -> object: ...


@runtime_checkable
class TypedFormat(Protocol):
    """What a format of data offers besides, where classes in it may be trusted by name; asked of no other format."""

    def types(self, payload: Mapping[str, bytes]) -> list[str]:
        """Those of what it wants that are classes, of which opening it makes objects and calls nothing else."""

    def load_typed(self, payload: Mapping[str, bytes], *, allows: Callable[[str], bool]) -> object:
        """The model, when all that it wants beyond the allow-list are classes that are allowed."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What came of executing a notebook."""

    notebook: bytes
    status: RunStatus
    cells: Cells
    cause: str | None = None
    failed_cell: int | None = None
    executed: tuple[int, ...] = ()
    """Numbers of the code cells that ran, in the order they ran."""
    outputs: tuple[Output, ...] = ()
    """Values that the cells left."""


class NotebookRunner(Protocol):
    """Executes the bytes of a notebook; it never reads the person's file."""

    def execute(
        self,
        notebook: bytes,
        *,
        parameters: Mapping[str, object],
        env: Mapping[str, str],
        cwd: Path,
        on_cell: Callable[[Cells], None],
        timeout_s: float | None = None,
        until: int | None = None,
        keep: Callable[[Path], tuple[str, int]] | None = None,
        scratch: Path | None = None,
    ) -> Execution:
        """Run the code cells from the first to the one numbered `until`, or to the last.

        With `keep`, which takes a file and gives its digest and size, the values that cells leave are kept.
        Files of its own it puts into the folder `scratch`, or where the system has room for such.
        """

    def left_in(self, scratch: Path, *, keep: Callable[[Path], tuple[str, int]]) -> Execution | None:
        """What an execution had done that was killed in `scratch`; None when it had not got to its first cell.

        Its status and cause say nothing: those are known to whoever found it dead.
        """


class NotebookConverter(Protocol):
    """Shows by running them whether a training notebook and the slice of a plan answer alike."""

    def trace(
        self,
        notebook: bytes,
        plan: ConversionPlan,
        *,
        parameters: Mapping[str, object],
        cwd: Path,
        env: Mapping[str, str],
        on_cell: Callable[[Cells], None],
        scratch: Path,
        timeout_s: float | None = None,
    ) -> Trace:
        """Run the notebook once more, and keep what a plan names of it in files under `scratch`.

        InvalidInput names the cell when it does not run to its end. What cannot be kept is a fault of the trace.
        """

    def prove(
        self,
        plan: ConversionPlan,
        trace: Trace,
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_cell: Callable[[Cells], None],
        scratch: Path,
        timeout_s: float | None = None,
        executed: object | None = None,
        as_written: Callable[[Proof], str] | None = None,
    ) -> Proof:
        """Compare the slice with the notebook, on its own rows and on such as it never had.

        `executed` is what the notebook answered when it was last run, where that is known. `as_written` gives the code
        that would be deployed of what such a proof writes: it has to answer as the slice does.
        """


class Estate(Protocol):
    """The plans and regions of a host; they belong to no workspace."""

    def alone(self) -> AbstractContextManager[None]:
        """Hold off everybody else who would change it, or what lives in it."""

    def plans(self) -> list[Plan]: ...
    def plan(self, name: str) -> Plan: ...
    def add_plan(self, plan: Plan) -> None: ...
    def remove_plan(self, name: str) -> None: ...
    def regions(self) -> list[Region]:
        """All regions as they are now, with the names of what lives there."""

    def region(self, name: str) -> Region: ...
    def add_region(self, region: Region) -> Region: ...
    def remove_region(self, name: str) -> None:
        """Forget a region; its storage is left as it is."""

    def check_there(self, region: Region) -> None:
        """Refuse a region whose storage is not where it should be."""

    def host(self, region: Region) -> ServiceHost:
        """What serves there."""

    def store(self, region: Region, service: str) -> Path:
        """The folder of a service there, whether it is or not."""

    def changing(self, region: Region, service: str) -> AbstractContextManager[None]:
        """Hold off everybody else who would make, change or delete a service."""

    def is_changing(self, region: Region, service: str) -> bool:
        """Whether somebody does that just now."""

    def clear(self, region: Region, service: str) -> None:
        """Take the store of a service away, whatever state it is in."""


class ServiceHost(Protocol):
    """Where services run."""

    @property
    def estate(self) -> Estate: ...

    def status(self) -> ServerStatus: ...
    def faults(self, workspace_id: str) -> list[Finding]:
        """What is wrong with the server that runs, and what of a workspace it cannot serve."""

    def start(self, *, port: int | None = None) -> ServerStatus: ...
    def stop(self) -> ServerStatus: ...
    def logs(self, *, process: str | None = None, lines: int = 50) -> str: ...
    def ensure(self, workspace_id: str, workspace_path: Path) -> None:
        """Make sure a server runs and knows this workspace."""

    def base_url(self) -> str | None:
        """The public base URL, which stays the same over restarts; None before the first start."""

    def address(self, workspace_id: str, endpoint_id: str) -> str | None:
        """Where an endpoint answers; None before the first start."""

    def subscription(self) -> str | None:
        """What the addresses of a region are under; None where it is no region."""

    def grow(self, workers: int) -> None:
        """Have at least so many scorers from now on."""

    def forget(self, workspace_id: str) -> None:
        """Serve nothing of a workspace any more; returns when no scorer does."""

    def prepare(self, workspace_id: str, servable: Servable, public_key: str) -> None:
        """Have every scorer load a definition and replay its example; raises when one cannot."""

    def publish(self, workspace_id: str, project: Callable[[], Projection]) -> None:
        """Let the scorers see the catalog as it is now; returns when each has taken it over."""

    def score(self, address: str, key: str, inputs: Mapping[str, Table]) -> Scored:
        """What an endpoint answers to rows, by the names of its inputs."""


HostFactory = Callable[[], ServiceHost]
RunnerFactory = Callable[[], NotebookRunner]
BlobStoreFactory = Callable[[Path], BlobStore]
