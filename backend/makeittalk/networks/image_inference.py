"""Runs an image network over the frames of a character: 256 × 256 px around the face, uint8 in and out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..exchange.constants import LANDMARKS
from ..exchange.errors import MissingError
from ..images.face_crop import SIZE
from ..images.landmark_image import draw_landmarks, fill_mouth
from ..weights.cache import kept_loaded
from ..weights.store import network_weights, save_weights
from .correction import CorrectionConfig, CorrectionNet
from .device import choose_device
from .folding import fast_dtype, fold_norms
from .image import ImageConfig, PaperUNet
from .mouth_inference import MouthModel, load_mouth

DEFAULT_IMAGE = "image"
VARIANTS = ("correction", "paper")
_BATCH = 8  # frames at once where free memory is not asked; a CPU is slower with fewer and with more
_LARGEST_BATCH = 64  # frames at once on a GPU
_SHARE = 0.5  # of a GPU's free memory

ImageNetwork = CorrectionNet | PaperUNet


class ImageModel:
    """An image network ready to run.

    Attributes:
        variant: "correction" or "paper". device: "cpu", "cuda" or "mps". dtype: what it computes in.
        notes: what its training wrote down.
        mouth: the network of the mouth's inside, None where this one draws it, too.
    """

    def __init__(
        self,
        network: ImageNetwork,
        variant: str,
        device: str = "cpu",
        notes: Mapping[str, Any] | None = None,
        dtype: torch.dtype | None = None,
        mouth: MouthModel | None = None,
    ) -> None:
        """
        Args:
            network: is copied. dtype: the fastest on the device by default.
        """
        assert variant in VARIANTS, variant
        self.mouth = mouth
        self.variant, self.device, self.notes = variant, device, dict(notes or {})
        self.dtype = dtype or fast_dtype(device)
        self._network = self._placed(fold_norms(copy.deepcopy(network).float().eval().requires_grad_(False)))
        # Which channels hold the portrait, the same for all frames, and which what moves.
        self._still, self._moving = (
            (slice(0, 3), slice(3, 10)) if variant == "correction" else (slice(3, 6), slice(0, 3))
        )
        self._tried = self.dtype != torch.float16 and device != "cuda"
        self._frame_bytes = 0  # memory that a frame takes on a GPU, known once one was tried

    def translate(
        self, portrait: np.ndarray, warps: np.ndarray, landmarks: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the network makes of frames.

        Args:
            portrait: (256, 256, 3) uint8 RGB, the face at rest.
            warps: (B, 256, 256, 3) uint8 RGB, the portrait moved by the mesh; the paper's network does not look.
            landmarks: (B, 68, ≥2), px of these pictures.

        Returns:
            Colours (B, 256, 256, 3) uint8 RGB, and masks (B, 256, 256) uint8: where the colours shall stand, 255 for
            wholly; everywhere for the paper's network.

        Raises:
            MissingError: the GPU's memory does not hold a single frame.
        """
        count = len(landmarks)
        assert portrait.shape == (SIZE, SIZE, 3) and portrait.dtype == np.uint8, portrait.shape
        assert warps.shape == (count, SIZE, SIZE, 3) and warps.dtype == np.uint8, warps.shape
        assert landmarks.shape[1] == LANDMARKS and landmarks.shape[2] >= 2, landmarks.shape
        # `flags` turns cuDNN off unless told otherwise.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True):
            try:
                made = self._made(portrait, warps, landmarks)
            except torch.OutOfMemoryError as error:
                raise MissingError(
                    "The GPU has too little free memory for a single frame.", "Close other programs or choose the CPU."
                ) from error
        colours, masks = made[..., :3], made[..., 3:]
        if self.variant == "paper":
            return np.ascontiguousarray(colours[..., ::-1]), np.full((count, SIZE, SIZE), 255, np.uint8)
        return np.ascontiguousarray(colours), np.ascontiguousarray(masks[..., 0])

    def _made(self, portrait: np.ndarray, warps: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """The network's channels of all frames, (B, 256, 256, 3 or 4) uint8; they leave the device together."""
        count = len(landmarks)
        made = torch.empty((count, SIZE, SIZE, 4 if self.variant == "correction" else 3), dtype=torch.uint8)
        made = made.to(self.device)
        shown = torch.from_numpy(np.array(portrait[..., ::-1] if self.variant == "paper" else portrait))
        if count and not self._tried:
            self._try(shown, self._drawn(warps[:1], landmarks[:1]))
        first, size = 0, self._at_once() if count else 0
        while first < count:
            part = slice(first, min(first + size, count))
            try:
                answer = self._answer(shown, self._drawn(warps[part], landmarks[part]))
            except torch.OutOfMemoryError:
                if size == 1:
                    raise
                size = size // 2
                continue
            made[part] = answer.clamp_(0.0, 1.0).mul_(255.0).add_(0.5).to(torch.uint8).permute(0, 2, 3, 1)
            first = part.stop
        return np.asarray(made.cpu().numpy())

    def _drawn(self, warps: np.ndarray, landmarks: np.ndarray) -> Tensor:
        """The channels that move, (B, 256, 256, 7 or 3) uint8."""
        lines = np.stack([draw_landmarks(points) for points in landmarks])
        if self.variant == "paper":
            return torch.from_numpy(lines)
        mouths = np.stack([fill_mouth(points) for points in landmarks])[..., None]
        return torch.from_numpy(np.concatenate([warps, lines, mouths], axis=3))

    def _answer(self, portrait: Tensor, moving: Tensor) -> Tensor:
        """What the network says of one batch, on the device: (B, 3 or 4, 256, 256) float32."""
        x = torch.empty((len(moving), SIZE, SIZE, portrait.shape[2] + moving.shape[3]), device=self.device)
        x[..., self._still] = portrait.to(self.device)
        x[..., self._moving] = moving.to(self.device)
        answer: Tensor = self._network((x / 255.0).to(self.dtype).permute(0, 3, 1, 2))
        return answer.float()

    def _try(self, portrait: Tensor, moving: Tensor) -> None:
        """Learns from one frame how much memory it takes, and whether half precision reaches as far as its numbers."""
        cuda = self.device == "cuda"
        if cuda:
            before = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()
        if self.dtype == torch.float16 and not bool(torch.isfinite(self._answer(portrait, moving)).all()):
            self.dtype = torch.float32
            self._network = self._placed(self._network)
            self._answer(portrait, moving)
        if cuda:
            self._frame_bytes = max(1, torch.cuda.max_memory_allocated() - before)
        self._tried = True

    def _at_once(self) -> int:
        """How many frames fit the memory, a fixed number where it is the machine's own."""
        if self.device != "cuda":
            return _BATCH
        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        free = torch.cuda.mem_get_info()[0] + kept
        return int(np.clip(_SHARE * free / self._frame_bytes, 1, _LARGEST_BATCH))

    def _placed(self, network: nn.Module) -> nn.Module:
        """The network on the device, in its precision, channels last."""
        moved: nn.Module = network.to(self.device, self.dtype)
        return moved.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def save_image(path: str | Path, network: nn.Module, variant: str, notes: Mapping[str, Any]) -> None:
    """Writes an image network with everything that is needed to use it.

    Args:
        path: a .safetensors file. network: a CorrectionNet or PaperUNet. variant: "correction" or "paper".
        notes: what to remember of its training, JSON values.

    Raises:
        OutputError: it cannot be written.
    """
    assert isinstance(network, ImageNetwork) and variant in VARIANTS, variant
    save_weights(path, "image", network, {"variant": variant, "config": network.config.to_dict()}, notes)


def load_image(name: str | None = None, device: str = "cpu", mouth: str | None = None) -> ImageModel:
    """An image network with its weights, and a network of the mouth's inside where one is named.

    Args:
        name: a listed set, a path to a .safetensors file of one's own training, or None for the default.
        device: "auto", "cpu", "cuda" or "mps".
        mouth: a path to weights of one's own training; None leaves the mouth to the image network and the mesh's card.

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind, or there is no such device.
    """
    return _load_image(name or DEFAULT_IMAGE, choose_device(device), mouth or "")


@kept_loaded
def _load_image(name: str, device: str, mouth: str) -> ImageModel:
    network, variant, notes = read_image(name)
    inside = load_mouth(mouth, device) if mouth and variant == "correction" else None
    return ImageModel(network, variant, device, notes, mouth=inside)


def read_image(name: str = DEFAULT_IMAGE) -> tuple[ImageNetwork, str, dict[str, Any]]:
    """An image network as it was trained, in eval mode, float32, on the CPU; its variant; what its training wrote down.

    Args:
        name: as in `load_image`.

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    with network_weights(name, "image") as weights:
        variant, config = str(weights.data["variant"]), weights.data["config"]
        return weights.fill(lambda: _network(variant, config)), variant, weights.notes


def _network(variant: str, config: dict[str, Any]) -> ImageNetwork:
    if variant == "correction":
        return CorrectionNet(CorrectionConfig.from_dict(config))
    if variant == "paper":
        return PaperUNet(ImageConfig.from_dict(config))
    raise ValueError(f"no variant of the network: {variant}")
