"""Trains the network that makes photographs move (paper section 3.4): L1, perceptual and style loss on clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from makeittalk.images.face_crop import SIZE
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image import ImageConfig, PaperUNet
from makeittalk.networks.image_inference import VARIANTS, save_image
from torch import Tensor, nn

from ..data.clips import Prepared, without
from ..data.image_clips import ImageClip
from ..data.picture_augment import PictureAugment
from ..evaluation.picture_metrics import compare, mouth_box
from ..losses.image_loss import ImageLossWeights
from ..losses.perceptual import load_vgg, perceptual_loss, style_loss
from .config import LoopConfig, folders_of
from .image_examples import cut, image_example, stack_examples
from .task import Draws


@dataclass
class ImageTrainingConfig(LoopConfig):
    """One training run, read from a TOML file.

    Attributes:
        data: folders of `prepare frames`. share: how often each is drawn, the same for all when empty.
        leave_out: clips whose names begin so are not learned from; they validate.
        kind: "correction" or "paper". patch: side of the patches learned from, px; 256 for the whole face.
        correction, paper, loss, augment: tables of CorrectionConfig, ImageConfig, ImageLossWeights and PictureAugment.
    """

    data: list[str] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    leave_out: list[str] = field(default_factory=list)
    kind: str = "correction"
    patch: int = 128
    correction: CorrectionConfig = field(default_factory=CorrectionConfig)
    paper: ImageConfig = field(default_factory=ImageConfig)
    loss: ImageLossWeights = field(default_factory=ImageLossWeights)
    augment: PictureAugment = field(default_factory=PictureAugment)

    def check(self) -> None:
        super().check()
        self.data = folders_of(self.data, self.share)
        if self.kind not in VARIANTS:
            raise ValueError(f"kind is one of {', '.join(VARIANTS)}")
        if self.patch % 64 or not 64 <= self.patch <= SIZE:
            raise ValueError("patch is 64, 128, 192 or 256")


class ImageTask:
    """The training of an image network; see `task.Task`."""

    name = "image"
    phases: Mapping[str, tuple[str, ...]] = MappingProxyType({"image": ("image",)})

    def __init__(self, config: ImageTrainingConfig) -> None:
        self.config = config
        self.clips: list[list[ImageClip]] = []
        self.held: list[list[ImageClip]] = []
        for folder in config.data:
            found = Prepared.load(folder)
            learned, held = without(found, config.leave_out)
            self.clips.append([ImageClip.load(found.folder, name) for name in learned])
            self.held.append([ImageClip.load(found.folder, name) for name in held])
        share = np.asarray(config.share or [1.0] * len(self.clips), np.float64)
        share = share * [bool(clips) for clips in self.clips]
        self.share = share / share.sum()

    def networks(self) -> dict[str, nn.Module]:
        network = (
            CorrectionNet(self.config.correction) if self.config.kind == "correction" else PaperUNet(self.config.paper)
        )
        found: dict[str, nn.Module] = {"image": _channels_last(network)}
        if self.config.loss.perceptual or self.config.loss.style:
            found["features"] = _channels_last(load_vgg())
        return found

    def batch(self, draws: Draws) -> dict[str, Tensor]:
        return stack_examples([self._example(rng) for rng in draws.examples])

    def _example(self, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        clips = self.clips[int(rng.choice(len(self.clips), p=self.share))]
        clip = clips[int(rng.integers(len(clips)))]
        moment = int(rng.integers(len(clip.landmarks)))
        return image_example(clip, moment, self.config.patch, self.config.loss, (rng, self.config.augment))

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        target = batch["pictures"][:, 6:]
        made, mask = self._made(networks["image"], batch)
        weights = self.config.loss
        parts: dict[str, Tensor] = {"l1": (batch["weight"] * (made - target).abs()).mean()}
        total = parts["l1"]
        if mask is not None:
            parts["mask"] = mask.mean()
            total = total + weights.mask * parts["mask"]
        if "features" in networks:
            corners, side = batch["corner"].tolist(), min(weights.seen, self.config.patch)
            with torch.no_grad():
                wanted = networks["features"](cut(target, corners, side))
            found = networks["features"](cut(made, corners, side))
            parts["perceptual"] = perceptual_loss(found, wanted)
            total = total + weights.perceptual * parts["perceptual"]
            if weights.style:
                parts["style"] = style_loss(found, wanted)
                total = total + weights.style * parts["style"]
        return {"loss": total, **parts}

    def _made(self, network: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """The pictures that a network makes of a batch, and their masks; see `compose`."""
        inputs = network_inputs(self.config.kind, batch["pictures"], batch["drawn"].float() / 255)
        answer = network(inputs.contiguous(memory_format=torch.channels_last))
        return compose(self.config.kind, answer, batch["pictures"])

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """PSNR in the mouth box of the network and of the warp alone, for each folder."""
        found: dict[str, float] = {}
        device = next(networks["image"].parameters()).device
        for folder, clips in zip(self.config.data, self.held, strict=True):
            scores: list[tuple[float, float]] = []
            for clip in clips[:24]:
                moments = range(0, len(clip.landmarks), 3)
                batch = stack_examples([image_example(clip, moment, SIZE, self.config.loss) for moment in moments])
                made, _ = self._made(networks["image"], {name: value.to(device) for name, value in batch.items()})
                shown = made.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
                for picture, moment in zip(shown, moments, strict=True):
                    box, truth = mouth_box(clip.landmarks[moment]), clip.targets[moment]
                    pair = [compare(frame, truth, box)["PSNR"] for frame in (picture, clip.warps[moment])]
                    scores.append((pair[0], pair[1]))
            if scores:
                name = Path(folder).name
                found[f"{name} mouth"], found[f"{name} mouth warp"] = np.mean(scores, axis=0).tolist()
        return found

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        notes = {
            **notes,
            "data": ", ".join(Path(folder).name for folder in self.config.data),
            "patch": str(self.config.patch),
        }
        save_image(out / "image.safetensors", networks["image"], self.config.kind, notes)


def network_inputs(kind: str, pictures: Tensor, drawn: Tensor) -> Tensor:
    """What a network of a kind is given: pictures (B, ≥6, H, W) portrait and warp, drawn (B, 4, H, W), 0–1."""
    if kind == "paper":
        return torch.cat([drawn[:, :3], pictures[:, [2, 1, 0]]], dim=1)
    return torch.cat([pictures[:, :6], drawn], dim=1)


def compose(kind: str, answer: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
    """The picture (B, 3, H, W) RGB that a network's answer stands for, and its mask where it has one."""
    answer = answer.float()
    if kind == "paper":
        return answer[:, [2, 1, 0]], None
    mask = answer[:, 3:]
    warp = pictures[:, 3:6]
    return warp + mask * (answer[:, :3] - warp), mask


def _channels_last(network: nn.Module) -> nn.Module:
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
