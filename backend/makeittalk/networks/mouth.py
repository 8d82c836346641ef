"""The inside of a mouth, at its own resolution: a network that lights and completes what the mesh shows there.

The mesh shows a set of teeth that stays with skull and jaw, and knows no light. Beside the correction of the whole face
(networks/correction.py), in which a mouth is some sixty pixels wide, this network sees the mouth alone. It answers how
much brighter and what else: a gain, which keeps the grain of the teeth that are there, and a difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .config import NetworkConfig
from .folded_unet import FoldedUNet

#: Channels in: portrait RGB, warp RGB, opening, lips, the portrait's own opening, how far the jaw is down.
INPUTS = 10
PLACES = 2  # columns and rows, which the network is given besides
FOLD = 4  # sides of the square of pixels that is channels of one


@dataclass(frozen=True)
class MouthConfig(NetworkConfig):
    """Sizes of the network.

    Attributes:
        widths: channels at a quarter of the picture's resolution, at an eighth …; each is a level.
        blocks: residual blocks of a level.
    """

    widths: tuple[int, ...] = (32, 64, 128, 192)
    blocks: int = 1

    def __post_init__(self) -> None:
        if not 1 <= len(self.widths) <= 6 or not all(4 <= width <= 1024 for width in self.widths):
            raise ValueError("widths out of range")
        if not 0 <= self.blocks <= 8:
            raise ValueError("blocks out of range")


class MouthNet(FoldedUNet):
    """A UNet whose finest level is a quarter of the picture's resolution.

    Args:
        config: its size.
    """

    def __init__(self, config: MouthConfig | None = None) -> None:
        self.config = config or MouthConfig()
        super().__init__(INPUTS * FOLD**2 + PLACES, 6, FOLD, self.config.widths, self.config.blocks, first=1)

    def forward(self, x: Tensor) -> Tensor:
        """How what is shown shall change.

        Args:
            x: (B, 10, H, W) 0–1, sides a multiple of `step`.

        Returns:
            (B, 6, H, W): gain RGB and difference RGB, −1 to 1; see `changed`.
        """
        folded = functional.pixel_unshuffle(x, FOLD)
        return torch.tanh(self.answer(torch.cat([folded, places(folded)], dim=1)))


def changed(warp: Tensor, answer: Tensor) -> Tensor:
    """The picture (B, 3, H, W) that an answer (B, 6, H, W) makes of a warp (B, 3, H, W)."""
    return warp * (1.0 + answer[:, :3]) + answer[:, 3:]


def places(x: Tensor) -> Tensor:
    """Columns and rows (B, 2, H, W), −1 to 1: teeth have their place in the square."""
    height, width = x.shape[2:]
    rows = torch.linspace(-1, 1, height, device=x.device, dtype=x.dtype).view(1, 1, -1, 1)
    columns = torch.linspace(-1, 1, width, device=x.device, dtype=x.dtype).view(1, 1, 1, -1)
    shape = (len(x), 1, height, width)
    return torch.cat([columns.expand(shape), rows.expand(shape)], dim=1)
