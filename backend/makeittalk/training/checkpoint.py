"""A training run's state on disk: weights and Adam's moments as safetensors, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .. import storage
from ..errors import InputError

NAME = "checkpoint.safetensors"


def save(folder: Path, module: torch.nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Writes the state after `step` steps."""
    tensors = {f"module.{name}": value.contiguous() for name, value in module.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"optimizer.{index}.{name}"] = value.contiguous()
    with storage.replacing(folder / NAME) as temporary:
        save_file(tensors, temporary, {"step": str(step)})


def load(folder: Path, module: torch.nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Takes up the state in a folder and returns its step; 0 where there is none.

    Raises:
        InputError: the checkpoint is damaged or of another network.
    """
    path = folder / NAME
    if not path.is_file():
        return 0
    try:
        with safe_open(path, framework="pt") as source:
            step = int((source.metadata() or {})["step"])
            tensors = {name: source.get_tensor(name) for name in source.keys()}  # noqa: SIM118 - not a mapping
        module.load_state_dict({k.removeprefix("module."): v for k, v in tensors.items() if k.startswith("module.")})
        value = optimizer.state_dict()
        value["state"] = {}
        for key, tensor in tensors.items():
            if key.startswith("optimizer."):
                _, index, name = key.split(".")
                value["state"].setdefault(int(index), {})[name] = tensor
        optimizer.load_state_dict(value)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} does not fit this training.", "Delete it to start anew.") from error
    return step
