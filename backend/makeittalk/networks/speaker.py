"""Speaker-aware branch: head motion, brows, eyes and manner (paper, section 3.3).

An LSTM of its own reads the content; what it says and whose voice it is pass a self-attention encoder, whose answer
gives the displacement Δp of the landmarks, head motion included.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ..constants import CONTENT_WINDOW, EMBEDDING, MEL_BANDS
from .content import COORDINATES, perceptron, windows

ATTENTION_WINDOW = 256  # frames that see each other: 4 s
_MOST_FRAMES = 512
RELEASED_SLOPE = 0.02


@dataclass(frozen=True)
class SpeakerConfig:
    """Which speaker branch.

    Attributes:
        inputs: width of a frame's features: 64 for the voice-conversion code A, 80 for the mel.
        window: frames that the LSTM reads for one frame of motion.
        hidden, layers: size of the LSTM.
        embedding: widths of the layers that make the voice's code from its 256-d embedding.
        embedding_slope: negative slope between them.
        noise: width of the noise vector beside the content, before and after the encoder (zero when predicting).
        width, heads, depth, feed_forward: of the self-attention encoder.
        attention: frames that see each other.
        face: whether the MLP also reads the landmarks at rest.
        mlp: widths of the hidden layers behind the encoder.
        slope: negative slope of the MLP's activations.
        dropout: in the encoder, while learning.
    """

    inputs: int = 64
    window: int = CONTENT_WINDOW
    hidden: int = 256
    layers: int = 3
    embedding: tuple[int, ...] = (128,)
    embedding_slope: float = 0.02
    noise: int = 0
    width: int = 64
    heads: int = 2
    depth: int = 2
    feed_forward: int = 2048
    attention: int = ATTENTION_WINDOW
    face: bool = True
    mlp: tuple[int, ...] = (512, 256)
    slope: float = 0.0
    dropout: float = 0.1

    @classmethod
    def released(cls) -> SpeakerConfig:
        """The branch of the released checkpoint `ckpt_speaker_branch.pth` without its unused decoder."""
        return cls(
            inputs=MEL_BANDS,
            embedding=(256, 128, 128),
            noise=128,
            attention=_MOST_FRAMES,
            face=False,
            slope=RELEASED_SLOPE,
        )

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> SpeakerConfig:
        """Takes the known keys; lists become tuples."""
        known = {item.name for item in fields(cls)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items() if k in known}
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


class Norm(nn.Module):
    """α (x − mean) / (std + 1e-6) + bias with the unbiased deviation, over the last axis."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) → (…, width)."""
        return self.alpha * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-6) + self.bias


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.q_linear = nn.Linear(width, width)
        self.v_linear = nn.Linear(width, width)
        self.k_linear = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) → (B, T, width)."""
        batch, frames, width = x.shape
        query, key, value = (
            layer(x).view(batch, frames, self.heads, width // self.heads).transpose(1, 2)
            for layer in (self.q_linear, self.k_linear, self.v_linear)
        )
        share = self.dropout if self.training else 0.0
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, dropout_p=share)
        return self.out(mixed.transpose(1, 2).reshape(batch, frames, width))


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(width, hidden)
        self.dropout = nn.Dropout(dropout)
        self.linear_2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) → (…, width)."""
        return self.linear_2(self.dropout(torch.relu(self.linear_1(x))))


class EncoderLayer(nn.Module):
    """Attention and feed-forward, each behind a norm and beside a shortcut."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = Norm(config.width), Norm(config.width)
        self.attn = Attention(config.width, config.heads, config.dropout)
        self.ff = FeedForward(config.width, config.feed_forward, config.dropout)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) → (B, T, width)."""
        x = x + self.dropout(self.attn(self.norm_1(x)))
        return x + self.dropout(self.ff(self.norm_2(x)))


def positions(frames: int, width: int) -> Tensor:
    """Sinusoidal positions (frames, width), exponents 2i and 2(i + 1) at the even place i and the odd one behind."""
    place = torch.arange(frames, dtype=torch.float64)[:, None]
    even = torch.arange(0, width, 2, dtype=torch.float64)
    table = torch.empty(frames, width, dtype=torch.float64)
    table[:, 0::2] = torch.sin(place / 10_000 ** (2 * even / width))
    table[:, 1::2] = torch.cos(place / 10_000 ** (2 * (even + 1) / width))
    return table.float()


class Encoder(nn.Module):
    """Self-attention over a window of frames."""

    pe: Tensor

    def __init__(self, inputs: int, config: SpeakerConfig) -> None:
        super().__init__()
        self.embed = nn.Linear(inputs, config.width)
        self.register_buffer("pe", positions(config.attention, config.width), persistent=False)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.depth))
        self.norm = Norm(config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, inputs) → (B, T, width), T at most the attention window."""
        embedded = self.embed(x)
        hidden = embedded * math.sqrt(embedded.shape[-1]) + self.pe[: x.shape[1]].to(embedded.dtype)
        for layer in self.layers:
            hidden = layer(hidden)
        return self.norm(hidden)


class SpeakerBranch(nn.Module):
    """Features of speech, a voice's embedding and a face at rest → displacement of its landmarks with head motion."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.config = config
        self.lstm = nn.LSTM(config.inputs, config.hidden, config.layers, batch_first=True)
        layers: list[nn.Module] = []
        for narrow, wide in pairwise((EMBEDDING, *config.embedding)):
            layers += [nn.LeakyReLU(config.embedding_slope)] if layers else []
            layers.append(nn.Linear(narrow, wide))
        self.voice = nn.Sequential(*layers)
        self.encoder = Encoder(config.hidden + config.embedding[-1] + config.noise, config)
        widths = (config.width + config.noise + (COORDINATES if config.face else 0), *config.mlp, COORDINATES)
        self.mlp = perceptron(widths, batch_norm=False, slope=config.slope)

    def forward(self, features: Tensor, embedding: Tensor, face: Tensor, noise: Tensor | None = None) -> Tensor:
        """Displacements of one window of frames.

        Args:
            features: (B, T, inputs), T at most `config.attention`.
            embedding: (B, 256), or (B, T, 256) where it changes. face: (B, 204), landmarks at rest.
            noise: (B, config.noise), zero if None.

        Returns:
            (B, T, 204).
        """
        batch, frames, channels = features.shape
        spread = windows(features, self.config.window).reshape(batch * frames, -1, channels)
        content = self.lstm(spread)[0][:, -1].reshape(batch, frames, -1)
        return self.answer(content, embedding, face, noise)

    def answer(self, content: Tensor, embedding: Tensor, face: Tensor, noise: Tensor | None = None) -> Tensor:
        """Displacements from the LSTM's states (B, T, hidden); the rest as in `forward`."""
        batch, frames, _ = content.shape
        assert frames <= self.config.attention, frames
        if noise is None:
            noise = content.new_zeros(batch, self.config.noise)

        def along(value: Tensor) -> Tensor:
            return value if value.dim() == 3 else value[:, None].expand(-1, frames, -1)

        hidden = self.encoder(torch.cat([content, along(self.voice(embedding)), along(noise)], dim=2))
        parts = [hidden, along(noise)] + ([along(face)] if self.config.face else [])
        return self.mlp(torch.cat(parts, dim=2))
