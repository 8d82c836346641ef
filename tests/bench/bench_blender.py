"""Prints how fast and how large the Blender side is: `.venv/bin/python tests/bench/bench_blender.py`.

60 s of speech at 25 frames a second on a mesh of 800 vertices with 64 shape keys, as a character has them, the gaze's
among them, and an eye target with its drivers. The bars:
keyframing under 0.3 s, 1,000 frame changes a second, 1 GB above bpy alone.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "bl_ext.user_default.makeittalk"
FRAMES, FPS = 1500, 25.0
GAZE = tuple(f"eyeLook{way}{side}" for side in ("Left", "Right") for way in ("In", "Out", "Up", "Down"))
sys.path.insert(0, str(ROOT / "tests" / "support"))
import samples  # noqa: E402  (its folder has to be on the path first)
from memory import peak_memory  # noqa: E402


def load_extension() -> ModuleType:
    spec = importlib.util.spec_from_file_location(PACKAGE, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    spec.loader.exec_module(module)
    module.register()
    return module


def add_gaze(job: Path) -> None:
    """Gives a job eyes that glance aside, and an eye target with its eight drivers."""
    mesh, bake = (dict(np.load(job / name)) for name in ("mesh.npz", "bake.npz"))
    values = np.zeros_like(bake["lip_values"])
    values[:, -len(GAZE) :] = np.repeat(np.random.default_rng(0).random((FRAMES // 25, len(GAZE))), 25, axis=0)
    np.savez(job / "mesh.npz", **mesh, gaze_reach=np.full(len(GAZE), 0.5, np.float32))
    np.savez(job / "bake.npz", **bake, gaze_values=values)


def main() -> None:
    alone = peak_memory() / 2**20
    extension = load_extension()
    character = importlib.import_module(f"{PACKAGE}.addon.scene.character")
    performance = importlib.import_module(f"{PACKAGE}.addon.scene.performance")
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    scene = bpy.context.scene
    scene.render.fps = round(FPS)
    keying = 0.0
    write = performance.write

    def timed(*arguments):
        nonlocal keying
        begun = time.perf_counter()
        write(*arguments)
        keying += time.perf_counter() - begun

    performance.write = timed
    with tempfile.TemporaryDirectory() as folder:
        names = (*(f"key{number:02}" for number in range(56)), *GAZE)
        job = samples.write_job(Path(folder) / "job", FRAMES, FPS, (25, 32), names)
        add_gaze(job)
        files = {"face": "face.json", "mesh": "mesh.npz", "motion": "motion.npz", "bake": "bake.npz"}
        recipe = {key: job / name for key, name in files.items()}
        begun = time.perf_counter()
        made = character.build(scene, character.Made(name="Bench", audio=job / "speech.wav", **recipe))
        building = time.perf_counter() - begun
    begun = time.perf_counter()
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
    changing = time.perf_counter() - begun
    slowest = {}
    for amount in (0.5, 0.8, 1.6, 0.7):  # to more than 1 and back, the curves are written too
        for name in ("lip", "head", "blink", "gaze", "nod"):
            begun = time.perf_counter()
            setattr(made.makeittalk, name, amount)
            slowest[name] = max(slowest.get(name, 0.0), time.perf_counter() - begun)
    body = made.makeittalk.body.data
    print(f"Blender {bpy.app.version_string}: {len(body.vertices)} vertices, {len(names)} keys, {FRAMES} frames")
    print(f"keyframing        {keying:6.2f} s  (under 0.3)")
    print(f"whole character   {building:6.2f} s")
    print(f"frame changes     {FRAMES / changing:6.0f} /s (1000 and more)")
    print(f"an amount changed {max(slowest.values()):6.3f} s  (under 0.05): {max(slowest, key=slowest.get)} at worst")
    print(f"peak above bpy    {peak_memory() / 2**20 - alone:6.0f} MB (under 1000)")
    extension.unregister()


if __name__ == "__main__":
    main()
