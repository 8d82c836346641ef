"""Writes a safetensors file a tensor at a time, so that a large network need not be in memory.

The same bytes as the safetensors library writes of the same tensors, which it wants all at once.
Source: https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

INTEGER, FLOAT = "I64", "F32"
_TYPES: dict[str, np.dtype] = {INTEGER: np.dtype("<i8"), FLOAT: np.dtype("<f4")}


def in_order(kinds: Mapping[str, str]) -> list[str]:
    """Names of tensors in the order in which they lie in the file: larger numbers first, then by name."""
    return sorted(kinds, key=lambda name: (kinds[name] != INTEGER, name))


def write(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]],
    kinds: Mapping[str, str],
    tensors: Iterable[np.ndarray],
    metadata: Mapping[str, str],
) -> str:
    """Writes the file and returns its SHA-256.

    Args:
        shapes, kinds: of the tensors by name; a kind is `INTEGER` or `FLOAT`. tensors: in the order of `in_order`.

    Raises:
        ValueError: a tensor is not as it was announced. OSError: the file cannot be written.
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name in in_order(kinds):
        begin, end = end, end + math.prod(shapes[name]) * _TYPES[kinds[name]].itemsize
        header[name] = {"dtype": kinds[name], "shape": list(shapes[name]), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    with open(path, "wb") as stream:

        def put(block: bytes) -> None:
            digest.update(block)
            stream.write(block)

        put(len(text).to_bytes(8, "little") + text)
        for name, values in zip(in_order(kinds), tensors, strict=True):
            if values.shape != shapes[name]:
                raise ValueError(f"{name} has another shape")
            put(np.ascontiguousarray(values, _TYPES[kinds[name]]).tobytes())
    return digest.hexdigest()


@contextlib.contextmanager
def settled(path: Path) -> Iterator[None]:
    """Around the safetensors library's own saving: what it says of a full disk is an OSError, and its notes are sorted.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        yield
    except SafetensorError as error:
        found = re.search(r"os error (\d+)", str(error))
        if found is None:
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1]))) from error
    settle(path)


def settle(path: Path) -> None:
    """Sorts the notes in the header of a file that the safetensors library wrote: it writes them in an order of chance.

    Raises:
        ValueError: it is no such file. OSError: it cannot be written.
    """
    key = b'{"__metadata__":{'
    with open(path, "r+b") as stream:
        length = int.from_bytes(stream.read(8), "little")
        text = stream.read(length)
        if not text.startswith(key):
            return
        whole, parts, place = text.decode(), [], len(key)
        decoder = json.JSONDecoder()
        while whole[place - 1] != "}":
            begin = place
            for _ in range(2):  # a name and its value, and the sign behind each
                _, place = decoder.raw_decode(whole, place)
                place += 1
            parts.append(whole[begin : place - 1])
        stream.seek(8)
        stream.write((whole[: len(key)] + ",".join(sorted(parts)) + whole[place - 1 :]).encode())
