"""Voice conversion: what is said, without who says it (AutoVC, Qian et al. 2019; paper, section 3.1).

A content encoder squeezes the mel through a bottleneck into the code A; a decoder and a postnet make a mel of A and
any speaker's embedding. The squeeze keeps one forward and one backward state of an LSTM a block of frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..audio.pitch_classes import PITCH_CLASSES
from ..exchange.constants import EMBEDDING, MEL_BANDS
from .config import NetworkConfig
from .normalised_mel import HIGHEST, LOWEST

_KERNEL = 5


@dataclass(frozen=True)
class VoiceConfig(NetworkConfig):
    """Which voice conversion.

    Attributes:
        units: of the bottleneck in each direction; A is twice as wide.
        block: frames that share one code.
        width, convolutions: of the encoder's convolutions, and how many.
        decoder, layers: width and depth of the decoder's LSTM.
        postnet: width of the postnet's five convolutions.
        groups: channels are normalised in so many groups over the whole recording (GroupNorm); 0 normalises all
            channels of each frame together, which is local in time, so that blocks of a long recording are exact.
        pitch: the decoder also reads a one-hot of the pitch.
        voice_scale: what the decoder multiplies embeddings by; of length 1, they are small beside A.
    """

    COUNTS: ClassVar[frozenset[str]] = frozenset(("layers", "convolutions"))

    units: int = 32
    block: int = 4
    width: int = 256
    convolutions: int = 3
    decoder: int = 256
    layers: int = 2
    postnet: int = 160
    groups: int = 0
    pitch: bool = False
    voice_scale: float = 1.0

    @classmethod
    def paper(cls) -> VoiceConfig:
        """The paper's sizes."""
        return cls(units=32, block=32, width=512, decoder=512, layers=3, postnet=512, groups=32)

    @classmethod
    def released(cls) -> VoiceConfig:
        """The released checkpoint `ckpt_autovc.pth`: 14.3 M parameters."""
        return cls(units=16, block=16, width=512, decoder=512, layers=3, postnet=512, groups=32, pitch=True)

    @property
    def code(self) -> int:
        """Width of A."""
        return 2 * self.units


class FrameNorm(nn.LayerNorm):
    """Normalises the channels of every frame on its own: (B, C, T) → the same."""

    def forward(self, values: Tensor) -> Tensor:
        return super().forward(values.transpose(1, 2)).transpose(1, 2)


class NormedConv(nn.Module):
    """Convolution over time that keeps the length, and its normalisation: (B, C, T) → (B, C', T)."""

    def __init__(self, narrow: int, wide: int, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(narrow, wide, _KERNEL, padding=_KERNEL // 2)
        # The released postnet ends in 80 channels, which 32 groups do not divide: the same 16 channels a group.
        self.norm: nn.Module = (
            nn.GroupNorm(groups if wide % groups == 0 else wide // 16, wide) if groups else FrameNorm(wide)
        )

    def forward(self, values: Tensor) -> Tensor:
        return self.norm(self.conv(values))


class ContentEncoder(nn.Module):
    """Mel and speaker embedding → the code A."""

    def __init__(self, config: VoiceConfig) -> None:
        super().__init__()
        self.config = config
        widths = [MEL_BANDS + EMBEDDING] + [config.width] * config.convolutions
        self.convolutions = nn.ModuleList(NormedConv(narrow, wide, config.groups) for narrow, wide in pairwise(widths))
        self.lstm = nn.LSTM(config.width, config.units, 2, batch_first=True, bidirectional=True)

    def forward(self, mel: Tensor, embedding: Tensor, block: int = 0) -> Tensor:
        """A at frame rate.

        Args:
            mel: (B, T, 80). embedding: (B, 256), the voice that speaks. block: frames a code, 0 for the network's own.

        Returns:
            (B, T, 2·units), constant within each block; blocks count from the first frame.
        """
        block = block or self.config.block
        frames = mel.shape[1]
        codes = self.codes(mel, embedding, block)
        return codes.repeat_interleave(block, 1)[:, :frames]

    def codes(self, mel: Tensor, embedding: Tensor, block: int = 0) -> Tensor:
        """One code a block, (B, ⌈T / block⌉, 2·units): the states that have read the whole block.

        That is the forward state at the block's end and the backward state at its start.
        """
        block = block or self.config.block
        frames, units = mel.shape[1], self.config.units
        values = torch.cat([mel, embedding[:, None].expand(-1, frames, -1)], 2).transpose(1, 2)
        for convolution in self.convolutions:
            values = torch.relu(convolution(values))
        states = self.lstm(values.transpose(1, 2))[0]
        last = torch.arange(block - 1, frames + block - 1, block, device=mel.device).clamp(max=frames - 1)
        return torch.cat([states[:, last, :units], states[:, ::block, units:]], 2)


class Decoder(nn.Module):
    """A and the embedding of any speaker → mel."""

    def __init__(self, config: VoiceConfig) -> None:
        super().__init__()
        self.pitch, self.voice_scale = config.pitch, config.voice_scale
        width = config.code + EMBEDDING + (PITCH_CLASSES if config.pitch else 0)
        self.lstm = nn.LSTM(width, config.decoder, config.layers, batch_first=True)
        self.projection = nn.Linear(config.decoder, MEL_BANDS)

    def forward(
        self,
        code: Tensor,
        embedding: Tensor,
        pitch: Tensor | None = None,
        state: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The mel before the postnet.

        Args:
            code: (B, T, 2·units). embedding: (B, 256). pitch: (B, T, 257), zero where unknown, for a network that
                reads it. state: what the call on the frames before gave back.

        Returns:
            (B, T, 80), and the state after it.
        """
        frames = code.shape[1]
        voice = self.voice_scale * embedding
        values = torch.cat([code, voice[:, None].expand(-1, frames, -1)], 2)
        if self.pitch:
            blank = values.new_zeros(len(values), frames, PITCH_CLASSES)
            values = torch.cat([values, blank if pitch is None else pitch], 2)
        states, state = self.lstm(values, state)
        return self.projection(states), state


class Postnet(nn.Module):
    """What is to be added to a mel to sharpen it: (B, T, 80) → (B, T, 80), reading 10 frames on either side."""

    reach = 10

    def __init__(self, config: VoiceConfig) -> None:
        super().__init__()
        widths = [MEL_BANDS] + [config.postnet] * 4 + [MEL_BANDS]
        self.convolutions = nn.ModuleList(NormedConv(narrow, wide, config.groups) for narrow, wide in pairwise(widths))
        if not config.groups:  # a residual must be free to be small
            self.convolutions[-1].norm = nn.Identity()

    def forward(self, mel: Tensor) -> Tensor:
        values = mel.transpose(1, 2)
        for convolution in self.convolutions[:-1]:
            values = torch.tanh(convolution(values))
        return self.convolutions[-1](values).transpose(1, 2)


class VoiceConversion(nn.Module):
    """Encoder, decoder and postnet, with the scale on which they hear and speak.

    The encoder hears `features.normalise_mel`, which is free of microphone and level; the decoder's answer times
    `deviation` plus `mean` is the mel S of a loudness-normalised recording. Both are left as they are (0 and 1) in the
    released network, which hears and speaks S itself.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: VoiceConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ContentEncoder(config)
        self.decoder = Decoder(config)
        self.postnet = Postnet(config)
        self.register_buffer("mean", torch.zeros(MEL_BANDS))
        self.register_buffer("deviation", torch.ones(MEL_BANDS))

    def forward(
        self,
        features: Tensor,
        source: Tensor,
        target: Tensor,
        block: int = 0,
        heard: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, ...]:
        """Says the features of one voice with another.

        Args:
            features: (B, T, 80). source, target: (B, 256), the voice that speaks and the one that shall.
            block: frames a code, 0 for the network's own.
            heard: mean and standard deviation, (B, 80) each, by which the encoder hears what was said once more.

        Returns:
            A (B, T, 2·units); the mels S before and after the postnet, (B, T, 80) each; with `heard`, A of the latter.
        """
        code = self.encoder(features, source, block)
        rough, fine = self.speak(code, target)
        if heard is None:
            return code, rough, fine
        mean, std = heard
        again = ((fine - mean[:, None]) / std[:, None]).clamp(LOWEST, HIGHEST)
        return code, rough, fine, self.encoder(again, target, block)

    def speak(self, code: Tensor, target: Tensor, pitch: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The mels S before and after the postnet, (B, T, 80) each, of a code said by a voice."""
        rough, _ = self.decoder(code, target, pitch)
        fine = rough + self.postnet(rough)
        return self.mean + self.deviation * rough, self.mean + self.deviation * fine
