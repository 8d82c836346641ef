"""What the training loop asks of a network that is to be trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from torch import Tensor, nn


class Task(Protocol):
    """What is trained.

    Attributes:
        name: of the training, for progress, checkpoints and errors: "voice", "content" …
        phases: names of the networks that each phase's optimiser updates, in the order of a step. Networks that no
            phase names are frozen: moved to the device, in eval mode, not part of the checkpoints.
    """

    @property
    def name(self) -> str: ...

    @property
    def phases(self) -> Mapping[str, tuple[str, ...]]: ...

    def networks(self) -> dict[str, nn.Module]:
        """Fresh networks on the CPU; PyTorch's generator was seeded before."""
        ...

    def batch(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """A process's share of a step's examples, on the CPU, drawn from `rng` alone."""
        ...

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Scalars: the phase's "loss", and parts of it to log.

        The batch lies on the device. Networks are called as `networks[name](…)`, never by another method; those of
        other phases do not learn, but let gradients through.
        """
        ...

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        """Figures to log, by the bare networks in eval mode on the device, without gradients."""
        ...

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        """Writes the finished weights; bare networks in eval mode."""
        ...
