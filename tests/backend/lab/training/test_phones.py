"""The phone network learns to tell phones by what Whisper hears of them; a short, real training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import buzz
from makeittalk.exchange.errors import InputError
from makeittalk.networks.phones_inference import closure_of, load_phones, phone_probabilities
from makeittalk.networks.whisper_inference import hear_whisper
from makeittalk.weights.store import load_weights
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.phones import BILABIAL_INDICES, PHONES
from makeittalk_lab.data.recordings import UNLABELLED, Recording
from makeittalk_lab.data.whisper_versions import HeardVersion
from makeittalk_lab.training.log import Log
from makeittalk_lab.training.phones_examples import LabelledRecording, bilabial_scores, frame_accuracy
from makeittalk_lab.training.train import train

torch.set_num_threads(1)

VOWEL, HISS, HUM = PHONES.index("AA"), PHONES.index("S"), PHONES.index("M")
FRAMES, EACH = 160, 10  # of a recording, and of a phone

CONFIG = """
data = ["{data}"]
out = "{out}"
steps = 40
batch = 6
frames = 120
versions = 0
learning_rate = 5e-3
warmup = 3
average = 0.8
validate_every = 20
threads = 1
accelerator = "cpu"
[network]
width = 32
"""


def recording(number: int) -> Recording:
    """A made-up voice of vowels, hisses and hums, each 0.16 s long; nobody says what comes last."""
    rng = np.random.default_rng(number)
    phones = np.repeat(rng.choice([VOWEL, HISS, HUM], FRAMES // EACH), EACH)
    voice = buzz((phones == VOWEL).astype(float), rng)
    said = np.interp(np.arange(len(voice)) / 256, np.arange(FRAMES), phones == HISS)
    hums = np.interp(np.arange(len(voice)) / 256, np.arange(FRAMES), phones == HUM)
    samples = voice + 0.05 * said * np.diff(rng.standard_normal(len(voice) + 1))
    samples += 0.05 * hums * np.sin(2.0 * np.pi * 125.0 * np.arange(len(voice)) / 16_000)
    phones[-EACH:] = UNLABELLED
    empty, mel = np.zeros((0, 256), np.float32), np.zeros((FRAMES, 80), np.float32)
    name = f"{number:02}-1-1"
    sound = samples.astype(np.float32)
    return Recording(name, name[:2], mel, phones, np.zeros((0, 2), int), empty, np.zeros(256, np.float32), sound)


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voices")
    names = []
    for number in range(10):
        made = recording(number)
        made.save(folder)
        names.append(made.name)
    Prepared(folder, "voices", names[:7], names[7:9], names[9:], {}).save()
    return folder


def labelled(features: np.ndarray | None = None, speed: float = 1.0) -> LabelledRecording:
    heard = np.arange(FRAMES, dtype=np.float32)[:, None] if features is None else features
    return LabelledRecording.of(recording(0), [HeardVersion(heard, speed)])


def test_edges_and_unlabelled_frames_do_not_count() -> None:
    item, phones = labelled(), recording(0).phones
    assert (item.phones[-EACH:] == UNLABELLED).all() and item.events
    for start, end in item.events:
        assert phones[start] in BILABIAL_INDICES and (end - start) % EACH == 0
        assert item.phones[start] == item.phones[start - 1] == UNLABELLED or start == 0
        assert (item.phones[start + 1 : end - 1] == phones[start]).all()
    sure = item.phones != UNLABELLED
    assert np.array_equal(item.phones[sure], phones[sure]) and 0.5 < sure.mean() < 0.9


def test_closures_are_counted_by_stretches_and_frames_by_their_phone() -> None:
    item = labelled()
    shut = np.isin(recording(0).phones, BILABIAL_INDICES)
    assert bilabial_scores([shut], [item]) == (1.0, 1.0)
    assert bilabial_scores([np.zeros_like(shut)], [item]) == (0.0, 0.0)
    assert bilabial_scores([np.ones_like(shut)], [item]) == (1.0, 1.0)  # one stretch, which touches one
    wrong = np.zeros_like(shut)
    vowel = np.flatnonzero(item.phones == VOWEL)
    far = min(vowel, key=lambda frame: -min(abs(frame - edge) for event in item.events for edge in event))
    wrong[far] = True
    assert bilabial_scores([wrong], [item]) == (0.0, 0.0) and bilabial_scores([shut | wrong], [item])[1] < 1.0
    assert frame_accuracy([recording(0).phones], [item]) == 1.0
    assert frame_accuracy([np.full(FRAMES, VOWEL)], [item]) == np.mean(item.phones[item.phones >= 0] == VOWEL)


@pytest.mark.parametrize("speed", [0.8, 1.0, 1.25])
def test_labels_go_with_what_is_heard_at_any_pace(speed: float) -> None:
    """Frame i of a version stands for frame i · speed of the recording; these features say which frame they are."""
    count = round(FRAMES / speed)
    item = labelled(np.arange(count, dtype=np.float32)[:, None], speed)
    rng = np.random.default_rng(0)
    for _ in range(5):
        heard, said = item.draw(rng, 50, 0.0)
        assert heard.shape == (50, 1) and said.shape == (50,)
        assert np.array_equal(said, item.phones[np.rint(heard[:, 0] * speed).astype(int)])
    heard, said = item.draw(rng, 1000, 0.0)
    assert len(heard) == len(said) and (len(said) - 1) * speed <= FRAMES - 1 < len(said) * speed + 1


def test_phones_are_learnt_on_voices_and_told_in_others(voices: Path, tmp_path: Path) -> None:
    path = tmp_path / "phones.toml"
    path.write_text(CONFIG.format(data=voices.as_posix(), out=(tmp_path / "out").as_posix()))
    out = train("phones", path)
    log = Log(out).read()
    assert log[-1]["loss"] < 0.5 * log[0]["loss"]
    told = log[-1]["validation"]
    assert told["accuracy"] > 0.9 and told["recall 0.5"] > 0.9 and told["precision 0.5"] > 0.9
    model = load_phones(str(out / "phones.safetensors"))
    assert model.features == "whisper" and model.average is None
    assert load_weights(str(out / "phones.safetensors"), "phones").notes["validation"] == pytest.approx(told, abs=0.02)
    unheard = Recording.load(voices / "09-1-1.npz")  # of the test voices
    heard = phone_probabilities(model.network, hear_whisper(unheard.samples))
    shut = closure_of(heard)
    assert np.median(shut[unheard.phones == HUM]) > 0.5 > np.median(shut[unheard.phones == VOWEL])
    assert np.median(heard[unheard.phones == HISS].argmax(1)) == HISS


def test_voices_without_phones_or_sound_are_refused(voices: Path, tmp_path: Path) -> None:
    (tmp_path / "silent").mkdir()
    path = tmp_path / "phones.toml"
    path.write_text(CONFIG.format(data=(tmp_path / "silent").as_posix(), out=(tmp_path / "out").as_posix()))
    made = recording(0)
    made.samples = None
    made.save(tmp_path / "silent")
    Prepared(tmp_path / "silent", "voices", [made.name], [], [], {}).save()
    with pytest.raises(InputError, match="has no sound"):
        train("phones", path)
    made.phones[:] = UNLABELLED
    made.save(tmp_path / "silent")
    with pytest.raises(InputError, match="holds no labelled voices"):
        train("phones", path)
    for line, complaint in (("share = [0.5, 0.5]", "share needs one number"), ("speed = 2", "no key 'speed'")):
        path.write_text(line + CONFIG.format(data=voices.as_posix(), out=tmp_path.as_posix()))
        with pytest.raises(InputError, match=complaint):
            train("phones", path)
