"""XGBoost's and LightGBM's files with random bytes changed: what we let pass never ends the process.

Their own readers end it, or read beside their memory, at a good part of such files; so each try has a process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from tests.frameworks import need

pytestmark = [pytest.mark.prove_models, pytest.mark.timeout(900)]

TRY = """
import importlib, json, os, random, signal, sys, warnings
warnings.simplefilter("ignore")
name, count, is_checked = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "checked"
from mlalm_jupyter import plugins
from mlalm_jupyter.domain.errors import MlalmError
from tests.frameworks import FRAMEWORKS, ROWS
kind = plugins.model_format(name)
read, write = os.pipe()
if not os.fork():  # libraries that trained have threads, which no copy of the process would have
    payload = kind.dump(FRAMEWORKS[name].make())
    os.write(write, json.dumps({n: d.decode("latin-1") for n, d in payload.items()}).encode())
    os._exit(0)
os.close(write)
payload = {n: d.encode("latin-1") for n, d in json.load(os.fdopen(read)).items()}
os.wait()
importlib.import_module(name)  # once, and without anything that starts threads
importlib.import_module("sklearn.base")
importlib.import_module("scipy.sparse")
file = next(n for n in payload if n != "estimator.json")
letters = b"0123456789- =.e" if name == "lightgbm" else bytes(range(256))
draw = random.Random(5)
ends = {}
for _ in range(count):
    changed = bytearray(payload[file])
    for _ in range(draw.choice([1, 1, 2, 4])):
        changed[draw.randrange(len(changed))] = draw.choice(letters)
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.setitimer(signal.ITIMER_PROF, 6)  # of its own time, however busy the machine is
        code = 0
        try:
            model = kind.load({**payload, file: bytes(changed)}, trusted=not is_checked)
            model.predict(ROWS)
        except MlalmError:
            code = 1
        except Exception:
            code = 2
        os._exit(code)
    status = os.waitpid(child, 0)[1]
    how = "ended" if os.WIFSIGNALED(status) else ("opened", "refused", "failed")[os.WEXITSTATUS(status)]
    ends[how] = ends.get(how, 0) + 1
print(json.dumps(ends))
"""


def tried(name: str, count: int, how: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", TRY, name, str(count), how],
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_changed_bytes_are_refused_or_harmless(
    name: str, counts: Callable[[int, int], int], figures: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    ours = tried(name, counts(60, 600), "checked")
    assert ours.get("ended", 0) == 0, ours
    assert ours["refused"] > 0
    assert ours.get("opened", 0) > 0, "a check that refuses everything would pass as well"
    plain = tried(name, counts(40, 200), "plainly")
    assert plain.get("ended", 0) > 0, plain
    figures[f"changed files of {name}, opened or refused without harm"] += sum(ours.values())
    figures[f"of {sum(plain.values())} such files of {name}, opened plainly, ended the process"] += plain[
        "ended"
    ]
