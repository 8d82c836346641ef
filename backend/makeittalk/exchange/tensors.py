"""Files of tensors (safetensors): their header within bounds, and arrays where it says they lie. numpy only.

Source: https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import io
import math
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from . import bounded_json, storage
from .errors import InputError

_MAX_HEADER = 4 * 2**20  # bytes; that of a whole training takes a quarter of one million
_MOST = 2**15  # tensors of a file
_MOST_AXES = 8
_LONGEST_NAME = 512
_METADATA = "__metadata__"
#: Bytes of a number.
_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_SIZES |= {"U64": 8, "U32": 4, "U16": 2}
_NUMBERS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}  # those that become arrays here


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies.

    Attributes:
        kind: of its numbers, as safetensors calls it. shape: of it. start, end: offsets in the file, bytes.
    """

    kind: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file of tensors says of itself: texts by name, and its tensors by theirs."""

    metadata: dict[str, str]
    tensors: dict[str, Tensor]


def read_header(data: bytes | BinaryIO) -> Header:
    """The header of a file of tensors; none of them is read, and each lies within the file.

    Args:
        data: the whole file, or a stream of it that can be sought.

    Raises:
        ValueError: it is no file of tensors, damaged, or more than any of the project's.
    """
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    whole = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    size = int.from_bytes(stream.read(8), "little")
    if not 2 <= size <= min(_MAX_HEADER, whole - 8):
        raise ValueError("no header of a file of tensors")
    value = bounded_json.loads(stream.read(size))
    if not isinstance(value, dict) or len(value) > _MOST:
        raise ValueError("no header of a file of tensors")
    metadata = value.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("no metadata")
    return Header(metadata, {name: _tensor(name, entry, 8 + size, whole) for name, entry in value.items()})


def file_header(path: str | os.PathLike[str]) -> Header:
    """The header of a file of tensors, however large it is.

    Raises:
        InputError: the file is missing, unreadable or empty. ValueError: as `read_header`.
    """
    storage.check_file(path)
    try:
        with open(path, "rb") as stream:
            return read_header(stream)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the file.") from error


def _tensor(name: str, entry: Any, first: int, whole: int) -> Tensor:
    try:
        kind, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        sizes = (*shape, start, end)
        if len(name) > _LONGEST_NAME or len(shape) > _MOST_AXES or not all(type(n) is int and n >= 0 for n in sizes):
            raise ValueError("no sizes")
        if math.prod(shape) * _SIZES[kind] != end - start or first + end > whole:
            raise ValueError("other sizes")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the tensor {name!r:.80} is damaged") from error
    return Tensor(kind, shape, first + start, first + end)


def read_array(stream: BinaryIO, tensor: Tensor) -> np.ndarray:
    """The numbers of a tensor, which `read_header` has found in the same file.

    Raises:
        ValueError: they are of a kind that is not read here, or missing.
    """
    if tensor.kind not in _NUMBERS:
        raise ValueError(f"numbers of the kind {tensor.kind}")
    stream.seek(tensor.start)
    data = stream.read(tensor.end - tensor.start)
    if len(data) != tensor.end - tensor.start:
        raise ValueError("cut short")
    return np.frombuffer(data, np.dtype(_NUMBERS[tensor.kind])).reshape(tensor.shape)


@dataclass(frozen=True)
class BasisArrays:
    """The shape-key basis as its file holds it, in the canonical frame.

    Attributes:
        names: N named keys, then M residual ones. named: (N, 68, 3) float64. residual: (M, 68, 3) float64.
    """

    names: tuple[str, ...]
    named: np.ndarray
    residual: np.ndarray


_MAX_BASIS = 8 * 2**20  # bytes
_MOST_KEYS = 256
_FARTHEST = 10.0  # jaw widths that no key moves a landmark


def read_basis(path: str | os.PathLike[str], content: bytes | None = None) -> BasisArrays:
    """The shape-key basis in a file.

    Args:
        path: of the file. content: of it, where it was read already.

    Raises:
        InputError: it is missing or damaged.
    """
    content = storage.read_bytes(path, _MAX_BASIS) if content is None else content
    try:
        header = read_header(content)
        listed = bounded_json.loads(header.metadata["names"])
        named, residual = (
            read_array(io.BytesIO(content), header.tensors[name]).astype(np.float64) for name in ("named", "residual")
        )
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise ValueError("no names")
        for keys in (named, residual):
            if keys.ndim != 3 or keys.shape[1:] != (68, 3) or len(keys) > _MOST_KEYS:
                raise ValueError("other shapes")
            if not bool((np.abs(keys) < _FARTHEST).all()):  # NaN is refused too
                raise ValueError("impossible numbers")
        if len(listed) != len(named) + len(residual):
            raise ValueError("other names")
    except (KeyError, ValueError) as error:
        raise InputError(f"The shape-key basis {path} is damaged.", "Install it again.") from error
    return BasisArrays(tuple(listed), named, residual)
