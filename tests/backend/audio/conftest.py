"""The embedded recording as samples, and a writer of WAVs."""

import numpy as np
import pytest
import soundfile
import soxr
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import InputError


@pytest.fixture(scope="session")
def speech(speech_wav):
    samples, rate = soundfile.read(speech_wav, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(1), rate, SAMPLE_RATE).astype(np.float32)


@pytest.fixture
def wav(tmp_path):
    def write(samples, rate=SAMPLE_RATE, name="a.wav", subtype="FLOAT"):
        path = tmp_path / name
        soundfile.write(path, samples, rate, subtype=subtype)
        return path

    return write


@pytest.fixture
def refused():
    def check(path, *words):
        with pytest.raises(InputError) as caught:
            load_audio(path)
        message = caught.value.message
        assert str(path) in message and message.endswith(".") and "\n" not in message
        for word in words:
            assert word in message
        return caught.value

    return check
