"""F0 in classes: free of the speaker's own height, unvoiced frames apart."""

import numpy as np
from makeittalk.audio.pitch import fundamental
from makeittalk.audio.pitch_classes import PITCH_CLASSES, UNVOICED, pitch_classes


def test_the_same_melody_at_any_height():
    melody = np.random.default_rng(0).normal(0.0, 0.15, 400)
    low, high = pitch_classes(100 * np.exp(melody)), pitch_classes(230 * np.exp(melody))
    livelier = pitch_classes(150 * np.exp(2 * melody))
    assert np.abs(low - high).max() <= 1 and np.abs(low - livelier).max() <= 1


def test_steps_span_four_deviations_either_way():
    height = np.array([-1.0, 1.0] * 500)  # of mean 0 and deviation 1
    assert set(pitch_classes(np.exp(height)).tolist()) == {1 + 96, 1 + 159}  # 255 · 3/8 and 255 · 5/8, rounded
    far = np.concatenate([height, [5.0, -5.0]])
    classes = pitch_classes(np.exp(far))
    assert classes[-2:].tolist() == [PITCH_CLASSES - 1, 1]


def test_frames_without_pitch_are_a_class_of_their_own():
    pitch = np.array([0.0, 100.0, 0.0, 200.0])
    classes = pitch_classes(pitch)
    assert (classes == UNVOICED).tolist() == [True, False, True, False]
    assert pitch_classes(np.zeros(5)).tolist() == [UNVOICED] * 5
    assert pitch_classes(np.zeros(0)).shape == (0,)
    assert pitch_classes(np.full(9, 120.0)).tolist() == [1 + 128] * 9  # a voice that keeps its pitch is in the middle


def test_a_rising_tone_rises():
    time = np.arange(32_000) / 16_000
    phase = 2 * np.pi * np.cumsum(120 + 30 * time) / 16_000
    sound = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 8))
    classes = pitch_classes(fundamental(0.1 * sound)[0])[5:-5]
    assert (classes > UNVOICED).all() and (np.diff(classes) >= 0).all() and classes[-1] > classes[0] + 50
