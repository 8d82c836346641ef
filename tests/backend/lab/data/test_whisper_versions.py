"""What Whisper hears of prepared clips is computed once, and again when anything about it changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.exchange.errors import InputError
from makeittalk.networks.whisper_inference import WIDTH, hear_whisper
from makeittalk_lab.data.sound_augment import SoundAugment
from makeittalk_lab.data.whisper_versions import FOLDER, heard_silence, heard_versions
from project import ASSETS

torch.set_num_threads(1)

OPTIONS = SoundAugment(pitched=0.0)  # which costs the most, and changes no time
STILL = replace(OPTIONS, paced=0.0, equalised=0.0, roomy=0.0, noisy=0.0)


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return normalise_loudness(load_audio(ASSETS / "speech.flac").samples)[:32_000]


def test_what_was_heard_is_not_heard_again(samples: np.ndarray, tmp_path: Path) -> None:
    first = heard_versions(tmp_path, "clip", samples, 2, OPTIONS)
    assert len(first) == 3 and [version.features.dtype for version in first] == [np.float16] * 3
    assert np.array_equal(first[0].features, hear_whisper(samples)) and first[0].speed == 1.0
    assert (tmp_path / FOLDER / "clip.npz").is_file()
    # Nothing could be heard without the sound: it is read from the folder.
    again = heard_versions(tmp_path, "clip", None, 2, OPTIONS)
    for old, new in zip(first, again, strict=True):
        assert np.array_equal(old.features, new.features) and old.speed == new.speed
    assert len(heard_versions(tmp_path, "clip", None, 0, OPTIONS)) == 1


def test_more_versions_join_those_that_are_known(samples: np.ndarray, tmp_path: Path) -> None:
    one = heard_versions(tmp_path, "clip", samples, 1, OPTIONS)
    with pytest.raises(InputError, match="has no sound"):
        heard_versions(tmp_path, "clip", None, 2, OPTIONS)
    # Were the first two heard again, another recording would be heard.
    three = heard_versions(tmp_path, "clip", samples[::-1].copy(), 3, OPTIONS)
    assert len(three) == 4 and all(np.array_equal(a.features, b.features) for a, b in zip(one, three, strict=False))
    assert len(heard_versions(tmp_path, "clip", None, 3, OPTIONS)) == 4


def test_other_options_are_heard_anew(samples: np.ndarray, tmp_path: Path) -> None:
    first = heard_versions(tmp_path, "clip", samples, 1, OPTIONS)
    with pytest.raises(InputError, match=r"The clip clip in .* has no sound; prepare it again"):
        heard_versions(tmp_path, "clip", None, 1, STILL)
    other = heard_versions(tmp_path, "clip", samples, 1, STILL)
    assert np.array_equal(other[0].features, first[0].features)
    assert not np.array_equal(other[1].features[:50], first[1].features[:50])


def test_a_clip_without_its_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no sound"):
        heard_versions(tmp_path, "clip", None, 0, OPTIONS)


def test_names_draw_the_variations(samples: np.ndarray, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    first, again = (heard_versions(tmp_path / f, "a", samples, 1, OPTIONS)[1] for f in ("one", "two"))
    other = heard_versions(tmp_path / "one", "b", samples, 1, OPTIONS)[1]
    assert np.array_equal(first.features, again.features) and first.speed == again.speed
    assert first.speed != other.speed or not np.array_equal(first.features[:50], other.features[:50])


def test_a_version_keeps_the_recording_s_time(samples: np.ndarray, tmp_path: Path) -> None:
    """Wherever in a window of the encoder it was heard, frame i stands for frame i · speed of the clip."""
    versions = heard_versions(tmp_path, "still", samples, 2, STILL)
    plain = versions[0].features.astype(np.float32)
    for version in versions[1:]:
        assert version.speed == 1.0 and version.features.shape == (len(plain), WIDTH)
        moved = version.features.astype(np.float32)
        likeness = [float((plain[20:-20] * moved[20 + lag : len(moved) - 20 + lag]).mean()) for lag in range(-4, 5)]
        assert int(np.argmax(likeness)) == 4 and likeness[4] > 0.6 * float((plain[20:-20] ** 2).mean())
    paced = heard_versions(tmp_path, "paced", samples, 1, replace(STILL, paced=1.0))[1]
    assert len(paced.features) == pytest.approx(len(plain) / paced.speed, abs=2)
    at = np.rint(np.arange(20, len(paced.features) - 20) * paced.speed).astype(int)
    inside = at < len(plain)
    heard = paced.features.astype(np.float32)[20:-20][inside]
    assert np.corrcoef(heard.ravel(), plain[at[inside]].ravel())[0, 1] > 0.6


def test_silence_is_heard_in_windows_that_hold_nothing_else() -> None:
    found = heard_silence()
    assert len(found) == 9 and all(quiet.shape == (938, WIDTH) for quiet in found)
    assert all(np.isfinite(quiet).all() for quiet in found)
    assert np.array_equal(found[0], hear_whisper(np.zeros(240_000, np.float32)))
    assert all(not np.array_equal(found[0], quiet) for quiet in found[1:])
