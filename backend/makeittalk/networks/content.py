"""Speech content branch: from what is said to the motion of lips and jaw (paper, section 3.2).

Per frame an LSTM reads the sound up to τ frames ahead; its state and the static face q give the displacement Δq. The
shipped one reads windows of at most 6 s both ways.
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
SPAN = 375  # frames, 6 s: the longest window that a branch reads both ways
_PRIOR_SLOPE = 0.2  # of the layers before the LSTM, the released branch's


@dataclass(frozen=True)
class ContentConfig(NetworkConfig):
    """Which content branch.

    Attributes:
        inputs: width of a frame's features: 64 for the voice-conversion code A, 80 for the mel, 512 for Whisper's.
        prior: widths of the layers between features and LSTM, empty for none; every one but the last is followed
            by normalisation and activation.
        window: τ, how many frames the branch reads for one frame of motion, itself included: [t, t + τ).
        streaming: the LSTM runs once over the whole recording and answers for frame t after it read frame
            t + τ − 1, so that it knows the past as well; otherwise it starts anew on every window (the paper).
        bidirectional: a second LSTM reads from the end of the recording, or of a window of `SPAN` frames; τ counts for
            nothing then.
        squeeze: width of one layer before the LSTM, 0 for none. stride: frames of speech that it sees side by side,
            for each of which the MLP answers: film has 25 frames/s where the features have 62.5.
        hidden, layers: size of the LSTM.
        mlp: widths of the hidden layers behind it.
        batch_norm: whether the hidden layers of the MLP are normalised.
        slope: negative slope of the leaky activations, 0 for ReLU.
        face: whether the MLP is told the face at rest.
        dropout: share of the features and of the LSTM's answers dropped while learning.
        noise: standard deviation of the noise added to the features while learning.
        scale: canonical units in one unit of the MLP's answer, so that a fresh network starts near rest.
    """

    COUNTS: ClassVar[frozenset[str]] = frozenset(("layers",))

    inputs: int = 64
    prior: tuple[int, ...] = ()
    window: int = CONTENT_WINDOW
    streaming: bool = False
    bidirectional: bool = False
    squeeze: int = 0
    stride: int = 1
    hidden: int = 256
    layers: int = 3
    mlp: tuple[int, ...] = (512, 256)
    batch_norm: bool = False
    slope: float = 0.0
    face: bool = True
    dropout: float = 0.0
    noise: float = 0.0
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
        self.squeeze = nn.Linear(width * config.stride, config.squeeze) if config.squeeze else None
        width = config.squeeze or width * config.stride
        between = config.dropout if config.bidirectional and config.layers > 1 else 0.0
        self.lstm = nn.LSTM(
            width,
            config.hidden,
            config.layers,
            batch_first=True,
            bidirectional=config.bidirectional,
            dropout=between,
        )
        self.dropout = nn.Dropout(config.dropout)
        state = config.hidden * (2 if config.bidirectional else 1) + (COORDINATES if config.face else 0)
        self.mlp = perceptron((state, *config.mlp, COORDINATES * config.stride), config.batch_norm, config.slope)

    def forward(self, features: Tensor, face: Tensor) -> Tensor:
        """Displacements of a sequence.

        Args:
            features: (B, T, inputs). face: (B, 204), landmarks at rest.

        Returns:
            (B, T, 204).
        """
        batch, frames, channels = features.shape
        assert channels == self.config.inputs, features.shape
        if self.config.bidirectional:
            states = self.lstm(self._read(features))[0]
            steps = states.shape[1]
            moved = self.answer(states.reshape(batch * steps, -1), face.repeat_interleave(steps, 0))
            return moved.reshape(batch, steps * self.config.stride, -1)[:, :frames]
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
        """Displacements of frames: states (N, hidden) and faces (N, 204) → (N, 204 · stride)."""
        states = self.dropout(states)
        return self.config.scale * self.mlp(torch.cat([states, face], dim=1) if self.config.face else states)

    def _read(self, features: Tensor) -> Tensor:
        """What the LSTM steps over, `stride` frames in each step: (B, T, inputs) → (B, T / stride, width)."""
        if self.training and self.config.noise:
            features = features + self.config.noise * torch.randn_like(features)
        stride = self.config.stride
        lacking = -features.shape[1] % stride
        if lacking:
            features = torch.cat([features, features[:, -1:].expand(-1, lacking, -1)], dim=1)
        steps = self.dropout(self._prior(features)).unflatten(1, (-1, stride)).flatten(2)
        return steps if self.squeeze is None else torch.relu(self.squeeze(steps))

    def _prior(self, features: Tensor) -> Tensor:
        if not self.config.prior:
            return features
        batch, frames, channels = features.shape
        return self.prior(features.reshape(batch * frames, channels)).reshape(batch, frames, -1)
