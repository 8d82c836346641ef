"""Where films are cut, and what registers their faces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.registration import register
from makeittalk_lab.data.film_cuts import cut_at_pauses, scene_breaks, seen_stretches
from makeittalk_lab.data.front_template import front_template, register_affine
from scipy.spatial.transform import Rotation


def test_a_scene_breaks_where_a_picture_stands_out() -> None:
    changes = np.full(200, 2.0)
    changes[0], changes[60], changes[120] = 0.0, 40.0, 40.0
    changes[140:180] = 20.0  # a camera that moves
    assert scene_breaks(changes).tolist() == [60, 120]


def test_stretches_end_where_the_face_is_lost_jumps_or_the_scene_breaks() -> None:
    face = 100.0 * MEAN_FACE + (200.0, 200.0, 0.0)
    landmarks = np.repeat(face[None], 200, 0)
    landmarks[50:60] = np.nan
    landmarks[100:, :, 0] += 90.0  # another camera
    found = seen_stretches(landmarks, 25.0, np.array([150 / 25.0]))
    assert found == [(0, 50), (60, 99), (101, 149), (151, 200)]


def test_parts_are_cut_in_pauses() -> None:
    frames = round(60 * FRAME_RATE)
    loudness = np.ones(frames)
    pauses = (12.0, 25.0, 43.0)
    for pause in pauses:
        at = round(pause * FRAME_RATE)
        loudness[at - 20 : at + 20] = 0.0
    parts = cut_at_pauses(0, frames, loudness, 2.0, 20.0)
    assert parts[0][0] == 0 and parts[-1][1] == frames
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert all(2.0 <= (end - first) / FRAME_RATE <= 20.0 for first, end in parts)
    cuts = [first / FRAME_RATE for first, _ in parts[1:]]
    assert all(min(abs(cut - pause) for cut in cuts) < 0.4 for pause in pauses)
    assert cut_at_pauses(0, round(FRAME_RATE), loudness, 2.0, 20.0) == []


def test_the_affine_map_takes_away_pose_and_proportions_but_not_speech() -> None:
    rng = np.random.default_rng(0)
    template = 100.0 * MEAN_FACE
    opened = np.zeros((40, 68, 3))
    opened[:, [57, 58, 56, 66, 65, 67, 8], 1] = np.linspace(0.0, 15.0, 40)[:, None]
    turns = Rotation.from_euler("xyz", rng.normal(0.0, 8.0, (40, 3)), degrees=True).as_matrix()
    shape = np.diag([1.08, 0.94, 1.0])  # a broad face
    filmed = 1.3 * ((template + opened) @ shape @ turns.transpose(0, 2, 1)) + rng.normal(0.0, 30.0, (40, 1, 3))
    affine, similar = register_affine(filmed, template), register(filmed, template)
    off = [np.linalg.norm(found - template - opened, axis=2).mean() for found in (affine, similar)]
    assert off[0] < 0.35 * off[1]
    gap = affine[:, 66, 1] - affine[:, 62, 1]
    assert np.corrcoef(gap, opened[:, 66, 1])[0, 1] > 0.999
    # It follows no noise to the chin: there it trembles little more than what it is fitted on.
    noisy = template + rng.normal(0.0, 0.5, (400, 68, 3))
    fixed = register_affine(noisy, template)
    assert fixed[:, 8].std(0).max() < 2.0
    placed = front_template(filmed)
    width = np.linalg.norm(filmed[:, 16] - filmed[:, 0], axis=1)
    assert np.isclose(np.linalg.norm(placed[16] - placed[0]), np.median(width))
