"""The closure network: how sure it is, in every frame, that the lips are shut for a P, B or M.

The content branch learns positions by least squares and so only hints at a closure that lasts three frames. Whether a
sound is bilabial is a question of classes; a small convolutional network answers it for any voice, and the
post-processing shuts the lips there.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ..exchange.constants import MEL_BANDS
from .config import NetworkConfig

DILATIONS = (1, 1, 2, 4, 8)
REACH = 2 * sum(DILATIONS)  # frames seen to either side


@dataclass(frozen=True)
class ClosureConfig(NetworkConfig):
    """Which closure network.

    Attributes:
        inputs: width of a frame's features. width: of the convolutions.
    """

    inputs: int = MEL_BANDS
    width: int = 96


class ClosureNet(nn.Module):
    """Dilated convolutions over speech features: (B, T, inputs) → (B, T) logits."""

    def __init__(self, config: ClosureConfig | None = None) -> None:
        super().__init__()
        self.config = config or ClosureConfig()
        layers: list[nn.Module] = []
        size, width = self.config.inputs, self.config.width
        for dilation in DILATIONS:
            layers += [
                nn.Conv1d(size, width, 5, padding=2 * dilation, dilation=dilation),
                nn.BatchNorm1d(width),
                nn.GELU(),
            ]
            size = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv1d(width, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.head(self.body(features.transpose(1, 2)))[:, 0]
