"""What the process of a job imports before it has read its job."""

from __future__ import annotations

import subprocess
import sys


def test_papermill_comes_without_arrow_and_arrow_can_still_be_had() -> None:
    script = """
import sys
from mlalm_jupyter.serving.job_process import import_papermill
import_papermill()
assert "papermill.iorw" in sys.modules
assert not {"numpy", "pyarrow"} & sys.modules.keys()
from pyarrow.fs import LocalFileSystem
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
