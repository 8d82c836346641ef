"""The released networks filled with their tensors: each is checked before any memory is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..exchange.errors import InputError
from ..networks.released import RELEASED

_AGAIN = "Import the released checkpoints again."
_PREFIX = "module."  # of networks that were trained on several GPUs
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_COUNTER = "num_batches_tracked"  # which nothing reads in eval mode
_POSITIONS = ".pe"  # which are a formula


def build(name: str, state_dict: Mapping[str, Any]) -> nn.Module:
    """A released network in eval mode, float32, on the CPU.

    Args:
        name: "voice_conversion", "content_branch", "speaker_branch" or "image_translation"; what each takes and answers
            is said by `ReleasedVoice`, `ReleasedContent`, `ReleasedSpeaker` and `ReleasedImage`.
        state_dict: its tensors by their released names, all of them perhaps behind "module."; they are copied. Counters
            and positions, which the network knows without them, may be missing.

    Raises:
        InputError: there is no such network, or these are not its tensors.
    """
    if name not in RELEASED:
        raise InputError(f"There is no released network called {name!r}.", f"There are {', '.join(RELEASED)}.")
    kind = RELEASED[name]
    with torch.device("meta"):
        network, unused = kind(), kind.unused()
    released = {own: kind.released_name(own) for own in network.state_dict()}
    needed = _shapes({released[own]: value for own, value in network.state_dict().items()})
    given = _unprefixed(name, state_dict)
    _check(name, given, needed, {} if unused is None else _shapes(unused.state_dict()))
    filled = {}
    for own, key in released.items():
        value = given.get(key)
        if value is None:
            value = torch.zeros((), dtype=torch.long) if key.endswith(_COUNTER) else network.get_buffer(own)
        elif key.endswith(_COUNTER):
            value = value.to("cpu", torch.long, copy=True)
        else:
            value = value.detach().to("cpu", torch.float32, copy=True).contiguous()
            value = value[0] if key.endswith(_POSITIONS) else value
        filled[own] = value
    network.load_state_dict(filled, assign=True)
    return network.eval().requires_grad_(False)


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """The shapes that tensors have in a released file, where positions are those of a batch of one."""
    return {key: (1,) * key.endswith(_POSITIONS) + tuple(value.shape) for key, value in tensors.items()}


def _unprefixed(name: str, state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors by their names without "module.".

    Raises:
        InputError: it is no dictionary of names, or one is there twice.
    """
    if not isinstance(state_dict, Mapping) or not all(isinstance(key, str) for key in state_dict):
        raise InputError(f"The weights of {name} are no tensors with names.", _AGAIN)
    given = {key.removeprefix(_PREFIX): value for key, value in state_dict.items()}
    if len(given) != len(state_dict):
        raise InputError(f"The weights of {name} hold a tensor twice, with and without {_PREFIX!r}.", _AGAIN)
    return given


def _check(
    name: str, given: Mapping[str, Any], needed: Mapping[str, tuple[int, ...]], unused: Mapping[str, tuple[int, ...]]
) -> None:
    """Sees to it that these are the tensors of a network.

    Args:
        needed, unused: shapes of those that must be there, but for counters and positions, and of those that may.

    Raises:
        InputError: naming the first that is not.
    """
    missing = next((key for key in needed if key not in given and not key.endswith((_COUNTER, _POSITIONS))), None)
    if missing is not None:
        raise InputError(f"The weights of {name} lack the tensor {missing!r}.", _AGAIN)
    known = {**needed, **unused}
    for key, value in given.items():
        if key not in known:
            raise InputError(f"The weights of {name} hold a tensor that it does not have: {key!r:.80}.", _AGAIN)
        problem = _problem(value, known[key], key.endswith(_COUNTER))
        if problem:
            raise InputError(f"The tensor {key!r} in the weights of {name} {problem}.", _AGAIN)


def _problem(value: Any, shape: tuple[int, ...], counter: bool) -> str:
    """What is wrong with a tensor that must have a shape; empty where nothing is."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_meta or value.is_quantized:
        return "is no array of numbers"
    if tuple(value.shape) != shape:
        return f"has the shape {tuple(value.shape)!s:.80}, not {shape}"
    if value.dtype not in _FLOATS and not (counter and value.dtype in (torch.int32, torch.int64)):
        return f"holds no floating-point numbers but {str(value.dtype).removeprefix('torch.')}"
    # What double precision reaches beyond single precision is none either.
    return "" if bool(torch.isfinite(value.float()).all()) else "holds what is no number"
