"""How many threads numpy's linear algebra takes, and how threads wait for each other. Standard library only."""

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


def wait_asleep() -> None:
    """Has PyTorch's threads sleep while they wait for each other; to be called before torch is imported.

    They would keep a core busy with waiting, which is the one that the thread they wait for needs where another program
    is at work: a Blender that plays while its backend predicts. Twenty seconds of speech took 25 s in place of 0.5 on
    two such cores; idle ones are no slower. Whoever has set a policy keeps it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
