"""What the training loop asks of a network that is to be trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from torch import Tensor, nn


@dataclass(frozen=True)
class Draws:
    """Where the chance in a step's examples comes from.

    However many processes share a step, its examples are the same: each has a generator of its own, known by seed, step
    and its number.

    Attributes:
        step: for what all examples have in common, alike in every process.
        examples: one for each example that this process makes.
    """

    step: np.random.Generator
    examples: list[np.random.Generator]

    @classmethod
    def of(cls, seed: int, step: int, numbers: range) -> Self:
        """Those of the examples of a step that have these numbers."""
        common, *each = (np.random.default_rng([seed, step, number]) for number in (0, *(n + 1 for n in numbers)))
        return cls(common, each)


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

    def batch(self, draws: Draws) -> dict[str, Tensor]:
        """A process's share of a step's examples, on the CPU, drawn from `draws` alone."""
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
