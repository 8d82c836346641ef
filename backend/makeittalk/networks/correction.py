"""What a warped portrait lacks: a network that repairs it where it has to, and leaves it alone elsewhere.

The paper's network (networks/image.py) makes every pixel of the face anew, and so gives it what it has learned that
faces look like. This one is handed the portrait already moved by the mesh, and answers a correction and where it
counts: the inside of the mouth, lids, folds, uncovered ground. The rest stays the portrait's own pixels, so that it
keeps the person whom it has never seen.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import NetworkConfig

#: Channels in: portrait RGB, warp RGB, landmark image, filled mouth.
INPUTS = 10
_WARP = slice(3, 6)


@dataclass(frozen=True)
class CorrectionConfig(NetworkConfig):
    """Sizes of the network.

    Attributes:
        widths: channels at half the picture's resolution, at a quarter …; each is a level.
        blocks: residual blocks of a level on the way down.
    """

    widths: tuple[int, ...] = (32, 64, 128, 192, 256)
    blocks: int = 1

    def __post_init__(self) -> None:
        if not 1 <= len(self.widths) <= 7 or not all(4 <= width <= 1024 for width in self.widths):
            raise ValueError("widths out of range")
        if not 0 <= self.blocks <= 8:
            raise ValueError("blocks out of range")


class CorrectionNet(nn.Module):
    """A UNet that works at half the picture's resolution and below: two by two pixels are channels of one."""

    def __init__(self, config: CorrectionConfig | None = None) -> None:
        super().__init__()
        self.config = config or CorrectionConfig()
        widths = self.config.widths
        self.stem = nn.Sequential(*_convolution(4 * INPUTS, widths[0]), *_blocks(widths[0], self.config.blocks))
        self.down = nn.ModuleList(
            nn.Sequential(*_convolution(before, after, stride=2), *_blocks(after, self.config.blocks))
            for before, after in itertools.pairwise(widths)
        )
        self.narrow = nn.ModuleList(
            nn.Sequential(*_convolution(below, above))
            for above, below in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.join = nn.ModuleList(nn.Sequential(*_convolution(2 * width, width)) for width in widths[-2::-1])
        self.out = nn.Conv2d(widths[0], 4 * 4, 3, padding=1)
        nn.init.zeros_(self.out.weight)  # it begins by leaving the warp as it is
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    @property
    def step(self) -> int:
        """Sides of its pictures are multiples of this many pixels."""
        return int(2 ** len(self.config.widths))

    def forward(self, x: Tensor) -> Tensor:
        """Colours and where they count.

        Args:
            x: (B, 10, H, W) 0–1, sides a multiple of `step`.

        Returns:
            (B, 4, H, W): colour RGB, about 0–1, and mask 0–1; the picture is warp · (1 − mask) + colour · mask.
        """
        levels = [self.stem(functional.pixel_unshuffle(x, 2))]
        for down in self.down:
            levels.append(down(levels[-1]))
        y = levels.pop()
        for narrow, join in zip(self.narrow, self.join, strict=True):
            y = functional.interpolate(narrow(y), scale_factor=2.0, mode="nearest")
            y = join(torch.cat([y, levels.pop()], dim=1))
        y = functional.pixel_shuffle(self.out(y), 2)
        colours = torch.tanh(y)[:, :3]  # cut afterwards: a function of a cut tensor is slow
        return torch.cat([x[:, _WARP] + colours, torch.sigmoid(y[:, 3:])], dim=1)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


def _blocks(width: int, count: int) -> list[nn.Module]:
    return [_Residual(width) for _ in range(count)]
