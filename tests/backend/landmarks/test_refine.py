"""Hand-placed points refined: the face that the detector sees where they lie, and none where it sees none."""

from __future__ import annotations

import numpy as np
import pytest
from makeittalk.landmarks.detector import NoFaceError, detect_faces, detect_landmarks, refine_landmarks
from makeittalk.landmarks.few_points import few_points, place_landmarks
from PIL import Image


@pytest.fixture(scope="module")
def photo(astronaut):
    return np.array(Image.open(astronaut).convert("RGB").resize((512, 512), Image.Resampling.LANCZOS))


@pytest.fixture(scope="module")
def found(photo):
    return detect_landmarks(photo)


def apart(landmarks, expected) -> float:
    """Mean distance in the picture, in widths of the face."""
    width = np.linalg.norm(expected[0] - expected[16])
    return float(np.linalg.norm(landmarks[:, :2] - expected[:, :2], axis=1).mean() / width)


def test_clicks_are_refined_to_what_the_detector_sees(photo, found):
    clicks = few_points(found.landmarks) + np.random.default_rng(3).normal(0, 4, (7, 2))
    placed = place_landmarks(clicks)
    refined = refine_landmarks(photo, placed)
    assert apart(refined.landmarks, found.landmarks) < 0.012 < apart(placed, found.landmarks)
    assert refined.detector == "mediapipe" and refined.confidence > 0.5 and refined.irises.shape == (2, 3)


def test_a_face_that_lies_or_reaches_beyond_the_picture_is_refined(photo, found):
    lying = np.ascontiguousarray(np.rot90(photo))
    points = np.stack([found.landmarks[:, 1], 512 - found.landmarks[:, 0]], 1)  # (x, y) → (y, size − x)
    assert apart(refine_landmarks(lying, place_landmarks(few_points(points))).landmarks, points) < 0.012
    left = int(found.landmarks[:, 0].min()) + 12  # the jaw's end is cut off
    cut = np.ascontiguousarray(photo[:, left:])
    points = found.landmarks[:, :2] - (left, 0)
    assert apart(refine_landmarks(cut, place_landmarks(few_points(points))).landmarks, points) < 0.05


def test_of_two_faces_the_one_that_was_meant(photo, found):
    both = np.concatenate([photo, photo[:, ::-1]], axis=1)
    faces = detect_faces(both, enough=2)
    assert len(faces) == 2 and all(face.irises is not None for face in faces)
    for shift in (0, 1):
        points = found.landmarks[:, :2] if not shift else faces[0].landmarks[:, :2]
        other = next(face for face in faces if apart(face.landmarks, points) < 0.1)
        assert apart(refine_landmarks(both, place_landmarks(few_points(points))).landmarks, other.landmarks) < 0.012


def test_where_nothing_like_a_face_is_seen_a_sentence_says_so(photo, found):
    wall = np.full_like(photo, 200)
    aside = found.landmarks[:, :2] + (0.0, 200.0)
    for picture, points in ((wall, found.landmarks), (photo, aside)):
        with pytest.raises(NoFaceError, match=r"where the landmarks lie in wall\.png") as raised:
            refine_landmarks(picture, points, "wall.png")
        assert "stay as they are" in raised.value.hint
    assert detect_faces(wall) == []
