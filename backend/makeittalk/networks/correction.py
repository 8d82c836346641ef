"""What a warped portrait lacks: a network that repairs it where it has to, and leaves it alone elsewhere.

The paper's network (networks/image.py) makes every pixel of the face anew, and so gives it what it has learned that
faces look like. This one is handed the portrait already moved by the mesh, and answers a correction and where it
counts: the inside of the mouth, lids, folds, uncovered ground. The rest stays the portrait's own pixels, so that it
keeps the person whom it has never seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .config import NetworkConfig
from .folded_unet import FoldedUNet

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


class CorrectionNet(FoldedUNet):
    """A UNet that works at half the picture's resolution and below: two by two pixels are channels of one.

    Args:
        config: its size.
    """

    def __init__(self, config: CorrectionConfig | None = None) -> None:
        self.config = config or CorrectionConfig()
        super().__init__(4 * INPUTS, 4, 2, self.config.widths, self.config.blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Colours and where they count.

        Args:
            x: (B, 10, H, W) 0–1, sides a multiple of `step`.

        Returns:
            (B, 4, H, W): colour RGB, about 0–1, and mask 0–1; the picture is warp · (1 − mask) + colour · mask.
        """
        y = self.answer(functional.pixel_unshuffle(x, 2))
        colours = torch.tanh(y)[:, :3]  # cut afterwards: a function of a cut tensor is slow
        return torch.cat([x[:, _WARP] + colours, torch.sigmoid(y[:, 3:])], dim=1)
