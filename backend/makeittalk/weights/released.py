"""The released networks filled with their tensors, and sets of them: each tensor is checked before memory is taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..exchange.constants import EMBEDDING, LANDMARKS, MEL_BANDS
from ..exchange.errors import InputError
from ..exchange.tensors import file_header
from ..networks.device import choose_device
from ..networks.image_inference import ImageModel, load_image
from ..networks.released import RELEASED, ReleasedContent, ReleasedImage, ReleasedSpeaker, ReleasedVoice
from ..networks.released_inference import ReleasedSet, ReleasedStatistics
from .cache import kept_loaded
from .imported import AGAIN as _AGAIN
from .released_folder import IMAGE, SUFFIX, released_folder, verified_file

_PREFIX = "module."  # of networks that were trained on several GPUs
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_COUNTER = "num_batches_tracked"  # which nothing reads in eval mode
_POSITIONS = ".pe"  # which are a formula
_VARIANCE = ".running_var"
_STATISTICS = {
    "band_mean": (MEL_BANDS,),
    "band_std": (MEL_BANDS,),
    "target_embedding": (EMBEDDING,),
    "mean_face": (LANDMARKS, 3),
}
_LARGEST = 1e6  # of any of them
_LEAST_WIDTH = 1e-3  # of the mean face

Network = TypeVar("Network", bound=nn.Module)


def load_set(folder: str | Path, device: str = "cpu") -> ReleasedSet:
    """The released networks that move a face, from the folder of an imported set.

    Args:
        folder: with SHA256SUMS and, in float32 by their released names, the tensors of `voice_conversion.safetensors`,
            `content_branch.safetensors` and `speaker_branch.safetensors`; and `statistics.safetensors` with
            `band_mean` (80,), `band_std` (80,), `target_embedding` (256,) and `mean_face` (68, 3).
        device: "cpu", "cuda" or "mps".

    Raises:
        MissingError: a file is missing. InputError: one is damaged, or holds other tensors.
    """
    names = ("voice_conversion", "content_branch", "speaker_branch", "statistics")
    voice, content, speaker, statistics = (str(Path(folder) / (name + SUFFIX)) for name in names)
    return _load_set(voice, content, speaker, statistics, device)


@kept_loaded
def _load_set(voice: str, content: str, speaker: str, statistics: str, device: str) -> ReleasedSet:
    """`load_set` by the paths of its files, so that a changed one counts as another."""
    return ReleasedSet(
        _read_network(Path(voice), ReleasedVoice).to(device),
        _read_network(Path(content), ReleasedContent).to(device),
        _read_network(Path(speaker), ReleasedSpeaker).to(device),
        _read_statistics(Path(statistics)),
    )


def load_image_network(name: str | None = None, device: str = "auto") -> ImageModel:
    """The network of photoreal frames: that of a released set, or any that `load_image` takes.

    Args:
        name: an imported set or its folder; else as in `load_image`. device: "auto", "cpu", "cuda" or "mps".

    Raises:
        MissingError: no such weights. InputError: they are damaged or of another kind, or there is no such device.
    """
    folder = released_folder(name)
    if folder is None:
        return load_image(name, device)
    return _load_released_image(str(folder / (IMAGE + SUFFIX)), choose_device(device))


@kept_loaded
def _load_released_image(path: str, device: str) -> ImageModel:
    return ImageModel(_read_network(Path(path), ReleasedImage).network, "paper", device)


def _read_network(path: Path, kind: type[Network]) -> Network:
    """The network in a file of a set."""
    network = build(path.stem, _tensors(path))
    assert isinstance(network, kind), kind
    return network


def _read_statistics(path: Path) -> ReleasedStatistics:
    tensors = _tensors(path)
    values: dict[str, np.ndarray] = {}
    for name, shape in _STATISTICS.items():
        problem = _problem(tensors[name], shape, counter=False) if name in tensors else "is missing"
        if problem:
            raise InputError(f"The tensor {name!r} in {path} {problem}.", _AGAIN)
        values[name] = tensors[name].double().numpy()
        if np.abs(values[name]).max() > _LARGEST:
            raise InputError(f"The tensor {name!r} in {path} holds numbers that are far too large.", _AGAIN)
    if values["band_std"].min() <= 0.0:
        raise InputError(f"The tensor 'band_std' in {path} holds deviations that are not above 0.", _AGAIN)
    if np.linalg.norm(values["mean_face"][16] - values["mean_face"][0]) < _LEAST_WIDTH:
        raise InputError(f"The tensor 'mean_face' in {path} is no face: it has no width.", _AGAIN)
    return ReleasedStatistics(**values)


def _tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of a set, verified; they stay on the disk until they are read."""
    verified_file(path.parent, path.stem)
    try:
        file_header(path)
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} is no file of tensors.", _AGAIN) from error


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
            if key.endswith(_VARIANCE):  # below zero, where no training leaves it, its root would be no number
                value.clamp_(min=0.0)
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
