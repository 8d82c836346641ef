"""GRID: films become clips once, and folders without films are refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from made_clips import talking, write_clips
from makeittalk.exchange.errors import InputError
from makeittalk.landmarks.registration import resample_landmarks
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
    assert seen == ["lost"]


def test_a_folder_without_films_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no video"):
        prepare_grid(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="holds no recordings"):
        prepare_facegood(tmp_path, tmp_path / "out")
