"""Landmarks kept as text come back, and irises go with eyes that are moved."""

from __future__ import annotations

import numpy as np
import pytest
from extension import part_outside
from faces import portrait

placed_face = part_outside("addon.core.placed_face")
Face = part_outside("backend.makeittalk.exchange.formats").Face


def face(**changes) -> object:
    irises = np.array([(180, 270, 9), (330, 270, 8)], np.float32)
    values = {"detector": "mediapipe", "confidence": 0.75, "irises": irises} | changes
    return Face(placed_face.Path("portrait.png"), 512, 640, portrait().astype(np.float32), **values)


@pytest.mark.parametrize("irises", [True, False])
def test_a_face_comes_back_from_its_text(irises):
    made = face() if irises else face(irises=None)
    back = placed_face.from_text(placed_face.to_text(made))
    np.testing.assert_allclose(back.landmarks, made.landmarks, atol=1e-3)
    assert (back.width, back.height, back.detector, back.confidence) == (512, 640, "mediapipe", 0.75)
    assert (back.irises is None) == (not irises)


GOOD = placed_face.to_text(face())


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", '{"landmarks": [[1, 2, 3]]}', GOOD[:-9]),
        *(GOOD.replace('"width":512', f'"width":{width}') for width in ("1e400", "0", "9000", "null")),
        *(GOOD.replace("[[180.0", f"[[{x}") for x in ("1e400", "NaN", "1e7", '"a"')),
        GOOD.replace('"confidence":0.75', '"confidence":NaN'),
    ],
)
def test_a_damaged_text_is_a_sentence(text):
    with pytest.raises(part_outside("addon.core.errors").AddonError, match="are damaged"):
        placed_face.from_text(text)


def test_irises_go_with_the_eyes():
    made = face()
    assert placed_face.moved(made, made.landmarks + 1e-3) is made
    landmarks = made.landmarks.copy()
    middle = landmarks[36:42].mean(axis=0)
    landmarks[36:42] = middle + 2.0 * (landmarks[36:42] - middle) + (5.0, -3.0, 0.0)
    moved = placed_face.moved(made, landmarks)
    assert moved.detector == "hand" and moved.confidence == 1.0
    np.testing.assert_allclose(moved.irises, [(185, 267, 18), (330, 270, 8)], atol=1e-2)
    assert placed_face.moved(face(irises=None), landmarks).irises is None
