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
