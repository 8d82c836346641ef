"""Runs a module for as long as whoever started it lives: `python -I tied.py FOLDER MODULE [ARGUMENT …]`.

Standard input is held open by the starter. When it ends, because the starter was killed or has closed it, this
process ends too, whatever it was doing: an installation that nobody watches must not go on writing.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading


def watch() -> None:
    """Ends this process with the standard input."""
    while os.read(0, 1):  # not through sys.stdin: its lock would still be held when the interpreter ends
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=watch, daemon=True).start()
    sys.path.insert(0, sys.argv[1])
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
