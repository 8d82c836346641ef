"""The phone network: which phone is spoken in every frame.

The content branch learns positions by least squares and so only hints at a closure that lasts three frames. Which
sound is spoken is a question of classes; a small convolutional network answers it for any voice, and the
post-processing shuts the lips where it says P, B or M.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from .config import NetworkConfig

#: ARPAbet, silence first.
PHONES = (
    *("SIL", "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY"),
    *("JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
BILABIALS = ("P", "B", "M")  # said with shut lips
ROUNDED = ("W", "UW", "UH", "OW")  # said with round lips
DILATIONS = (1, 1, 2, 4, 8)
REACH = 2 * sum(DILATIONS)  # frames seen to either side


@dataclass(frozen=True)
class PhonesConfig(NetworkConfig):
    """Which phone network.

    Attributes:
        inputs: width of a frame's features. width: of the convolutions.
        dropout: share of the features dropped while learning, and half of it of the channels in between.
    """

    inputs: int = 512
    width: int = 128
    dropout: float = 0.0


class PhoneNet(nn.Module):
    """Dilated convolutions over speech features: (B, T, inputs) → (B, T, len(PHONES)) logits."""

    def __init__(self, config: PhonesConfig | None = None) -> None:
        super().__init__()
        self.config = config or PhonesConfig()
        width = self.config.width
        self.squeeze = nn.Linear(self.config.inputs, width)
        self.dropout = nn.Dropout(self.config.dropout)
        layers: list[nn.Module] = []
        for dilation in DILATIONS:
            layers += [
                nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation),
                nn.BatchNorm1d(width),
                nn.GELU(),
                nn.Dropout(self.config.dropout / 2),
            ]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv1d(width, len(PHONES), 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.head(self.body(self.squeeze(self.dropout(features)).transpose(1, 2))).transpose(1, 2)
