"""Looking at experiments: a snapshot opened locked, a notebook as a graph, what differs between two."""

from __future__ import annotations

from typing import Annotated

from mlalm_jupyter.api.context import Context
from mlalm_jupyter.api.files import write_new_file
from mlalm_jupyter.api.pinning import asset_of
from mlalm_jupyter.api.saving import found_source
from mlalm_jupyter.api.verb import Arg, verb
from mlalm_jupyter.domain.errors import InvalidInput, MissingAssets, NotFound
from mlalm_jupyter.domain.names import AssetRef, id_prefix
from mlalm_jupyter.domain.outcome import Opened
from mlalm_jupyter.domain.run import Run
from mlalm_jupyter.notebook.changes import Changes, changes_between
from mlalm_jupyter.notebook.document import read_notebook
from mlalm_jupyter.notebook.graph import Graph, graph_of
from mlalm_jupyter.notebook.page import Bar, in_terminal, page


class Views:
    """Verbs of experiments that change nothing."""

    _context: Context

    @verb("experiment", "open")
    def open(
        self,
        run: Annotated[str, Arg("a run's id, or its beginning", completes="run")],
        *,
        source: Annotated[bool, Arg("as it was submitted, without what it printed")] = False,
        file: Annotated[
            str | None, Arg("write it there, as .html, .ipynb or .txt, instead", metavar="FILE")
        ] = None,
    ) -> Opened:
        """Open a snapshot, locked: read it, and save it as an experiment of your own to go on from there."""
        found, content = self.locked(run, source=source)
        document = read_notebook(content)
        bar = Bar(
            found.id[:12],
            found.status.value,
            f"{found.created_at[:19].replace('T', ' ')} UTC",
            f"mlalm experiment save-as run:{found.id[:12]} NAME",
        )
        text = in_terminal(document, name=found.path, bar=bar)
        html = page(document, name=found.path, bar=bar)
        if file is None:
            return Opened(found, text, html)
        kinds = {".html": html.encode(), ".ipynb": content, ".txt": text.encode()}
        ending = next((one for one in kinds if file.endswith(one)), None)
        if ending is None:
            raise InvalidInput(
                f"The file '{file}'", expected="a name that ends with .html, .ipynb or .txt", got="another"
            )
        return Opened(found, text, html, file=str(write_new_file(self._context, file, kinds[ending])))

    def locked(self, run: str, *, source: bool = False) -> tuple[Run, bytes]:
        """A run and its notebook, with what the cells printed unless `source` is asked for."""
        ctx = self._context
        with ctx.catalog.read() as tx:
            found = tx.runs.get(id_prefix("run", run))
            missing = [
                pin.told for pin in found.snapshot.assets if not _is_there(ctx, pin.kind, pin.reference)
            ]
        if missing:
            raise MissingAssets(f"Run {found.id[:12]} of {found.path}", missing=missing)
        digest = found.snapshot.digest if source else found.executed_digest or found.snapshot.digest
        return found, ctx.blobs.get(digest)

    @verb("experiment", "graph")
    def graph(
        self,
        source: Annotated[
            str, Arg("a notebook, or run:ID for one of its snapshots", metavar="SOURCE", place="notebook")
        ],
    ) -> Graph:
        """Draw a notebook as a graph: cells by their roles, the values that flow between them, their assets."""
        return graph_of(read_notebook(found_source(self._context, source).content))

    @verb("experiment", "diff")
    def diff(
        self,
        before: Annotated[
            str, Arg("a notebook, or run:ID for one of its snapshots", metavar="BEFORE", place="notebook")
        ],
        after: Annotated[
            str, Arg("another, or another state of the same", metavar="AFTER", place="notebook")
        ],
    ) -> Changes:
        """Show what differs between two notebooks in what they say; what they printed does not count."""
        one, other = (found_source(self._context, named).content for named in (before, after))
        return changes_between(read_notebook(one), read_notebook(other))


def _is_there(context: Context, kind: str, reference: str) -> bool:
    with context.catalog.read() as tx:
        try:
            asset_of(tx, AssetRef.parse(kind, reference))
        except NotFound:
            return False
    return True
