"""What the landmark branches learn by: distance, shape of each facial part, speed, and lips that meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from makeittalk.exchange.constants import LANDMARKS
from makeittalk.landmarks.ibug68 import CLOSED_PARTS, INNER_PAIRS, JAW, LIPS, NOSE, PARTS
from torch import Tensor

UNIT = 0.05  # canonical units: the size of an ordinary lip motion, so that losses are about 1
_CORNERS = ((48, 54), (60, 64))  # of the outer and of the inner lips
_SHUT = 0.02  # canonical units: a gap of the inner lips that reads as shut


@dataclass(frozen=True)
class LandmarkLossWeights:
    """Weights of the parts of the loss.

    Attributes:
        laplacian: λc of the paper. velocity: of frame-to-frame differences. gap: of the inner lips' distance.
        closure: how many times more a frame with shut lips counts in the gap.
        width: of the distance between the corners of the mouth, outer and inner ones: round or spread.
        lips, jaw, nose, still: of the landmarks; brows and eyes are held still.
        power: 2 for squared distances (the paper), 1 for distances.
    """

    laplacian: float = 1.0
    velocity: float = 1.0
    gap: float = 1.0
    closure: float = 3.0
    width: float = 0.0
    lips: float = 1.0
    jaw: float = 1.0
    nose: float = 1.0
    still: float = 1.0
    power: float = 2.0


def laplacian_matrix() -> np.ndarray:
    """(68, 68) matrix L: `L @ p` is each point minus the mean of its neighbours inside its facial part."""
    matrix = np.eye(LANDMARKS, dtype=np.float32)
    for name, part in PARTS.items():
        count = len(part)
        for i, point in enumerate(part):
            near = [part[i - 1]] if i or name in CLOSED_PARTS else []
            near += [part[(i + 1) % count]] if i + 1 < count or name in CLOSED_PARTS else []
            matrix[point, near] -= 1.0 / len(near)
    return matrix


class LandmarkLoss(torch.nn.Module):
    """The loss of a batch of displacements in canonical units."""

    laplacian: Tensor
    points: Tensor

    def __init__(self, weights: LandmarkLossWeights) -> None:
        super().__init__()
        self.weights = weights
        points = np.full(LANDMARKS, weights.still, np.float32)
        points[JAW], points[NOSE], points[LIPS] = weights.jaw, weights.nose, weights.lips
        self.register_buffer("points", torch.from_numpy(points / points.sum()))
        self.register_buffer("laplacian", torch.from_numpy(laplacian_matrix()))

    def forward(self, predicted: Tensor, target: Tensor, face: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Parts of the loss and their weighted sum `loss`.

        Args:
            predicted, target: (B, T, 68, 3). face: (B, 68, 3) at rest. mask: (B, T), 1 on frames that count.
        """
        weights = self.weights
        difference = (predicted - target) / UNIT
        frames = mask.sum().clamp(min=1.0)

        def mean(value: Tensor, share: Tensor) -> Tensor:
            return (self._size(value) @ self.points * share).sum() / frames

        distance = mean(difference, mask)
        shape = mean(self.laplacian @ difference, mask)
        velocity = mean(difference[:, 1:] - difference[:, :-1], mask[:, 1:] * mask[:, :-1])
        upper, lower = [pair[0] for pair in INNER_PAIRS], [pair[1] for pair in INNER_PAIRS]
        still = (face[:, lower] - face[:, upper])[:, None]
        real = (target[:, :, lower] - target[:, :, upper] + still).norm(dim=-1)
        off = self._size(difference[:, :, lower] - difference[:, :, upper])
        share = 1.0 + weights.closure * torch.exp(-((real / _SHUT) ** 2))
        gap = ((off * share).mean(-1) * mask).sum() / frames
        left, right = (list(corners) for corners in zip(*_CORNERS, strict=True))
        width = (self._size(difference[:, :, right] - difference[:, :, left]).mean(-1) * mask).sum() / frames
        loss = distance + weights.laplacian * shape + weights.velocity * velocity
        loss = loss + weights.gap * gap + weights.width * width
        parts = {"distance": distance, "laplacian": shape, "velocity": velocity, "gap": gap, "width": width}
        return {"loss": loss} | parts

    def _size(self, value: Tensor) -> Tensor:
        """Length of each vector to the power of the loss, (…, 3) → (…)."""
        squared = value.square().sum(-1)
        return squared if self.weights.power == 2.0 else (squared + 1e-4).pow(self.weights.power / 2) - 1e-2
