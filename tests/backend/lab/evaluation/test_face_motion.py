"""Faces in motion that are compared: what is counted from where, and how much of a recording is heard."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import NEUTRAL, shut_lips, talking, write_clips
from makeittalk.animation.postprocess import shown_motion
from makeittalk.exchange.formats import MotionParts
from makeittalk.landmarks.measures import opening
from makeittalk.landmarks.pose import neck_pivot
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.evaluation.face_motion import FaceMotion, clip_speech, predict_clip
from scipy.spatial.transform import Rotation

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    return write_clips(tmp_path_factory.mktemp("prepared"), 6)


def test_predicted_and_animated_faces_rest_with_their_lips_shut():
    clip = talking(5)
    still, head = np.zeros((3, 68, 3), np.float32), np.zeros((3, 3), np.float32)
    parts = MotionParts(shut_lips(clip.neutral).astype(np.float32), still, still, head[:, 0], head, head)
    motion = shown_motion(clip.neutral, parts, 62.5, neck_pivot(clip.neutral))
    assert opening(clip.neutral[None])[0] > 0.5  # px: as filmed faces are
    for face in (FaceMotion.predicted(motion).face, FaceMotion.animated(motion).face):
        assert opening(face).max() < 1e-3


def test_a_clip_is_heard_as_long_as_it_was_filmed(prepared):
    folder = Prepared.load(prepared)
    clip = folder.clip(folder.test[0])
    clip.samples = np.concatenate([clip.samples, np.zeros(5000, np.float32)])
    speech = clip_speech(folder, clip)
    assert len(speech.whisper()) == len(clip.mel)
    assert predict_clip(folder, clip, None, "cpu", 0).frames == len(clip.mel)


def test_the_head_of_a_film_is_measured_apart_from_its_lips():
    clip = talking(6)
    angles = np.zeros((len(clip.mel), 3))
    angles[:, 1] = 0.1 * np.sin(np.arange(len(clip.mel)) / 10)
    centre = NEUTRAL.mean(0)
    clip.posed = (clip.landmarks - centre) @ Rotation.from_euler("xyz", angles).as_matrix().transpose(0, 2, 1) + centre
    filmed = FaceMotion.filmed(clip)
    assert np.degrees(np.abs(filmed.rotation - angles).max()) < 0.5
    assert np.array_equal(filmed.face, clip.landmarks)
