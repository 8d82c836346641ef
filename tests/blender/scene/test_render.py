"""Rendered pixels: the portrait's own at rest, the offline warp's while it speaks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
import samples
from extension import part
from project import ROOT
from rendered import at_rest, eevee_engine, render

WARP = """
import sys
from pathlib import Path
import numpy as np
from makeittalk.jobs import animate as pipeline
from makeittalk.rendering.warp import Warper

folder, portrait, speech, *wanted = sys.argv[1:]
made = pipeline.animate(portrait, speech, folder)
pipeline.bake(made.motion, made.mesh, made.folder, 24.0)
with Warper(made.mesh, made.portrait.rgba) as warper:
    for index, frame in enumerate(warper.frames(made.motion, 24.0)):
        if str(index) in wanted:
            np.save(Path(folder) / f"warp{index}.npy", frame)
np.save(Path(folder) / "landmarks.npy", made.portrait.face.landmarks)
"""


@pytest.mark.parametrize("engine", ["CYCLES", "EEVEE"])
def test_at_rest_a_pixel_is_the_portraits(make, tmp_path, engine):
    at_rest(make())
    found = render(tmp_path / "rest.png", eevee_engine() if engine == "EEVEE" else engine)
    assert found.shape[:2] == (samples.HEIGHT, samples.WIDTH)
    difference = np.abs(found - samples.portrait()[..., :3])
    picture = difference[3:-12, 3:-12]  # the border mixes with the world, the last corner shows the mouth's texture
    assert picture.mean() < 1.0 and picture.max() < 4.0


def test_transparent_portrait_lets_the_world_through(make, job, tmp_path):
    picture = samples.portrait()
    picture[:40, :, 3] = 0
    samples.write_png(job / "portrait.png", picture)
    character = make()
    at_rest(character)
    bpy.context.scene.render.film_transparent = True
    bpy.context.scene.render.image_settings.color_mode = "RGBA"
    bpy.context.scene.cycles.samples = 4
    path = tmp_path / "clear.png"
    render(path)
    image = bpy.data.images.load(str(path))
    alpha = np.array(image.pixels[:]).reshape(samples.HEIGHT, samples.WIDTH, 4)[::-1, 3:-3, 3]
    assert alpha[:36].max() < 0.02 and alpha[44:140].min() > 0.98


def test_odd_sizes_render_even_and_pixel_for_pixel(scene):
    camera = part("addon.scene.camera")
    assert camera.resolution(np.array([121, 161])) == (120, 160)
    assert camera.resolution(np.array([8192, 5000])) == (4096, 2500)


@pytest.fixture(scope="module")
def speaking(backend_python, tmp_path_factory) -> Path:
    """A job made by the real backend, and its own pictures of two frames."""
    folder = tmp_path_factory.mktemp("speaking")
    script = folder / "warp.py"
    script.write_text(WARP)
    assets = ROOT / "backend" / "makeittalk" / "assets"
    command = [backend_python, str(script), str(folder), str(assets / "portrait_cartoon.png")]
    command += [str(assets / "speech.flac"), "30", "75"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def test_blender_and_the_offline_warp_agree(speaking, scene, tmp_path):
    character = part("addon.scene.character")
    names = {"face": "face.json", "mesh": "mesh.npz", "motion": "motion.npz", "bake": "bake.npz"}
    files = {key: speaking / name for key, name in names.items()}
    character.build(scene, character.Made(name="Ada", audio=None, **files))
    landmarks = np.load(speaking / "landmarks.npy")
    left, top = landmarks[:, :2].min(axis=0).astype(int)
    right, bottom = landmarks[:, :2].max(axis=0).astype(int)
    for index in (30, 75):
        scene.frame_set(1 + index)
        found = render(tmp_path / f"{index}.png")[top:bottom, left:right]
        warp = np.load(speaking / f"warp{index}.npy")[top:bottom, left:right, :3].astype(np.float64)
        rest = np.abs(warp - np.load(speaking / "warp30.npy")[top:bottom, left:right, :3]).mean()
        assert index == 30 or rest > 3.0  # the face has moved by more than what is allowed
        assert np.abs(found - warp).mean() < 3.0
