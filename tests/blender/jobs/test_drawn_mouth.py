"""A drawing whose mouth is drawn open, with landmarks on its edge: shut on P, B and M in Blender."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from extension import part
from project import ASSETS

FILES = Path(__file__).resolve().parents[1] / "files"
HEARD = 0.6  # probability from which a P, B or M is one for sure


def test_a_mouth_that_is_drawn_open_shuts_on_every_bilabial(scene, backend):
    settings = scene.makeittalk
    settings.seed, settings.speech = 3, str(ASSETS / "speech.flac")
    settings.portrait = str(FILES / "drawn_open.png")
    assert bpy.ops.makeittalk.edit_landmarks() == {"FINISHED"}
    assert bpy.ops.makeittalk.load_landmarks(filepath=str(FILES / "drawn_open.json")) == {"FINISHED"}
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    arrays = part("addon.scene.bakes").mesh_of(character)
    motion, _ = part("addon.scene.character").kept_files(character)
    with np.load(motion) as kept:
        closure, rate = kept["closure"], float(kept["fps"])
    middle = np.flatnonzero((closure[1:-1] >= HEARD) & (closure[1:-1] >= closure[:-2]) & (closure[1:-1] > closure[2:]))
    assert len(middle) >= 5
    body, made = character.makeittalk.body, character.makeittalk
    upper, lower, right, left = (int(arrays.landmark_vertices[point]) for point in (62, 66, 48, 54))

    def opening(frame: int) -> float:
        scene.frame_set(frame)
        points = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.vertices
        return (points[upper].co - points[lower].co).length / (points[right].co - points[left].co).length

    fps = scene.render.fps / scene.render.fps_base
    openings = {frame: opening(frame) for frame in range(made.start, made.start + made.frames)}
    assert max(openings.values()) > 0.15
    for moment in (middle + 1) / rate:
        frame = made.start + round(moment * fps)
        assert min(openings.get(near, 1.0) for near in (frame - 1, frame, frame + 1)) < 0.03
