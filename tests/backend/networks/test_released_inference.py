"""The released networks over recordings: any length, in parts that do not show, with faces as they are given them."""

import numpy as np
import pytest
import torch
from makeittalk.audio.pitch_classes import PITCH_CLASSES, pitch_classes
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks import released_inference
from makeittalk.networks.device import available_devices
from makeittalk.networks.released_inference import (
    ReleasedSet,
    ReleasedStatistics,
    convert_mel,
    released_content,
    released_features,
    released_speaker,
)
from makeittalk.networks.speech import Speech
from makeittalk.weights.released import build
from released_files import LANDMARK_FILES, random_state, statistics

torch.set_num_threads(1)


def known_statistics():
    return ReleasedStatistics(**{name: value.double().numpy() for name, value in statistics().items()})


@pytest.fixture(scope="module")
def models():
    return ReleasedSet(*(build(name, random_state(name)) for name in LANDMARK_FILES), known_statistics())


def heard(frames, seed=0):
    return np.random.default_rng(seed).uniform(0.0, 1.0, (frames, 80)).astype(np.float32)


def voice(seed):
    value = np.abs(np.random.default_rng(seed).normal(size=256)).astype(np.float32)
    return value / np.linalg.norm(value)


def melody(frames):
    pitch = 140 * np.exp(np.random.default_rng(3).normal(0, 0.2, frames))
    pitch[::5] = 0.0
    return pitch


@pytest.mark.parametrize("frames", [1, 7, 128, 511, 512, 513, 600, 1000, 5000])
@pytest.mark.parametrize("together", [1, 3])
def test_parts_of_a_recording_join_without_a_trace(frames, together):
    """A network that answers what it reads must answer the recording, however it is parted."""
    track = np.random.default_rng(0).normal(size=(frames, 4)).astype(np.float32)
    sizes = []

    def run(numbers):
        sizes.append(numbers.shape)
        return torch.from_numpy(track[numbers])

    told = []
    answer = released_inference._joined(
        np.zeros_like(track), 512, 128, together, run, lambda share, stage: told.append((share, stage)), "Working"
    )
    assert np.abs(answer - track).max() < 1e-6
    assert all(count <= together and size <= 512 for count, size in sizes) and len({size for _, size in sizes}) == 1
    assert told[-1] == (1.0, "Working")


def test_a_short_recording_is_converted_as_one(models):
    mel, source, target, pitch = heard(203), voice(1), voice(2), melody(203)
    found = convert_mel(models.voice, mel, source, pitch, target)
    with torch.inference_mode():
        heights = torch.nn.functional.one_hot(torch.from_numpy(pitch_classes(pitch)), PITCH_CLASSES).float()
        whole = models.voice(*(torch.from_numpy(value)[None] for value in (mel, source, heights.numpy(), target)))
    assert found.shape == (203, 80) and found.dtype == np.float32
    assert np.abs(found - whole[0].numpy()).max() < 1e-5


def test_a_long_recording_is_converted_in_parts(models, monkeypatch):
    """Away from a seam a part is what it is by itself, but for the pitch, which is the whole recording's."""
    monkeypatch.setattr(released_inference, "_CONVERTED", 300)
    monkeypatch.setattr(released_inference, "_CONVERTED_SEAM", 60)
    mel, source, target, pitch = heard(700), voice(1), voice(2), melody(700)
    found = convert_mel(models.voice, mel, source, pitch, target)
    size = 274  # of three parts of 700 frames, 60 shared by two of them
    first = convert_mel(models.voice, mel[:size], source, pitch[:size], target)
    assert found.shape == (700, 80) and np.isfinite(found).all()
    heights = pitch_classes(pitch)  # are those of the whole recording
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(heights[:size]), PITCH_CLASSES).float()
    parts = (torch.from_numpy(mel[:size]), torch.from_numpy(source), one_hot, torch.from_numpy(target))
    with torch.inference_mode():  # thrice, as three parts run at once: a processor chooses its kernels by sizes
        alone = models.voice(*(torch.stack([part] * 3) for part in parts))
    assert np.abs(found[: size - 60] - alone[0, : size - 60].numpy()).max() < 1e-5
    assert np.abs(found[: size - 60] - first[: size - 60]).max() > 1e-3


def test_features_are_in_each_bands_own_deviations(models):
    speech = Speech(heard(90), voice(1), voice(4), pitch=melody(90).astype(np.float32))
    known = models.statistics
    said = convert_mel(models.voice, speech.mel, speech.embedding, speech.pitch, known.target_embedding)
    found = released_features(models, speech)
    assert np.abs(found * known.band_std + known.band_mean - said).max() < 1e-5
    unknown = released_features(models, Speech(speech.mel, speech.embedding, speech.style_embedding))
    assert unknown.shape == found.shape and np.abs(unknown - found).max() > 1e-3  # without a pitch nothing is voiced


@pytest.mark.parametrize("frames", [1, 30, 512])
def test_branches_answer_as_they_do_by_windows(models, frames):
    features, face = heard(frames), np.random.default_rng(5).normal(size=(68, 3)).astype(np.float32)
    padded = np.concatenate([features, np.repeat(features[-1:], 17, 0)])
    windows = torch.from_numpy(np.stack([padded[start : start + 18] for start in range(frames)]))
    still, who = torch.from_numpy(face.reshape(1, -1)), torch.from_numpy(3 * voice(6))[None]
    with torch.inference_mode():
        lips, head = models.content(windows, still), models.speaker(windows, who.expand(frames, -1), still)
    assert np.abs(released_content(models.content, features, face).reshape(frames, -1) - lips.numpy()).max() < 1e-5
    found = released_speaker(models.speaker, features, 3 * voice(6))
    assert found.shape == (frames, 68, 3) and found.dtype == np.float32
    assert np.abs(found.reshape(frames, -1) - head.numpy()).max() < 1e-5


def test_heads_pass_from_window_to_window(models):
    features = heard(1200)
    found = released_speaker(models.speaker, features, voice(6)).reshape(1200, -1)
    size = 486  # of three windows
    assert np.isfinite(found).all() and len(found) == 1200
    padded = torch.from_numpy(np.stack([features[start : start + 18] for start in range(size)]))
    with torch.inference_mode():
        first = models.speaker(padded, torch.from_numpy(voice(6))[None], torch.zeros(1, 204)).numpy()
    assert np.abs(found[: size - 128] - first[: size - 128]).max() < 1e-5


def test_no_frames_no_motion(models):
    nothing = np.zeros((0, 80), np.float32)
    assert convert_mel(models.voice, nothing, voice(1), np.zeros(0), voice(2)).shape == (0, 80)
    assert released_speaker(models.speaker, nothing, voice(1)).shape == (0, 68, 3)
    assert released_content(models.content, nothing, np.zeros((68, 3))).shape == (0, 68, 3)


@pytest.mark.parametrize("axes", [(1.0, -1.0, -1.0), (1.0, 1.0, 1.0), (-1.0, -1.0, 1.0)])
def test_a_face_has_the_mean_faces_axes_and_depth(axes):
    known = known_statistics()
    mean = 10.0 * MEAN_FACE * axes + 3.0
    other = ReleasedStatistics(known.band_mean, known.band_std, known.target_embedding, mean)
    assert other.axes().tolist() == list(axes)
    face = MEAN_FACE * (1.1, 0.9, 1.3)
    given = other.face(face)
    assert given.dtype == np.float32
    assert np.abs(given[:, :2] - face[:, :2] * axes[:2]).max() < 1e-6
    assert np.abs(given[:, 2] - MEAN_FACE[:, 2] * axes[2]).max() < 1e-6  # the mean face's, jaw ends 1.6 apart


@pytest.mark.parametrize("device", [name for name in available_devices() if name != "cpu"])
def test_other_devices_move_a_face_alike(models, device):
    """On machines that have one: every tensor must be where the networks are, and batches answer as one does."""
    speech = Speech(heard(1500), voice(1), voice(4), pitch=melody(1500).astype(np.float32))
    there = [build(name, random_state(name)).to(device) for name in LANDMARK_FILES]
    other = ReleasedSet(*there, models.statistics)
    answers = []
    for chosen in (models, other):
        features = released_features(chosen, speech)
        head = released_speaker(chosen.speaker, features, voice(4))
        answers.append((features, head, released_content(chosen.content, features, MEAN_FACE)))
    for here, found in zip(*answers, strict=True):
        assert np.abs(here - found).max() < 0.02 * np.abs(here).max()
