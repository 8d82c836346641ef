"""A clone of the original repository as far as an import looks at it: synthetic checkpoints, texts of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from makeittalk.weights.released_layout import Layout, released_layout

if TYPE_CHECKING:  # a process that is killed in a test need not load it
    import torch

OPTIMIZED = "image_translation"  # the checkpoint with prefixes and a pickled optimizer


def small_layout(width: int = 3) -> Layout:
    """The original layout with a few small tensors a network."""
    shapes = {
        "first.weight": (width, 4, 5),
        "first.bias": (width,),
        "norm.running_mean": (4,),
        "norm.num_batches_tracked": (),
    }
    whole = released_layout()
    return replace(whole, networks={name: replace(network, shapes=shapes) for name, network in whole.networks.items()})


def state_of(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, torch.Tensor]:
    """Numbers of chance in those shapes, as large as a network's are before it has learned anything."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator)
        if name.endswith("num_batches_tracked"):
            values = torch.tensor(7 + seed)
        elif len(shape) > 1:
            values /= math.sqrt(math.prod(shape[1:]))
        else:
            values = 0.05 * values + float(name.endswith(("weight", "running_var", "alpha")))
        state[name] = values
    return state


def write_clone(
    root: Path, layout: Layout, seed: int = 0, former: bool = False, optimizer: bool = True
) -> dict[str, dict[str, torch.Tensor]]:
    """Writes checkpoints and texts where a clone has them, and returns the networks' tensors.

    Args:
        former: in the format before PyTorch 1.6. optimizer: one lies pickled beside the network with prefixes.
    """
    import torch

    states = {}
    folder = root / "examples" / "ckpt"
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, network) in enumerate(layout.networks.items()):
        states[name] = state = state_of(network.shapes, seed + number)
        content = {network.key: state, "epoch": 3}
        if name == OPTIMIZED:
            content[network.key] = {f"module.{key}": value for key, value in state.items()}
            content |= {"opt": _optimizer(state)} if optimizer else {}
        torch.save(content, folder / network.file, _use_new_zipfile_serialization=not former)
    write_texts(root, layout, seed)
    return states


def write_texts(root: Path, layout: Layout, seed: int = 0) -> None:
    """Writes the texts where a clone has them."""
    random = np.random.default_rng(seed)
    for text in layout.texts:
        path = root / text.path
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, random.uniform(0.1, 1.0, sum(int(np.prod(shape)) for shape in text.arrays.values())))


def _optimizer(state: Mapping[str, torch.Tensor]) -> torch.optim.Optimizer:
    """An optimizer that has made a step: an object with dictionaries, functions and tensors as keys."""
    import torch

    parameters = [torch.nn.Parameter(value.clone()) for value in state.values() if value.is_floating_point()]
    optimizer = torch.optim.Adam(parameters, 1e-4)
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return optimizer
