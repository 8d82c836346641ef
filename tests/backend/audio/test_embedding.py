"""The speaker embedding: Resemblyzer's own answer, one voice apart from another, calm on odd input."""

import numpy as np
import pytest
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.weights.cache import release_loaded


@pytest.fixture(scope="module")
def speech(speech_wav):
    return load_audio(speech_wav).samples


def test_agrees_with_resemblyzer(speech, monkeypatch):
    """Its own preprocessing, mel and averaging, by its own functions."""
    librosa = pytest.importorskip("librosa")
    import resemblyzer
    from resemblyzer import VoiceEncoder, preprocess_wav

    monkeypatch.setattr(resemblyzer.audio, "librosa", librosa)  # which the backend keeps from it
    expected = VoiceEncoder("cpu", verbose=False).embed_utterance(preprocess_wav(normalise_loudness(speech)))
    result = speaker_embedding(speech)
    assert result.shape == (256,) and result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-4)


def test_same_voice_is_nearer_than_another(speech, data_dir):
    other = load_audio(sorted((data_dir / "librispeech").glob("*.flac"))[0]).samples
    half = len(speech) // 2
    first, second, third = (speaker_embedding(part) for part in (speech[:half], speech[half:], other))
    assert first @ second > 0.75 > first @ third


def test_level_does_not_matter(speech):
    assert speaker_embedding(speech) @ speaker_embedding(0.01 * speech) > 0.99
    assert speaker_embedding(speech) @ speaker_embedding(40.0 * speech) > 0.99


@pytest.mark.parametrize("samples", [0, 100, 4000, SAMPLE_RATE, 10 * SAMPLE_RATE])
def test_silence_is_nobody(samples):
    np.testing.assert_array_equal(speaker_embedding(np.zeros(samples, np.float32)), np.zeros(256))


def test_nothing_is_printed(speech, capfd):
    release_loaded()
    speaker_embedding(speech)
    assert capfd.readouterr() == ("", "")


def test_long_recordings_are_sampled(speech):
    """Ten minutes of one voice are still that voice."""
    long = np.tile(speech, 1 + 600 * SAMPLE_RATE // len(speech))
    assert speaker_embedding(long) @ speaker_embedding(speech) > 0.9
