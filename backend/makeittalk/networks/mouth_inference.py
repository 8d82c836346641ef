"""Runs the mouth network over the frames of a character: squares of 256 px around the mouth in, changes out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..exchange.constants import LANDMARKS
from ..images.mouth_crop import SIZE
from ..images.mouth_image import draw_mouth
from ..weights.cache import kept_loaded
from ..weights.store import network_weights, save_weights
from .device import choose_device
from .folding import fast_dtype, fold_norms
from .mouth import FOLD, PLACES, MouthConfig, MouthNet, places

_BATCH = 8  # frames at once


class MouthModel:
    """The mouth network ready to run.

    Attributes:
        device: "cpu", "cuda" or "mps". dtype: what it computes in. notes: what its training wrote down.
    """

    def __init__(
        self,
        network: MouthNet,
        device: str = "cpu",
        notes: Mapping[str, Any] | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """
        Args:
            network: is copied. dtype: the fastest on the device by default.
        """
        self.device, self.notes = device, dict(notes or {})
        self.dtype = dtype or fast_dtype(device)
        folded = fold_norms(copy.deepcopy(network).float().eval().requires_grad_(False))
        self._network = folded.to(device, self.dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def changes(self, portrait: np.ndarray, rest: np.ndarray, warps: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """How mouths shall change: a picture becomes picture · (1 + gain) + difference.

        Args:
            portrait: (256, 256, 3) uint8 RGB, the mouth's square at rest. rest: (68, 2) px of it.
            warps: (B, 256, 256, 3) uint8 RGB, the squares as the mesh shows them. landmarks: (B, 68, 2) px of them.

        Returns:
            (B, 256, 256, 6) float32: gain and difference, RGB, −1 to 1.
        """
        count = len(landmarks)
        assert portrait.shape == (SIZE, SIZE, 3) and portrait.dtype == np.uint8, portrait.shape
        assert warps.shape == (count, SIZE, SIZE, 3) and warps.dtype == np.uint8, warps.shape
        assert landmarks.shape[1:] == (LANDMARKS, 2), landmarks.shape
        made = np.empty((count, SIZE, SIZE, 6), np.float32)
        for first in range(0, count, _BATCH):
            part = slice(first, first + _BATCH)
            drawn = np.stack([draw_mouth(points, rest) for points in landmarks[part]])
            shown = np.broadcast_to(portrait, warps[part].shape)
            moving = torch.from_numpy(_folded(np.concatenate([shown, warps[part], drawn], axis=3)))
            with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True):
                made[part] = self._answered(moving)
        return made

    def _answered(self, folded: torch.Tensor) -> np.ndarray:
        """What the network says of one batch (B, 64, 64, 160) uint8, folded: (B, 256, 256, 6) float32.

        Folding and unfolding are done here: PyTorch's own is several times slower on channels that lie last.
        """
        count, height, width, channels = folded.shape
        x = torch.empty((count, height, width, channels + PLACES), device=self.device, dtype=self.dtype)
        x[..., :channels] = folded.to(self.device)
        x[..., :channels] /= 255.0
        x[..., channels:] = places(x[:1].permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        answer = torch.tanh(self._network.folded_answer(x.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)
        parts = answer.float().cpu().numpy().reshape(count, height, width, 6, FOLD, FOLD)
        return np.asarray(parts.transpose(0, 1, 4, 2, 5, 3).reshape(count, FOLD * height, FOLD * width, 6))


def save_mouth(path: str | Path, network: MouthNet, notes: Mapping[str, Any]) -> None:
    """Writes a mouth network with everything that is needed to use it.

    Args:
        path: a .safetensors file. notes: what to remember of its training, JSON values.

    Raises:
        OutputError: it cannot be written.
    """
    save_weights(path, "mouth", network, {"config": network.config.to_dict()}, notes)


def load_mouth(name: str, device: str = "cpu") -> MouthModel:
    """A mouth network with its weights.

    Args:
        name: a listed set, or a path to a .safetensors file of one's own training.
        device: "auto", "cpu", "cuda" or "mps".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind, or there is no such device.
    """
    return _load_mouth(name, choose_device(device))


@kept_loaded
def _load_mouth(name: str, device: str) -> MouthModel:
    with network_weights(name, "mouth") as weights:
        config = MouthConfig.from_dict(weights.data["config"])
        return MouthModel(weights.fill(lambda: MouthNet(config)), device, weights.notes)


def _folded(pictures: np.ndarray) -> np.ndarray:
    """Pictures (B, H, W, C) with squares of pixels as channels of one, as `pixel_unshuffle` orders them."""
    count, height, width, channels = pictures.shape
    squares = pictures.reshape(count, height // FOLD, FOLD, width // FOLD, FOLD, channels)
    return np.ascontiguousarray(squares.transpose(0, 1, 3, 5, 2, 4)).reshape(
        count, height // FOLD, width // FOLD, channels * FOLD**2
    )
