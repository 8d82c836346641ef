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
from .mouth import MouthConfig, MouthNet

DEFAULT_MOUTH = "mouth"
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
            x = torch.from_numpy(np.concatenate([shown, warps[part], drawn], axis=3)).to(self.device)
            with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True):
                answer = self._network((x / 255.0).to(self.dtype).permute(0, 3, 1, 2))
                made[part] = answer.permute(0, 2, 3, 1).float().cpu().numpy()
        return made


def save_mouth(path: str | Path, network: MouthNet, notes: Mapping[str, Any]) -> None:
    """Writes a mouth network with everything that is needed to use it.

    Args:
        path: a .safetensors file. notes: what to remember of its training, JSON values.

    Raises:
        OutputError: it cannot be written.
    """
    save_weights(path, "mouth", network, {"config": network.config.to_dict()}, notes)


def load_mouth(name: str | None = None, device: str = "cpu") -> MouthModel:
    """A mouth network with its weights.

    Args:
        name: a listed set, a path to a .safetensors file of one's own training, or None for the default.
        device: "auto", "cpu", "cuda" or "mps".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind, or there is no such device.
    """
    return _load_mouth(name or DEFAULT_MOUTH, choose_device(device))


@kept_loaded
def _load_mouth(name: str, device: str) -> MouthModel:
    with network_weights(name, "mouth") as weights:
        config = MouthConfig.from_dict(weights.data["config"])
        return MouthModel(weights.fill(lambda: MouthNet(config)), device, weights.notes)
