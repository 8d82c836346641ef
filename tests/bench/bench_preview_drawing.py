"""Milliseconds that a frame of the preview takes: `.venv/bin/python tests/bench/bench_preview_drawing.py`.

The embedded cartoon's mesh and speech, drawn at 1080p. What Python does and what travels to the card is timed apart
from the card's own work, which here may be a processor's: the commands wait until a pixel is read. The bar: under 4 ms.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "bl_ext.user_default.makeittalk"
SIZE, FRAMES = (1080, 1080), 120  # px of a square portrait on a screen of 1920 × 1080
sys.path.insert(0, str(ROOT / "tests" / "support"))
from drawing import with_gpu  # noqa: E402  (its folder has to be on the path first)
from extension import load_extension  # noqa: E402

MAKE = """
import sys
from makeittalk.jobs import animate as pipeline

made = pipeline.animate(*sys.argv[1:])
pipeline.bake(made.motion, made.mesh, made.folder, 24.0)
"""


def part(path: str):
    return importlib.import_module(f"{PACKAGE}.{path}")


def main() -> None:
    load_extension().register()
    assets = ROOT / "backend" / "makeittalk" / "assets"
    formats, amounts = (
        part("backend.makeittalk.exchange.formats"),
        part("backend.makeittalk.exchange.amounts").Amounts(),
    )
    drawing = part("addon.scene.preview_picture")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [str(path) for path in (assets / "portrait_cartoon.png", assets / "speech.flac", folder)]
        python = str(ROOT / ".venv" / "bin" / "python")
        subprocess.run([python, "-c", MAKE, *files], check=True, capture_output=True)
        mesh, bake = formats.Mesh.load(folder / "mesh.npz"), formats.Bake.load(folder / "bake.npz")
        portrait = drawing.read_portrait(folder / "portrait.png")
    motion = part("addon.core.preview_motion").PreviewMotion(mesh, bake)

    def work() -> dict[str, np.ndarray]:
        import gpu

        print(f"{gpu.platform.renderer_get()}, {gpu.platform.version_get()}")
        begun = time.perf_counter()
        picture = drawing.PreviewPicture(mesh, portrait)
        picture.draw(motion.pose(0, amounts), *SIZE)
        picture.read()
        print(f"set up and the first picture {1000 * (time.perf_counter() - begun):6.1f} ms")
        times: dict[str, list[float]] = {"pose": [], "buffers and commands": [], "the card": []}
        for number in range(FRAMES):
            marks = [time.thread_time()]  # of this thread alone: others may be at work here
            pose = motion.pose(number * 1.3 % bake.frames, amounts)
            marks.append(time.thread_time())
            picture.draw(pose, *SIZE)
            marks.append(time.thread_time())
            begun = time.perf_counter()
            picture.read()
            taken = [*np.diff(marks), time.perf_counter() - begun]
            for times_of, seconds in zip(times.values(), taken, strict=True):
                times_of.append(1000 * seconds)
        picture.free()
        return {name: np.array(values) for name, values in times.items()}

    found = with_gpu(work)
    python = found["pose"] + found["buffers and commands"]
    print(f"Blender {bpy.app.version_string}: {len(mesh.vertices)} vertices, {len(mesh.keys)} keys, {SIZE[0]} px")
    for name, values in (found | {"Python and upload (4)": python}).items():
        print(f"{name:22} median {np.median(values):6.2f} ms, 95 of 100 under {np.percentile(values, 95):6.2f} ms")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # the module of 4.5 may wait for ever for a thread of its own
