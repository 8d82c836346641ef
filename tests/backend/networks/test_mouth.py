"""The mouth's network: shapes, sizes, files, and the same answers from numpy as from itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.images.mouth_crop import SIZE
from makeittalk.images.mouth_image import draw_mouth
from makeittalk.networks.mouth import INPUTS, MouthConfig, MouthNet, changed
from makeittalk.networks.mouth_inference import MouthModel, load_mouth, save_mouth

SMALL = MouthConfig((8, 16), 0)


def answering(seed: int = 0) -> MouthNet:
    torch.manual_seed(seed)
    network = MouthNet(SMALL).eval()
    torch.nn.init.normal_(network.out.weight, std=0.1)
    return network


def squares(count: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(1)
    pictures = random.integers(0, 256, (count + 1, SIZE, SIZE, 3), dtype=np.uint8)
    points = random.uniform(60, 190, (count + 1, 68, 2))
    return pictures[0], points[0], pictures[1:], points[1:]


def test_a_fresh_network_leaves_the_warp_as_it_is() -> None:
    x = torch.rand(2, INPUTS, 64, 96)
    answer = MouthNet().eval()(x)
    assert answer.shape == (2, 6, 64, 96) and not answer.any()
    assert torch.equal(changed(x[:, 3:6], answer), x[:, 3:6])


def test_gain_and_difference_change_a_picture() -> None:
    warp = torch.full((1, 3, 4, 4), 0.4)
    answer = torch.cat([torch.full((1, 3, 4, 4), -0.5), torch.full((1, 3, 4, 4), 0.1)], dim=1)
    assert torch.allclose(changed(warp, answer), torch.tensor(0.3))


def test_the_network_knows_where_in_the_square_it_is() -> None:
    answer = answering()(torch.full((1, INPUTS, 64, 64), 0.5)).detach()
    assert float((answer[..., 8:24, 8:24] - answer[..., 40:56, 40:56]).abs().max()) > 1e-3


@pytest.mark.parametrize("widths", [(), (2,), (8,) * 7])
def test_sizes_that_no_network_has_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="widths"):
        MouthConfig(widths)
    with pytest.raises(ValueError, match="blocks"):
        MouthConfig(blocks=9)


def test_frames_are_answered_as_by_the_network_itself_whatever_the_batch() -> None:
    network = answering()
    model = MouthModel(network, dtype=torch.float32)
    portrait, rest, warps, landmarks = squares(10)  # more than a batch
    made = model.changes(portrait, rest, warps, landmarks)
    assert made.shape == (10, SIZE, SIZE, 6) and made.dtype == np.float32
    x = np.concatenate([portrait, warps[9], draw_mouth(landmarks[9], rest)], axis=2)
    with torch.no_grad():
        expected = network(torch.from_numpy(x).permute(2, 0, 1)[None] / 255.0)[0].permute(1, 2, 0).numpy()
    assert np.abs(made[9] - expected).max() < 1e-4
    assert np.array_equal(made, model.changes(portrait, rest, warps, landmarks))
    assert model.changes(portrait, rest, warps[:0], landmarks[:0]).shape == (0, SIZE, SIZE, 6)


def test_weights_are_kept_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_mouth(path, answering(3), {"steps": "7"})
    model = load_mouth(str(path))
    assert model.notes == {"steps": "7"} and model is load_mouth(str(path))
    args = squares(1)
    wanted = MouthModel(answering(3)).changes(*args)
    assert np.abs(model.changes(*args) - wanted).max() < 0.05  # half precision
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError):
        load_mouth(str(path))
    with pytest.raises(MissingError, match="no weights called"):
        load_mouth("another")
