"""What reading a file takes: the memory of a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

from project import BACKEND, ROOT, SUPPORT

_PROGRAM = """
import sys
from memory import peak_memory
from makeittalk.exchange.errors import MakeItTalkError
try:
    exec(compile(sys.argv[1], "measured", "exec"))
except MakeItTalkError as error:
    print(type(error).__name__, error)
sys.stdout.flush()
print(peak_memory() / 1e6)
"""


class Measured(NamedTuple):
    """What a process printed, and its peak of memory in MB."""

    said: str
    memory: float


def measured(program: str, *arguments: object) -> Measured:
    """Runs a program, its `sys.argv[2:]` the arguments; of the project's own errors it prints the sentence.

    Raises:
        CalledProcessError: it ended with any other error.
    """
    paths = os.pathsep.join(str(folder) for folder in (BACKEND, SUPPORT, ROOT))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _PROGRAM, program, *map(str, arguments)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=200).stdout
    *lines, last = said.splitlines()
    return Measured("\n".join(lines), float(last))
