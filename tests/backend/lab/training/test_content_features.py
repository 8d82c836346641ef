"""The content branch on what Whisper hears of a recording or voice conversion leaves of it; short, real trainings."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import write_clips, write_config
from makeittalk.animation.lips import gaps, shut_mouth
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.measures import opening
from makeittalk.networks.content_inference import content_displacement, load_content, predict_content
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
from makeittalk.networks.speech import Speech
from makeittalk.networks.speech_features import FEATURES, speech_features
from makeittalk.networks.voice import VoiceConfig, VoiceConversion
from makeittalk.networks.voice_inference import TargetVoice, VoiceModel, load_voice, save_voice
from makeittalk_lab.data.clips import Clip
from makeittalk_lab.training.content import ContentTask, ContentTrainingConfig
from makeittalk_lab.training.log import Log
from makeittalk_lab.training.train import train


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    folder = write_clips(tmp_path_factory.mktemp("prepared"))
    rng = np.random.default_rng(0)
    for path in sorted(folder.glob("clip*.npz"))[::2]:  # the others do not know who speaks
        clip = Clip.load(path)
        clip.embedding = rng.normal(size=256).astype(np.float32)
        clip.save(folder)
    return folder


@pytest.fixture(scope="module")
def voice(prepared, tmp_path_factory) -> str:
    """Voice conversion that was never trained: what it makes of a mel still depends on the mel."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("voice") / "voice.safetensors"
    average = VoiceAverage.of([Clip.load(path).mel for path in prepared.glob("clip*.npz")])
    target = TargetVoice(np.full(256, 1 / 16, np.float32), average)
    network = VoiceConversion(VoiceConfig(width=32, decoder=32, layers=1, postnet=16))
    save_voice(path, VoiceModel(network, average, target), {})
    return str(path)


@pytest.mark.parametrize("kind", ["code", "both", "converted"])
def test_the_branch_learns_from_what_voice_conversion_leaves(prepared, voice, tmp_path, kind):
    path = write_config(tmp_path, prepared, steps=30)
    text = path.read_text().replace("inputs = 80", f"inputs = {FEATURES[kind]}")
    path.write_text(f'features = "{kind}"\nvoice_conversion = "{voice}"\n' + text)
    out = train("content", path)
    log = Log(out).read()
    assert log[-1]["loss"] < 0.6 * log[0]["loss"]
    model = load_content(str(out / "content.safetensors"))
    assert model.features == kind and model.branch.config.inputs == FEATURES[kind]
    # What it was trained on is what `speech_features` gives a prediction.
    task = ContentTask(ContentTrainingConfig.load(path))
    _, clip = task.examples.validation[0]
    nobody = np.zeros(256, np.float32)
    heard = speech_features(kind, Speech(clip.mel, nobody, nobody), model.average, weights=voice)
    with torch.no_grad():
        trained = task.networks()["speech_features"](
            torch.from_numpy(normalise_mel(clip.mel, task.average))[None], torch.zeros(1, 256)
        )
    assert np.abs(trained[0].numpy() - heard).max() < 1e-3
    assert content_displacement(model.branch, heard, clip.neutral).shape == (len(clip.mel), 68, 3)
    assert model.average.to_dict() == load_voice(voice).average.to_dict()


def test_the_branch_learns_from_what_whisper_hears(prepared, tmp_path):
    path = write_config(tmp_path, prepared, steps=30)
    text = path.read_text().replace("inputs = 80\nstreaming = true", "inputs = 512\nbidirectional = true\nstride = 2")
    path.write_text('features = "whisper"\nversions = 0\n' + text)
    out = train("content", path)
    log = Log(out).read()
    assert log[-1]["loss"] < 0.3 * log[0]["loss"]
    assert log[-1]["validation"]["opening correlation"] > 0.8
    model = load_content(str(out / "content.safetensors"))
    assert model.features == "whisper" and model.average is None  # its front end is measured against nothing
    [scale] = json.loads(model.notes["scales"]).values()  # one filmed speaker
    assert scale > 0.01
    # A prediction hears the sound itself, as Whisper's own front end needs it.
    clip = Clip.load(prepared / "clip00.npz")
    face = np.asarray(MEAN_FACE + shut_mouth(MEAN_FACE))
    speech = Speech(clip.mel, *np.zeros((2, 256), np.float32), samples=clip.samples)
    moved = predict_content(speech, face, weights=str(out / "content.safetensors"))
    assert np.corrcoef(gaps(moved).mean(1), opening(clip.landmarks))[0, 1] > 0.8
    with pytest.raises(MissingError, match="sound of this recording is not there"):
        predict_content(Speech(clip.mel, *np.zeros((2, 256))), face, weights=str(out / "content.safetensors"))


def test_inputs_must_fit_what_is_heard(prepared, tmp_path):
    path = write_config(tmp_path, prepared)
    text = path.read_text()
    for line, complaint in (('features = "code"', "must be 64"), ('features = "thoughts"', "features are")):
        path.write_text(f"{line}\n{text}")
        with pytest.raises(InputError, match=complaint):
            ContentTrainingConfig.load(path)
