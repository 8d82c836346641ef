"""A training run's state on disk: networks and Adam's moments as safetensors, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError
from makeittalk.weights import tensor_file
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

NAME = "checkpoint.safetensors"

Networks = Mapping[str, nn.Module]
Optimizers = Mapping[str, torch.optim.Optimizer]


def save(folder: Path, task: str, step: int, networks: Networks, optimizers: Optimizers) -> None:
    """Writes the state after `step` steps of a training called `task`.

    Raises:
        OutputError: it cannot be written; the checkpoint that was there stays.
    """
    tensors: dict[str, Tensor] = {}
    for name, network in networks.items():
        tensors |= {f"network.{name}.{key}": value for key, value in network.state_dict().items()}
    for name, optimizer in optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{name}.{index}.{key}": value for key, value in state.items()}
    copies = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
    with storage.replacing(folder / NAME) as temporary, tensor_file.settled(temporary):
        save_file(copies, temporary, {"task": task, "step": str(step)})


def load(folder: Path, task: str, networks: Networks, optimizers: Optimizers | None = None) -> int:
    """Takes up the state in a folder and returns its step; 0 where there is none.

    Args:
        folder: where `save` wrote. task: name of the training that must have written it.
        networks: are given their tensors, in place.
        optimizers: are given their moments; None leaves them fresh.

    Raises:
        InputError: the checkpoint is damaged or of another training.
    """
    path = folder / NAME
    if not path.is_file():
        return 0
    try:
        with safe_open(path, framework="pt") as source:
            meta = source.metadata() or {}
            step = int(meta["step"])
            if meta["task"] != task:
                raise ValueError(f"of {meta['task']}")
            tensors = {name: source.get_tensor(name) for name in source.keys()}  # noqa: SIM118 - not a mapping
        for name, network in networks.items():
            network.load_state_dict(_under(tensors, f"network.{name}."))
        for name, optimizer in (optimizers or {}).items():
            value = optimizer.state_dict()
            value["state"] = {}
            for key, tensor in _under(tensors, f"optimizer.{name}.").items():
                index, _, part = key.partition(".")
                value["state"].setdefault(int(index), {})[part] = tensor
            optimizer.load_state_dict(value)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} does not fit this training.", "Delete it to start anew.") from error
    return step


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
