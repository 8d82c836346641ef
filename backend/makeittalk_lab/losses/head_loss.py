"""How far the motion of a head is from its target (paper, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from makeittalk.exchange.constants import LANDMARKS
from makeittalk.landmarks.ibug68 import BROWS_AND_EYES
from torch import Tensor, nn

from .landmark_loss import UNIT, laplacian_matrix


@dataclass(frozen=True)
class HeadLossWeights:
    """Weights of what the generator learns by.

    Attributes:
        laplacian: λs, of the distance of Laplacian coordinates. velocity: of frame-to-frame differences (0 in the
            paper). eyes: of brows and eyes against the other landmarks (1 in the paper): the head moves them all, and
            what they do by themselves is small.
    """

    laplacian: float = 1.0
    velocity: float = 0.0
    eyes: float = 1.0


class HeadLoss(nn.Module):
    """How far predicted motion is from its target, in squares of `landmark_loss.UNIT`."""

    share: Tensor
    laplacian: Tensor

    def __init__(self, weights: HeadLossWeights) -> None:
        super().__init__()
        self.weights = weights
        share = np.ones(LANDMARKS, np.float32)
        share[BROWS_AND_EYES] = weights.eyes
        matrix = np.kron(laplacian_matrix().T, np.eye(3, dtype=np.float32))
        self.register_buffer("share", torch.from_numpy(np.repeat(share / share.sum(), 3)))
        self.register_buffer("laplacian", torch.from_numpy(matrix))

    def forward(self, predicted: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Parts and their weighted sum `loss`: (B, T, 204) twice, mask (B, T)."""
        total = mask.sum().clamp(min=1.0)
        difference = (predicted - target) / UNIT
        change = difference[:, 1:] - difference[:, :-1]
        distance = (difference.square() @ self.share * mask).sum() / total
        shape = ((difference @ self.laplacian).square() @ self.share * mask).sum() / total
        velocity = (change.square() @ self.share * mask[:, 1:]).sum() / total
        loss = distance + self.weights.laplacian * shape + self.weights.velocity * velocity
        return {"loss": loss, "distance": distance, "laplacian": shape, "velocity": velocity}
