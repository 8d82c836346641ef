"""How many threads numpy's linear algebra takes. Standard library only."""

from __future__ import annotations

import os
import platform


def use_one_thread() -> None:
    """Has numpy's linear algebra work in the thread that asks; to be called before numpy is imported.

    What is solved here are thousands of systems of thirty unknowns. OpenBLAS shares each out to all cores, which gains
    nothing, and where another program keeps a core busy, as a Blender that plays does, its threads wait for each other:
    a bake took 5 s in place of 0.15. Whoever has set a number keeps it. On ARM PyTorch computes with the same
    library, and keeps its threads.
    """
    if platform.machine().lower() in ("x86_64", "amd64"):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
