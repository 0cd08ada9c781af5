"""Opening a workspace: the only place where adapters are chosen and handed to the API."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from mlalm_jupyter import plugins
from mlalm_jupyter.adapters.catalog import SqlCatalog
from mlalm_jupyter.adapters.folder_blobs import translated
from mlalm_jupyter.adapters.keyring import FolderKeyring
from mlalm_jupyter.adapters.outside_files import HttpAndLocalFiles
from mlalm_jupyter.adapters.surroundings import MachineSurroundings
from mlalm_jupyter.adapters.system_clock import SystemClock
from mlalm_jupyter.api.context import Context, Progress, silent
from mlalm_jupyter.api.datasets import Datasets
from mlalm_jupyter.api.definitions import Definitions
from mlalm_jupyter.api.endpoints import Endpoints
from mlalm_jupyter.api.estate import Plans, Regions
from mlalm_jupyter.api.experiments import Experiments
from mlalm_jupyter.api.following import Following
from mlalm_jupyter.api.galleries import Galleries
from mlalm_jupyter.api.golive import projection
from mlalm_jupyter.api.jobs import Jobs
from mlalm_jupyter.api.models import Models
from mlalm_jupyter.api.performer import Performer
from mlalm_jupyter.api.policies import Policies
from mlalm_jupyter.api.recorder import Recorder
from mlalm_jupyter.api.retraining import Retraining
from mlalm_jupyter.api.runs import Runs
from mlalm_jupyter.api.server import Server
from mlalm_jupyter.api.services import Services
from mlalm_jupyter.api.timekeeper import Timekeeper
from mlalm_jupyter.api.transforms import Transforms
from mlalm_jupyter.api.triggers import Triggers
from mlalm_jupyter.api.trust import Trust
from mlalm_jupyter.api.uploads import Uploads
from mlalm_jupyter.api.workspaces import Founding, Workspaces
from mlalm_jupyter.domain.errors import InvalidInput, WorkspaceNotFound, refused_by_system
from mlalm_jupyter.domain.event import Event
from mlalm_jupyter.domain.projection import Projection
from mlalm_jupyter.domain.workspace import CATALOG, HIDDEN, WorkspaceInfo
from mlalm_jupyter.ports import BlobStore, Catalog, Clock, NotebookConverter, ServiceHost


class Workspace:
    """A folder that holds experiments, models and services; its `.mlalm/` keeps the record.

    >>> ws = Workspace.open("churn")  # doctest: +SKIP
    >>> ws.services.score("churn", frame)  # doctest: +SKIP
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.recorder = Recorder(context)
        self.workspaces = Workspaces(context)
        self.datasets = Datasets(context)
        self.uploads = Uploads(context, self.datasets)
        self.transforms = Transforms(context, self.datasets)
        self.experiments = Experiments(context, self.recorder)
        self.runs = Runs(context, self.recorder)
        self.galleries = Galleries(context)
        self.triggers = Triggers(context, self.recorder)
        self.timekeeper = Timekeeper(context, self.recorder)
        self.endpoints = Endpoints(context)
        self.following = Following(context, self.endpoints)
        self.models = Models(context, self.datasets, self.runs, self.following)
        self.policies = Policies(context, self.following)
        self.trust = Trust(context)
        self.services = Services(context, self.datasets, self.endpoints)
        self.definitions = Definitions(context, self.services, self.endpoints)
        self.jobs = Jobs(context, self.recorder)
        self.retraining = Retraining(context, self.recorder)
        self.performer = Performer(context, self.recorder, self.endpoints)

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        *,
        host: ServiceHost | None = None,
        progress: Progress = silent,
    ) -> Workspace:
        """Open the workspace at `path`, or at MLALM_WORKSPACE, or the nearest one around the current folder.

        It never makes one; that is what `init` is for.
        """
        try:
            folder = find_folder(path)
        except OSError as error:
            if refused := refused_by_system(error):
                raise refused from error
            raise
        hidden = folder / HIDDEN
        catalog = SqlCatalog.open(hidden / CATALOG, workspace_path=folder)
        with catalog.read() as tx:
            info = tx.info
        make_host: Callable[[], ServiceHost] = (lambda: host) if host else plugins.service_host()
        return cls(
            Context(
                path=folder,
                info=info,
                catalog=catalog,
                blobs=plugins.blob_store()(hidden / "blobs"),
                scratch=hidden / "running",
                keyring=FolderKeyring(hidden / "keys"),
                clock=SystemClock(),
                surroundings=MachineSurroundings(),
                outside=HttpAndLocalFiles(),
                who=_who(),
                make_host=make_host,
                make_runner=plugins.notebook_runner(),
                make_converter=_converter,
                environ=os.environ,
                progress=progress,
                another=_another,
            )
        )

    @classmethod
    def init(cls, path: str | Path = ".", *, host: ServiceHost | None = None) -> Workspace:
        """Make a folder a workspace and open it; one that is a workspace already is opened as it is."""
        _found(Path(path))
        return cls.open(path, host=host)

    @property
    def path(self) -> Path:
        return self.context.path

    @property
    def info(self) -> WorkspaceInfo:
        return self.context.info

    @property
    def catalog(self) -> Catalog:
        return self.context.catalog

    @property
    def blobs(self) -> BlobStore:
        return self.context.blobs

    @property
    def clock(self) -> Clock:
        return self.context.clock

    @cached_property
    def server(self) -> Server:
        return Server(self.context.host)

    @property
    def plans(self) -> Plans:
        return Plans(self.context.host.estate, _another, who=self.context.who, now=self.clock.now())

    @property
    def regions(self) -> Regions:
        return Regions(self.context.host.estate, who=self.context.who, now=self.clock.now())

    def projection(self) -> Projection:
        """The workspace as the scorers see it."""
        return projection(self.context)

    def close(self) -> None:
        """Let go of the catalog."""
        self.context.catalog.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Workspace({str(self.path)!r})"


@contextlib.contextmanager
def _another(
    folder: str, *, host: ServiceHost | None = None, make: bool = False, progress: Progress = silent
) -> Iterator[Context]:
    if make:
        _found(Path(folder))
    with Workspace.open(folder, host=host, progress=progress) as other:
        yield other.context


def _converter() -> NotebookConverter:
    # it brings papermill and all that kernels need, which other verbs do without
    from mlalm_jupyter.adapters.conversion import NotebookConversion

    return NotebookConversion()


def plans() -> Plans:
    """The verbs of plans, which are no workspace's."""
    return Plans(plugins.service_host()().estate, _another, who=_who(), now=SystemClock().now())


def regions() -> Regions:
    """The verbs of regions, which are no workspace's."""
    return Regions(plugins.service_host()().estate, who=_who(), now=SystemClock().now())


def founding() -> Founding:
    """The verbs that make workspaces."""
    return Founding(_found)


def server() -> Server:
    """The verbs of the server, for when there is no workspace."""
    return Server(plugins.service_host()())


def find_folder(path: str | Path | None = None) -> Path:
    """The folder of the workspace that `path`, MLALM_WORKSPACE or the current folder names."""
    named = path if path is not None else os.environ.get("MLALM_WORKSPACE") or None
    if named is not None:
        folder = Path(os.path.expanduser(named)).absolute()
        if folder.is_file():
            raise InvalidInput(f"The workspace '{named}'", expected="a folder", got="a file")
        if not (folder / HIDDEN / CATALOG).exists():
            there = "That folder does not exist." if not folder.exists() else "That folder is no workspace."
            raise WorkspaceNotFound(str(named), why=there)
        return folder
    here = Path.cwd()
    found = nearest(here)
    if found is None:
        raise WorkspaceNotFound(str(here), why="Neither this folder nor any above it is one.")
    return found


def around(file: str | Path) -> Path | None:
    """The folder of the workspace that a notebook lies in; None where it lies in none, or MLALM_WORKSPACE says which."""
    if os.environ.get("MLALM_WORKSPACE"):
        return None
    named = Path(os.path.expanduser(file))
    try:
        there = next((one for one in (named, Path(f"{named}.ipynb")) if one.is_file()), None)
        return None if there is None else nearest(there.resolve().parent)
    except OSError:
        return None  # it is no name of a file; the verb says so


def nearest(start: Path) -> Path | None:
    """The folder of the nearest workspace around `start`, itself included; None where there is none."""
    return next((folder for folder in (start, *start.parents) if (folder / HIDDEN / CATALOG).exists()), None)


def _found(path: Path) -> WorkspaceInfo:
    """Make the hidden folder beside its final place and move it there whole."""
    folder = Path(os.path.expanduser(path)).absolute()
    if folder.is_file():
        raise InvalidInput(f"The workspace '{path}'", expected="a folder", got="a file")
    hidden = folder / HIDDEN
    clock = SystemClock()
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
        is_new = not (hidden / CATALOG).exists()
        if is_new:
            making = Path(tempfile.mkdtemp(dir=folder, prefix=f"{HIDDEN}-making-"))
            try:
                _furnish(making, folder, clock)
                with contextlib.suppress(FileExistsError, OSError):
                    os.rename(making, hidden)
                if not (hidden / CATALOG).exists():
                    raise InvalidInput(
                        f"The workspace '{path}'",
                        expected=f"no other '{HIDDEN}' in that folder",
                        got="one that is no workspace",
                    )
            finally:
                shutil.rmtree(making, ignore_errors=True)
    catalog = SqlCatalog.open(hidden / CATALOG, workspace_path=folder)
    try:
        with catalog.read() as tx:
            note = None if is_new else "Nothing changed: it is a workspace already."
            return replace(tx.info, note=note)
    finally:
        catalog.close()


def _furnish(making: Path, folder: Path, clock: Clock) -> None:
    making.chmod(0o700)
    (making / ".gitignore").write_text("*\n")
    (making / "blobs").mkdir()
    FolderKeyring.create(making / "keys")
    workspace_id, now = clock.new_id(), clock.now()
    catalog = SqlCatalog.create(making / CATALOG, workspace_id=workspace_id, workspace_path=folder, at=now)
    with catalog.write() as tx:
        tx.events.append(Event(now, _who(), "workspace", "init", workspace_id, folder.name))
    catalog.close()


def _who() -> str:
    """The person: the Jupyter user where there is one, else the user of the operating system."""
    return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
