"""Voice conversion: what codes keep, recordings of any length, and what branches read."""

import json

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.networks import speech_features as hearing
from makeittalk.networks import voice_inference as conversion
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
from makeittalk.networks.speech import Speech
from makeittalk.networks.speech_features import FEATURES, SpeechFeatures, speech_features
from makeittalk.networks.voice import VoiceConfig, VoiceConversion
from makeittalk.networks.voice_inference import TargetVoice, VoiceModel, convert, encode, load_voice, save_voice

torch.set_num_threads(1)

AVERAGE = VoiceAverage(np.full(80, 0.4, np.float32), np.full(80, 0.13, np.float32))


@pytest.fixture(scope="module")
def voice():
    torch.manual_seed(0)
    config = VoiceConfig(width=24, decoder=24, postnet=16, voice_scale=8.0)
    network = VoiceConversion(config).eval().requires_grad_(False)
    network.mean.fill_(0.4)
    network.deviation.fill_(0.13)
    return network


@pytest.fixture(scope="module")
def speaker():
    value = np.abs(np.random.default_rng(1).normal(size=256)).astype(np.float32)
    return value / np.linalg.norm(value)


def features(frames, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 80)).astype(np.float32)


@pytest.mark.parametrize("block", [4, 8, 16, 32])
def test_codes_are_the_states_that_have_read_their_block(voice, speaker, block):
    """Forward at the block's end and backward at its start, also where the last block is cut short."""
    frames, units = 4 * block + 3, voice.config.units
    kept = []
    handle = voice.encoder.lstm.register_forward_hook(lambda _module, _inputs, answer: kept.append(answer[0][0]))
    try:
        codes = voice.encoder.codes(torch.from_numpy(features(frames))[None], torch.from_numpy(speaker)[None], block)[0]
    finally:
        handle.remove()
    states = kept[0]
    assert codes.shape == (5, 2 * units)
    for place in range(5):
        first, last = place * block, min(frames, (place + 1) * block) - 1
        assert torch.equal(codes[place, :units], states[last, :units])
        assert torch.equal(codes[place, units:], states[first, units:])


def test_a_code_holds_for_its_block(voice, speaker):
    code = encode(voice, features(30), speaker)
    assert code.shape == (30, 64) and code.dtype == np.float32
    for start in range(0, 30, 4):
        assert (code[start : start + 4] == code[start]).all()
    assert (code[0] != code[4]).any()
    assert (encode(voice, features(30), speaker, 8)[4] == encode(voice, features(30), speaker, 8)[0]).all()


def test_any_length_in_chunks_is_one_pass(voice, speaker, monkeypatch):
    heard = features(1000)
    code = encode(voice, heard, speaker)
    said = convert(voice, code, speaker)
    monkeypatch.setattr(conversion, "_CHUNK", 128)
    assert np.abs(encode(voice, heard, speaker) - code).max() < 1e-4
    assert np.abs(convert(voice, code, speaker) - said).max() < 1e-5


@pytest.mark.parametrize("frames", [0, 1, 3, 9])
def test_short_and_silent_recordings(voice, speaker, frames):
    quiet = np.full((frames, 80), -0.16, np.float32)
    code = encode(voice, normalise_mel(quiet, AVERAGE) if frames else quiet, np.zeros(256, np.float32))
    said = convert(voice, code, speaker)
    assert code.shape == (frames, 64) and said.shape == (frames, 80)
    assert np.isfinite(code).all() and np.isfinite(said).all()


@pytest.fixture(scope="module")
def weights(voice, speaker, tmp_path_factory):
    path = tmp_path_factory.mktemp("voice") / "own.safetensors"
    save_voice(path, VoiceModel(voice, AVERAGE, TargetVoice(speaker, AVERAGE)), {"steps": "0"})
    return str(path)


def test_saved_voice_comes_back(voice, speaker, weights):
    model = load_voice(weights)
    loaded, average, target = model.network, model.average, model.target
    assert loaded.config == voice.config
    assert np.abs(average.mean - AVERAGE.mean).max() < 1e-4 and np.abs(target.embedding - speaker).max() < 1e-4
    code = encode(voice, features(40), speaker)
    assert np.abs(encode(loaded, features(40), speaker) - code).max() < 0.01  # half precision


def test_weights_of_another_kind_are_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "other.safetensors"
    meta = {"format": "1", "kind": "voice", "data": json.dumps({"config": {"units": 8}})}
    save_file({"weight": torch.zeros(2)}, path, meta)
    with pytest.raises(InputError, match="does not hold weights of voice conversion"):
        load_voice(str(path))


@pytest.mark.parametrize("kind", [kind for kind in FEATURES if kind != "whisper"])
def test_training_hears_what_prediction_hears(kind, speaker, weights):
    mel = np.random.default_rng(2).normal(0.4, 0.1, (203, 80)).astype(np.float32)
    heard = speech_features(kind, Speech(mel, speaker, speaker), AVERAGE, weights=weights)
    assert heard.shape == (203, FEATURES[kind]) and heard.dtype == np.float32
    module = SpeechFeatures(kind, weights).train()
    assert not module.training and not [p for p in module.parameters() if p.requires_grad]
    batch = torch.from_numpy(normalise_mel(mel, AVERAGE)).expand(2, -1, -1)
    together = module(batch, torch.from_numpy(speaker).expand(2, -1))
    assert together.shape == (2, 203, FEATURES[kind])
    assert np.abs(together.numpy() - heard).max() < 1e-3


def test_nothing_else_can_be_heard(weights):
    with pytest.raises(InputError, match="smell"):
        SpeechFeatures("smell", weights)
    with pytest.raises(InputError, match="smell"):
        speech_features("smell", Speech(np.zeros((3, 80), np.float32), *np.zeros((2, 256), np.float32)), AVERAGE)


def test_every_voice_is_converted_to_the_same_one(speaker, weights):
    """The target's own statistics are used, not those of the recording, however short it is."""
    mel = np.random.default_rng(2).normal(0.4, 0.1, (400, 80)).astype(np.float32)
    whole = speech_features("converted", Speech(mel, speaker, speaker), AVERAGE, weights=weights)
    model = load_voice(weights)
    voice, target = model.network, model.target
    code = encode(voice, normalise_mel(mel, AVERAGE), speaker)
    said = (convert(voice, code, target.embedding) - target.average.mean) / target.average.std
    assert np.abs(whole - np.clip(said, -5, 4)).max() < 1e-6
    assert hearing.LOWEST == -5.0
