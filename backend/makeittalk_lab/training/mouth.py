"""Trains the network for the inside of the mouth: L1, detail, perceptual and adversarial loss on mouths up close."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from makeittalk.mesh.mouth_texture import lit_texture
from makeittalk.mesh.teeth import SETS
from makeittalk.networks.mouth import MouthConfig, MouthNet, changed
from makeittalk.networks.mouth_inference import save_mouth
from torch import Tensor, nn
from torch.nn import functional

from ..data.clips import Prepared, without
from ..data.mouth_frames import MouthFrames
from ..data.picture_augment import PictureAugment
from ..losses.perceptual import load_vgg, perceptual_loss
from .config import LoopConfig, folders_of
from .mouth_examples import around_opening, mouth_example, mouth_pictures, stack_mouths
from .task import Draws

_VALIDATED = 40  # moments of each folder
_LIPS = 0.3  # what a pixel of the lips weighs, where one between them weighs 1


@dataclass(frozen=True)
class MouthLossWeights:
    """Weights of the losses beside L1.

    Attributes:
        perceptual: of VGG's features. detail: of the strength of edges, that an average of mouths would lose.
        critic: of what the critic takes for drawn.
    """

    perceptual: float = 0.1
    detail: float = 0.05
    critic: float = 0.02


@dataclass
class MouthTrainingConfig(LoopConfig):
    """One training run, read from a TOML file.

    Attributes:
        data: folders of `prepare mouth-frames`. share: how often each is drawn, the same for all when empty.
        leave_out: clips whose names begin so are not learned from; they validate.
        mouth, loss, augment: tables of MouthConfig, MouthLossWeights and PictureAugment.
    """

    data: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    leave_out: list[str] = field(default_factory=list)
    mouth: MouthConfig = field(default_factory=MouthConfig)
    loss: MouthLossWeights = field(default_factory=MouthLossWeights)
    augment: PictureAugment = field(
        default_factory=lambda: PictureAugment(turn=6.0, scale=1.15, stretch=1.1, apart=5.0, colour=0.06, swap=0.0)
    )

    def check(self) -> None:
        super().check()
        self.data = folders_of(self.data, self.share)


class Critic(nn.Module):
    """Says of each place of a mouth whether it was filmed (PatchGAN; Isola et al. 2017)."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        widths = (4, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [
                nn.utils.parametrizations.spectral_norm(nn.Conv2d(before, after, 4, 2, 1)),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Positive where pictures with their opening (B, 4, 128, 128) look filmed: (B, 1, 16, 16)."""
        said: Tensor = self.layers(pictures)
        return said


class MouthTask:
    """The training of the mouth network; see `task.Task`."""

    name = "mouth"
    phases: Mapping[str, tuple[str, ...]] = MappingProxyType({"mouth": ("mouth",), "critic": ("critic",)})

    def __init__(self, config: MouthTrainingConfig) -> None:
        self.config = config
        self.people: list[list[list[MouthFrames]]] = []  # of each folder, each person's clips
        self.held: list[list[MouthFrames]] = []
        self.textures: dict[tuple[str, int], np.ndarray] = {}
        for folder in config.data:
            found = Prepared.load(folder)
            learned, held = without(found, config.leave_out)
            people: dict[str, list[MouthFrames]] = {}
            for name in learned:
                people.setdefault(person(name), []).append(MouthFrames.load(found.folder, name))
            self.people.append(list(people.values()))
            self.held.append([MouthFrames.load(found.folder, name) for name in held])
        share = np.asarray(config.share or [1.0] * len(config.data), np.float64)
        share = share * [bool(people) for people in self.people]
        self.share = share / share.sum()

    def networks(self) -> dict[str, nn.Module]:
        found: dict[str, nn.Module] = {"mouth": MouthNet(self.config.mouth), "critic": Critic()}
        if self.config.loss.perceptual:
            found["features"] = load_vgg()
        return {
            name: network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            for name, network in found.items()
        }

    def batch(self, draws: Draws) -> dict[str, Tensor]:
        return stack_mouths([self._example(rng) for rng in draws.examples])

    def _example(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        people = self.people[int(rng.choice(len(self.people), p=self.share))]
        # People with few films are seen oftener than their films' number, and less often than as if all had as many.
        weights = np.sqrt([len(clips) for clips in people])
        clips = people[int(rng.choice(len(people), p=weights / weights.sum()))]
        frames = clips[int(rng.integers(len(clips)))]
        moment = int(rng.integers(len(frames.clip.landmarks)))
        texture = None if frames.own else self._texture(frames, int(rng.integers(SETS)))
        return mouth_example(frames, moment, texture, (rng, self.config.augment))

    def _texture(self, frames: MouthFrames, teeth: int) -> np.ndarray:
        """A clip's card with a set of teeth, as large as it is shown; drawn once."""
        key = (frames.clip.name, teeth)
        if key not in self.textures:
            self.textures[key] = frames.fitting(lit_texture(frames.light, frames.scale, teeth))
        return self.textures[key]

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        weights = self.config.loss
        if phase == "mouth":
            self.pictures = mouth_pictures(batch)
            self.made = self._made(networks["mouth"], self.pictures, batch)
        target, drawn = self.pictures[:, 6:], batch["drawn"].float() / 255
        made, zone = self.made, batch["zone"]
        # Only what may change is compared: around it lie the portrait's lips here and the film's there.
        mixed = target + zone * (made - target)
        seen, wanted, opening = (around_opening(picture, batch["corner"]) for picture in (mixed, target, drawn[:, :1]))
        if phase == "critic":
            real = networks["critic"](torch.cat([wanted, opening], dim=1)).float()
            fake = networks["critic"](torch.cat([seen.detach(), opening], dim=1)).float()
            near = functional.interpolate(functional.max_pool2d(opening, 8), real.shape[2:])
            total = (near * (functional.relu(1 - real) + functional.relu(1 + fake))).sum() / near.sum().clamp(min=1)
            return {"loss": total}
        weight = zone * (_LIPS + (1 - _LIPS) * drawn[:, :1])
        weight = weight / weight.sum(dim=(1, 2, 3), keepdim=True).clamp(min=64.0)
        parts = {"l1": (weight * (made - target).abs()).sum() / len(made) / 3}
        parts["detail"] = detail_loss(seen, wanted, opening)
        total = parts["l1"] + weights.detail * parts["detail"]
        if "features" in networks:
            small = [functional.avg_pool2d(picture, 2) for picture in (seen, wanted)]
            with torch.no_grad():
                features = networks["features"](small[1])
            parts["perceptual"] = perceptual_loss(networks["features"](small[0]), features)
            total = total + weights.perceptual * parts["perceptual"]
        if weights.critic:
            said = networks["critic"](torch.cat([seen, opening], dim=1)).float()
            near = functional.interpolate(functional.max_pool2d(opening, 8), said.shape[2:])
            parts["critic"] = -(near * said).sum() / near.sum().clamp(min=1)
            total = total + weights.critic * parts["critic"]
        return {"loss": total, **parts}

    def _made(self, network: nn.Module, pictures: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """The mouths (B, 3, 256, 256) that the network makes of a batch, whose pictures are (B, 9, 256, 256)."""
        drawn = batch["drawn"].float() / 255
        inputs = torch.cat([pictures[:, :6], drawn], dim=1).contiguous(memory_format=torch.channels_last)
        return changed(pictures[:, 3:6], network(inputs).float())

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """Mean absolute error in the opening, of 255, and its detail, by the network and by the warp alone."""
        found: dict[str, float] = {}
        device = next(networks["mouth"].parameters()).device
        for folder, clips in zip(self.config.data, self.held, strict=True):
            scores: list[Tensor] = []
            moments = [(clip, moment) for clip in clips for moment in range(len(clip.clip.landmarks))]
            step = max(1, len(moments) // _VALIDATED)
            for first in range(0, len(moments), 8 * step):
                part = moments[first : first + 8 * step : step]
                batch = stack_mouths([mouth_example(clip, moment) for clip, moment in part])
                batch = {name: value.to(device) for name, value in batch.items()}
                pictures = mouth_pictures(batch)
                made = self._made(networks["mouth"], pictures, batch).clamp(0, 1)
                warp, target = pictures[:, 3:6], pictures[:, 6:]
                made = warp + batch["zone"] * (made - warp)
                inside = (batch["drawn"][:, :1] > 127).float()
                area = inside.sum(dim=(1, 2, 3)).clamp(min=1)
                edges = [_edges(picture) * inside for picture in (made, warp, target)]
                means = [edge.sum(dim=(1, 2, 3)) / area for edge in edges]
                errors = [
                    255 * (inside * (picture - target).abs().mean(1, keepdim=True)).sum(dim=(1, 2, 3)) / area
                    for picture in (made, warp)
                ]
                scores.append(torch.stack([*errors, means[0] / means[2].clamp(min=1e-4)], dim=1))
            if scores:
                values = torch.cat(scores).mean(dim=0).tolist()
                name = Path(folder).name
                found |= {f"{name} {key}": value for key, value in zip(("made", "warp", "detail"), values, strict=True)}
        return found

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        names = ", ".join(Path(folder).name for folder in self.config.data)
        mouth = networks["mouth"]
        assert isinstance(mouth, MouthNet)
        save_mouth(out / "mouth.safetensors", mouth, {**notes, "data": names})


def _edges(pictures: Tensor) -> Tensor:
    """|Laplacian| of the grey of pictures (B, 3, H, W), (B, 1, H, W)."""
    grey = pictures.mean(dim=1, keepdim=True)
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], device=grey.device, dtype=grey.dtype)
    return functional.conv2d(grey, kernel.view(1, 1, 3, 3), padding=1).abs()


def detail_loss(made: Tensor, target: Tensor, opening: Tensor) -> Tensor:
    """How differently strong edges are in the opening, at three scales, as the difference of their logarithms."""
    parts = []
    for _ in range(3):
        area = opening.sum(dim=(1, 2, 3)).clamp(min=1.0)
        found, wanted = (
            (_edges(picture) * opening).sum(dim=(1, 2, 3)) / area for picture in (made.float(), target.float())
        )
        parts.append((torch.log(found + 0.004) - torch.log(wanted + 0.004)).abs().mean())
        made, target, opening = (functional.avg_pool2d(picture, 2) for picture in (made, target, opening))
    return torch.stack(parts).mean()


def person(name: str) -> str:
    """Who is seen in a clip: films of many speakers have the speaker before the first underscore."""
    first = name.split("_")[0]
    return first if first[:1] == "s" and first[1:].isdigit() else name if "_" in name else "one"
