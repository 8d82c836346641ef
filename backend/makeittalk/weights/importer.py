"""Takes the original MakeItTalk checkpoints into the user's data: checked, converted to safetensors, verified."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ..exchange.data_folder import RELEASED, SUMS, check_set_name, weights_folder
from ..exchange.errors import InputError, OutputError
from ..exchange.progress import Progress, part, silent
from ..exchange.whole_folder import replacing_folder
from . import tensor_file
from .files import list_weights
from .imported import verify_folder
from .released_layout import LICENCE, STATISTICS, SUFFIX, Layout, ReleasedNetwork, released_layout
from .released_sources import find_sources, read_text
from .torch_files import Checkpoint, StoredTensor, open_checkpoint

_PARALLEL = "module."  # before the names where a network was trained on several GPUs
_COUNTED = "num_batches_tracked"  # the one kind of tensor of whole numbers
_NAMED = 3  # tensors that a sentence names
_OTHERS = "Take the checkpoints that belong to the original repository."
_SPARE = 64 * 2**20  # bytes that stay free on the disk


def import_released(
    folder: str | Path, name: str = RELEASED, progress: Progress = silent, layout: Layout | None = None
) -> Path:
    """Makes a set of weights of the original checkpoints and returns its folder.

    It holds a .safetensors for each network, tensors by their names in float32 (int64 where they count), those of the
    texts in statistics.safetensors, and SHA256SUMS. It appears whole or not at all, and takes the place of one of the
    same name; all checkpoints are checked before one is converted, and one is open at a time.

    Args:
        folder: a clone of the original repository, or a folder of just those files. name: of the new set.
        layout: what is expected of them, by default the original's.

    Raises:
        InputError: something is missing, damaged, of another network, or holds more than data.
        OutputError: the set cannot be written. Cancelled: by `progress`.
    """
    check_set_name(name)
    if name in [file.name for file in list_weights()]:
        raise InputError(f"{name} is what weights of this project are called.", "Give the set another name.")
    layout = layout or released_layout()
    progress(0.0, "Checking the checkpoints")
    sources = find_sources(folder, layout)
    statistics: dict[str, np.ndarray] = {}
    for text, path in zip(layout.texts, sources.texts, strict=True):
        statistics |= read_text(path, text)
    for number, (key, network) in enumerate(layout.networks.items()):
        progress(0.05 * number / len(layout.networks), "Checking the checkpoints")
        with open_checkpoint(sources.checkpoints[key]) as checkpoint:
            _matching(checkpoint, network)
    sizes = {key: sum(map(math.prod, network.shapes.values())) for key, network in layout.networks.items()}
    target = weights_folder() / name
    with replacing_folder(target) as new:
        _check_room(new, 4 * sum(sizes.values()))
        sums = {}
        share = 0.8 / max(1, sum(sizes.values()))
        begin = 0.05
        for key, network in layout.networks.items():
            stretch = part(progress, begin, begin := begin + share * sizes[key])
            file = f"{key}{SUFFIX}"
            with open_checkpoint(sources.checkpoints[key]) as checkpoint:
                sums[file] = _convert(checkpoint, network, new / file, stretch, sizes[key])
        shapes = {key: values.shape for key, values in statistics.items()}
        kinds = dict.fromkeys(statistics, tensor_file.FLOAT)
        values = [statistics[key] for key in tensor_file.in_order(kinds)]
        file = f"{STATISTICS}{SUFFIX}"
        sums[file] = tensor_file.write(new / file, shapes, kinds, values, {"licence": LICENCE})
        lines = [f"{digest}  {file}\n" for file, digest in sums.items()]
        (new / SUMS).write_text("".join(lines), encoding="utf-8", newline="")
        verify_folder(list_weights(new), part(progress, 0.85, 1.0))
    return target


def _matching(checkpoint: Checkpoint, network: ReleasedNetwork) -> dict[str, StoredTensor]:
    """The tensors of a checkpoint by the names that the network has them under.

    Raises:
        InputError: they are those of another network.
    """
    found: dict[str, StoredTensor] = {}
    for name, tensor in checkpoint.tensors(network.key).items():
        short = name.removeprefix(_PARALLEL)
        if short in found:
            raise InputError(f"{checkpoint.path} holds {_shown(short)} twice.", _OTHERS)
        found[short] = tensor
    both = [name for name in network.shapes if name in found]
    for wrong, what in (
        ([name for name in network.shapes if name not in found], "lacks"),
        ([name for name in found if name not in network.shapes], "also has"),
        ([name for name in both if found[name].shape != network.shapes[name]], "has other sizes of"),
        ([name for name in both if found[name].is_integer != name.endswith(_COUNTED)], "has other kinds of numbers in"),
    ):
        if wrong:
            more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
            names = ", ".join(map(_shown, wrong[:_NAMED]))
            raise InputError(
                f"{checkpoint.path} is not the original {network.title}: it {what} {names}{more}.", _OTHERS
            )
    return found


def _convert(checkpoint: Checkpoint, network: ReleasedNetwork, path: Path, progress: Progress, whole: int) -> str:
    """Writes a network's tensors and returns the file's SHA-256."""
    found = _matching(checkpoint, network)
    kinds = {name: tensor_file.INTEGER if found[name].is_integer else tensor_file.FLOAT for name in network.shapes}
    meta = {"licence": LICENCE}
    return tensor_file.write(path, network.shapes, kinds, _finite(checkpoint, found, kinds, progress, whole), meta)


def _finite(
    checkpoint: Checkpoint,
    found: Mapping[str, StoredTensor],
    kinds: Mapping[str, str],
    progress: Progress,
    whole: int,
) -> Iterator[np.ndarray]:
    """The tensors in the order of the file, read one after another.

    Raises:
        InputError: one holds what is no number.
    """
    done = 0
    for name in tensor_file.in_order(kinds):
        progress(done / max(1, whole), f"Converting {checkpoint.path.name}")
        values = checkpoint.read(found[name])
        if not np.all(np.isfinite(values)):
            raise InputError(f"{checkpoint.path} holds something that is no number in {_shown(name)}.", _OTHERS)
        done += values.size
        yield values


def _check_room(folder: Path, needed: int) -> None:
    """Sees to it that the disk has room.

    Raises:
        OutputError: it has none.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        raise OutputError(
            f"The set takes {needed / 1e6:.0f} MB in {folder.parent}, and {free / 1e6:.0f} MB are free.",
            "Free some space, or name another folder in MAKEITTALK_HOME.",
        )


def _shown(name: str) -> str:
    """A tensor's name as a sentence can hold it; a checkpoint may call it anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in name.encode("ascii", "replace").decode())[:80]
