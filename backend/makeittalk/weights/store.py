"""Networks in safetensors files: one layout for every kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save_file
from torch import nn

from ..exchange import storage
from ..exchange.errors import InputError
from ..exchange.tensors import read_header
from . import tensor_file
from .files import AGAIN, MAX_BYTES, listed, listed_bytes
from .layouts import CURRENT, FORMAT, data_and_notes

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Weights:
    """What a file of weights holds.

    Attributes:
        name: a listed set, or the path. tensors: as they are stored, on the CPU.
        data: JSON values that are needed to use them, `config` of the network among them.
        notes: what training wrote down.
    """

    name: str
    tensors: Mapping[str, torch.Tensor]
    data: dict[str, Any]
    notes: dict[str, Any]

    def fill(self, build: Callable[[], Network]) -> Network:
        """The network that `build` makes, with these weights, float32 in eval mode on the CPU.

        Sizes are compared before memory is taken for them.

        Raises:
            ValueError: the tensors are not those of this network, or not all of them are numbers.
        """
        with torch.device("meta"):
            wanted = {name: value.shape for name, value in build().state_dict().items()}
        if wanted != {name: value.shape for name, value in self.tensors.items()}:
            raise ValueError("the tensors belong to another network")
        if not all(bool(torch.isfinite(value).all()) for value in self.tensors.values()):
            raise ValueError("not all of it is numbers")
        network = build()
        network.load_state_dict({name: value.float() for name, value in self.tensors.items()})
        return network.eval()


def load_weights(name: str, kind: str) -> Weights:
    """What a file of weights holds, of today's layout or an older one.

    Args:
        name: a listed set, or a path to a .safetensors file of one's own training.
        kind: a key of `_KINDS`, such as "content".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind.
    """
    if name.endswith(".safetensors"):
        path = Path(name)
        content = storage.read_bytes(path, MAX_BYTES)
    else:
        path, content = listed(name).path, listed_bytes(name)
    try:
        metadata, tensors = tensors_in(content)
        data, notes = data_and_notes(metadata, kind)
        return Weights(name, tensors, data, notes)
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _unusable(str(path), kind) from error


def tensors_in(content: bytes) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """The metadata and the tensors, on the CPU, of a file of tensors; its header is compared with it first.

    Raises:
        ValueError, SafetensorError: it is none, or damaged.
    """
    return read_header(content).metadata, read_tensors(content)


@contextmanager
def network_weights(name: str, kind: str) -> Iterator[Weights]:
    """`load_weights` for a `with` that makes a network of them: what does not fit it is one sentence.

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind, or make no such network.
    """
    weights = load_weights(name, kind)
    try:
        yield weights
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _unusable(name, kind) from error


def save_weights(
    path: str | Path, kind: str, network: nn.Module, data: Mapping[str, Any], notes: Mapping[str, Any]
) -> None:
    """Writes a network in half precision with everything that is needed to use it.

    Args:
        path: a .safetensors file. kind: as in `load_weights`. data: JSON values, see `Weights`.
        notes: what to remember of its training, JSON values.

    Raises:
        OutputError: it cannot be written.
    """
    meta = {
        "format": str(FORMAT),
        "layout": CURRENT,
        "kind": kind,
        "data": json.dumps(dict(data)),
        "notes": json.dumps(dict(notes)),
    }
    with storage.replacing(path) as temporary, tensor_file.settled(temporary):
        save_file(_half_precision(network), temporary, meta)


def _unusable(name: str, kind: str) -> InputError:
    """The error for weights that do not make a network of a kind."""
    return InputError(f"{name} does not hold weights of {_KINDS[kind]}.", AGAIN)


_KINDS = {
    "whisper": "a Whisper encoder",
    "content": "a content branch",
    "speaker": "a speaker branch",
    "voice": "voice conversion",
    "phones": "a phone network",
    "image": "an image network",
    "mouth": "a mouth network",
}


def _half_precision(network: nn.Module) -> dict[str, torch.Tensor]:
    """A network's tensors as they are shipped: floating ones in fp16, on the CPU."""
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }
