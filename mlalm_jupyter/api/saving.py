"""New experiments from old ones: saved as, with assets at their newest versions; assets swapped in place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import with_room, write_new_file
from mlalm_jupyter.api.moving import begun
from mlalm_jupyter.api.pinning import asset_of, pin_of, pins_of
from mlalm_jupyter.api.recorder import Recorder, notebook_file
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.asset import Pin
from mlalm_jupyter.domain.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from mlalm_jupyter.domain.experiment import Experiment
from mlalm_jupyter.domain.names import AssetRef, id_prefix
from mlalm_jupyter.domain.outcome import SavedAs, Swap
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.references import KINDS, references_in, rewritten

RUN = "run:"
_ANOTHER = "Choose another name."


class Saving:
    """Verbs of experiments that write notebooks."""

    _context: Context
    _recorder: Recorder

    @verb("experiment", "save-as")
    def save_as(
        self,
        source: Annotated[
            str, Arg("a notebook, or run:ID for one of its snapshots", metavar="SOURCE", place="notebook")
        ],
        name: Annotated[str, Arg("the new notebook, which must not exist yet", metavar="NAME")],
        *,
        keep_versions: Annotated[bool, Arg("leave assets at the versions they have")] = False,
    ) -> SavedAs:
        """Save a notebook, or a locked snapshot of one, as a new experiment with an empty history.

        Datasets, transforms and models in it move to their newest versions; the origin stays as it is.

        >>> ws.experiments.save_as("run:0193ab", "forest").swaps  # doctest: +SKIP
        (Swap(kind='dataset', name='wine', old='wine:1', new='wine:3'),)
        """
        ctx = self._context
        path = new_path(ctx, name)
        found = found_source(ctx, source)
        origin, run = found.origin, found.run
        if not run and path == found.path:
            raise AlreadyExists("experiment", path, fix=_ANOTHER)
        swaps = _kept(found.pins) if keep_versions else _newest(ctx, found.pins)
        text = rewritten(found.content, {(swap.kind, swap.wanted): swap.text for swap in swaps if swap.text})
        experiment = Experiment(
            id=ctx.clock.new_id(),
            path=path,
            kind=origin.kind if origin else "training",
            created_at=ctx.clock.now(),
            parent=found.path,
            parent_id=origin.id if origin else None,
            parent_run_id=run.id if run else None,
        )
        with ctx.catalog.write() as tx:
            tx.experiments.add(experiment)
            ctx.note(
                tx,
                "experiment",
                "save-as",
                subject_id=experiment.id,
                subject=path,
                data={"from": experiment.parent, "run": experiment.parent_run_id},
            )
            write_new_notebook(ctx, path, text)
        return SavedAs(experiment, tuple(swap for swap in swaps if swap.old != swap.new))

    @verb("experiment", "update-asset")
    def update_asset(
        self,
        notebook: Annotated[
            str, Arg("the notebook in which to swap it", completes="experiment", place="notebook")
        ],
        asset: Annotated[str, Arg("NAME for its newest version, or NAME:VERSION")],
        *,
        kind: Annotated[str, Arg("dataset, transform or model, when names could be several")] = "",
    ) -> SavedAs:
        """Put another version of a dataset, transform or model into a notebook; nothing else in it changes.

        The notebook as it was is kept as a snapshot first.
        """
        ctx = self._context
        if kind and kind not in KINDS:
            raise InvalidInput("The kind", expected=f"one of {', '.join(KINDS)}", got=f"'{kind}'")
        path, content = notebook_file(ctx, notebook)
        file = ctx.path / path
        named = AssetRef.parse(kind or "asset", asset)
        used = [
            one for one in references_in(read_notebook(content))
            if one.name == named.name and (not kind or one.kind == kind)
        ]  # fmt: skip
        kinds = sorted({one.kind for one in used})
        if len(kinds) != 1:
            raise InvalidInput(
                f"The asset '{asset}' in {path}",
                expected=f"one that it refers to, of one kind ({', '.join(KINDS)})",
                got="none" if not used else " and ".join(f"a {one}" for one in kinds),
                fix="" if not used else "Say which with --kind.",
            )
        with ctx.catalog.read() as tx:
            pin = pin_of(tx, kinds[0], asset)
        swaps = tuple(
            Swap(pin.kind, pin.name, wanted, pin.reference, wanted=wanted, text=pin.reference)
            for wanted in dict.fromkeys(one.wanted for one in used)
            if wanted != pin.reference
        )
        experiment = self._known(path, content, why="update-asset")
        if not swaps:
            return SavedAs(experiment, (), note=f"Nothing changed: it refers to {pin.told} already.")
        self._recorder.keep(content, path=path, message=f"before {pin.told}")
        replaced(file, content, rewritten(content, {(one.kind, one.wanted): one.text for one in swaps}))
        with ctx.catalog.write() as tx:
            told = {"old": [one.old for one in swaps], "new": pin.reference, "kind": pin.kind}
            ctx.note(tx, "experiment", "update-asset", subject_id=experiment.id, subject=path, data=told)
        return SavedAs(self._known(path, content, why="update-asset"), swaps)

    def _known(self, path: str, content: bytes, *, why: str) -> Experiment:
        """The experiment of a notebook; one that has never been run becomes known by this, for what is told as `why`."""
        ctx = self._context
        with ctx.catalog.write() as tx:
            known = tx.experiments.at_path(path)
            if known is not None:
                return known
            made = begun(ctx, tx, path, content)
            ctx.note(tx, "experiment", "begin", subject_id=made.id, subject=path, data={"for": why})
        return made


@dataclass(frozen=True, slots=True)
class Found:
    """A notebook as it is now, or a snapshot; with what its references stand for."""

    path: str
    """Where in the workspace it is, or was."""
    content: bytes
    pins: tuple[Pin, ...]
    origin: Experiment | None
    run: Run | None = None

    @property
    def parameters(self) -> Mapping[str, object]:
        return self.run.snapshot.parameters if self.run else {}


def found_source(context: Context, source: str) -> Found:
    """What a person named."""
    if source.startswith(RUN):
        with context.catalog.read() as tx:
            run = tx.runs.get(id_prefix("run", source))
            origin = tx.experiments.at_path(run.path)
        path = origin.path if origin else run.path
        return Found(path, context.blobs.get(run.snapshot.digest), run.snapshot.assets, origin, run)
    path, content = notebook_file(context, source)
    with context.catalog.read() as tx:
        origin = tx.experiments.at_path(path)
    return Found(path, content, pins_of(context, read_notebook(content, name=path)), origin)


def new_path(context: Context, name: str, *, fix: str | None = None) -> str:
    """The place of a notebook that is to be made, in the workspace; that of an experiment is refused."""
    named = name if name.endswith(".ipynb") else f"{name}.ipynb"
    root = context.path.resolve()
    place = (root / named).resolve()
    hidden = any(part.startswith(".") for part in Path(named).parts)
    if (
        not named.isprintable()
        or Path(named).is_absolute()
        or hidden
        or not place.is_relative_to(root)
        or len(place.stem) == 0
    ):
        raise InvalidInput(
            "The new notebook", expected="a name or path inside the workspace, on one line", got=repr(name)
        )
    path = place.relative_to(root).as_posix()
    with context.catalog.read() as tx:
        is_taken = tx.experiments.at_path(path) is not None
    if is_taken:
        raise AlreadyExists("experiment", path, fix=fix or _ANOTHER)
    return path


def write_new_notebook(context: Context, path: str, data: bytes, *, fix: str | None = None) -> None:
    """Write the notebook of a new experiment, at the end of the transaction that makes it known.

    A file with just these bytes was left by one that was killed between the two, and is taken.
    """
    place = context.path / path
    try:
        write_new_file(context, str(place), data)
    except AlreadyExists as error:
        if not place.is_file() or place.read_bytes() != data:
            raise AlreadyExists("experiment", path, fix=fix or _ANOTHER) from error


def _newest(context: Context, pins: tuple[Pin, ...]) -> list[Swap]:
    """Each reference at its newest version; one without a version follows by itself."""
    swaps = []
    with context.catalog.read() as tx:
        for pin in pins:
            if "@" in pin.wanted:
                continue  # whoever moves the alias decides
            try:
                newest = asset_of(tx, AssetRef(pin.kind, pin.name)).version
            except NotFound:
                continue  # it is gone; whoever runs the notebook is told
            text = f"{pin.name}:{newest}" if ":" in pin.wanted else ""
            swaps.append(Swap(pin.kind, pin.name, pin.reference, f"{pin.name}:{newest}", pin.wanted, text))
    return swaps


def _kept(pins: tuple[Pin, ...]) -> list[Swap]:
    """Each reference at the version it had, said in the text."""
    return [Swap(pin.kind, pin.name, pin.reference, pin.reference, pin.wanted, pin.reference) for pin in pins]


def replaced(file: Path, before: bytes, after: bytes, *, what: str = "notebook") -> None:
    """Write a file of a person in the place of what was read, whole or not at all."""
    undone = f"The {what} '{file.name}' was not changed."
    temporary: str | None = None
    try:
        with with_room(undone):
            handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
            with os.fdopen(handle, "wb") as out:
                out.write(after)
                out.flush()
                os.fsync(out.fileno())
            os.chmod(temporary, file.stat().st_mode & 0o777)
            if file.read_bytes() != before:
                raise Conflict(undone, why="Somebody saved it at the same moment.", fix="Repeat it.")
            os.replace(temporary, file)
    except FileNotFoundError as error:
        raise Conflict(undone, why="Somebody took it away at the same moment.", fix="Repeat it.") from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
