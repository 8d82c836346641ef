"""Tells filmed from predicted landmarks, so that the speaker branch learns to move like people (paper, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from makeittalk.networks.content import COORDINATES
from makeittalk.networks.speaker import ATTENTION_WINDOW, Encoder, SpeakerConfig
from torch import Tensor, nn


@dataclass(frozen=True)
class CriticConfig:
    """Which critic: its self-attention encoder is the speaker branch's in shape.

    Attributes:
        width, heads, depth, feed_forward, dropout: of the encoder. attention: frames that see each other.
        scale: canonical units in one unit of what it is shown.
    """

    width: int = 64
    heads: int = 2
    depth: int = 2
    feed_forward: int = 2048
    attention: int = ATTENTION_WINDOW
    dropout: float = 0.1
    scale: float = 1.0


class Critic(nn.Module):
    """Landmarks ⊕ c̃ ⊕ s in a window of frames → realism r of each frame.

    Landmarks are given as displacements from the face at rest: whose face it is tells nothing of how it moves.
    """

    def __init__(self, config: CriticConfig, content: int, code: int) -> None:
        super().__init__()
        self.config = config
        shape = SpeakerConfig(
            width=config.width,
            heads=config.heads,
            depth=config.depth,
            feed_forward=config.feed_forward,
            attention=config.attention,
            dropout=config.dropout,
        )
        self.encoder = Encoder(COORDINATES + content + code, shape)
        self.realism = nn.Linear(config.width, 1)

    def forward(self, motion: Tensor, content: Tensor, code: Tensor) -> Tensor:
        """Realism (B, T), 1 for filmed: motion (B, T, 204), c̃ (B, T, content), s (B, code)."""
        frames = motion.shape[1]
        seen = [motion / self.config.scale, content, code[:, None].expand(-1, frames, -1)]
        return self.realism(self.encoder(torch.cat(seen, dim=2)))[..., 0]
