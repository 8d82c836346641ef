"""What the campaign knows of one reader: how a file of its kind looks, what reads it, and how it may refuse one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: How a file is made hostile: by its structure (`strategies.STRUCTURES`), or by its bytes alone.
BYTES = "bytes"


@dataclass(frozen=True)
class Reader:
    """A reader of files, texts or messages.

    Attributes:
        name: what reports call it; one word for each reader.
        samples: given an empty folder, writes what has to lie beside a file and answers valid files, by their names.
        read: reads the file at a path; False says that it was taken for none, where that is no error.
        errors: the types of errors it may refuse a file with.
        structure: a key of `strategies.STRUCTURES`, or BYTES.
        count: inputs of a whole campaign.
        change: makes a hostile file of a valid one's bytes, a seed and a folder; `byte_mutation.mutate` where None.
    """

    name: str
    samples: Callable[[Path], dict[str, bytes]]
    read: Callable[[Path], object]
    errors: tuple[type[BaseException], ...]
    structure: str = BYTES
    count: int = 400
    change: Callable[[bytes, int, Path], bytes] | None = None
