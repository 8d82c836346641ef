"""A training run's state on disk: networks and Adam's moments as safetensors, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError
from makeittalk.weights import tensor_file
from makeittalk.weights.store import tensors_in
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

NAME = "checkpoint.safetensors"
_MAX_BYTES = 8 * 2**30
_DIGITS = 9  # of a step or of a parameter's number

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
        data = storage.read_bytes(path, _MAX_BYTES)
        meta, tensors = tensors_in(data)
        del data
        step = int(meta["step"]) if len(meta["step"]) <= _DIGITS else -1
        if meta["task"] != task or step < 0:
            raise ValueError(f"of {meta['task']}")
        for name, network in networks.items():
            network.load_state_dict(_under(tensors, f"network.{name}."))
        for name, optimizer in (optimizers or {}).items():
            optimizer.load_state_dict(_moments(optimizer, _under(tensors, f"optimizer.{name}.")))
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} does not fit this training.", "Delete it to start anew.") from error
    return step


def _moments(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """The state of Adam's that tensors called `INDEX.PART` hold, each compared with its parameter.

    Raises:
        ValueError: a part is missing, or of another shape, or not all of it is numbers.
    """
    value = optimizer.state_dict()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, part = key.partition(".")
        if not index.isdecimal() or int(index[:_DIGITS]) >= len(parameters):
            raise ValueError(f"no parameter {key}")
        state.setdefault(int(index), {})[part] = tensor
    for number, parts in state.items():
        shapes = {"step": torch.Size(), "exp_avg": parameters[number].shape, "exp_avg_sq": parameters[number].shape}
        if {part: tensor.shape for part, tensor in parts.items()} != shapes:
            raise ValueError(f"other moments of the parameter {number}")
        if not all(bool(torch.isfinite(tensor).all()) for tensor in parts.values()):
            raise ValueError("not all of it is numbers")
    return value | {"state": state}


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
