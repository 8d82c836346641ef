"""The closure network learns to hear P, B and M; a short, real training."""

from pathlib import Path

import numpy as np
import pytest
from made_clips import STILL
from makeittalk.exchange.errors import InputError
from makeittalk.networks.closure_inference import closure_probability, load_closure
from makeittalk.networks.normalised_mel import normalise_mel
from makeittalk.weights.store import load_weights
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.phones import BILABIAL_INDICES, PHONES
from makeittalk_lab.data.recordings import UNLABELLED, Recording
from makeittalk_lab.training.closure_examples import LabelledRecording, bilabial_scores
from makeittalk_lab.training.log import Log
from makeittalk_lab.training.train import train

VOWEL = PHONES.index("AA")


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
