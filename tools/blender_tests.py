"""Runs the add-on's tests in several Blenders: `python tools/blender_tests.py 4.5 5.3 [PYTEST'S ARGUMENTS]`.

Two run at a time; what each says is printed when it has ended, or at once where there is only one. A Blender whose
Python this machine lacks is skipped in a sentence, or fails with MAKEITTALK_REQUIRE_BLENDERS set.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from environment import BLENDERS, make_blender
from locks import ROOT

PYTEST = ("-m", "pytest", "-c", "tests/pytest.ini", "--rootdir", "tests", "tests/blender", "tests/campaign/blend")


def main(arguments: list[str]) -> int:
    pythons = {word: make_blender(word) for word in arguments if word in BLENDERS}
    rest = [word for word in arguments if word not in BLENDERS]
    there = {version: python for version, python in pythons.items() if python is not None}
    for version in pythons.keys() - there.keys():
        needed = BLENDERS[version]["python"]
        print(f"Blender {version} is not tested: its module needs Python {needed}, which is not here.", flush=True)
    missed = len(there) < len(pythons) and bool(os.environ.get("MAKEITTALK_REQUIRE_BLENDERS"))
    cores = queue.SimpleQueue()
    for number in range(2):
        cores.put(number)
    with ThreadPoolExecutor(2, initializer=lambda: len(there) > 1 and stay_on(cores.get())) as pool:
        passed = list(pool.map(lambda version: run(version, there[version], rest, len(there) == 1), there))
    return int(missed or not all(passed))


def stay_on(number: int) -> None:
    """Keeps this thread, and what it starts, on one core.

    Blender's threads spin while they wait for each other: two Blenders on the same cores stand still for minutes.
    """
    if hasattr(os, "sched_setaffinity"):  # Linux
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})


def run(version: str, python: Path, rest: list[str], alone: bool) -> bool:
    """Whether the tests pass in one Blender; prints what they say."""
    # Its own environment has no backend; that of .venv answers there.
    backend = os.environ | {"MAKEITTALK_PYTHON": str(ROOT / ".venv" / "bin" / "python")}
    if not alone:
        backend["OMP_NUM_THREADS"] = "1"  # the threads of two would wait for each other
    told = {} if alone else {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    done = subprocess.run([str(python), *PYTEST, *rest], cwd=ROOT, env=backend, **told)
    print(f"Blender {version}: {'passed' if done.returncode == 0 else 'failed'}.\n{done.stdout or ''}", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
