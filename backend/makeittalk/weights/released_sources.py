"""Finds the original checkpoints and the texts beside them in a folder, and reads those texts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..exchange import storage
from ..exchange.errors import InputError
from .released_layout import CHECKPOINTS, Layout, ReleasedText

_MAX_TEXT = 1 << 16  # bytes; the longest has 204 numbers
_MOST = 1e4  # the largest number that can be meant
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CLONE = "Name a clone of the original repository with its checkpoints in examples/ckpt."


@dataclass(frozen=True)
class Sources:
    """Where everything lies: checkpoints by their network's name, texts in the layout's order."""

    checkpoints: dict[str, Path]
    texts: list[Path]


def find_sources(folder: str | Path, layout: Layout) -> Sources:
    """Everything that an import needs, in a clone of the original repository or in a folder of just those files.

    Raises:
        InputError: the folder or something in it is missing; each is named.
    """
    root = Path(folder)
    try:
        if not root.exists():
            raise InputError(f"{root} does not exist.", "Check the path.")
        if not root.is_dir():
            raise InputError(f"{root} is not a folder.", _CLONE)
        place = next((place for place in (root / CHECKPOINTS, root / "ckpt", root) if _any(place, layout)), None)
        if place is None:
            names = ", ".join(network.file for network in layout.networks.values())
            raise InputError(f"{root} holds none of the original checkpoints ({names}).", _CLONE)
        missing = [n.file for n in layout.networks.values() if not (place / n.file).is_file()]
        if missing:
            raise InputError(f"{place} lacks {_listed(missing)}.", "Download what is missing into the same folder.")
        # A folder that is itself examples/ckpt of a clone has the clone two folders above.
        above = [root.resolve().parents[1]] if root.resolve().as_posix().endswith(f"/{CHECKPOINTS}") else []
        texts = [_find_text(text, [root, place, *above]) for text in layout.texts]
        lacking = [text for text, path in zip(layout.texts, texts, strict=True) if path is None]
    except (OSError, ValueError) as error:
        raise InputError(f"{str(folder)!r} cannot be read: {error}.", "Check the path.") from error
    if lacking:
        named = _listed([f"{text.title} ({text.path})" for text in lacking])
        raise InputError(
            f"{root} lacks the {named} of the original repository.",
            "Name a clone of it, or copy those files beside the checkpoints.",
        )
    checkpoints = {name: place / network.file for name, network in layout.networks.items()}
    return Sources(checkpoints, [path for path in texts if path is not None])


def read_text(path: Path, text: ReleasedText) -> dict[str, np.ndarray]:
    """The arrays in a text of numbers, float32.

    Raises:
        InputError: it holds anything but as many finite numbers as it should.
    """
    wanted = sum(math.prod(shape) for shape in text.arrays.values())
    try:
        words = storage.read_bytes(path, _MAX_TEXT).decode("ascii").split()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text of numbers.", "Take the original file.") from error
    if len(words) != wanted:
        raise InputError(f"{path} holds {len(words)} values, and the {text.title} has {wanted}.", "Take another file.")
    if not all(len(word) <= 64 and _NUMBER.fullmatch(word) for word in words):
        raise InputError(f"{path} holds something that is no number.", "Take the original file.")
    numbers = np.array([float(word) for word in words])
    if not np.all(np.abs(numbers) <= _MOST):
        raise InputError(f"{path} holds a number that cannot be meant.", "Take the original file.")
    arrays: dict[str, np.ndarray] = {}
    for name, shape in text.arrays.items():
        taken, numbers = np.split(numbers, [math.prod(shape)])
        if name in text.positive and not np.all(taken.astype(np.float32) > 0.0):
            raise InputError(f"{path} holds a deviation that is not above zero.", "Take the original file.")
        arrays[name] = taken.reshape(shape).astype(np.float32)
    return arrays


def _any(place: Path, layout: Layout) -> bool:
    return any((place / network.file).is_file() for network in layout.networks.values())


def _find_text(text: ReleasedText, roots: Sequence[Path]) -> Path | None:
    """A text where a clone has it, or by its name alone beside the checkpoints."""
    wanted = [root / way for root in roots for way in (text.path, Path(text.path).name)]
    return next((path for path in wanted if path.is_file()), None)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
