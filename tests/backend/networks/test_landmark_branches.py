"""The landmark branches: the paper's form, recordings of any length. The released ones: weights/test_released.py."""

import numpy as np
import pytest
import torch
from makeittalk.networks.content import ContentBranch, ContentConfig
from makeittalk.networks.content_inference import content_displacement
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
from makeittalk.networks.speaker import SpeakerBranch, SpeakerConfig

torch.set_num_threads(1)

AVERAGE = VoiceAverage(np.full(80, 0.4, np.float32), np.full(80, 0.13, np.float32))


def test_paper_branches_take_the_code():
    content, speaker = ContentBranch(ContentConfig()).eval(), SpeakerBranch(SpeakerConfig()).eval()
    code, face = torch.randn(2, 30, 64), torch.randn(2, 204)
    with torch.inference_mode():
        assert content(code, face).shape == (2, 30, 204)
        assert speaker(code, torch.randn(2, 256), face).shape == (2, 30, 204)


def test_window_looks_ahead_and_not_back():
    branch = ContentBranch(ContentConfig()).eval()
    code, face = torch.randn(1, 60, 64), torch.zeros(1, 204)
    changed = code.clone()
    changed[:, 30] += 1
    with torch.inference_mode():
        moved = (branch(code, face) - branch(changed, face)).abs().amax(2)[0] > 0
    assert moved.nonzero().flatten().tolist() == list(range(30 - 17, 31))


def test_streaming_looks_as_far_ahead_and_remembers():
    branch = ContentBranch(ContentConfig(streaming=True)).eval()
    code, face = torch.randn(1, 60, 64), torch.zeros(1, 204)
    changed = code.clone()
    changed[:, 30] += 1
    with torch.inference_mode():
        moved = (branch(code, face) - branch(changed, face)).abs().amax(2)[0] > 0
    assert moved.nonzero().flatten().tolist() == list(range(30 - 17, 60))


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("frames", [1, 5, 416, 417, 430, 1300])
def test_any_length_in_blocks_is_one_pass(streaming, frames):
    """Blocks must not show: a long recording gives what one pass over it gives."""
    torch.manual_seed(0)
    branch = ContentBranch(ContentConfig(inputs=80, streaming=streaming, hidden=32, layers=2, mlp=(32,))).eval()
    mel = np.random.default_rng(0).normal(0.4, 0.1, (frames, 80)).astype(np.float32)
    face = np.random.default_rng(1).normal(size=(68, 3))
    found = content_displacement(branch, normalise_mel(mel, AVERAGE), face)
    with torch.inference_mode():
        features = torch.from_numpy(normalise_mel(mel, AVERAGE))[None]
        whole = branch(features, torch.from_numpy(face.reshape(1, -1)).float())[0].reshape(-1, 68, 3).numpy()
    assert found.shape == (frames, 68, 3) and found.dtype == np.float32
    assert np.abs(found - whole).max() < 1e-4


def test_no_frames_no_motion():
    branch = ContentBranch(ContentConfig(inputs=80, streaming=True)).eval()
    assert content_displacement(branch, np.zeros((0, 80), np.float32), np.zeros((68, 3))).shape == (0, 68, 3)


def test_features_do_not_depend_on_the_microphone():
    rng = np.random.default_rng(0)
    mel = rng.normal(0.4, 0.1, (2000, 80)).astype(np.float32)
    coloured = mel + np.linspace(-0.15, 0.15, 80, dtype=np.float32)
    assert np.abs(normalise_mel(mel, AVERAGE) - normalise_mel(coloured, AVERAGE)).mean() < 0.05


def test_pauses_stay_down_however_long():
    rng = np.random.default_rng(0)
    speech = rng.normal(0.4, 0.1, (300, 80)).astype(np.float32)
    silence = np.full((5000, 80), -0.16, np.float32)
    long = normalise_mel(np.concatenate([speech[:150], silence, speech[150:]]), AVERAGE)
    short = normalise_mel(speech, AVERAGE)
    assert np.abs(long[:150] - short[:150]).max() < 0.05
    assert (long[150:5150] < -3).all()
    assert (normalise_mel(silence, AVERAGE) < -3).all()
