"""A character of ours with the real set of keys, which speaks: jaw, rounding and lips move, and shut when they must."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import samples
from extension import part
from makeittalk.exchange.constants import GAZE_KEYS
from makeittalk.landmarks.mean_face import MEAN_FACE

FRAMES = 96
CLOSURES = ((12, 15), (30, 32), (52, 56), (75, 77))  # frames, from 0, on which the lips are shut
BLINK = (40, 46)
_FILES = {"face": "face.json", "mesh": "mesh.npz", "motion": "motion.npz", "bake": "bake.npz"}


def names() -> tuple[str, ...]:
    known, _ = part("addon.core.retarget_shapes").canonical_shapes()
    return ("mouthShut", "eyeBlinkLeft", "eyeBlinkRight", *known, *GAZE_KEYS)


def _mesh(keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The grid of `samples` with the 68 points of a mean face as vertices of their own, which the keys really move."""
    arrays = samples.mesh_arrays(names=keys)
    known, shapes = part("addon.core.retarget_shapes").canonical_shapes()
    scale = samples.WIDTH / 2.6
    face = MEAN_FACE * scale + (samples.WIDTH / 2.0, samples.HEIGHT / 2.0, 0.0)
    width = np.linalg.norm(face[54] - face[48])
    grid = len(arrays["vertices"])
    moves = np.zeros((len(keys), 68, 3))
    for row, name in enumerate(keys):
        if name in known:
            moves[row] = shapes[known.index(name)] * width
        elif name.startswith("eyeBlink"):
            upper, lower = ((43, 44), (47, 46)) if name.endswith("Left") else ((37, 38), (41, 40))
            moves[row, upper, 1] = face[lower, 1] - face[upper, 1]
    arrays["vertices"] = np.concatenate([arrays["vertices"], face.astype(np.float32)])
    arrays["uv"] = np.concatenate([arrays["uv"], np.full((68, 2), 0.5, np.float32)])
    arrays["W"] = np.concatenate([arrays["W"], np.eye(68, dtype=np.float32)])
    arrays["head_weights"] = np.concatenate([arrays["head_weights"], np.ones(68, np.float32)])
    arrays["landmark_vertices"] = np.arange(grid, grid + 68).astype(np.int32)
    arrays["key_landmarks"] = moves.astype(np.float32)
    arrays["keys"] = np.concatenate([np.zeros((len(keys), grid, 3)), moves], axis=1).astype(np.float32)
    arrays["key_range"] = np.tile(np.array([-1.0, 2.0], np.float32), (len(keys), 1))
    return arrays


def _bake(keys: tuple[str, ...], frames: int) -> dict[str, np.ndarray]:
    arrays = samples.bake_arrays(frames, keys=keys)
    time = np.arange(frames) / 24.0
    free = np.ones(frames)
    for first, last in CLOSURES:
        free[first : last + 1] = 0.0
    free = np.minimum(free, np.convolve(np.pad(free, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid"))
    arrays["lip_values"][:] = 0.0
    column = keys.index
    arrays["lip_values"][:, column("jawOpen")] = free * (0.25 + 0.2 * np.sin(7.0 * time))
    for side in ("Left", "Right"):
        arrays["lip_values"][:, column(f"mouthLowerDown{side}")] = free * (0.2 + 0.15 * np.sin(5.0 * time))
        arrays["lip_values"][:, column(f"mouthUpperUp{side}")] = free * (0.1 + 0.1 * np.sin(6.0 * time + 1.0))
        arrays["lip_values"][:, column(f"mouthSmile{side}")] = 0.2 * np.maximum(0.0, np.sin(2.0 * time))
        shut = np.zeros(frames)
        shut[BLINK[0] : BLINK[1] + 1] = np.sin(np.linspace(0.2, np.pi - 0.2, BLINK[1] - BLINK[0] + 1))
        arrays["blink_values"][:, column(f"eyeBlink{side}")] = shut
    arrays["lip_values"][:, column("mouthPucker")] = 0.4 * np.maximum(0.0, np.sin(2.0 * time + np.pi))
    arrays["key_range"] = np.tile(np.array([-1.0, 2.0], np.float32), (len(keys), 1))
    return arrays


def build(folder: Path, frames: int = FRAMES, name: str = "Ada"):
    """Builds the character from frame 1 on, at 24 frames a second."""
    keys = names()
    job = samples.write_job(folder / "job", frames=frames, names=keys)
    np.savez_compressed(job / "mesh.npz", **_mesh(keys))
    np.savez_compressed(job / "bake.npz", **_bake(keys, frames))
    character = part("addon.scene.character")
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 24, 1.0
    return character.build(
        bpy.context.scene,
        character.Made(name=name, audio=None, **{key: job / file for key, file in _FILES.items()}),
    )
