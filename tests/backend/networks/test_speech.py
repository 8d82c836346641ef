"""A recording as the networks hear it: what is heard once is kept."""

from __future__ import annotations

import numpy as np
import pytest
from makeittalk.animation.predict import analyse_speech
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.errors import MissingError
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.speech import Speech
from makeittalk.networks.speech_features import SpeechFeatures, average_data, read_average, speech_features
from makeittalk.networks.whisper_inference import WIDTH, hear_whisper
from project import ASSETS


@pytest.fixture
def speech() -> Speech:
    return analyse_speech(load_audio(ASSETS / "speech.flac").samples[:30_000])


def test_everything_heard_has_the_same_frames(speech: Speech) -> None:
    samples = speech.samples
    heard = speech.whisper()
    assert heard.shape == (len(speech.mel), WIDTH) == (len(speech.prosody), WIDTH)
    assert np.array_equal(heard, hear_whisper(samples))


def test_whisper_listens_once_to_each_recording(speech: Speech) -> None:
    told: list[str] = []
    other = Speech(speech.mel, speech.embedding, speech.style_embedding, samples=speech.samples)
    first = speech.whisper()
    again = speech.whisper(progress=lambda _fraction, stage: told.append(stage))
    assert again is first and not told
    assert speech_features("whisper", speech, None) is first
    assert speech.samples is None  # nobody else listens to them
    assert other.whisper(progress=lambda _fraction, stage: told.append(stage)) is not first
    assert told == ["Listening"]


def test_a_mel_alone_is_not_enough_for_whisper(speech: Speech) -> None:
    silent = Speech(speech.mel, speech.embedding, speech.style_embedding)
    with pytest.raises(MissingError, match="sound of this recording is not there"):
        silent.whisper()
    average = VoiceAverage.of([speech.mel])
    assert speech_features("mel", silent, average).shape == speech.mel.shape


def test_training_passes_on_what_whisper_heard(speech: Speech) -> None:
    import torch

    heard = torch.from_numpy(speech.whisper().astype(np.float32))[None]
    module = SpeechFeatures("whisper", "no such weights")  # none are needed
    assert module(heard, torch.zeros(1, 256)) is heard and not list(module.parameters())


def test_whisper_is_measured_against_no_average_voice() -> None:
    assert average_data(None) == {} and read_average({}, "whisper") is None
    with pytest.raises(KeyError):
        read_average({}, "mel")
