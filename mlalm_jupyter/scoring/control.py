"""The scorer's own door for the server: a socket that takes one JSON object a line.

`{"op": "prepare", "workspace_id": ..., "servable": {...}, "public_key": ...}` loads a definition and replays
its example; `{"op": "faults", "workspace_id": ..., "since": N}` tells which endpoints could not follow.
Each answer is `{"ok": true, ...}` or `{"ok": false, "error": {...}}`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlalm_jupyter.domain.errors import InvalidInput, MlalmError
from mlalm_jupyter.domain.projection import Servable
from mlalm_jupyter.scoring.places import listening_at
from mlalm_jupyter.scoring.roster import Roster

_MAX_LINE = 1 << 20
log = logging.getLogger("mlalm.scoring")


class Control:
    """Answers what the server asks of one scorer."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster

    async def listen(self, path: Path) -> asyncio.Server:
        return await asyncio.start_unix_server(self._serve, sock=listening_at(path), limit=_MAX_LINE)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answered(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError) as error:  # a line too long is a ValueError
            log.warning("a control connection ended: %s", error)
        finally:
            writer.close()

    async def _answered(self, line: bytes) -> dict[str, object]:
        try:
            return {"ok": True, **await self._done(json.loads(line))}
        except MlalmError as error:
            return {"ok": False, "error": told(error)}
        except Exception as error:  # the outermost frame of a control call
            log.exception("a control call failed in a way nobody foresaw")
            return {"ok": False, "error": {"code": "Error", "what": f"{type(error).__name__}: {error}"}}

    async def _done(self, call: Mapping[str, Any]) -> dict[str, object]:
        roster = self.roster
        match call["op"]:
            case "prepare":
                servable = Servable.from_dict(call["servable"])
                await roster.prepare(call["workspace_id"], servable, call["public_key"])
                return {}
            case "faults":
                faults = roster.faults_of(call["workspace_id"], since=call["since"])
                return {"faults": [{"endpoint": one.endpoint, "error": told(one.error)} for one in faults]}
            case other:
                raise InvalidInput("The control call", expected="prepare or faults", got=repr(other))


def told(error: MlalmError) -> dict[str, object]:
    """An error as it travels between our processes: its sentences and the facts in them."""
    facts = {name: value for name, value in vars(error).items() if isinstance(value, (str, int, list, tuple))}
    return {**facts, **error.to_dict()}
