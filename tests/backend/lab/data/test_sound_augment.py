"""One recording made to sound like many: every variation by itself, and what stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk_lab.data.sound_augment import SoundAugment, vary_samples
from project import ASSETS

STILL = SoundAugment(pitched=0.0, paced=0.0, equalised=0.0, narrow=0.0, roomy=0.0, noisy=0.0)


def draw(samples: np.ndarray, seed: int = 0, **options: object) -> tuple[np.ndarray, float]:
    return vary_samples(samples, np.random.default_rng(seed), replace(STILL, **options))


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return normalise_loudness(load_audio(ASSETS / "speech.flac").samples[: 3 * SAMPLE_RATE])


def tone(hertz: float) -> np.ndarray:
    """Half a second of silence, a second of a tone, half a second of silence."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    return np.pad(0.14 * np.sin(2.0 * np.pi * hertz * time), SAMPLE_RATE // 2).astype(np.float32)


def peak(samples: np.ndarray) -> float:
    """Hz of the loudest frequency."""
    return float(np.fft.rfftfreq(len(samples), 1.0 / SAMPLE_RATE)[np.abs(np.fft.rfft(samples)).argmax()])


def decibels(samples: np.ndarray, low: float, high: float) -> float:
    """Power between two frequencies."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1.0 / SAMPLE_RATE)
    return float(10.0 * np.log10(power[(hertz >= low) & (hertz < high)].sum() + 1e-12))


def test_nothing_varies_unless_it_is_asked_for(speech: np.ndarray) -> None:
    found, speed = draw(speech)
    assert speed == 1.0 and np.allclose(found, speech, atol=1e-3)


def test_the_same_draw_gives_the_same_sound(speech: np.ndarray) -> None:
    everything = SoundAugment(pitched=1.0, paced=1.0, equalised=1.0, roomy=1.0, noisy=1.0)
    first, again, other = (vary_samples(speech, np.random.default_rng(seed), everything) for seed in (3, 3, 4))
    assert np.array_equal(first[0], again[0]) and first[1] == again[1]
    assert first[0].dtype == np.float32 and np.isfinite(first[0]).all()
    assert first[1] != other[1] and len(first[0]) == pytest.approx(len(speech) / first[1], abs=1)


@pytest.mark.parametrize("steps", [-5.0, 4.0, 8.0])
def test_pitch_goes_up_and_down_in_the_same_time(steps: float) -> None:
    found, speed = draw(tone(400.0), pitched=1.0, pitch=(steps, steps))
    assert speed == 1.0 and len(found) == len(tone(400.0))
    assert peak(found) == pytest.approx(400.0 * 2.0 ** (steps / 12.0), rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_pace_tells_which_moment_of_the_recording_is_heard(seed: int) -> None:
    """A click at 1.5 s is heard where `speed` says."""
    click = np.zeros(3 * SAMPLE_RATE, np.float32)
    click[int(1.5 * SAMPLE_RATE) :][:400] = 0.3
    found, speed = draw(click, seed, paced=1.0)
    assert 0.83 < speed < 1.2 and abs(speed - 1.0) > 1e-3
    middle = np.flatnonzero(np.abs(found) > 0.5 * np.abs(found).max()).mean() / SAMPLE_RATE
    assert middle * speed == pytest.approx(1.5 + 200 / SAMPLE_RATE, abs=0.01)


def test_microphones_colour_and_cut(speech: np.ndarray) -> None:
    bands = [(100.0, 400.0), (400.0, 1500.0), (1500.0, 3500.0), (4500.0, 8000.0)]
    before = np.array([decibels(speech, *band) for band in bands])
    shapes = []
    for seed in range(4):
        found, _ = draw(speech, seed, equalised=1.0)
        change = np.array([decibels(found, *band) for band in bands]) - before
        shapes.append(change - change.mean())
    assert 1.0 < np.abs(shapes).max() < 25.0 and np.std(shapes, axis=0).min() > 0.5
    found, _ = draw(speech, equalised=1.0, narrow=1.0, bands=0.0, tilt=0.0)
    assert decibels(found, 6000.0, 8000.0) < decibels(speech, 6000.0, 8000.0) - 30.0
    assert decibels(found, 20.0, 70.0) < decibels(speech, 20.0, 70.0) - 20.0
    assert decibels(found, 500.0, 2500.0) == pytest.approx(decibels(speech, 500.0, 2500.0), abs=2.0)


def test_a_room_goes_on_after_the_voice() -> None:
    sound = tone(400.0)
    found, _ = draw(sound, roomy=1.0, echo=(0.6, 0.6), direct=(0.0, 0.0))
    tail = slice(int(1.55 * SAMPLE_RATE), int(1.7 * SAMPLE_RATE))
    late = slice(int(1.9 * SAMPLE_RATE), int(2.0 * SAMPLE_RATE))
    assert np.abs(sound[tail]).max() == 0.0
    assert found[tail].std() > 0.005 and found[late].std() < 0.2 * found[tail].std()
    assert np.abs(found[: SAMPLE_RATE // 2 - 10]).max() < 1e-3  # nothing comes before the voice


@pytest.mark.parametrize("level", [10.0, 30.0])
def test_noise_lies_so_far_below_the_voice(level: float) -> None:
    sound = tone(400.0)
    found, _ = draw(sound, noisy=1.0, noise=(level, level))
    voice, noise = found[SAMPLE_RATE // 2 : -SAMPLE_RATE // 2], found[: SAMPLE_RATE // 2]
    # The level is that of the whole, of which half is silent.
    assert 20.0 * np.log10(voice.std() / noise.std()) == pytest.approx(level + 3.0, abs=1.0)


def test_every_variation_is_as_loud_as_speech(speech: np.ndarray) -> None:
    for seed in range(3):
        found, _ = vary_samples(speech, np.random.default_rng(seed), SoundAugment())
        assert np.allclose(normalise_loudness(found), found, atol=0.02 * np.abs(found).max())
