"""Image translation: a portrait and drawn landmarks become the portrait with that face (paper, section 3.4).

A UNet: six convolutions of stride 2, each followed by two residual blocks, a mirrored decoder with nearest
upsampling, and skip connections. Its tensors are named and shaped as in the released checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from .config import NetworkConfig

INPUTS = 6  # landmark image, then portrait, blue, green and red of each
OUTPUTS = 3


@dataclass(frozen=True)
class ImageConfig(NetworkConfig):
    """Which image translation network.

    Attributes:
        ngf: width of the outermost layers; 64 is the released one with 69.9 M parameters.
        multiples: width of each level as a multiple of ngf, from the outside; as many as there are halvings.
    """

    ngf: int = 64
    multiples: tuple[int, ...] = (1, 2, 4, 8, 8, 8)

    def __post_init__(self) -> None:
        if not 1 <= self.ngf <= 512 or not 2 <= len(self.multiples) <= 8 or not min(self.multiples) >= 1:
            raise ValueError(f"no network has these sizes: {self}")
        if self.ngf * max(self.multiples) > 4096:
            raise ValueError(f"no network is so wide: {self}")

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each level, from the outside."""
        return tuple(self.ngf * multiple for multiple in self.multiples)

    @property
    def stride(self) -> int:
        """What a picture's sides must be multiples of, px."""
        return int(2 ** len(self.multiples))


def _convolution(narrow: int, wide: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(narrow, wide, 3, stride, 1, bias=False)


class ResidualBlock(nn.Module):
    """ReLU of x + block(x), two normalised convolutions: (B, C, H, W) → the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            _convolution(width, width),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            _convolution(width, width),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.block(x))


class Level(nn.Module):
    """One halving with everything below it; all but the outermost hand their input on beside their answer.

    (B, C, H, W) → (B, 2·C, H, W); the outermost (B, 6, H, W) → (B, 3, H, W).
    """

    def __init__(self, narrow: int, wide: int, inner: Level | None, outermost: bool = False) -> None:
        super().__init__()
        self.outermost = outermost
        down: list[nn.Module] = [_convolution(narrow, wide, stride=2)]
        if inner is not None and not outermost:
            down.append(nn.BatchNorm2d(wide))
        down += [nn.ReLU(), ResidualBlock(wide), ResidualBlock(wide)]
        up: list[nn.Module] = [nn.Upsample(scale_factor=2, mode="nearest")]
        below = wide if inner is None else 2 * wide
        if outermost:
            up.append(_convolution(below, OUTPUTS))
        else:
            up += [_convolution(below, narrow), nn.BatchNorm2d(narrow), nn.ReLU()]
            up += [ResidualBlock(narrow), ResidualBlock(narrow)]
        self.model = nn.Sequential(*down, *([] if inner is None else [inner]), *up)

    def forward(self, x: Tensor) -> Tensor:
        answer = self.model(x)
        return answer if self.outermost else torch.cat([x, answer], dim=1)


class PaperUNet(nn.Module):
    """The paper's image translation network.

    Args:
        config: its size; the default is the released one.
    """

    def __init__(self, config: ImageConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ImageConfig()
        widths = config.widths
        level = None
        for narrow, wide in reversed(list(pairwise(widths))):
            level = Level(narrow, wide, level)
        self.model = Level(INPUTS, widths[0], level, outermost=True)

    def forward(self, x: Tensor) -> Tensor:
        """The picture (B, 3, H, W), BGR 0–1, of x as in `answer`.

        It is the answer with its negatives cut to 0; while training the whole answer, for what is cut learns nothing.
        """
        answer = self.answer(x)
        return answer if self.training else answer.clamp(min=0.0)

    def answer(self, x: Tensor) -> Tensor:
        """What the network says, −1 to 1.

        Args:
            x: (B, 6, H, W), 0–1: landmark image (BGR, as rendering.landmark_image draws it), then portrait (BGR);
                H and W multiples of `config.stride`.

        Returns:
            (B, 3, H, W), BGR.
        """
        assert x.shape[1] == INPUTS and not any(size % self.config.stride for size in x.shape[2:]), x.shape
        return torch.tanh(self.model(x))
