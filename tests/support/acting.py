"""A character with lids, brows and corners of the mouth that blinks twice, for tests of gestures and edits."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import samples
from extension import part

NAMES = (
    *("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("browDownLeft", "browDownRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("eyeWideLeft", "eyeWideRight", "residual01"),
)
_FILES = {"face": "face.json", "mesh": "mesh.npz", "motion": "motion.npz", "bake": "bake.npz"}
FRAMES = 120
BLINKS = ((30, 36), (80, 87))  # scene frames on which the lids are not open


def write_bake(path: Path, shift: int = 0, frames: int = FRAMES) -> Path:
    """A bake whose blinks come `shift` frames later."""
    arrays = samples.bake_arrays(frames, keys=NAMES)
    arrays["lip_values"] *= np.float32([name in ("jawOpen", "residual01") for name in NAMES])
    lids = [NAMES.index("eyeBlinkLeft"), NAMES.index("eyeBlinkRight")]
    for first, last in BLINKS:
        length = last - first + 1
        shut = np.sin(np.pi * (np.arange(length) + 1) / (length + 1))
        arrays["blink_values"][first - 1 + shift : last + shift, lids] = shut[:, None]
    np.savez_compressed(path, **arrays)
    return path


def build(folder: Path, frames: int = FRAMES):
    """Builds the character from frame 1 on, at 24 frames a second."""
    job = samples.write_job(folder / "job", frames=frames, names=NAMES)
    write_bake(job / "bake.npz", frames=frames)
    character = part("addon.scene.character")
    files = {key: job / name for key, name in _FILES.items()}
    return character.build(bpy.context.scene, character.Made(name="Ada", audio=None, **files))


def landmark_vertices() -> np.ndarray:
    """(68,) the vertices of the landmarks."""
    return samples.mesh_arrays(names=NAMES)["landmark_vertices"]
