"""Speech content branch: from what is said to the motion of lips and jaw (paper, section 3.2).

Per frame an LSTM reads the sound up to τ frames ahead; its state and the static face q give the displacement Δq.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..exchange.constants import CONTENT_WINDOW, LANDMARKS, MEL_BANDS
from .config import NetworkConfig

COORDINATES = LANDMARKS * 3
_PRIOR_SLOPE = 0.2  # of the layers before the LSTM, the released branch's


@dataclass(frozen=True)
class ContentConfig(NetworkConfig):
    """Which content branch.

    Attributes:
        inputs: width of a frame's features: 64 for the voice-conversion code A, 80 for the mel.
        prior: widths of the layers between features and LSTM, empty for none; every one but the last is followed
            by normalisation and activation.
        window: τ, how many frames the branch reads for one frame of motion, itself included: [t, t + τ).
        streaming: the LSTM runs once over the whole recording and answers for frame t after it read frame
            t + τ − 1, so that it knows the past as well; otherwise it starts anew on every window (the paper).
        hidden, layers: size of the LSTM.
        mlp: widths of the hidden layers behind it.
        batch_norm: whether the hidden layers of the MLP are normalised.
        slope: negative slope of the leaky activations, 0 for ReLU.
        dropout: share of the LSTM's answer dropped while learning.
        scale: canonical units in one unit of the MLP's answer, so that a fresh network starts near rest.
    """

    COUNTS: ClassVar[frozenset[str]] = frozenset(("layers",))

    inputs: int = 64
    prior: tuple[int, ...] = ()
    window: int = CONTENT_WINDOW
    streaming: bool = False
    hidden: int = 256
    layers: int = 3
    mlp: tuple[int, ...] = (512, 256)
    batch_norm: bool = False
    slope: float = 0.0
    dropout: float = 0.0
    scale: float = 1.0

    @classmethod
    def released(cls) -> ContentConfig:
        """The branch of the released checkpoint `ckpt_content_branch.pth`: 1.97 M parameters."""
        return cls(inputs=MEL_BANDS, prior=(256, 161), batch_norm=True, slope=_PRIOR_SLOPE)


def perceptron(widths: tuple[int, ...], batch_norm: bool, slope: float) -> nn.Sequential:
    """Linear layers of these widths, each but the last followed by normalisation (where asked for) and activation."""
    modules: list[nn.Module] = []
    for index, (narrow, wide) in enumerate(pairwise(widths)):
        if index:
            if batch_norm:
                modules.append(nn.BatchNorm1d(narrow))
            modules.append(nn.LeakyReLU(slope) if slope else nn.ReLU())
        modules.append(nn.Linear(narrow, wide))
    return nn.Sequential(*modules)


def windows(features: Tensor, size: int) -> Tensor:
    """Every frame's window [t, t + size), the last frame repeated behind the end: (B, T, C) → (B, T, size, C)."""
    padding = features[:, -1:].expand(-1, size - 1, -1)
    return torch.cat([features, padding], dim=1).unfold(1, size, 1).transpose(2, 3)


class ContentBranch(nn.Module):
    """Features of speech and a face at rest → displacement of its landmarks.

    Everything is in the canonical frame (landmarks.pose.Canonical).
    """

    def __init__(self, config: ContentConfig) -> None:
        super().__init__()
        self.config = config
        width = config.inputs
        self.prior: nn.Module = nn.Identity()
        if config.prior:
            self.prior = perceptron((width, *config.prior), batch_norm=True, slope=config.slope or _PRIOR_SLOPE)
            width = config.prior[-1]
        self.lstm = nn.LSTM(width, config.hidden, config.layers, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.mlp = perceptron((config.hidden + COORDINATES, *config.mlp, COORDINATES), config.batch_norm, config.slope)

    def forward(self, features: Tensor, face: Tensor) -> Tensor:
        """Displacements of a sequence.

        Args:
            features: (B, T, inputs). face: (B, 204), landmarks at rest.

        Returns:
            (B, T, 204).
        """
        batch, frames, channels = features.shape
        assert channels == self.config.inputs, features.shape
        if not self.config.streaming:
            state = self.read(windows(features, self.config.window).reshape(batch * frames, -1, channels))
            return self.answer(state, face.repeat_interleave(frames, 0)).reshape(batch, frames, -1)
        ahead = self.config.window - 1
        padded = torch.cat([features, features[:, -1:].expand(-1, ahead, -1)], dim=1)
        states = self.lstm(self._prior(padded))[0][:, ahead:]
        return self.answer(states.reshape(batch * frames, -1), face.repeat_interleave(frames, 0)).reshape(
            batch, frames, -1
        )

    def read(self, window: Tensor) -> Tensor:
        """The LSTM's last state after each window: (N, τ, inputs) → (N, hidden)."""
        return self.lstm(self._prior(window))[0][:, -1]

    def answer(self, states: Tensor, face: Tensor) -> Tensor:
        """Displacements of frames: states (N, hidden) and faces (N, 204) → (N, 204)."""
        return self.config.scale * self.mlp(torch.cat([self.dropout(states), face], dim=1))

    def _prior(self, features: Tensor) -> Tensor:
        if not self.config.prior:
            return features
        batch, frames, channels = features.shape
        return self.prior(features.reshape(batch * frames, channels)).reshape(batch, frames, -1)
