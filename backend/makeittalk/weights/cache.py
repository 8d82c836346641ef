"""What stays loaded between two jobs: every network and detector that is expensive to load. Standard library only."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_KEPT = 2  # of each loader: what is compared with what is shipped
_loaders: list[Callable[[], None]] = []

Arguments = ParamSpec("Arguments")
Loaded = TypeVar("Loaded")


def kept_loaded(load: Callable[Arguments, Loaded]) -> Callable[Arguments, Loaded]:
    """A loader whose last answers are kept, by its arguments, until `release_loaded`.

    An argument that names a file counts as another one once that file has changed.
    """

    @functools.lru_cache(maxsize=_KEPT)
    def keep(_state: tuple[Any, ...], *args: Any, **more: Any) -> Any:
        return load(*args, **more)

    @functools.wraps(load)
    def kept(*args: Arguments.args, **more: Arguments.kwargs) -> Loaded:
        return keep(tuple(map(_state_of, [*args, *more.values()])), *args, **more)  # type: ignore[arg-type]

    _loaders.append(keep.cache_clear)
    return kept


def release_loaded() -> None:
    """Drops everything that any loader has kept."""
    for clear in _loaders:
        clear()


def _state_of(argument: object) -> tuple[int, int, int] | None:
    """When a named file was changed (ns), its size and its inode, for clocks are coarse; None for all else."""
    if not isinstance(argument, str) or not argument.endswith(".safetensors"):
        return None
    try:
        found = os.stat(argument)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
