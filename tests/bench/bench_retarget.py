"""Seconds that a minute of speech takes to be put onto another head: `.venv/bin/python tests/bench/bench_retarget.py`.

The demo's sentence again and again on the drawn head, whose keys are ARKit's. The bar: under a hundredth of real time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "backend"), str(ROOT)]
from demo_speech import FPS, said  # noqa: E402  (its folder has to be on the path first)
from extension import part_outside  # noqa: E402
from project import ASSETS  # noqa: E402

ROUNDS = 5
names = part_outside("addon.core.retarget_names")
finder = part_outside("addon.core.lip_finder")
performance = part_outside("addon.core.retarget_performance")
target = part_outside("addon.core.retarget_target")
solver = part_outside("addon.core.retarget_solve")


def main() -> None:
    motion, mesh, bake = said(ASSETS / "portrait_cartoon.png", "whisper")
    rows = np.arange(round(60 * FPS)) % bake.frames
    keys = [str(name) for name in mesh.key_names]
    made = performance.performance_of(
        [str(name) for name in bake.key_names], bake.key_values()[rows], mesh.key_landmarks, motion.neutral, FPS
    )
    moves = dict(zip(keys, mesh.keys.astype(float), strict=True))
    found = names.match([name for name in keys if f"arkit:{name}" in names.MEANINGS])
    rest = mesh.vertices + moves["mouthShut"]
    known = np.stack([moves[name] for name in found.meanings])
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        lips = finder.find_lips(rest, mesh.triangles, known, list(found.meanings.values()))
        begun = time.perf_counter()
        solver.solve(made, target.target_of(found.meanings, None, lips, rest, moves))
        times.append((begun - start, time.perf_counter() - begun))
    finding, solving = np.median(times, axis=0)
    print(f"lips found in {finding:.2f} s, a minute solved in {solving:.2f} s: {solving / 60:.2%} of real time")


if __name__ == "__main__":
    main()
