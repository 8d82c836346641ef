"""FACEGOOD: captured curves move an ICT-FaceKit head."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from made_clips import write_clips
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk_lab.prepare.facegood import prepare_facegood, validation_recordings

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    return write_clips(tmp_path_factory.mktemp("prepared"))


def test_facegood_curves_move_an_ict_head(tmp_path):
    source = tmp_path / "facegood"
    source.mkdir()
    neutral = (MEAN_FACE * 5 * (1, -1, -1)).astype(np.float32)
    expressions = np.zeros((2, 68, 3), np.float16)
    expressions[0, 66, 1] = -2  # jawOpen: two centimetres down
    expressions[1, 48, 0] = 1  # mouthPucker
    np.savez(
        source / "ict_facekit.npz",
        neutral=neutral,
        landmarks68=np.arange(68),
        expression_names=np.array(["jawOpen", "mouthPucker"]),
        expressions=expressions,
        identities=np.zeros((3, 68, 3), np.float16),
    )
    rules = {
        "jawOpen": {"max_of": ["jaw"], "mouth_data": True},
        "mouthPucker": {"max_of": ["left", "right"], "mouth_data": True},
        "eyeBlinkLeft": {"max_of": ["jaw"], "mouth_data": False},
    }
    (source / "channels.json").write_text(json.dumps({"fps": 30, "channels": ["jaw", "left", "right"], "arkit": rules}))
    curves = np.zeros((60, 3), np.float32)
    curves[30:, 0], curves[:, 2] = 0.5, 1.0
    np.savez(source / "one.npz", weights=curves)
    soundfile.write(source / "one.flac", 0.1 * np.random.default_rng(0).normal(size=32_000), 16_000)
    prepared = prepare_facegood(source, tmp_path / "out")
    clip = prepared.clip("one_0")
    assert clip.samples is not None  # what Whisper hears
    moved = clip.landmarks - clip.neutral
    assert moved[100, 66] == pytest.approx((0, 10, 0), abs=0.01)  # half of 2 cm at 10 px/cm, downwards
    assert moved[0, 66] == pytest.approx((0, 0, 0), abs=0.01)
    assert moved[:, 48, 0] == pytest.approx(np.full(len(moved), 10), abs=0.01)


def test_whole_recordings_are_held_out():
    """All heads of a recording share one sound: to learn from one and validate on another would prove nothing."""
    assert validation_recordings(["a_1_02", "a_1_01", "b_7_05", "b_7_06", "c_0_01"]) == {"a_1_02", "b_7_06"}
