"""Weights are listed, verified before use, and refused in one sentence when something is wrong."""

import json
import shutil

import numpy as np
import pytest
import torch
from makeittalk.animation.predict import analyse_speech
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.landmarks.face_landmarker import MODELS
from makeittalk.landmarks.ibug68 import PARTS
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.networks import device
from makeittalk.networks.content import ContentBranch, ContentConfig
from makeittalk.networks.content_inference import (
    CONTENT_WEIGHTS,
    ContentModel,
    load_content,
    predict_content,
    save_content,
)
from makeittalk.networks.image_inference import load_image
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.networks.phones_inference import load_phones
from makeittalk.networks.speaker_inference import load_speaker
from makeittalk.networks.voice_inference import load_voice
from makeittalk.networks.whisper_inference import load_whisper
from makeittalk.weights import files
from makeittalk.weights.cache import release_loaded
from makeittalk_lab.training.sums import write_sums
from safetensors.torch import save_file

torch.set_num_threads(1)

SMALL = ContentConfig(inputs=80, streaming=True, hidden=8, layers=1, mlp=(8,))
AVERAGE = VoiceAverage(np.linspace(0.2, 0.5, 80, dtype=np.float32), np.full(80, 0.13, np.float32))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with one small set of weights, in place of the shipped one."""
    save_content(tmp_path / "small.safetensors", ContentModel(ContentBranch(SMALL), AVERAGE, "mel"), {"steps": 3})
    write_sums(tmp_path)
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    release_loaded()
    yield tmp_path
    release_loaded()


def test_shipped_weights_are_whole_and_small():
    found = files.verify_weights()
    assert {*CONTENT_WEIGHTS.values(), MODELS} < {file.name for file in found}
    assert sum(file.size for file in found) < 60e6
    listed = {file.path.name for file in found}
    kinds = ("*.safetensors", "*.task")
    assert {path.name for kind in kinds for path in files.FOLDER.glob(kind)} == listed


def test_the_licence_of_what_others_made_lies_beside_it():
    licence = (files.FOLDER / "LICENSE.mediapipe").read_text(encoding="utf-8")
    assert f"{MODELS}.task" in licence and files.listed(MODELS).sha256 in licence
    assert "Apache License" in licence and "END OF TERMS AND CONDITIONS" in licence
    licence = (files.FOLDER / "LICENSE.whisper").read_text(encoding="utf-8")
    assert "MIT License" in licence and "OpenAI" in licence and "WITHOUT WARRANTY OF ANY KIND" in licence


def test_shipped_content_branches_load():
    paper = load_content(CONTENT_WEIGHTS["autovc"])
    assert paper.features == "both" and paper.branch.config.inputs == 144
    assert paper.branch.config.hidden == 256 and paper.branch.config.layers == 3
    model = load_content()
    assert not model.branch.training
    config = model.branch.config
    assert model.features == "whisper" and config.inputs == 512 and config.bidirectional
    assert all(parameter.dtype == torch.float32 for parameter in model.branch.parameters())


@pytest.mark.parametrize("loudness", [0.0, 0.01])
def test_the_mouth_rests_without_speech(loudness):
    """Within a fiftieth of its width, but for a moment where a recording that is cut off begins and ends."""
    sound = loudness * np.random.default_rng(0).normal(size=48_000).astype(np.float32)
    motion = predict_content(analyse_speech(sound), MEAN_FACE)
    width = np.linalg.norm(MEAN_FACE[48] - MEAN_FACE[54])
    assert motion.shape == (188, 68, 3)
    assert np.abs(motion[6:-6]).max() < 0.02 * width and np.abs(motion).max() < 0.05 * width


def test_any_face_speaks_alike():
    """Faces far from those of the training, as cartoons are, move as much and at the same time."""
    speech = analyse_speech(load_audio(files.FOLDER.parent / "assets/speech.flac").samples)

    def gap(face: np.ndarray) -> np.ndarray:
        motion = predict_content(speech, face)
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
    save_content(folder / "again.safetensors", ContentModel(branch, AVERAGE, "mel"), {"steps": 3})
    write_sums(folder)
    model = load_content("again")
    loaded = model.branch
    assert loaded.config == SMALL and model.notes == {"steps": 3} and model.features == "mel"
    assert np.abs(model.average.mean - AVERAGE.mean).max() < 1e-5
    for name, value in branch.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float())
    assert load_content(str(folder / "again.safetensors")).branch.config == SMALL


def test_a_flipped_bit_is_noticed(folder):
    path = folder / "small.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    for call in (files.verify_weights, lambda: load_content("small")):
        with pytest.raises(InputError, match="damaged"):
            call()


def test_missing_files_are_named(folder):
    with pytest.raises(MissingError, match="no weights called 'other'"):
        load_content("other")
    (folder / "small.safetensors").unlink()
    with pytest.raises(MissingError, match=r"small\.safetensors"):
        load_content("small")
    (folder / files.SUMS).unlink()
    with pytest.raises(MissingError, match="list of weights"):
        files.list_weights()


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
        load_content(str(path))


@pytest.mark.parametrize("line", ["abc  x.safetensors", "0" * 64 + "  ../x.safetensors", "0" * 64])
def test_a_damaged_list_is_refused(folder, line):
    (folder / files.SUMS).write_text(line + "\n")
    with pytest.raises(InputError, match="damaged"):
        files.list_weights()


def test_files_of_the_first_layout_are_read(tmp_path):
    """The metadata that version 0.1 wrote beside the content branch."""
    path = tmp_path / "old.safetensors"
    average, config = json.dumps(AVERAGE.to_dict()), json.dumps(SMALL.to_dict())
    meta = {"config": config, "voice": average, "notes": json.dumps({"steps": 3, "features": "mel"})}
    tensors = {name: value.half() for name, value in ContentBranch(SMALL).state_dict().items()}
    save_file(tensors, path, {"format": "1", "kind": "content"} | meta)
    model = load_content(str(path))
    assert model.features == "mel" and np.abs(model.average.std - AVERAGE.std).max() < 1e-5
    with pytest.raises(InputError, match="phone network"):
        load_phones(str(path))


@pytest.mark.parametrize(
    "change",
    [
        {"config": {"hidden": 16_000, "layers": 64}},
        {"config": {"layers": 200_000}},
        {"config": {"inputs": 10**12}},
        {"config": {"mlp": [8] * 10_000}},
        {"config": {"hidden": float("inf")}},
        {"config": {"hidden": "many"}},
        {"config": 3},
    ],
)
def test_a_configuration_of_another_size_takes_no_memory(tmp_path, change):
    path = tmp_path / "hostile.safetensors"
    tensors = {name: value.half() for name, value in ContentBranch(SMALL).state_dict().items()}
    data = {"config": SMALL.to_dict(), "average": AVERAGE.to_dict(), "features": "mel"}
    if isinstance(change["config"], dict):
        change = {"config": data["config"] | change["config"]}
    meta = {"format": "1", "layout": "2", "kind": "content", "data": json.dumps(data | change), "notes": "{}"}
    save_file(tensors, path, meta)
    with pytest.raises(InputError, match="does not hold weights of a content branch"):
        load_content(str(path))


def test_what_is_no_number_is_refused(tmp_path):
    branch = ContentBranch(SMALL)
    with torch.no_grad():
        branch.mlp[0].bias[0] = float("nan")
    save_content(tmp_path / "nan.safetensors", ContentModel(branch, AVERAGE, "mel"), {})
    with pytest.raises(InputError, match="does not hold"):
        load_content(str(tmp_path / "nan.safetensors"))


def test_release_gives_back_every_network(tmp_path):
    loaders = (load_whisper, load_content, load_speaker, load_voice, load_phones, load_image)
    before = [load() for load in loaders]
    assert all(load() is model for load, model in zip(loaders, before, strict=True))
    device.release()
    assert all(load() is not model for load, model in zip(loaders, before, strict=True))


def test_a_file_that_was_trained_again_is_read_again(tmp_path):
    path = tmp_path / "own.safetensors"
    save_content(path, ContentModel(ContentBranch(SMALL), AVERAGE, "mel"), {"steps": 1})
    assert load_content(str(path)) is load_content(str(path))
    save_content(path, ContentModel(ContentBranch(SMALL), AVERAGE, "mel"), {"steps": 20})
    assert load_content(str(path)).notes == {"steps": 20}


def test_the_shipped_list_is_the_one_that_is_written(tmp_path):
    for file in files.list_weights():
        shutil.copy(file.path, tmp_path)
    write_sums(tmp_path)
    assert (tmp_path / files.SUMS).read_text() == (files.FOLDER / files.SUMS).read_text()
