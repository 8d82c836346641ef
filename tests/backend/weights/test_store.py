"""Weights are listed, verified before use, and refused in one sentence when something is wrong."""

import json

import numpy as np
import pytest
import torch
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.landmarks.ibug68 import PARTS
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks.content import ContentBranch, ContentConfig
from makeittalk.networks.content_inference import predict_content
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.weights import store

torch.set_num_threads(1)

SMALL = ContentConfig(inputs=80, streaming=True, hidden=8, layers=1, mlp=(8,))
AVERAGE = VoiceAverage(np.linspace(0.2, 0.5, 80, dtype=np.float32), np.full(80, 0.13, np.float32))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with one small set of weights, in place of the shipped one."""
    store.save_content(tmp_path / "small.safetensors", ContentBranch(SMALL), AVERAGE, {"steps": 3})
    store.write_sums(tmp_path)
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    return tmp_path


def test_shipped_weights_are_whole_and_small():
    files = store.verify_weights()
    assert store.DEFAULT_CONTENT in [file.name for file in files]
    assert sum(file.size for file in files) < 40e6
    listed = {file.path.name for file in files}
    assert {path.name for path in store.FOLDER.glob("*.safetensors")} == listed


def test_shipped_content_branch_loads():
    branch, meta = store.load_content()
    assert not branch.training
    assert meta["features"] == "both" and meta["config"].inputs == 144
    assert meta["config"].hidden == 256 and meta["config"].layers == 3
    assert all(parameter.dtype == torch.float32 for parameter in branch.parameters())


@pytest.mark.parametrize("loudness", [0.0, 0.01])
def test_the_mouth_rests_without_speech(loudness):
    sound = loudness * np.random.default_rng(0).normal(size=48_000).astype(np.float32)
    motion = predict_content(mel_spectrogram(normalise_loudness(sound)), MEAN_FACE)
    width = np.linalg.norm(MEAN_FACE[48] - MEAN_FACE[54])
    assert motion.shape == (188, 68, 3)
    assert np.abs(motion).max() < 0.02 * width


def test_any_face_speaks_alike():
    """Faces far from those of the training, as cartoons are, move as much and at the same time."""
    speech = load_audio(store.FOLDER.parent / "assets/speech.flac").samples
    mel = mel_spectrogram(normalise_loudness(speech))

    def gap(face: np.ndarray) -> np.ndarray:
        motion = predict_content(mel, face)
        return motion[:, 66, 1] - motion[:, 62, 1]

    expected, rng = gap(MEAN_FACE), np.random.default_rng(0)
    assert expected.max() > 0.08 * np.linalg.norm(MEAN_FACE[48] - MEAN_FACE[54])
    for _ in range(3):
        face = MEAN_FACE.copy()
        for part in PARTS.values():
            face[part] += rng.normal(0, 0.1, 3)
        found = gap(face)
        assert np.corrcoef(found, expected)[0, 1] > 0.98
        assert found.std() == pytest.approx(expected.std(), rel=0.15)


def test_what_was_saved_is_loaded(folder):
    branch = ContentBranch(SMALL)
    store.save_content(folder / "again.safetensors", branch, AVERAGE, {"steps": 3})
    store.write_sums()
    loaded, meta = store.load_content("again")
    assert meta["config"] == SMALL and meta["notes"] == {"steps": 3}
    assert np.abs(meta["average"].mean - AVERAGE.mean).max() < 1e-5
    for name, value in branch.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float())
    assert store.load_content(str(folder / "again.safetensors"))[1]["config"] == SMALL


def test_a_flipped_bit_is_noticed(folder):
    path = folder / "small.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    for call in (store.verify_weights, lambda: store.load_content("small")):
        with pytest.raises(InputError, match="damaged"):
            call()


def test_missing_files_are_named(folder):
    with pytest.raises(MissingError, match="no weights called 'other'"):
        store.load_content("other")
    (folder / "small.safetensors").unlink()
    with pytest.raises(MissingError, match=r"small\.safetensors"):
        store.load_content("small")
    (folder / store.SUMS).unlink()
    with pytest.raises(MissingError, match="list of weights"):
        store.list_weights()


def header(value: dict) -> bytes:
    text = json.dumps(value).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "data",
    [
        b"not weights at all",
        (1 << 62).to_bytes(8, "little") + b"{}",
        header({}),
        header({"__metadata__": {"kind": "basis", "format": "1"}}),
        header({"__metadata__": {"kind": "content", "format": "1", "config": "[", "voice": "{}", "notes": "{}"}}),
        header({"__metadata__": {"kind": "content", "format": "1", "config": "{}", "voice": "{}", "notes": "{}"}}),
        header({"__metadata__": {"kind": "content", "format": "9", "config": "{}", "voice": "{}", "notes": "{}"}}),
    ],
)
def test_strange_files_are_refused(tmp_path, data):
    path = tmp_path / "strange.safetensors"
    path.write_bytes(data)
    with pytest.raises(InputError, match="strange"):
        store.load_content(str(path))


@pytest.mark.parametrize("line", ["abc  x.safetensors", "0" * 64 + "  ../x.safetensors", "0" * 64])
def test_a_damaged_list_is_refused(folder, line):
    (folder / store.SUMS).write_text(line + "\n")
    with pytest.raises(InputError, match="damaged"):
        store.list_weights()
