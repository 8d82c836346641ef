"""An imported set of weights animates a portrait in Blender, and draws its photoreal frames."""

from __future__ import annotations

import shutil
import subprocess

import bpy
import numpy as np
import pytest
from extension import part
from project import ASSETS, BACKEND, SUPPORT

pytestmark = pytest.mark.skipif(
    not (BACKEND / "makeittalk" / "weights" / "released.py").is_file(), reason="nothing predicts with such a set yet"
)

CLONE = """
import sys
from pathlib import Path
from makeittalk.weights.released_layout import released_layout
import released_clone
released_clone.write_clone(Path(sys.argv[1]), released_layout())
"""


@pytest.fixture(scope="module")
def home(extension, tmp_path_factory, backend_python):
    """A folder of the user's data with a set `released`, imported by the operator from synthetic checkpoints."""
    folder = tmp_path_factory.mktemp("data")
    code = f"import sys; sys.path[:0] = [{str(BACKEND)!r}, {str(SUPPORT)!r}]\n{CLONE}"
    subprocess.run([backend_python, "-c", code, str(folder / "clone")], check=True)
    connection = part("addon.jobs.connection")
    connection.close()  # one that runs has another folder of the user's data
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MAKEITTALK_HOME", str(folder / "home"))
        patched.setenv("MAKEITTALK_PYTHON", backend_python)
        assert bpy.ops.makeittalk.import_weights(directory=str(folder / "clone")) == {"FINISHED"}
        shutil.rmtree(folder / "clone")
        yield folder / "home"
        connection.close()
    shutil.rmtree(folder)


@pytest.fixture
def settings(home, scene):
    found = scene.makeittalk
    found.portrait, found.speech, found.seed = str(ASSETS / "portrait_photo.jpg"), str(ASSETS / "speech.flac"), 3
    return found


def made(settings, weights):
    settings.weights = weights
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    return part("addon.scene.character").active(bpy.context)


def motion(character, folder):
    part("addon.core.payload").unpack(character.makeittalk.motion_data, folder / "motion.npz")
    with np.load(folder / "motion.npz") as arrays:
        return arrays["landmarks"].copy()


def test_a_portrait_is_animated_by_the_imported_set(settings, tmp_path):
    shipped, imported = made(settings, "SHIPPED"), made(settings, "released")
    assert imported.makeittalk.weights == "released" and shipped.makeittalk.weights == "SHIPPED"
    first, second = motion(shipped, tmp_path), motion(imported, tmp_path)
    assert len(first) == len(second) and np.abs(first - second).max() > 1.0
    assert np.ptp(second, axis=0).max() > 0.05 and np.isfinite(second).all()

    imported.makeittalk.weights = "SHIPPED"
    imported.makeittalk.seed = shipped.makeittalk.seed
    assert bpy.ops.makeittalk.new_take() == {"FINISHED"}
    np.testing.assert_allclose(motion(imported, tmp_path), first, atol=0.05)


def test_photoreal_frames_are_drawn_by_the_imported_set(settings, tmp_path):
    character = made(settings, "released")
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = character.makeittalk.start + 10, character.makeittalk.start + 11
    pictures = {}
    for weights in ("released", "SHIPPED"):
        character.makeittalk.weights = weights
        character.makeittalk.photo_folder = str(tmp_path / weights)
        assert bpy.ops.makeittalk.photoreal_frames() == {"FINISHED"}
        pictures[weights] = (tmp_path / weights / f"photoreal_{scene.frame_start:05d}.png").read_bytes()
    assert pictures["released"] != pictures["SHIPPED"]
