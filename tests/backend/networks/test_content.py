"""The content branch that reads windows both ways: its shapes, recordings of any length, and its weights on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from makeittalk.animation.lips import gaps, shut_mouth
from makeittalk.animation.predict import analyse_speech
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import LIP_FEATURES, SAMPLE_RATE
from makeittalk.exchange.errors import Cancelled, InputError
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks.content import SPAN, ContentBranch, ContentConfig
from makeittalk.networks.content_inference import (
    CONTENT_WEIGHTS,
    ContentModel,
    content_displacement,
    content_weights,
    load_content,
    save_content,
)
from project import ASSETS

torch.set_num_threads(1)

FACE = np.asarray(MEAN_FACE + shut_mouth(MEAN_FACE), np.float32)


def both_ways(**more: object) -> ContentBranch:
    torch.manual_seed(0)
    shape = {"inputs": 12, "squeeze": 10, "stride": 2, "hidden": 16, "layers": 2, "mlp": (20,)} | more
    return ContentBranch(ContentConfig(bidirectional=True, **shape)).eval()


def voice(frames: int) -> np.ndarray:
    """Features (T, 12) that change as slowly as speech does."""
    noise = np.random.default_rng(0).standard_normal((frames + 8 + (not frames), 12))
    return np.lib.stride_tricks.sliding_window_view(noise, 9, axis=0)[:frames].mean(2).astype(np.float32) * 3.0


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("squeeze", [0, 10])
@pytest.mark.parametrize("prior", [(), (9, 7)])
def test_every_frame_has_an_answer(stride: int, squeeze: int, prior: tuple[int, ...]) -> None:
    branch = both_ways(stride=stride, squeeze=squeeze, prior=prior)
    with torch.inference_mode():
        for frames in (1, 2, 5, 6, 31):
            assert branch(torch.randn(3, frames, 12), torch.randn(3, 204)).shape == (3, frames, 204)


def test_it_reads_both_ways() -> None:
    branch = both_ways()
    features, face = torch.from_numpy(voice(60))[None], torch.zeros(1, 204)
    changed = features.clone()
    changed[:, 30] += 1.0
    with torch.inference_mode():
        moved = (branch(changed, face) - branch(features, face)).abs().amax(2)[0]
    assert moved[:30].max() > 1e-6 and moved[31:].max() > 1e-6
    # The MLP answers for each frame of a step by itself.
    with torch.inference_mode():
        answer = branch(features, face)[0]
    assert (answer[::2] - answer[1::2]).abs().max() > 1e-4


def test_the_face_at_rest_is_told_or_not() -> None:
    features, faces = torch.from_numpy(voice(20))[None], torch.randn(2, 1, 204)
    for told in (True, False):
        branch = both_ways(face=told)
        with torch.inference_mode():
            first, second = (branch(features, face) for face in faces)
        assert torch.equal(first, second) != told


def test_noise_and_dropout_are_for_learning() -> None:
    branch = both_ways(noise=0.5, dropout=0.3)
    features, face = torch.from_numpy(voice(20))[None], torch.zeros(1, 204)
    with torch.no_grad():
        assert torch.equal(branch(features, face), branch(features, face))
        branch.train()
        assert not torch.allclose(branch(features, face), branch(features, face))


@pytest.mark.parametrize("frames", [0, 1, 2, 62, 63, SPAN - 1, SPAN, SPAN + 1, SPAN + 62, 1250])
def test_any_length_in_windows_is_one_pass(frames: int) -> None:
    """Twenty seconds by windows are what one pass gives, within what a window cannot know; no seam can be seen."""
    branch, features = both_ways(), voice(frames)
    moved = content_displacement(branch, features, FACE)
    assert moved.shape == (frames, 68, 3) and moved.dtype == np.float32
    if not frames:
        return
    with torch.inference_mode():
        whole = branch(torch.from_numpy(features)[None], torch.from_numpy(FACE.reshape(1, -1)))[0]
    whole = whole.reshape(-1, 68, 3).numpy()
    if frames <= SPAN:
        assert np.abs(moved - whole).max() < 1e-5
    assert np.abs(moved - whole).max() < 0.02 * whole.std()
    if frames > 2 * SPAN:
        bend = np.abs(np.diff(moved, n=2, axis=0)).mean((1, 2))
        hop = SPAN - 63
        near = np.concatenate(
            [[start - 2, start - 1, start + 61, start + 62] for start in range(hop, frames - 80, hop)]
        )
        assert bend[near].mean() < 1.5 * np.delete(bend, near).mean()


def test_moving_lips_can_be_cancelled() -> None:
    def stop(fraction: float, _stage: str) -> None:
        assert 0.0 < fraction <= 1.0
        raise Cancelled

    with pytest.raises(Cancelled):
        content_displacement(both_ways(), voice(700), FACE, stop)


def test_weights_of_a_branch_that_hears_whisper_keep_no_average(tmp_path: Path) -> None:
    branch, path = both_ways(inputs=512), tmp_path / "own.safetensors"
    save_content(path, ContentModel(branch, None, "whisper"), {"steps": 3})
    model = load_content(str(path))
    assert model.features == "whisper" and model.average is None and model.branch.config == branch.config
    features = np.random.default_rng(0).standard_normal((40, 512)).astype(np.float16)
    first, second = (content_displacement(b, features, FACE) for b in (branch, model.branch))
    assert np.abs(first - second).max() < 1e-2 * np.abs(first).max()  # half precision
    # A branch that hears anything else cannot do without.
    save_content(path, ContentModel(both_ways(), None, "mel"), {})
    with pytest.raises(InputError, match="does not hold weights of a content branch"):
        load_content(str(path))


def test_what_is_heard_names_the_weights() -> None:
    assert tuple(CONTENT_WEIGHTS) == LIP_FEATURES and content_weights("whisper") == "content"
    with pytest.raises(InputError, match=r"predicted from 'smell'; use whisper or autovc"):
        content_weights("smell")


def test_the_shipped_branch_hears_whisper_and_joins_its_windows() -> None:
    """Real speech of 20 s in windows is what one pass gives, to a hundredth of the mouth's width."""
    model = load_content()
    assert model.features == "whisper" and model.branch.config.bidirectional and not model.branch.training
    speech = analyse_speech(np.resize(load_audio(ASSETS / "speech.flac").samples, 20 * SAMPLE_RATE))
    heard = speech.whisper().astype(np.float32)
    moved = content_displacement(model.branch, heard, FACE)
    with torch.inference_mode():
        whole = model.branch(torch.from_numpy(heard)[None], torch.from_numpy(FACE.reshape(1, -1)))[0]
    width = np.linalg.norm(FACE[54] - FACE[48])
    apart = np.abs(gaps(moved) - gaps(whole.reshape(-1, 68, 3).numpy())).max()
    assert gaps(moved).max() > 0.1 * width and apart < 0.02 * width
