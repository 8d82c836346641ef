"""Runs a Python module for as long as whoever started it lives: `python -I tied.py MODULE [ARGUMENT …]`.

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
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=watch, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
