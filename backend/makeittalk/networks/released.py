"""The released networks as configurations of this project's own, with the inputs and answers of the released files.

Written from a description of them and from the names and shapes of their tensors.
"""

from __future__ import annotations

import re
from typing import ClassVar

import torch
from torch import Tensor, nn

from .content import COORDINATES, ContentBranch, ContentConfig
from .image import PaperUNet
from .speaker import Attention, FeedForward, Norm, SpeakerBranch, SpeakerConfig
from .voice import ContentEncoder, Decoder, Postnet, VoiceConfig


class ReleasedModule(nn.Module):
    """Base of the four.

    Attributes:
        NAMES: what becomes of the names of tensors here, expressions and replacements, the first that fits alone.
    """

    NAMES: ClassVar[tuple[tuple[str, str], ...]] = ()

    @classmethod
    def released_name(cls, own: str) -> str:
        """What the released file calls a tensor of this module."""
        for pattern, replacement in cls.NAMES:
            name, changed = re.subn(pattern, replacement, own)
            if changed:
                return name
        return own

    @classmethod
    def unused(cls) -> nn.Module | None:
        """What else the released file holds and nothing here runs, named as it is there."""
        return None


class ReleasedVoice(ReleasedModule):
    """Voice conversion of `ckpt_autovc.pth`: a mel said with another voice, 14.3 M parameters."""

    NAMES = (
        (r"(convolutions\.\d+)\.conv\.", r"\1.0.conv."),
        (r"(convolutions\.\d+)\.norm\.", r"\1.1."),
        (r"^decoder\.projection\.", "decoder.linear_projection.linear_layer."),
    )

    def __init__(self) -> None:
        super().__init__()
        config = VoiceConfig.released()
        self.encoder, self.decoder, self.postnet = ContentEncoder(config), Decoder(config), Postnet(config)

    def forward(self, mel: Tensor, source: Tensor, pitch: Tensor, target: Tensor) -> Tensor:
        """The mel S after the postnet.

        Args:
            mel: (B, T, 80), S of the recording. source, target: (B, 256), the voice that speaks and the one that shall.
            pitch: (B, T, 257), one-hot, see `audio.pitch_classes`.

        Returns:
            (B, T, 80).
        """
        rough, _ = self.decoder(self.encoder(mel, source), target, pitch)
        return rough + self.postnet(rough)


class ReleasedContent(ReleasedModule):
    """The speech content branch of `ckpt_content_branch.pth`, 1.97 M parameters."""

    NAMES = ((r"^branch\.prior\.", "fc_prior."), (r"^branch\.lstm\.", "bilstm."), (r"^branch\.mlp\.", "fc."))

    def __init__(self) -> None:
        super().__init__()
        self.branch = ContentBranch(ContentConfig.released())

    def forward(self, windows: Tensor, face: Tensor) -> Tensor:
        """Displacements of frames.

        Args:
            windows: (N, 18, 80), the converted mel of each frame and of those behind it, standardised per band.
            face: (1, 204) or (N, 204), landmarks at rest.

        Returns:
            (N, 204).
        """
        if not len(windows):
            return windows.new_zeros(0, COORDINATES)
        return self.branch.answer(self.branch.read(windows), face.expand(len(windows), -1))


class ReleasedSpeaker(ReleasedModule):
    """The speaker-aware branch of `ckpt_speaker_branch.pth`, 3.00 M parameters with the decoder that nothing runs."""

    NAMES = (
        (r"^branch\.lstm\.", "audio_content_encoder."),
        (r"^branch\.voice\.", "spk_emb_encoder."),
        (r"^branch\.encoder\.embed\.", "encoder.embed.embed."),
        (r"^branch\.encoder\.pe$", "encoder.pe.pe"),
        (r"^branch\.encoder\.", "encoder."),
        (r"^branch\.mlp\.", "out."),
    )

    def __init__(self) -> None:
        super().__init__()
        self.branch = SpeakerBranch(SpeakerConfig.released())
        encoder = self.branch.encoder
        encoder.register_buffer("pe", encoder.pe)  # the positions are in the file, too

    def forward(self, windows: Tensor, embedding: Tensor, face: Tensor) -> Tensor:
        """Displacements of frames, without noise; up to 512 frames see each other, of more every 512 do.

        Args:
            windows: as `ReleasedContent.forward`. embedding: (N, 256) or (1, 256), the voice whose manner it is.
            face: (1, 204), which this branch does not read.

        Returns:
            (N, 204).
        """
        if not len(windows):
            return windows.new_zeros(0, COORDINATES)
        states = self.branch.lstm(windows)[0][:, -1]
        embedding = embedding.expand(len(windows), -1)
        size = self.branch.config.attention
        return torch.cat(
            [
                self.branch.answer(states[None, start : start + size], embedding[None, start : start + size], face)[0]
                for start in range(0, len(windows), size)
            ]
        )

    @classmethod
    def unused(cls) -> nn.Module:
        config = SpeakerConfig.released()
        width, layers = config.width, []
        for _ in range(config.depth):
            layer = nn.Module()
            for index in (1, 2, 3):
                layer.add_module(f"norm_{index}", Norm(width))
            for index in (1, 2):
                layer.add_module(f"attn_{index}", Attention(width, config.heads, 0.0))
            layer.add_module("ff", FeedForward(width, config.feed_forward, 0.0))
            layers.append(layer)
        pe = nn.Module()
        pe.register_buffer("pe", torch.empty(config.attention, width))
        decoder = nn.ModuleDict(
            {
                "embed": nn.ModuleDict({"embed": nn.Linear(COORDINATES, width)}),
                "pe": pe,
                "layers": nn.ModuleList(layers),
                "norm": Norm(width),
            }
        )
        return nn.ModuleDict({"decoder": decoder})


class ReleasedImage(ReleasedModule):
    """Image translation of `ckpt_116_i2i_comb.pth`, 69.9 M parameters."""

    NAMES = ((r"^network\.", ""),)

    def __init__(self) -> None:
        super().__init__()
        self.network = PaperUNet()

    def forward(self, images: Tensor) -> Tensor:
        """Frames (B, 3, H, W), −1 to 1, BGR, of the images (B, 6, H, W) as in `PaperUNet.answer`."""
        return self.network.answer(images)


#: By the names that the sets of them use.
RELEASED: dict[str, type[ReleasedModule]] = {
    "voice_conversion": ReleasedVoice,
    "content_branch": ReleasedContent,
    "speaker_branch": ReleasedSpeaker,
    "image_translation": ReleasedImage,
}
