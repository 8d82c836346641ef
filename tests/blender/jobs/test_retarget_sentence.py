"""A sentence that was really predicted, on keys of four makers: lips meet on every P, B and M that is said."""

from __future__ import annotations

import csv

import bpy
import numpy as np
import pytest
import second_head
from extension import part
from project import ASSETS

CLOSED = ("P", "B", "M")


@pytest.fixture
def ada(scene, backend):
    """The embedded portrait, saying the embedded recording from frame 1 on, at 24 frames/s."""
    scene.render.fps, scene.render.fps_base = 24, 1.0
    settings = scene.makeittalk
    settings.seed = 0
    settings.portrait, settings.speech = str(ASSETS / "portrait_cartoon.png"), str(ASSETS / "speech.flac")
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    return part("addon.scene.character").active(bpy.context)


def closures() -> list[tuple[float, float]]:
    """From when to when P, B and M are said, seconds, by the alignment that ships beside the recording."""
    with open(ASSETS / "speech.phones.csv", newline="") as file:
        rows = list(csv.reader(file))
    found = [(float(start), float(end)) for start, end, name, _ in rows[1:] if name.rstrip("012") in CLOSED]
    assert len(found) > 3
    return found


def openings(head, frames: int) -> np.ndarray:
    """How far the middle of the lips is apart on every frame, above what it is at rest."""
    quarter = second_head.SEGMENTS // 4
    upper, lower = (3 * second_head.SEGMENTS + column * quarter for column in (3, 1))
    found = []
    for frame in range(1, frames + 1):
        bpy.context.scene.frame_set(frame)
        vertices = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.vertices
        found.append(vertices[upper].co.z - vertices[lower].co.z)
    rest = head.data.shape_keys.reference_key.data
    return np.array(found) - (rest[upper].co.z - rest[lower].co.z)


@pytest.mark.parametrize("live", [False, True], ids=["baked", "driven"])
def test_every_closure_is_kept_on_every_set_of_keys(ada, live):
    settings = ada.makeittalk.retarget
    sets = {"arkit": second_head.arkit(), "vrm": second_head.VRM}
    sets |= {word: second_head.of(word) for word in ("oculus", "rhubarb")}
    open_at = []
    for word, meanings in sets.items():
        settings.target = second_head.add(word, meanings)
        assert (bpy.ops.makeittalk.drive_retarget if live else bpy.ops.makeittalk.bake_retarget)() == {"FINISHED"}
        opening = openings(settings.target, ada.makeittalk.frames)
        assert opening.max() > 0.03, word
        for start, end in closures():
            least = np.abs(opening[round(start * 24) : round(end * 24) + 1]).min() / opening.max()
            if least >= 0.1:
                open_at.append(f"{word}: {least:.2f} of its most at {start:.2f} s")
    assert not open_at
