"""Runs the add-on's tests in several Blenders: `python tools/blender_tests.py 4.5 5.3 [PYTEST'S ARGUMENTS]`.

A Blender whose Python this machine lacks is skipped in a sentence, or fails with MAKEITTALK_REQUIRE_BLENDERS set.
"""

from __future__ import annotations

import os
import subprocess
import sys

from environment import BLENDERS, make_blender
from locks import ROOT

PYTEST = ("-m", "pytest", "-c", "tests/pytest.ini", "--rootdir", "tests", "tests/blender")


def main(arguments: list[str]) -> int:
    versions = [word for word in arguments if word in BLENDERS]
    rest = [word for word in arguments if word not in BLENDERS]
    status = 0
    for version in versions:
        python = make_blender(version)
        if python is None:
            needed = BLENDERS[version]["python"]
            print(f"Blender {version} is not tested: its module needs Python {needed}, which is not here.", flush=True)
            status |= bool(os.environ.get("MAKEITTALK_REQUIRE_BLENDERS"))
            continue
        print(f"Blender {version}:", flush=True)
        # Its own environment has no backend; that of .venv answers there.
        backend = os.environ | {"MAKEITTALK_PYTHON": str(ROOT / ".venv" / "bin" / "python")}
        status |= subprocess.run([str(python), *PYTEST, *rest], cwd=ROOT, env=backend).returncode != 0
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
