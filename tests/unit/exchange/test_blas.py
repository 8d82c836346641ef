"""numpy's linear algebra in one thread: in the command line's process, and wherever a user has said nothing else."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
from project import ROOT

_SOLVER = """
import sys
sys.path.insert(0, sys.argv[1])
from makeittalk.cli.main import main
main(["nothing of the kind"])
import numpy
from threadpoolctl import threadpool_info
print(*[item["num_threads"] for item in threadpool_info() if item["internal_api"] == "openblas"])
"""


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="elsewhere PyTorch shares it")
@pytest.mark.parametrize(("chosen", "expected"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "2"}, "2")])
def test_small_systems_are_solved_in_one_thread(chosen, expected):
    pytest.importorskip("threadpoolctl")
    if (os.cpu_count() or 1) < 2:
        pytest.skip("there is but one core")
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    said = subprocess.run(
        [sys.executable, "-c", _SOLVER, str(ROOT / "backend")],
        env=clean | chosen,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines()[-1].split() == [expected]


@pytest.mark.parametrize(("chosen", "expected"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_that_wait_sleep(chosen, expected):
    """As the OpenMP library itself says that it was told; Linux names it, where it is GNU's."""
    if platform.system() != "Linux":
        pytest.skip("another OpenMP library")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    backend = subprocess.Popen(
        [sys.executable, "-I", str(ROOT / "backend" / "serve.py")],
        env=clean | chosen | {"OMP_DISPLAY_ENV": "TRUE"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert backend.stdin is not None and backend.stdout is not None
    backend.stdin.write(b'{"id": 1, "method": "hello"}\n')
    backend.stdin.flush()  # and left open: its end would cancel the greeting
    assert b'"result"' in backend.stdout.readline()
    _, told = backend.communicate()
    assert backend.returncode == 0 and f"OMP_WAIT_POLICY = '{expected}'".encode() in told
