"""Weights of what the image networks learn by; the features' losses are in `perceptual`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageLossWeights:
    """Weights of the losses.

    Attributes:
        perceptual, style: of VGG's features; 0 for none.
        mouth: how much more a pixel around the lips weighs in the L1 loss.
        mask: pulls the correction's mask to zero where it gains nothing.
        seen: side of the part of each patch, px, that the features are compared in: VGG costs more than the network.
    """

    perceptual: float = 0.1
    style: float = 0.02
    mouth: float = 3.0
    mask: float = 0.01
    seen: int = 64
