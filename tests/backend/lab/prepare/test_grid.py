"""GRID: films become clips once, and folders without films are refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from made_clips import talking, write_clips
from makeittalk.animation.lips import gaps
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.registration import resample_landmarks
from makeittalk_lab.data.canonical_motion import canonical_motion
from makeittalk_lab.data.splits import filmed_speaker
from makeittalk_lab.prepare.facegood import prepare_facegood
from makeittalk_lab.prepare.grid import prepare_grid

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    return write_clips(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def films(tmp_path) -> Path:
    """A GRID-like folder; its "films" are read by `fake_track`."""
    source = tmp_path / "films"
    for part in ("video", "audio"):
        (source / part).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("aa", "bb", "cc", "lost"):
        (source / "video" / f"{name}.mp4").write_bytes(b"film")
        soundfile.write(source / "audio" / f"{name}.flac", 0.1 * rng.normal(size=32_000), 16_000)
    (source / "test.txt").write_text("bb\n")
    return source


def fake_track(path, _progress):
    clip = talking(7)
    landmarks = resample_landmarks(clip.landmarks, 62.5, 25.0)
    turn = np.linspace(0, 20, len(landmarks))[:, None, None]
    landmarks = landmarks + turn * (1, 0, 0)
    if path.stem == "lost":
        landmarks[5] = np.nan
    return landmarks.astype(np.float32), 25.0, (288, 288)


def test_grid_is_prepared_once(films, tmp_path):
    seen = []

    def track(path, progress):
        seen.append(path.stem)
        return fake_track(path, progress)

    prepared = prepare_grid(films, tmp_path / "out", track=track)
    assert seen == ["aa", "bb", "cc", "lost"]
    assert prepared.test == ["bb"] and prepared.train == ["aa", "cc"] and list(prepared.skipped) == ["lost"]
    clip = prepared.clip("aa")
    assert abs(len(clip.mel) - 123) <= 2 and clip.pitch_shifted is not None
    steady = clip.landmarks[:, 27:31] - clip.neutral[27:31]
    assert np.abs(steady).max() < 0.1  # the sway was removed …
    assert np.ptp(clip.posed[:, 30, 0]) > 15  # … and kept beside it
    assert np.load(tmp_path / "out/speaker.npz")["speaker_embedding"].shape == (256,)
    seen.clear()
    assert prepare_grid(films, tmp_path / "out", track=track).train == prepared.train
    assert seen == []  # nor what cannot be used …
    (films / "video" / "lost.mp4").write_bytes(b"another film")
    prepare_grid(films, tmp_path / "out", track=track)
    assert seen == ["lost"]  # … until it changes


@pytest.fixture
def several(tmp_path) -> Path:
    """Films and sounds of two speakers side by side, as `SPEAKER_SENTENCE`."""
    source = tmp_path / "several"
    source.mkdir()
    rng = np.random.default_rng(0)
    for name in ("s4_aa", "s4_bb", "s4_cc", "s26_aa", "s26_bb"):
        (source / f"{name}.mp4").write_bytes(b"film")
        soundfile.write(source / f"{name}.flac", 0.1 * rng.normal(size=32_000), 16_000)
    return source


def test_several_speakers_lie_in_one_folder(several, tmp_path):
    prepared = prepare_grid(several, tmp_path / "out", track=fake_track)
    assert prepared.train == ["s26_aa", "s26_bb", "s4_aa", "s4_bb", "s4_cc"] and not prepared.skipped
    assert [filmed_speaker(prepared, name) for name in prepared.train] == ["s26", "s26", "s4", "s4", "s4"]
    clip = prepared.clip("s26_bb")
    sound, _ = soundfile.read(several / "s26_bb.flac")
    assert np.corrcoef(clip.samples, sound)[0, 1] > 0.99  # what Whisper is to hear
    assert len(clip.samples) == 32_000 and clip.embedding is not None


def test_so_many_films_are_drawn_besides_the_test(films, several, tmp_path):
    first = prepare_grid(several, tmp_path / "a", count=2, track=fake_track)
    assert (
        len(first.train) == 2 and prepare_grid(several, tmp_path / "b", count=2, track=fake_track).train == first.train
    )
    (films / "video" / "lost.mp4").unlink()
    drawn = prepare_grid(films, tmp_path / "c", count=1, track=fake_track)
    assert drawn.test == ["bb"] and len(drawn.train) == 1
    everything = prepare_grid(films, tmp_path / "d", count=50, track=fake_track)
    assert everything.train == ["aa", "cc"] and everything.test == ["bb"]


def test_a_mouth_that_is_open_from_the_first_is_a_clip_too(films, tmp_path):
    """What is learned counts from the shut mouth, which the frame at rest need not show."""

    def open_mouthed(path, progress):
        landmarks, fps, size = fake_track(path, progress)
        landmarks[:, [65, 66, 67, 57, 8], 1] += 8.0
        return landmarks, fps, size

    prepared = prepare_grid(films, tmp_path / "out", track=open_mouthed)
    assert "aa" in prepared.train and list(prepared.skipped) == ["lost"]
    _, motion = canonical_motion(prepared.clip("aa"))
    assert gaps(motion)[:, 1].min() > 0.03


def test_a_folder_without_films_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no video"):
        prepare_grid(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="holds no recordings"):
        prepare_facegood(tmp_path, tmp_path / "out")
