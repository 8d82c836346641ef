"""Trains voice conversion on recordings of many speakers (AutoVC, Qian et al. 2019; paper, section 3.1).

Beyond the paper, the encoder hears a strongly varied mel (vocal tract, colour, noise, speed) while the decoder has to
give the mel as it was, in the voice of another stretch of the speaker: what varies cannot be copied through the code
and so is not worth carrying. A linear layer that has to tell the phones from A keeps what lips need; a critic whose
gradient is reversed (Ganin and Lempitsky 2015) drives out what tells the speaker.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel
from makeittalk.networks.voice import VoiceConfig, VoiceConversion
from makeittalk.networks.voice_inference import TargetVoice, VoiceModel, convert, encode, save_voice
from torch import Tensor, nn

from ..data.augment import Augment
from ..data.phones import PHONES
from ..data.recordings import UNLABELLED
from .config import LoopConfig
from .speaker_classifier import SpeakerClassifier
from .task import Draws
from .voice_examples import VoiceExamples


@dataclass(frozen=True)
class VoiceLossWeights:
    """Weights of the terms; mels count in standard deviations of their band.

    Attributes:
        rough, fine: self-reconstruction before and after the postnet (paper).
        code: A of what was said against A of what was heard (paper).
        phones: cross-entropy of the phones told from A.
        speaker: how strongly the critic's gradient is reversed.
    """

    rough: float = 1.0
    fine: float = 1.0
    code: float = 1.0
    phones: float = 1.0
    speaker: float = 0.3


@dataclass
class VoiceTrainingConfig(LoopConfig):
    """One training run, read from a TOML file.

    Attributes:
        data: folders made by `prepare voices`. share: how often each is drawn, the same for all when empty.
        frames: of an example.
        blocks: block lengths, one of which is drawn for every batch; empty for the network's own.
        unknown: share of examples whose encoder is not told who speaks, so that it does not rely on it.
        converted: the training speaker whose voice is the target of the fixed conversion; empty for the last one.
        network, augment, loss: tables of VoiceConfig, Augment and VoiceLossWeights.
    """

    data: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    frames: int = 128
    blocks: list[int] = field(default_factory=list)
    unknown: float = 0.5
    converted: str = ""
    network: VoiceConfig = field(default_factory=VoiceConfig)
    augment: Augment = field(default_factory=Augment)
    loss: VoiceLossWeights = field(default_factory=VoiceLossWeights)

    def check(self) -> None:
        """Expands the data folders' names.

        Raises:
            ValueError: a value cannot be used.
        """
        super().check()
        if not self.data:
            raise ValueError("it names no data folders")
        if self.share and len(self.share) != len(self.data):
            raise ValueError("share and data differ in length")
        if self.frames < 1 or any(block < 1 for block in [*self.blocks, self.network.block]):
            raise ValueError("frames and blocks must be above 0")
        self.data = [os.path.expanduser(folder) for folder in self.data]


class VoiceTask:
    """Voice conversion for training.loop."""

    name = "voice"
    phases: ClassVar[dict[str, tuple[str, ...]]] = {"voice": ("voice", "phones", "critic")}

    def __init__(self, config: VoiceTrainingConfig) -> None:
        self.config = config
        self.examples = VoiceExamples(config.data, config.share)

    def networks(self) -> dict[str, nn.Module]:
        """Fresh ones: `voice`, the `phones` told from A, and the `critic` that seeks the speaker in it."""
        network = VoiceConversion(self.config.network)
        network.mean.copy_(torch.from_numpy(self.examples.average.mean))
        network.deviation.copy_(torch.from_numpy(self.examples.average.std))
        code = self.config.network.code
        return {
            "voice": network,
            "phones": nn.Linear(code, len(PHONES)),
            "critic": SpeakerClassifier(code, len(self.examples.speakers)),
        }

    def batch(self, draws: Draws) -> dict[str, Tensor]:
        """Varied stretches of recordings.

        Returns:
            `features` (B, T, 80) varied and normalised; `mel` (B, T, 80) S as it was; `mean`, `std` (B, 80) of
            the recording; `source`, `target` (B, 256); `phones` (B, T); `speaker` (B,); `block` ().
        """
        config = self.config
        rows = [self.examples.draw(rng, config.frames, config.unknown, config.augment) for rng in draws.examples]
        stacked = {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}
        blocks = config.blocks or [config.network.block]
        return stacked | {"block": torch.tensor(blocks[draws.step.integers(len(blocks))])}

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The terms of VoiceLossWeights, unweighted, and their weighted sum `loss`."""
        weights = self.config.loss
        code, rough, fine, again = networks["voice"](
            batch["features"],
            batch["source"],
            batch["target"],
            int(batch["block"]),
            (batch["mean"], batch["std"]),
        )
        scale = torch.from_numpy(self.examples.average.std).to(fine)
        phones, known = batch["phones"].flatten(), (batch["phones"] != UNLABELLED).sum()
        told = networks["phones"](code).flatten(0, 1)
        parts = {
            "rough": ((rough - batch["mel"]) / scale).square().mean(),
            "fine": ((fine - batch["mel"]) / scale).square().mean(),
            "code": (again - code).abs().mean(),
            "phones": nn.functional.cross_entropy(told, phones, ignore_index=UNLABELLED, reduction="sum")
            / known.clamp(min=1),
            "speaker": nn.functional.cross_entropy(networks["critic"](code, weights.speaker), batch["speaker"]),
        }
        # The critic learns at full strength; what it sends back to the code is scaled where it is reversed.
        total = parts["speaker"] + sum(
            getattr(weights, name) * parts[name] for name in ("rough", "fine", "code", "phones")
        )
        return {"loss": total, **parts}

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """On voices never trained on, unvaried, by folder: `error` of the mel (std²), share of `phones` told."""
        network, head = networks["voice"], networks["phones"]
        assert isinstance(network, VoiceConversion)
        result: dict[str, float] = {}
        for folder, recordings in zip(self.config.data, self.examples.validation, strict=True):
            errors, right, known = [], 0, 0
            for recording in recordings:
                features = normalise_mel(recording.mel, self.examples.average)
                code = encode(network, features, recording.embedding)
                fine = convert(network, code, recording.embedding)
                errors.append(float(np.mean(((fine - recording.mel) / self.examples.average.std) ** 2)))
                with torch.inference_mode():
                    device = next(head.parameters()).device
                    told = head(torch.from_numpy(code).to(device)).argmax(1).cpu().numpy()
                labelled = recording.phones != UNLABELLED
                right += int((told == recording.phones)[labelled].sum())
                known += int(labelled.sum())
            name = Path(folder).name
            result[f"{name}_error"] = float(np.mean(errors)) if errors else float("nan")
            result[f"{name}_phones"] = right / max(known, 1)
        return result

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        """Writes `voice.safetensors`: the conversion and the voice it converts to where none is named."""
        network = networks["voice"]
        assert isinstance(network, VoiceConversion)
        save_voice(out / "voice.safetensors", VoiceModel(network, self.examples.average, self._target()), notes)

    def _target(self) -> TargetVoice:
        """The fixed target: the mean voice of the training speaker named by `converted`, else of the last one."""
        known = [recording for folder in self.examples.train for recording in folder]
        speaker = self.config.converted or known[-1].speaker
        own = [recording for recording in known if recording.speaker == speaker]
        if not own:
            raise InputError(f"There is no training speaker {speaker!r}.", "Name one of the data folders'.")
        mean = np.mean([recording.embedding for recording in own], axis=0)
        return TargetVoice(mean / np.linalg.norm(mean), VoiceAverage.of([recording.mel for recording in own]))
