"""The first blocks of Whisper's encoder: what is said, by a network that has heard 680,000 hours of everybody.

Radford, Kim, Xu, Brockman, McLeavey, Sutskever: Robust Speech Recognition via Large-Scale Weak Supervision (2022). The
weights are OpenAI's "base" (MIT), frozen; tensors are named as in `whisper.model.AudioEncoder`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..audio.mel import mel_filters
from ..exchange.constants import SAMPLE_RATE
from .config import NetworkConfig

HOP = 160  # samples of a mel frame
STRIDE = 2 * HOP  # samples of a frame of the answer: 50 frames/s
_WINDOW = 400
_BANDS = 80
_LOWEST = 1e-10  # power of a band
_RANGE = 8.0  # tens of powers of which the loudest band is above what is heard at all
_QUIETEST = 0.5  # log10 power of the loudest band of speech at −20 dBFS, at least: a pause is not blown up


@dataclass(frozen=True)
class WhisperConfig(NetworkConfig):
    """How much of the encoder there is.

    Attributes:
        width: channels. heads: of the attention. blocks: so many of the first ones. positions: frames of a window.
    """

    COUNTS: ClassVar[frozenset[str]] = frozenset(("heads", "blocks"))

    width: int = 512
    heads: int = 8
    blocks: int = 3
    positions: int = 300


class Attention(nn.Module):
    """Self-attention over a window, every frame to every other."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, T, C) → (B, T, C)."""
        query, key, value = (
            layer(frames).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        heard = nn.functional.scaled_dot_product_attention(query, key, value)
        return self.out(heard.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention and a perceptron, each normalised before and added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn, self.attn_ln = Attention(width, heads), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.mlp_ln = nn.LayerNorm(width)

    def forward(self, frames: Tensor) -> Tensor:
        frames = frames + self.attn(self.attn_ln(frames))
        return frames + self.mlp(self.mlp_ln(frames))


class WhisperEncoder(nn.Module):
    """Sound → what its first blocks hear in it, at 50 frames/s, standardised channel by channel.

    Attributes:
        mean, std: (C,), of the last block's channels over many voices.
    """

    filters: Tensor
    hann: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.conv1 = nn.Conv1d(_BANDS, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.positional_embedding = nn.Parameter(torch.zeros(config.positions, width))
        self.blocks = nn.ModuleList(Block(width, config.heads) for _ in range(config.blocks))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("std", torch.ones(width))
        filters = mel_filters(_BANDS, 0.0, SAMPLE_RATE / 2, _WINDOW)
        # On the CPU, wherever the rest is built: they are no weights and never loaded.
        self.register_buffer("filters", torch.tensor(filters, device="cpu"), persistent=False)
        self.register_buffer("hann", torch.hann_window(_WINDOW, device="cpu"), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """Windows of sound (B, n) at 16 kHz, −20 dBFS, n a multiple of 320 → (B, n // 320, C).

        Frame j stands at j/50 s.
        """
        return (self.blocks_of(samples)[-1] - self.mean) / self.std

    def blocks_of(self, samples: Tensor) -> list[Tensor]:
        """What each block answers, not standardised."""
        frames = nn.functional.gelu(self.conv1(self.mel(samples)))
        frames = nn.functional.gelu(self.conv2(frames)).transpose(1, 2)
        frames = frames + self.positional_embedding[: frames.shape[1]]
        answers = []
        for block in self.blocks:
            frames = block(frames)
            answers.append(frames)
        return answers

    def mel(self, samples: Tensor) -> Tensor:
        """Whisper's own front end: (B, n) → (B, 80, n // 160)."""
        spectrum = torch.stft(samples, _WINDOW, HOP, window=self.hann, return_complex=True)[..., :-1]
        power = self.filters @ spectrum.abs().square()
        decades = power.clamp(min=_LOWEST).log10()
        loudest = decades.amax((1, 2), keepdim=True).clamp(min=_QUIETEST)
        return (torch.maximum(decades, loudest - _RANGE) + 4.0) / 4.0
