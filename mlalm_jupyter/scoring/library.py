"""Predictors that are loaded, by workspace and definition; used from the loader's thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Set

from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.formats.code import let_go
from mlalm_jupyter.scoring.contents import check_servable
from mlalm_jupyter.scoring.predictor import Predictor

_Key = tuple[str, str]
KEPT_AHEAD = 16
"""How many prepared definitions that nothing serves yet are kept, so that a patch finds its own warm."""


class Library:
    """Loaded definitions. A workspace sees only what was loaded under its own key."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[_Key, Predictor] = OrderedDict()

    def found(self, workspace_id: str, digest: str) -> Predictor | None:
        return self._loaded.get((workspace_id, digest))

    def predictor(self, workspace_id: str, servable: Servable, public_key: str) -> Predictor:
        """The predictor of a definition, loaded and warmed if it was not."""
        found = self.found(workspace_id, servable.digest)
        if found is None:
            found = Predictor.load(servable, public_key)
            found.replay()
            self._loaded[workspace_id, servable.digest] = found
        return found

    def prepare(self, workspace_id: str, servable: Servable, public_key: str) -> None:
        """Make sure a definition can serve, now and after a restart: files, trust, and its example."""
        found = self.found(workspace_id, servable.digest)
        if found is None:
            self.predictor(workspace_id, servable, public_key)
            return
        check_servable(servable, public_key)
        found.replay()
        self._loaded.move_to_end((workspace_id, servable.digest))

    def keep_only(self, served: Set[_Key]) -> None:
        """Let go of what nothing serves, but for the latest few."""
        spare = [key for key in self._loaded if key not in served]
        for key in spare[: max(0, len(spare) - KEPT_AHEAD)]:
            del self._loaded[key]
        let_go()
