"""What a training is told: TOML files read into dataclasses."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from makeittalk.exchange import storage
from makeittalk.exchange.constants import LARGEST_INTEGER
from makeittalk.exchange.errors import InputError

_Kind = TypeVar("_Kind")
_COMPARE = "Compare training/configs."


def folders_of(data: Sequence[str], share: Sequence[float]) -> list[str]:
    """The folders of clips that a configuration names, `~` resolved.

    Args:
        share: how often each is drawn, or none.

    Raises:
        ValueError: there are none, or not as many shares.
    """
    if not data:
        raise ValueError("it names no data")
    if share and len(share) != len(data):
        raise ValueError("share needs one number for each folder of data")
    return [os.path.expanduser(name) for name in data]


@dataclass
class LoopConfig:
    """The keys that every training has, at the top level of its TOML file.

    Attributes:
        out: folder for checkpoints, log and weights.
        start: folder of another run, whose networks this one begins with; empty for fresh ones.
        start_share: how much of those networks' weights stays in what is saved: such a mean is better with what neither
            saw (Wortsman et al. 2022, WiSE-FT).
        seed, steps: of the run. batch: examples of a step, over all devices together.
        learning_rate, weight_decay: Adam's; the rate rises for `warmup` steps, then falls to zero along a cosine.
        constant: the rate does not fall (the paper).
        clip: largest norm of a phase's gradient.
        average: share of the averaged weights that stays at a step; the average is validated and saved, 0 for none
            (Polyak and Juditsky 1992).
        validate_every, checkpoint_every: steps.
        accelerator: "auto", "cpu", "cuda" or "mps". devices: how many, or "auto" for all of that kind. nodes: machines
            with so many each. Under torchrun both are its own.
        precision: "auto" (32-true on a CPU, bf16-mixed on CUDA), or one that Lightning Fabric knows.
        threads: of PyTorch on the CPU, 0 for its own choice; small LSTMs are fastest with 1.
        workers: processes that make batches, -1 for none on a CPU and some on a GPU.
    """

    out: str = ""
    start: str = ""
    start_share: float = 0.0
    seed: int = 0
    steps: int = 10_000
    batch: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 1e-6
    warmup: int = 100
    constant: bool = False
    clip: float = 1.0
    average: float = 0.0
    validate_every: int = 500
    checkpoint_every: int = 250
    accelerator: str = "auto"
    devices: str | int = "auto"
    nodes: int = 1
    precision: str = "auto"
    threads: int = 0
    workers: int = -1

    @classmethod
    def load(cls, path: str | Path, **overrides: Any) -> Self:
        """Reads a TOML file into this class; a key whose default is a dataclass is a table.

        Args:
            path: the file; `out` and `start` in it may begin with `~`.
            overrides: values for keys, stronger than the file's; None leaves a key alone.

        Raises:
            InputError: it is no TOML, or holds a key or a value that does not exist.
        """
        value = storage.read_toml(path) | {key: item for key, item in overrides.items() if item is not None}
        try:
            config = from_table(cls, value)
            config.check()
        except (ValueError, TypeError, OverflowError) as error:
            raise InputError(f"{path} is not a training configuration: {error}.", _COMPARE) from error
        return config

    def check(self) -> None:
        """Makes the values fit for use; a subclass extends it for its own keys.

        Raises:
            ValueError: a value cannot be used.
        """
        if not self.out:
            raise ValueError("it names no out folder")
        self.out, self.start = os.path.expanduser(self.out), os.path.expanduser(self.start)
        for name in ("steps", "batch", "validate_every", "checkpoint_every", "learning_rate", "clip", "nodes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0")
        for name in ("seed", "warmup", "weight_decay", "threads", "average"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be below 0")
        if not self.average < 1:
            raise ValueError("average must be below 1")
        if not 0 <= self.start_share < 1:
            raise ValueError("start_share must be from 0 to below 1")
        if self.start_share and not self.start:
            raise ValueError("start_share needs a start")


def from_table(kind: type[_Kind], table: Mapping[str, Any]) -> _Kind:
    """A dataclass from a TOML table; lists become tuples where the default is one, tables become dataclasses.

    Raises:
        ValueError: a key is unknown, or a value is of another type than the default.
    """
    default = kind()
    known = {item.name: getattr(default, item.name) for item in fields(default)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise ValueError(f"there is no key {key!r}")
        usual = known[key]
        if is_dataclass(usual) and not isinstance(usual, type):
            if not isinstance(value, dict):
                raise ValueError(f"{key} is a table")
            value = from_table(type(usual), value)
        elif isinstance(usual, tuple) and isinstance(value, list):
            value = tuple(value)
        elif isinstance(usual, float) and type(value) in (int, float):
            value = float(value)
            if not math.isfinite(value):
                raise ValueError(f"{key} is no number")
        elif type(value) is int and abs(value) > LARGEST_INTEGER:
            raise ValueError(f"{key} is too large")
        elif usual is not None and type(value) is not type(usual) and not (key == "devices" and type(value) is int):
            raise ValueError(f"{key} is of the wrong type")
        values[key] = value
    return kind(**values)
