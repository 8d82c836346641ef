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
from typing import Any, ClassVar

import numpy as np
import torch
from makeittalk.exchange.constants import EMBEDDING
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.networks.normalised_mel import VoiceAverage, normalise_mel, voice_statistics
from makeittalk.networks.voice import VoiceConfig, VoiceConversion
from makeittalk.networks.voice_inference import TargetVoice, VoiceModel, convert, encode, save_voice
from torch import Tensor, nn

from ..data.augment import Augment, mask_bands, stretch, vary_sound
from ..data.clips import Prepared
from ..data.phones import PHONES
from ..data.recordings import UNLABELLED, Recording
from .config import LoopConfig
from .loop import train

_LEAST_HEARD = 250  # frames (4 s) a voice's statistics are taken over at least, as for short recordings later
_VALIDATED = 24  # recordings of each folder


@dataclass(frozen=True)
class VoiceLoss:
    """Weights of the terms; mels count in deviations of their band.

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
        data: folders made by prepare_voices. share: how often each is drawn, the same for all when empty.
        frames: of an example.
        blocks: block lengths, one of which is drawn for every batch; empty for the network's own.
        unknown: share of examples whose encoder is not told who speaks, so that it does not rely on it.
        converted: the training speaker whose voice is the target of the fixed conversion; empty for the last one.
        network, augment, loss: tables of VoiceConfig, Augment and VoiceLoss.
    """

    data: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    frames: int = 128
    blocks: list[int] = field(default_factory=list)
    unknown: float = 0.5
    converted: str = ""
    network: VoiceConfig = field(default_factory=VoiceConfig)
    augment: Augment = field(default_factory=Augment)
    loss: VoiceLoss = field(default_factory=VoiceLoss)

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


class Voices:
    """Recordings in memory, by folder, and the stretches each speaker's voice can be taken from."""

    def __init__(self, folders: list[str]) -> None:
        prepared = [Prepared.load(folder) for folder in folders]
        self.train = [[Recording.load(p.folder / f"{name}.npz") for name in p.train] for p in prepared]
        self.validation = [
            [Recording.load(p.folder / f"{name}.npz") for name in p.validation[:_VALIDATED]] for p in prepared
        ]
        if not all(self.train):
            raise InputError("A data folder holds no voices to train on.", "Prepare the voices again.")
        known = [recording for folder in self.train for recording in folder]
        self.speakers = {name: place for place, name in enumerate(sorted({r.speaker for r in known}))}
        self.average = VoiceAverage.of([recording.mel for recording in known])
        rows: dict[str, list[tuple[str, int, int, np.ndarray]]] = {}
        for recording in known:
            for (start, end), embedding in zip(recording.parts.tolist(), recording.embeddings, strict=True):
                rows.setdefault(recording.speaker, []).append((recording.name, start, end, embedding))
        self._parts = rows

    def embedding(self, recording: Recording, start: int, end: int, rng: np.random.Generator) -> np.ndarray:
        """The speaker's voice in a stretch other than [start, end) of a training recording, (256,)."""
        parts = self._parts[recording.speaker]
        for _ in range(8):
            name, first, last, embedding = parts[rng.integers(len(parts))]
            if name != recording.name or last <= start or first >= end:
                return embedding
        shared = [min(end, last) - max(start, first) if name == recording.name else 0 for name, first, last, _ in parts]
        return parts[int(np.argmin(shared))][3]


class _Reversed(torch.autograd.Function):
    """Identity forwards; backwards the gradient times −factor."""

    @staticmethod
    def forward(context: Any, values: Tensor, factor: float) -> Tensor:
        context.factor = factor
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -context.factor * gradients[0], None


class SpeakerCritic(nn.Module):
    """Tells the speaker from mean and deviation of A over a stretch: (B, T, C) → (B, speakers) logits."""

    def __init__(self, code: int, speakers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * code, 128), nn.LeakyReLU(0.1), nn.Linear(128, speakers))

    def forward(self, code: Tensor, factor: float) -> Tensor:
        code = _Reversed.apply(code, factor)
        spread = (code.var(1, unbiased=False) + 1e-4).sqrt()
        return self.layers(torch.cat([code.mean(1), spread], 1))


class VoiceTask:
    """Voice conversion for training.loop."""

    name = "voice"
    phases: ClassVar[dict[str, tuple[str, ...]]] = {"voice": ("voice", "phones", "critic")}

    def __init__(self, config: VoiceTrainingConfig) -> None:
        self.config = config
        self.voices = Voices(config.data)
        share = np.array(config.share or [1.0] * len(config.data), float)
        self.share = share / share.sum()

    def networks(self) -> dict[str, nn.Module]:
        """Fresh ones: `voice`, the `phones` told from A, and the `critic` that seeks the speaker in it."""
        voice = VoiceConversion(self.config.network)
        voice.mean.copy_(torch.from_numpy(self.voices.average.mean))
        voice.deviation.copy_(torch.from_numpy(self.voices.average.std))
        code = self.config.network.code
        return {
            "voice": voice,
            "phones": nn.Linear(code, len(PHONES)),
            "critic": SpeakerCritic(code, len(self.voices.speakers)),
        }

    def batch(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """`count` examples drawn from `rng`.

        Returns:
            `features` (B, T, 80) varied and normalised; `mel` (B, T, 80) S as it was; `mean`, `deviation` (B, 80) of
            the recording; `source`, `target` (B, 256); `phones` (B, T); `speaker` (B,); `block` ().
        """
        rows = [self._example(rng) for _ in range(count)]
        stacked = {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}
        blocks = self.config.blocks or [self.config.network.block]
        return stacked | {"block": torch.tensor(blocks[rng.integers(len(blocks))])}

    def _example(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        config, options = self.config, self.config.augment
        folder = self.voices.train[rng.choice(len(self.voices.train), p=self.share)]
        recording = folder[rng.integers(len(folder))]
        # A voice is known by its own frames alone: now by few seconds, now by many.
        length = int(rng.integers(min(_LEAST_HEARD, len(recording.mel)), len(recording.mel) + 1))
        start = int(rng.integers(0, len(recording.mel) - length + 1))
        mel, phones = recording.mel[start : start + length], recording.phones[start : start + length]
        varied = rng.random() < options.varied
        speed = rng.uniform(*options.speed) if varied else 1.0
        count = max(round(length / speed), config.frames)
        place = np.linspace(0.0, length - 1.0, count).round().astype(int)
        mel, phones = stretch(mel, count), phones[place]
        mean, deviation = voice_statistics(mel, self.voices.average)
        heard = vary_sound(mel, 0.0, options, rng) if varied else mel
        features = normalise_mel(heard, self.voices.average)
        if varied:
            features = mask_bands(features, options, rng)
        begin = int(rng.integers(0, count - config.frames + 1))
        cut = slice(begin, begin + config.frames)
        first, last = start + place[begin], start + place[begin + config.frames - 1] + 1
        source = self.voices.embedding(recording, first, last, rng)
        if rng.random() < config.unknown:
            source = np.zeros(EMBEDDING, np.float32)
        return {
            "features": features[cut],
            "mel": mel[cut].astype(np.float32),
            "mean": mean.astype(np.float32),
            "deviation": deviation.astype(np.float32),
            "source": source,
            "target": self.voices.embedding(recording, first, last, rng),
            "phones": phones[cut],
            "speaker": np.array(self.voices.speakers[recording.speaker]),
        }

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The terms of VoiceLoss, unweighted, and their weighted sum `loss`."""
        weights = self.config.loss
        code, rough, fine, again = networks["voice"](
            batch["features"],
            batch["source"],
            batch["target"],
            int(batch["block"]),
            (batch["mean"], batch["deviation"]),
        )
        scale = torch.from_numpy(self.voices.average.std).to(fine)
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
        """On voices never trained on, unvaried, by folder: `error` of the mel (deviations²), `phones` told right."""
        voice, head = networks["voice"], networks["phones"]
        assert isinstance(voice, VoiceConversion)
        result: dict[str, float] = {}
        for folder, recordings in zip(self.config.data, self.voices.validation, strict=True):
            errors, right, known = [], 0, 0
            for recording in recordings:
                features = normalise_mel(recording.mel, self.voices.average)
                code = encode(voice, features, recording.embedding)
                fine = convert(voice, code, recording.embedding)
                errors.append(float(np.mean(((fine - recording.mel) / self.voices.average.std) ** 2)))
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
        voice = networks["voice"]
        assert isinstance(voice, VoiceConversion)
        save_voice(out / "voice.safetensors", VoiceModel(voice, self.voices.average, self._target()), notes)

    def _target(self) -> TargetVoice:
        """The fixed target: the mean voice of the training speaker named by `converted`, else of the last one."""
        known = [recording for folder in self.voices.train for recording in folder]
        speaker = self.config.converted or known[-1].speaker
        own = [recording for recording in known if recording.speaker == speaker]
        if not own:
            raise InputError(f"There is no training speaker {speaker!r}.", "Name one of the data folders'.")
        mean = np.mean([recording.embedding for recording in own], axis=0)
        return TargetVoice(mean / np.linalg.norm(mean), VoiceAverage.of([recording.mel for recording in own]))


def train_voice(config_path: str | Path, progress: Progress = silent, **overrides: Any) -> Path:
    """Trains as a configuration says; a second call goes on from the last checkpoint to the same end.

    Args:
        config_path: TOML file, see VoiceTrainingConfig.
        progress: told after every step; may raise Cancelled, the last checkpoint stays.
        overrides: values for keys of the configuration, stronger than the file's.

    Returns:
        The folder `out`, which then holds `voice.safetensors` (fp16) and `log.jsonl`.

    Raises:
        InputError: configuration or data cannot be used.
    """
    config = VoiceTrainingConfig.load(config_path, **overrides)
    return train(VoiceTask(config), config, progress)
