"""Variation of sound and faces."""

import numpy as np
import pytest
import torch
from made_clips import talking
from makeittalk.landmarks.ibug68 import MIRROR
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk_lab.data import augment
from makeittalk_lab.data.augment import Augment

torch.set_num_threads(1)


def test_warping_moves_a_formant():
    centres = augment.band_centres()
    assert np.abs(augment.warp_matrix(1.0) - np.eye(80)).max() < 1e-5
    mel = np.exp(-(((centres - 2000) / 200) ** 2))[None]
    for factor in (0.8, 1.25):
        peak = centres[int(np.argmax(mel @ augment.warp_matrix(factor)))]
        assert peak == pytest.approx(2000 * factor, rel=0.05)


def test_noise_fills_pauses_and_spares_speech():
    rng = np.random.default_rng(0)
    mel = np.full((200, 80), -0.16, np.float32)
    mel[:100] = 0.5
    noisy = augment.add_noise(mel, 30.0, rng)
    assert np.abs(noisy[:100] - 0.5).max() < 0.1
    assert noisy[100:].mean() == pytest.approx(0.2, abs=0.08)


def test_pauses_rest():
    rng = np.random.default_rng(1)
    clip = talking(1)
    mel, motion = augment.pad_pauses(clip.mel, clip.landmarks - clip.neutral + 1, Augment(pause=50), rng)
    added = (motion == 0).all((1, 2))
    assert len(mel) == len(motion) == len(clip.mel) + added.sum() and added.any()
    assert mel[added].mean() < clip.mel.mean()


def test_a_mirrored_face_moves_as_in_a_mirror():
    face = MEAN_FACE.astype(np.float32)
    motion = np.random.default_rng(0).normal(size=(5, 68, 3)).astype(np.float32)
    options = Augment(mirror=1.0, shape=0.0, identity=0.0)
    other, moved = augment.vary_face(face, motion, options, np.random.default_rng(0))
    assert np.abs(other - face).max() < 1e-5  # the mean face is symmetric
    assert np.abs((other + moved) - ((face + motion) * (-1, 1, 1))[:, MIRROR]).max() < 1e-5
    assert moved[0, 48, 0] == -motion[0, 54, 0]
