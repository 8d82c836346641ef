"""Speaker-aware branch: head motion, brows, eyes and manner (paper, section 3.3).

An LSTM of its own reads the content; what it says and whose voice it is pass a self-attention encoder, whose answer
gives the displacement Δp of the landmarks, head motion included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..exchange.constants import CONTENT_WINDOW, EMBEDDING, MEL_BANDS
from .config import NetworkConfig
from .content import COORDINATES, perceptron, windows

ATTENTION_WINDOW = 256  # frames that see each other: 4 s
_MOST_FRAMES = 512


@dataclass(frozen=True)
class SpeakerConfig(NetworkConfig):
    """Which speaker branch.

    Attributes:
        inputs: width of a frame's features: 64 for the voice-conversion code A, 80 for the mel.
        window: frames that the LSTM reads for one frame of motion, itself included.
        streaming: the LSTM runs once over the attention window and answers for frame t after it read frame
            t + window − 1; otherwise it starts anew on every window (the paper).
        hidden, layers: size of the LSTM.
        embedding: widths of the layers that make the voice's code from its 256-d embedding.
        embedding_slope: negative slope between them.
        centred: whether embeddings are measured from the training voices' mean, in their deviation.
        noise: width of the noise beside the content, before and after the encoder (the released branch is given
            zeros, the shipped one `networks.noise`).
        width, heads, depth, feed_forward: of the self-attention encoder.
        attention: frames that see each other.
        face: whether the MLP also reads the landmarks at rest.
        mlp: widths of the hidden layers behind the encoder.
        slope: negative slope of the MLP's activations.
        dropout: in the encoder, while learning.
        scale: canonical units in one unit of the MLP's answer, so that a fresh network starts near rest.
    """

    COUNTS: ClassVar[frozenset[str]] = frozenset(("layers", "heads", "depth"))

    inputs: int = 64
    window: int = CONTENT_WINDOW
    streaming: bool = False
    hidden: int = 256
    layers: int = 3
    embedding: tuple[int, ...] = (128,)
    embedding_slope: float = 0.02
    centred: bool = False
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
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.heads or self.width % self.heads or not self.embedding:
            raise ValueError(f"no branch has these sizes: {self}")

    @classmethod
    def released(cls) -> SpeakerConfig:
        """The branch of the released checkpoint `ckpt_speaker_branch.pth` without its unused decoder."""
        return cls(
            inputs=MEL_BANDS,
            embedding=(256, 128, 128),
            noise=128,
            attention=_MOST_FRAMES,
            face=False,
            slope=0.02,
        )


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
    # On the CPU, wherever the branch is built: arithmetic on the meta device costs a second at first.
    index = torch.arange(frames, dtype=torch.float64, device="cpu")[:, None]
    even = torch.arange(0, width, 2, dtype=torch.float64, device="cpu")
    table = torch.empty(frames, width, dtype=torch.float64, device="cpu")
    table[:, 0::2] = torch.sin(index / 10_000 ** (2 * even / width))
    table[:, 1::2] = torch.cos(index / 10_000 ** (2 * (even + 1) / width))
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

    voice_mean: Tensor
    voice_deviation: Tensor

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.config = config
        if config.centred:
            self.register_buffer("voice_mean", torch.zeros(EMBEDDING))
            self.register_buffer("voice_deviation", torch.ones(()))
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
            features: (B, T, inputs), T at most `config.attention`; where the branch streams, (B, T + window − 1,
                inputs): what is heard behind the window as well.
            embedding: (B, 256), or (B, T, 256) where it changes. face: (B, 204), landmarks at rest.
            noise: (B, config.noise), or (B, T, config.noise) where it changes; zero if None.

        Returns:
            (B, T, 204).
        """
        return self.answer(self.read(features), embedding, face, noise)

    def read(self, features: Tensor) -> Tensor:
        """The LSTM's states c̃, (B, T, hidden), for features as in `forward`."""
        if self.config.streaming:
            return self.lstm(features)[0][:, self.config.window - 1 :]
        batch, frames, channels = features.shape
        spread = windows(features, self.config.window).reshape(batch * frames, -1, channels)
        return self.lstm(spread)[0][:, -1].reshape(batch, frames, -1)

    def code(self, embedding: Tensor) -> Tensor:
        """The voice's code s, (…, 128), of embeddings (…, 256)."""
        if self.config.centred:
            # No voice at all, which is zero, is the mean voice.
            known = embedding.abs().sum(-1, keepdim=True) > 0
            embedding = torch.where(known, embedding - self.voice_mean, 0.0) / self.voice_deviation
        return self.voice(embedding)

    def answer(self, content: Tensor, embedding: Tensor, face: Tensor, noise: Tensor | None = None) -> Tensor:
        """Displacements from the LSTM's states (B, T, hidden); the rest as in `forward`."""
        batch, frames, _ = content.shape
        assert frames <= self.config.attention, frames
        if noise is None:
            noise = content.new_zeros(batch, self.config.noise)

        def along(value: Tensor) -> Tensor:
            return value if value.dim() == 3 else value[:, None].expand(-1, frames, -1)

        hidden = self.encoder(torch.cat([content, along(self.code(embedding)), along(noise)], dim=2))
        told = torch.cat([hidden, along(noise)], dim=2)
        first, *rest = self.mlp
        assert isinstance(first, nn.Linear)
        if self.config.face and face.dim() == 2:  # which is the same in every frame: read once
            known = told.shape[2]
            still = nn.functional.linear(face, first.weight[:, known:], first.bias)
            moved = nn.functional.linear(told, first.weight[:, :known]) + still[:, None]
        else:
            moved = first(torch.cat([told, along(face)], dim=2) if self.config.face else told)
        for layer in rest:
            moved = layer(moved)
        return self.config.scale * moved


class ListeningBranch(nn.Module):
    """A speaker branch that also says what its critic has to know: c̃ and s beside the displacement."""

    def __init__(self, branch: SpeakerBranch) -> None:
        super().__init__()
        self.branch = branch

    def forward(
        self, features: Tensor, embedding: Tensor, face: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As SpeakerBranch.forward: (B, T, 204), c̃ (B, T, hidden) and s (B, 128)."""
        content = self.branch.read(features)
        return self.branch.answer(content, embedding, face, noise), content, self.branch.code(embedding)
