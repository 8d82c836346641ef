"""The speaker branch over long recordings, and its weights on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks.noise import NOISE, noise_track
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.speaker import SpeakerBranch, SpeakerConfig
from makeittalk.networks.speaker_inference import SpeakerModel, load_speaker, save_speaker, speaker_displacement


def small(streaming: bool = True, **more: object) -> SpeakerBranch:
    torch.manual_seed(0)
    shape = dict(inputs=12, hidden=16, layers=1, feed_forward=32, attention=64, noise=NOISE, mlp=(32,), **more)
    return SpeakerBranch(SpeakerConfig(streaming=streaming, **shape)).eval()


@pytest.mark.parametrize("streaming", [True, False])
def test_long_recordings_join_without_a_seam(streaming: bool) -> None:
    branch = small(streaming)
    rng = np.random.default_rng(0)
    features = np.cumsum(rng.standard_normal((700, 12)), axis=0).astype(np.float32) / 20.0
    noise, voice, face = noise_track(1, 700), rng.random(256), np.asarray(MEAN_FACE)
    moved = speaker_displacement(branch, features, voice, face, noise)
    assert moved.shape == (700, 204)
    bend = np.abs(np.diff(moved, n=2, axis=0)).mean(1)
    joins = np.arange(32, 690, 32)
    near = np.concatenate([joins - 2, joins - 1, joins])
    assert bend[near].mean() < 1.3 * np.delete(bend, near).mean()
    # What comes long after a frame does not change it, however much comes.
    assert np.allclose(moved[:500], speaker_displacement(branch, features[:640], voice, face, noise)[:500], atol=1e-5)
    for frames in (1, 5, 63, 64, 65, 97):
        short = speaker_displacement(branch, features[:frames], voice, face, noise[:frames])
        assert short.shape == (frames, 204) and np.isfinite(short).all()
    assert speaker_displacement(branch, features[:0], voice, face, noise[:0]).shape == (0, 204)


def test_no_voice_is_the_mean_voice() -> None:
    branch = small(centred=True)
    branch.voice_mean.copy_(torch.rand(256))
    assert torch.equal(branch.code(torch.zeros(1, 256)), branch.code(branch.voice_mean[None]))


def test_weights_keep_the_branch_and_damage_is_told(tmp_path: Path) -> None:
    branch = small(centred=True)
    average = VoiceAverage(np.zeros(80, np.float32), np.ones(80, np.float32))
    path = tmp_path / "speaker.safetensors"
    save_speaker(path, SpeakerModel(branch, average, "mel"), {"steps": "0"})
    loaded = load_speaker(str(path))
    assert loaded.features == "mel" and loaded.branch.config == branch.config
    for name, value in branch.state_dict().items():
        assert torch.allclose(loaded.branch.state_dict()[name], value, atol=1e-3), name
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError):
        load_speaker(str(path))
