"""The paper's image translation network: slim ones; the released one: weights/test_released.py."""

import json

import pytest
import torch
from makeittalk.networks.image import ImageConfig, PaperUNet

torch.set_num_threads(1)

SLIM = ImageConfig(ngf=4, multiples=(1, 2, 2))


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
