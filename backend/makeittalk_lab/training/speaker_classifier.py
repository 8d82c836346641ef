"""Tells the speaker from the code A; its reversed gradient drives the speaker out of it (Ganin and Lempitsky 2015)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _GradientReversal(torch.autograd.Function):
    """Identity forwards; backwards the gradient times −factor."""

    @staticmethod
    def forward(context: Any, values: Tensor, factor: float) -> Tensor:
        context.factor = factor
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -context.factor * gradients[0], None


class SpeakerClassifier(nn.Module):
    """Tells the speaker from mean and standard deviation of A over a stretch: (B, T, C) → (B, speakers) logits."""

    def __init__(self, code: int, speakers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * code, 128), nn.LeakyReLU(0.1), nn.Linear(128, speakers))

    def forward(self, code: Tensor, factor: float) -> Tensor:
        code = _GradientReversal.apply(code, factor)
        std = (code.var(1, unbiased=False) + 1e-4).sqrt()
        return self.layers(torch.cat([code.mean(1), std], 1))
