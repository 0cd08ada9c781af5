"""The four surfaces as one thing to ask: a verb and its arguments in, a JSON answer or an error out."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import requests
from IPython.core.interactiveshell import InteractiveShell

from mlalm_jupyter import workspace as workspaces
from mlalm_jupyter.api.verb import Verb
from mlalm_jupyter.domain.errors import MlalmError
from mlalm_jupyter.surfaces.cli.main import main
from mlalm_jupyter.surfaces.verbs_http import to_json
from mlalm_jupyter.workspace import Workspace

START_S = 60
ANSWER_S = 120


class Refused(Exception):
    """A verb said no; `fault` is what its surface told of it."""

    def __init__(self, fault: dict[str, str]) -> None:
        super().__init__(fault)
        self.fault = fault


class Surface(Protocol):
    name: str

    def ask(self, verb: Verb, arguments: Mapping[str, Any], workspace: Path) -> Any: ...


class InPython:
    """`ws.noun.verb(...)`."""

    name = "python"

    def ask(self, verb: Verb, arguments: Mapping[str, Any], workspace: Path) -> Any:
        places = [
            arguments[one.name] for one in verb.parameters if one.is_positional and one.name in arguments
        ]
        options = {
            one.name: arguments[one.name]
            for one in verb.parameters
            if not one.is_positional and one.name in arguments
        }
        try:
            with Workspace.open(workspace) as opened:
                noun = (
                    workspaces.founding() if verb.attribute == "founding" else getattr(opened, verb.attribute)
                )
                return to_json(getattr(noun, verb.method_name)(*places, **options))
        except MlalmError as error:
            raise Refused(error.to_dict()) from error


class InTerminal:
    """`mlalm noun verb ...`, in this process; another test starts a real one."""

    name = "terminal"

    def ask(self, verb: Verb, arguments: Mapping[str, Any], workspace: Path) -> Any:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["--json", "--workspace", str(workspace), *words(verb, arguments)])
        if out.getvalue():
            return json.loads(out.getvalue())
        assert code != 0, err.getvalue()
        raise Refused(json.loads(err.getvalue().splitlines()[-1])["error"])


class InCells:
    """`%mlalm noun verb ...`."""

    name = "cell"

    def __init__(self) -> None:
        InteractiveShell.clear_instance()
        self.shell = InteractiveShell.instance()
        self.shell.run_line_magic("load_ext", "mlalm_jupyter")

    def ask(self, verb: Verb, arguments: Mapping[str, Any], workspace: Path) -> Any:
        line = shlex.join([*words(verb, arguments), "--workspace", str(workspace)])
        with contextlib.redirect_stdout(io.StringIO()):
            done = self.shell.run_cell(f"answer = %mlalm {line}")
        error = done.error_before_exec or done.error_in_exec
        if isinstance(error, MlalmError):
            raise Refused(error.to_dict())
        if error is not None:
            raise error
        return to_json(self.shell.user_ns["answer"])

    def close(self) -> None:
        InteractiveShell.clear_instance()


class OverHttp:
    """`POST /mlalm/api/noun/verb` of a real Jupyter server, as JupyterLab calls it."""

    name = "rest"

    def __init__(self, base: str, token: str) -> None:
        self.base = base
        self.token = token

    def ask(self, verb: Verb, arguments: Mapping[str, Any], workspace: Path) -> Any:
        answer = requests.post(
            f"{self.base}/mlalm/api/{verb.noun}/{verb.name}",
            params={"workspace": str(workspace)},
            json=dict(arguments),
            headers={"Authorization": f"token {self.token}"},
            timeout=ANSWER_S,
        )
        body = answer.json()
        if answer.status_code == 200:
            return body["result"]
        raise Refused(body["error"])


def words(verb: Verb, arguments: Mapping[str, Any]) -> list[str]:
    """Arguments as somebody types them; written apart from the grammar that reads them."""
    places, options = [], []
    for parameter in verb.parameters:
        if parameter.name not in arguments:
            continue
        value = arguments[parameter.name]
        if parameter.is_positional:
            places.append(str(value))
        elif value is True or value is False:
            dashes = "--" if value else "--no-"
            options.append(dashes + parameter.name.replace("_", "-"))
        elif isinstance(value, dict):
            for key, held in value.items():
                text = held if isinstance(held, str) else json.dumps(held)
                options += ["--" + parameter.name.replace("_", "-"), f"{key}={text}"]
        else:
            options += ["--" + parameter.name.replace("_", "-"), str(value)]
    return [verb.noun, verb.name, *options, *places]


@contextlib.contextmanager
def jupyter_server(folder: Path) -> Iterator[OverHttp]:
    """A Jupyter server with our extension, in a process of its own."""
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    environ = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.root_dir={folder}", "--ServerApp.jpserver_extensions={'mlalm_jupyter': True}"),
    ]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        surface = OverHttp(f"http://127.0.0.1:{port}", token)
        _wait(surface, process, folder / "log")
        yield surface
    finally:
        process.terminate()
        process.wait(timeout=START_S)


def _wait(surface: OverHttp, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{surface.base}/api", timeout=START_S).ok:
                return
        time.sleep(0.1)
    raise AssertionError(f"The Jupyter server did not come up:\n{log.read_text()[-3000:]}")
