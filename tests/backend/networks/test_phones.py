"""The phone network: which phone is spoken in every frame, and when the lips are shut."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from makeittalk.animation.predict import analyse_speech
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.networks import phones, phones_inference
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.phones import BILABIALS, PHONES, PhoneNet, PhonesConfig
from makeittalk.networks.phones_inference import (
    PhonesModel,
    closure_of,
    load_phones,
    phone_probabilities,
    predict_phones,
    save_phones,
)
from makeittalk.networks.speech import Speech
from makeittalk.weights.store import load_weights, save_weights
from project import ASSETS

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def speech() -> Speech:
    return analyse_speech(load_audio(ASSETS / "speech.flac").samples)


@pytest.fixture(scope="module")
def known() -> list[tuple[float, float, str]]:
    """The alignment that PocketSphinx ships beside the embedded recording, of which nothing was learned."""
    with (ASSETS / "speech.phones.csv").open() as stream:
        return [(float(row["start"]), float(row["end"]), row["phone"]) for row in csv.DictReader(stream)]


def network(seed: int = 0, **more: object) -> PhoneNet:
    torch.manual_seed(seed)
    return PhoneNet(PhonesConfig(**({"inputs": 20, "width": 16} | more))).eval()


def features(frames: int, inputs: int = 20) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(frames, inputs)).astype(np.float32)


def test_phones_are_arpabet() -> None:
    assert len(PHONES) == len(set(PHONES)) == 40 and PHONES[0] == "SIL"
    assert set(BILABIALS) < set(PHONES)
    assert closure_of(np.eye(len(PHONES), dtype=np.float32)).tolist() == [float(name in BILABIALS) for name in PHONES]


def test_the_network_sees_as_far_as_it_says() -> None:
    net, heard = network(), features(200)
    changed = heard.copy()
    changed[100] += 5.0
    moved = np.abs(phone_probabilities(net, changed) - phone_probabilities(net, heard)).max(1)
    seen = np.flatnonzero(moved > 1e-7)
    assert seen.min() == 100 - phones.REACH and seen.max() == 100 + phones.REACH


@pytest.mark.parametrize("frames", [1, 2, 99, 100, 101, 350])
def test_any_length_in_windows_is_one_pass(frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net, heard = network(), features(frames)
    whole = phone_probabilities(net, heard)
    assert whole.shape == (frames, len(PHONES)) and whole.dtype == np.float32
    np.testing.assert_allclose(whole.sum(1), 1.0, atol=1e-5)
    monkeypatch.setattr(phones_inference, "_WINDOW", 100)
    assert np.abs(phone_probabilities(net, heard) - whole).max() < 1e-5


def test_no_frames_no_phones() -> None:
    assert predict_phones(Speech(np.zeros((0, 80), np.float32), *np.zeros((2, 256)))).shape == (0, len(PHONES))


@pytest.mark.parametrize("kind", ["whisper", "mel"])
def test_what_was_saved_is_loaded(tmp_path: Path, kind: str) -> None:
    inputs, average = (512, None) if kind == "whisper" else (80, VoiceAverage(*np.ones((2, 80), np.float32)))
    net, path = network(inputs=inputs), tmp_path / "own.safetensors"
    save_phones(path, PhonesModel(net, average, kind), {"steps": 3})
    model = load_phones(str(path))
    assert model.features == kind and (model.average is None) == (kind == "whisper")
    heard = features(50, inputs)
    assert np.abs(phone_probabilities(model.network, heard) - phone_probabilities(net, heard)).max() < 0.01


def test_weights_that_tell_other_phones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    data = {"config": PhonesConfig(width=16).to_dict(), "features": "whisper", "phones": list(PHONES[::-1])}
    save_weights(path, "phones", PhoneNet(PhonesConfig(width=16)), data, {})
    with pytest.raises(InputError, match="does not hold weights of a phone network"):
        load_phones(str(path))


def test_the_shipped_network_hears_whisper() -> None:
    model = load_phones()
    assert model.features == "whisper" and not model.network.training
    assert load_weights("phones", "phones").notes["validation"]["accuracy"] > 0.7


def test_an_unheard_voice_is_understood(speech: Speech, known: list[tuple[float, float, str]]) -> None:
    told = predict_phones(speech)
    assert told.shape == (len(speech.mel), len(PHONES))
    names = np.array(PHONES)[told.argmax(1)]
    right = []
    for start, end, name in known:  # by the middle half of each phone: edges are not that sharp
        first, last = start + 0.25 * (end - start), end - 0.25 * (end - start)
        right += [names[i] == name for i in range(round(first * FRAME_RATE), round(last * FRAME_RATE) + 1)]
    assert np.mean(right) > 0.6


def test_lips_are_shut_on_bilabials_alone(speech: Speech, known: list[tuple[float, float, str]]) -> None:
    shut = closure_of(predict_phones(speech))

    def within(names: tuple[str, ...]) -> list[np.ndarray]:
        return [
            shut[round(start * FRAME_RATE) : round(end * FRAME_RATE) + 1] for start, end, name in known if name in names
        ]

    bilabials = within(BILABIALS)
    assert len(bilabials) == 7 and np.mean([part.max() > 0.5 for part in bilabials]) > 0.8
    assert max(np.median(part) for part in within(("AA", "AE", "AO", "AY", "EH", "IY", "S", "Z"))) < 0.1


@pytest.mark.parametrize("level", [0.0, 1e-3])
def test_nobody_says_nothing(level: float) -> None:
    noise = (level * np.random.default_rng(0).standard_normal(48_000)).astype(np.float32)
    told = predict_phones(analyse_speech(noise))
    assert closure_of(told).max() < 0.5 and (told.argmax(1) == 0).mean() > 0.9
