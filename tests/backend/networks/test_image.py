"""The paper's image translation network: the released names, sizes and answers, and slim ones."""

import json
import zlib

import numpy as np
import pytest
import torch
from makeittalk.networks.image import ImageConfig, PaperUNet
from project import REFERENCE

torch.set_num_threads(1)

SLIM = ImageConfig(ngf=4, multiples=(1, 2, 2))


@pytest.fixture(scope="module")
def released():
    """Names and shapes of the released tensors."""
    path = REFERENCE / "released_networks.json"
    if not path.is_file():
        pytest.skip("MAKEITTALK_REFERENCE does not name the reference answers")
    return json.loads(path.read_text())["image_translation"]


def filling(key, shape):
    """What a tensor of the released checkpoint, in single precision, is filled with for the reference answer."""
    wave = np.sin(0.37 * np.arange(int(np.prod(shape))) + zlib.crc32(key.encode()) % 1000).reshape(shape)
    if key.endswith("running_var"):
        wave = 1 + 0.5 * wave
    elif len(shape) > 1:
        wave = wave * 1.5 / np.sqrt(np.prod(shape[1:]))
    else:
        wave = 1 + 0.1 * wave if key.endswith("weight") else 0.1 * wave
    return torch.from_numpy(wave.astype(np.float32)).double()


def test_released_names_and_shapes(released):
    with torch.device("meta"):
        network = PaperUNet()
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == released
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(69.9e6, abs=0.05e6)


def test_released_answer(released):
    with torch.device("meta"):
        network = PaperUNet().double().eval()
    state = {key: filling(key, shape) for key, shape in released.items() if not key.endswith("num_batches_tracked")}
    left = network.load_state_dict(state, strict=False, assign=True)
    assert not left.unexpected_keys and all(key.endswith("num_batches_tracked") for key in left.missing_keys)
    x = ((np.sin(0.0031 * np.arange(6 * 256 * 256)) + 1) / 2).reshape(1, 6, 256, 256)
    with torch.inference_mode():
        answer = network.answer(torch.from_numpy(x))
    with np.load(REFERENCE / "released_networks.npz") as answers:
        expected = torch.from_numpy(answers["image_out"])
    assert (answer[..., ::4, ::4] - expected).abs().max() < 1e-6


@pytest.mark.parametrize("config", [SLIM, ImageConfig(ngf=3, multiples=(1, 1, 2, 2, 2, 2, 2))])
def test_slim_networks(config):
    network = PaperUNet(config).eval()
    side = 2 * config.stride
    x = torch.rand(2, 6, side, side)
    with torch.inference_mode():
        picture, answer = network(x), network.answer(x)
    assert picture.shape == (2, 3, side, side)
    assert answer.min() < 0 and torch.equal(picture, answer.clamp(0, 1))
    assert network.train()(x).min() < 0


def test_it_learns_a_portrait():
    torch.manual_seed(0)
    network = PaperUNet(SLIM)
    steps = torch.optim.Adam(network.parameters(), 3e-3)
    x = torch.rand(4, 6, 2, 2).repeat_interleave(8, 2).repeat_interleave(8, 3)
    losses = []
    for _ in range(60):
        loss = (network(x) - x[:, 3:]).abs().mean()
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(loss.item())
    assert losses[-1] < 0.4 * losses[0]
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


def test_config_survives_json():
    config = ImageConfig(ngf=24, multiples=(1, 2, 4, 6))
    assert ImageConfig.from_dict({**json.loads(json.dumps(config.to_dict())), "later": 1}) == config


@pytest.mark.parametrize("value", [{"ngf": 0}, {"ngf": 10**6}, {"multiples": [1]}, {"multiples": [1, -2, 4]}])
def test_impossible_sizes_are_refused(value):
    with pytest.raises(ValueError, match="no network"):
        ImageConfig.from_dict(value)
