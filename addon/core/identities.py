"""Names by which things of a file are told apart. No bpy here.

They are of chance in a session. Where a program writes a file, they follow from what it is made of, so that equal runs
write equal files.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_draw: Callable[[int], str] = secrets.token_hex


def new(size: int) -> str:
    """A name that nothing has yet, of twice so many hexadecimal digits."""
    return _draw(size)


@contextlib.contextmanager
def following_from(files: Iterable[Path]) -> Iterator[None]:
    """Inside, names follow from the contents of files, one after the other; files that are not there count nothing."""
    global _draw
    known = hashlib.blake2b()
    for path in files:
        with contextlib.suppress(OSError):
            known.update(hashlib.blake2b(path.read_bytes()).digest())
    numbers = itertools.count()

    def draw(size: int) -> str:
        own = known.copy()
        own.update(str(next(numbers)).encode())
        return own.hexdigest()[: 2 * size]

    before, _draw = _draw, draw
    try:
        yield
    finally:
        _draw = before
