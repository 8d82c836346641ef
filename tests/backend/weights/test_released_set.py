"""Sets of the released weights: found by name and folder, verified, and refused in one sentence."""

import shutil

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.networks.image_inference import DEFAULT_IMAGE
from makeittalk.weights.cache import release_loaded
from makeittalk.weights.files import MAX_BYTES
from makeittalk.weights.released import load_image_network, load_set
from makeittalk.weights.released_folder import IMAGE, released_fingerprint, released_folder, verified_file
from released_files import LANDMARK_FILES, random_state, statistics, write_set, write_sums
from safetensors.torch import save_file

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A set without its network of frames, which is large."""
    folder = write_set(tmp_path_factory.mktemp("whole") / "set", LANDMARK_FILES)
    yield folder
    release_loaded()
    shutil.rmtree(folder)


@pytest.fixture
def folder(whole, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(whole, tmp_path / "set", copy_function=shutil.copyfile)
    yield tmp_path / "set"
    release_loaded()


def with_statistics(folder, **changes):
    values = statistics() | changes
    save_file({name: value for name, value in values.items() if value is not None}, folder / "statistics.safetensors")
    write_sums(folder)
    return folder


def test_a_set_is_loaded_once_and_again_when_it_changed(folder):
    models = load_set(folder)
    assert load_set(str(folder)) is models
    assert not models.voice.training and not models.content.training and not models.speaker.training
    assert np.array_equal(models.statistics.band_std, statistics()["band_std"].double().numpy())
    assert models.statistics.axes().tolist() == [1.0, -1.0, -1.0]
    save_file(random_state("content_branch", 7), folder / "content_branch.safetensors")
    write_sums(folder)
    other = load_set(folder)
    assert not torch.equal(other.content.branch.lstm.bias_ih_l0, models.content.branch.lstm.bias_ih_l0)


def test_names_and_folders(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "home"))
    assert released_folder(str(folder)) == folder
    assert released_folder(None) is None and released_folder("") is None
    assert released_folder("content") is None and released_folder("content_autovc") is None
    assert released_folder(str(folder / "content_branch.safetensors")) is None
    assert released_folder(str(tmp_path / "nothing" / "there")) is None
    with pytest.raises(MissingError, match=r"have not been imported.*makeittalk weights import"):
        released_folder("released")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no set of weights"):
        released_folder(str(tmp_path / "empty"))
    imported = tmp_path / "home" / "weights" / "released"
    shutil.copytree(folder, imported)
    assert released_folder("released") == imported
    monkeypatch.chdir(tmp_path)
    assert released_folder("set") == tmp_path.__class__("set")  # a folder right here


@pytest.mark.parametrize("name", [*LANDMARK_FILES, "statistics"])
def test_missing_and_damaged_files(folder, name):
    path = folder / f"{name}.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"{name}.*SHA-256 is not the listed one.*import it again"):
        load_set(folder)
    path.write_bytes(b"")
    with pytest.raises(MissingError, match=f"{name}.safetensors are missing"):
        load_set(folder)
    path.unlink()
    with pytest.raises(MissingError, match=f"{name}.safetensors are missing"):
        load_set(folder)
    write_sums(folder)  # not even listed
    with pytest.raises(MissingError, match=f"{name}.safetensors are missing"):
        load_set(folder)


def test_lists_that_are_none(folder):
    (folder / "SHA256SUMS").write_text("nonsense\n")
    with pytest.raises(InputError, match="SHA256SUMS is damaged"):
        load_set(folder)
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(MissingError, match="SHA256SUMS is missing"):
        load_set(folder)


@pytest.mark.parametrize("content", [b"", b"\x00" * 7, b"\xff" * 64])
def test_files_of_anything_else(folder, content):
    path = folder / "speaker_branch.safetensors"
    path.write_bytes(content or b"x")
    write_sums(folder)
    with pytest.raises(InputError, match="is no file of tensors"):
        load_set(folder)


def test_a_network_in_the_place_of_another(folder):
    shutil.copyfile(folder / "content_branch.safetensors", folder / "speaker_branch.safetensors")
    write_sums(folder)
    with pytest.raises(InputError, match="weights of speaker_branch lack the tensor"):
        load_set(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"band_mean": None}, "'band_mean' in .* is missing"),
        ({"band_mean": torch.zeros(79)}, r"has the shape \(79,\)"),
        ({"band_std": torch.zeros(80)}, "not above 0"),
        ({"band_std": -torch.ones(80)}, "not above 0"),
        ({"mean_face": torch.full((68, 3), float("nan"))}, "no number"),
        ({"mean_face": torch.zeros(68, 3)}, "no width"),
        ({"target_embedding": torch.full((256,), 1e30)}, "far too large"),
        ({"target_embedding": torch.ones(256, dtype=torch.int32)}, "but int32"),
    ],
)
def test_statistics_that_cannot_be(folder, changes, said):
    with pytest.raises(InputError, match=said):
        load_set(with_statistics(folder, **changes))


def test_double_precision_is_as_good(folder):
    with_statistics(folder, **{name: value.double() for name, value in statistics().items()})
    assert load_set(folder).statistics.mean_face.dtype == np.float64


def test_the_network_of_frames(tmp_path):
    """It is looked at by its listed sum where frames are told apart, and loaded only where they are drawn."""
    folder = write_set(tmp_path / "set", (IMAGE,))
    try:
        assert len(released_fingerprint(folder, IMAGE)) == 64
        model = load_image_network(str(folder), "cpu")
        assert model.variant == "paper" and load_image_network(str(folder), "cpu") is model
        white = np.full((256, 256, 3), 255, np.uint8)
        colours, masks = model.translate(white, white[None], np.full((1, 68, 2), 128.0))
        assert colours.shape == (1, 256, 256, 3) and masks.min() == 255
        with pytest.raises(MissingError, match="voice_conversion"):
            load_set(folder)
        path = verified_file(folder, IMAGE)
        with open(path, "r+b") as stream:
            stream.truncate(MAX_BYTES + 1)  # no longer so, and not read to see it
        with pytest.raises(InputError, match="larger than any network"):
            load_image_network(str(folder), "cpu")
    finally:
        release_loaded()
        shutil.rmtree(folder)
    with pytest.raises(MissingError):
        released_fingerprint(folder, IMAGE)


def test_other_names_are_those_of_image_networks():
    assert load_image_network(None, "cpu") is load_image_network(DEFAULT_IMAGE, "cpu")
    with pytest.raises(MissingError, match="no weights called 'vae'"):
        load_image_network("vae", "cpu")
    release_loaded()
