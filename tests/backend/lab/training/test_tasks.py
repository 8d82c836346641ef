"""The content branch on what voice conversion leaves of a recording, and the closure network; short, real trainings."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import STILL, write_clips, write_config
from makeittalk.exchange.errors import InputError
from makeittalk.networks.closure_inference import closure_probability, load_closure
from makeittalk.networks.content_inference import content_displacement, load_content
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
from makeittalk.networks.speech_features import FEATURES, speech_features
from makeittalk.networks.voice import VoiceConfig, VoiceConversion
from makeittalk.networks.voice_inference import TargetVoice, VoiceModel, load_voice, save_voice
from makeittalk.weights.store import load_weights
from makeittalk_lab.data.clips import Clip, Prepared
from makeittalk_lab.data.phones import BILABIAL_INDICES, PHONES
from makeittalk_lab.data.recordings import UNLABELLED, Recording
from makeittalk_lab.training.closure_examples import LabelledRecording, bilabial_scores
from makeittalk_lab.training.content import ContentTask, ContentTrainingConfig
from makeittalk_lab.training.log import Log
from makeittalk_lab.training.train import train

VOWEL = PHONES.index("AA")


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
        trained = task.networks()["ear"](
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


@pytest.fixture(scope="module")
def voices(tmp_path_factory) -> Path:
    """Made-up voices whose P, B and M are quiet but for the low bands."""
    folder = tmp_path_factory.mktemp("voices")
    rng = np.random.default_rng(1)
    names = []
    for number in range(12):
        phones = np.repeat(rng.choice([VOWEL, *BILABIAL_INDICES], 20, p=[0.7, 0.1, 0.1, 0.1]), 8)
        mel = (0.5 + rng.normal(0, 0.02, (160, 80))).astype(np.float32)
        mel[np.isin(phones, BILABIAL_INDICES), 10:] = 0.1
        phones[150:] = UNLABELLED
        name = f"{number:02}-1-1"
        empty = np.zeros((0, 256), np.float32)
        Recording(name, f"{number:02}", mel, phones, np.zeros((0, 2), int), empty, np.zeros(256)).save(folder)
        names.append(name)
    Prepared(folder, "voices", names[:9], names[9:11], names[11:], {}).save()
    return folder


def test_edges_and_unlabelled_frames_do_not_count(voices):
    item = LabelledRecording.of(Recording.load(voices / "00-1-1.npz"))
    assert not item.weight[150:].any()
    assert item.events and all((end - start) % 8 == 0 or end == 150 for start, end in item.events)
    for start, end in item.events:
        assert item.target[start:end].all()
        assert not item.weight[start] and not item.weight[start - 1] and item.weight[start + 1 : end - 1].all()
    heard = item.target > 0
    assert bilabial_scores([heard], [item]) == (1.0, 1.0)
    assert bilabial_scores([np.zeros_like(heard)], [item]) == (0.0, 0.0)
    recall, precision = bilabial_scores([np.ones_like(heard)], [item])
    assert recall == 1.0 and precision == 1.0  # one stretch, which touches one


def test_closures_are_learnt_on_voices_and_heard_in_others(voices, tmp_path):
    path = tmp_path / "closure.toml"
    path.write_text(f"""
data = ["{voices.as_posix()}"]
out = "{(tmp_path / "out").as_posix()}"
steps = 30
batch = 8
frames = 100
learning_rate = 5e-3
warmup = 3
validate_every = 15
threads = 1
{STILL}
""")
    out = train("closure", path)
    entry = Log(out).read()[-1]
    assert entry["validation"]["recall 0.5"] > 0.9 and entry["validation"]["precision 0.5"] > 0.9
    model = load_closure(str(out / "closure.safetensors"))
    notes = load_weights(str(out / "closure.safetensors"), "closure").notes
    assert notes["validation"] == pytest.approx(entry["validation"], abs=0.1)
    recording = Recording.load(voices / "11-1-1.npz")  # of the test voices
    heard = closure_probability(model.network, normalise_mel(recording.mel, model.average))
    shut = np.isin(recording.phones, BILABIAL_INDICES)
    assert np.median(heard[shut]) > 0.5 > np.median(heard[recording.phones == VOWEL])
    path.write_text(path.read_text().replace("frames = 100", "frames = 500").replace("/out", "/other"))
    with pytest.raises(InputError, match="no labelled voices"):
        train("closure", path)
