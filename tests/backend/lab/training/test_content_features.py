"""The content branch on what voice conversion leaves of a recording; short, real trainings."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import write_clips, write_config
from makeittalk.exchange.errors import InputError
from makeittalk.networks.content_inference import content_displacement, load_content
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
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
    clip = task.examples.validation[0]
    heard = speech_features(kind, clip.mel, np.zeros(256, np.float32), model.average, weights=voice)
    with torch.no_grad():
        trained = task.networks()["speech_features"](
            torch.from_numpy(normalise_mel(clip.mel, task.average))[None], torch.zeros(1, 256)
        )
    assert np.abs(trained[0].numpy() - heard).max() < 1e-3
    assert content_displacement(model.branch, heard, clip.neutral).shape == (len(clip.mel), 68, 3)
    assert model.average.to_dict() == load_voice(voice).average.to_dict()


def test_a_branch_that_heard_the_mel_learns_to_hear_the_code(prepared, voice, tmp_path):
    """What is grafted answers as it did before, whatever the code says."""
    first = train("content", write_config(tmp_path, prepared, steps=5)) / "content.safetensors"
    path = write_config(tmp_path, prepared, steps=5)
    text = path.read_text().replace("inputs = 80", "inputs = 144")
    path.write_text(f'features = "both"\nvoice_conversion = "{voice}"\ngraft = "{first}"\n' + text)
    task = ContentTask(ContentTrainingConfig.load(path))
    old, new = load_content(str(first)).branch, task.networks()["content"].eval()
    heard = torch.randn(1, 40, 144)
    face = torch.zeros(1, 204)
    with torch.no_grad():
        torch.testing.assert_close(new(heard, face), old(heard[..., :80], face))
    path.write_text(path.read_text().replace('"both"', '"code"').replace("inputs = 144", "inputs = 64"))
    with pytest.raises(InputError, match="graft"):
        ContentTrainingConfig.load(path)


def test_inputs_must_fit_what_is_heard(prepared, tmp_path):
    path = write_config(tmp_path, prepared)
    text = path.read_text()
    for line, complaint in (('features = "code"', "must be 64"), ('features = "thoughts"', "features are")):
        path.write_text(f"{line}\n{text}")
        with pytest.raises(InputError, match=complaint):
            ContentTrainingConfig.load(path)
