"""Tensors out of PyTorch checkpoints, both of today's format (a zip archive) and of the one before version 1.6.

No code of a checkpoint is ever run, and nothing of it is unpickled: `pickle_walk` describes what its pickle holds, and
the numbers are read from where they lie, a tensor at a time. `torch.load(weights_only=True)` builds what it reads with
torch's own functions, reads all of it, and refuses a file for the class of an optimizer that nobody wants.

The file is read, not mapped: one that shrinks meanwhile is then an error and not the end of the process.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..exchange import storage
from ..exchange.errors import InputError
from . import torch_archive
from .pickle_walk import PickleWalk, Refused, Storage, TensorView
from .torch_archive import Span

MAX_BYTES = 4 * 2**30  # of a file
MAX_PICKLE = 32 * 2**20  # bytes; the image network with its optimizer has about half a megabyte
MAX_TENSORS = 10_000  # of one network
DOWNLOAD = "Download it again, from the page of the original repository."
_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_BLOCK = 2**20  # bytes that are read at once

#: How numpy reads the numbers of a storage. bfloat16, which it does not know, is the upper half of float32.
_TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "<u1",
}
_SIZES = {kind: np.dtype(form).itemsize for kind, form in _TYPES.items()}


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that has not been read yet; made by `open_checkpoint`."""

    name: str
    view: TensorView

    @property
    def shape(self) -> tuple[int, ...]:
        return self.view.shape

    @property
    def is_integer(self) -> bool:
        """Whether it counts something, as `num_batches_tracked` does."""
        kind = self.view.storage.kind
        return np.dtype(_TYPES[kind]).kind in "iu" and kind != "BFloat16Storage"


class Checkpoint:
    """An open checkpoint; see `open_checkpoint`.

    Attributes:
        path: of the file. keys: of the dictionary in it.
    """

    def __init__(self, path: Path, stream: BinaryIO, content: object, spans: dict[str, Span]) -> None:
        self.path = path
        self._stream, self._spans = stream, spans
        self._checked: set[str] = set()
        if not isinstance(content, dict):
            raise Refused("does not hold a dictionary of networks")
        self._content = content

    @property
    def keys(self) -> list[str]:
        return list(self._content)

    def tensors(self, key: str) -> dict[str, StoredTensor]:
        """The tensors below one key, by their names, none of them read yet.

        Raises:
            InputError: there is no such key, or something else than tensors lies there.
        """
        with _sentences(self.path):
            state = self._content.get(key)
            if not isinstance(state, dict):
                raise Refused(f'holds no network under the key "{key}"')
            if len(state) > MAX_TENSORS:
                raise Refused("holds more tensors than any network has")
            found: dict[str, StoredTensor] = {}
            for name, value in state.items():
                if not isinstance(value, TensorView):
                    raise Refused(f'holds something else than tensors under the key "{key}"')
                found[name] = StoredTensor(name, value)
            return found

    def read(self, tensor: StoredTensor) -> np.ndarray:
        """The numbers of a tensor: int64 where it counts, else float32.

        Raises:
            InputError: the file is damaged, or numbers exceed float32.
        """
        with _sentences(self.path):
            view, span = tensor.view, self._spans[tensor.view.storage.key]
            if span.checksum is not None and view.storage.key not in self._checked:
                torch_archive.check_sum(self._stream, span)
                self._checked.add(view.storage.key)
            form = np.dtype(_TYPES[view.storage.kind])
            if math.prod(view.shape) == 0:
                return np.zeros(view.shape, np.int64 if tensor.is_integer else np.float32)
            reach = 1 + sum((size - 1) * step for size, step in zip(view.shape, view.strides, strict=True))
            flat = self._numbers(span.begin + view.offset * form.itemsize, reach, form)
            steps = tuple(step * form.itemsize for step in view.strides)
            return _plain(np.lib.stride_tricks.as_strided(flat, view.shape, steps), view.storage.kind)

    def _numbers(self, begin: int, count: int, form: np.dtype) -> np.ndarray:
        """`count` numbers from the byte `begin` on, read a block at a time: a pipe's worth is not trusted either."""
        flat = np.empty(count, form)
        rest = memoryview(flat.view(np.uint8).data)
        self._stream.seek(begin)
        while len(rest):
            taken = self._stream.readinto(rest[:_BLOCK])  # type: ignore[attr-defined]
            if not taken:
                raise Refused("ends in the middle")
            rest = rest[taken:]
        return flat


@contextmanager
def open_checkpoint(path: str | Path) -> Iterator[Checkpoint]:
    """A checkpoint that `torch.save` has written, for a `with`; its pickle is walked, its numbers stay in the file.

    Raises:
        InputError: it is no checkpoint, damaged, too large, or holds more than data.
    """
    source = Path(path)
    storage.check_file(source)
    try:
        stream = open(source, "rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}.", "Check the file.") from error
    with stream:
        with _sentences(source):
            size = stream.seek(0, 2)
            if size > MAX_BYTES:
                raise Refused(f"is larger than {MAX_BYTES // 2**30} GiB")
            stream.seek(0)
            begin = stream.read(512)
            whole = _read_archive if begin.startswith(b"PK\x03\x04") else _read_former
            content, spans = whole(stream, size, begin)
            checkpoint = Checkpoint(source, stream, content, spans)
        yield checkpoint


def _read_archive(stream: BinaryIO, size: int, _begin: bytes) -> tuple[object, dict[str, Span]]:
    """What the pickle of a zip archive holds, and where its storages lie."""
    archive = torch_archive.read(stream, size, MAX_PICKLE)
    walk = PickleWalk(archive.pickle, _SIZES)
    content = walk.next()
    for key, found in walk.storages.items():
        span = archive.data.get(key)
        if span is None or span.size != found.count * _SIZES[found.kind]:
            raise Refused("does not hold all of the numbers that it names")
    return content, archive.data


def _read_former(stream: BinaryIO, size: int, begin: bytes) -> tuple[object, dict[str, Span]]:
    """The same of the format before PyTorch 1.6: five pickles, then each storage with its count."""
    if not begin.startswith(b"\x80"):
        raise Refused(_what_it_is(begin))
    stream.seek(0)
    walk = PickleWalk(stream.read(MAX_PICKLE), _SIZES)
    if walk.next() != _MAGIC or walk.next() != _VERSION:
        raise Refused("is not a checkpoint of PyTorch's")
    system = walk.next()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise Refused("was saved on a machine with another order of bytes")
    content, keys = walk.next(), walk.next()
    if not isinstance(keys, list) or len(keys) != len(walk.storages) or set(map(type, keys)) - {str}:
        raise Refused("is damaged")
    spans: dict[str, Span] = {}
    place = walk.position
    for key in keys:
        found: Storage | None = walk.storages.get(key)
        if found is None or key in spans:
            raise Refused("contradicts itself about what it holds")
        stream.seek(place)
        head = stream.read(8)
        length = found.count * _SIZES[found.kind]
        if len(head) < 8 or struct.unpack("<q", head)[0] != found.count or place + 8 + length > size:
            raise Refused("does not hold all of the numbers that it names")
        spans[key] = Span(place + 8, length, None)
        place += 8 + length
    return content, spans


def _what_it_is(begin: bytes) -> str:
    """What a file is that is no checkpoint, by its first bytes."""
    if begin.startswith(b"version https://git-lfs"):
        return "is the note that Git LFS leaves in a file's place"
    if begin.lstrip()[:1] == b"<":
        return "is a web page"
    if begin[257:262] == b"ustar":
        return "was saved by a PyTorch before 0.4, whose files are not read"
    return "is not a checkpoint of PyTorch's"


def _plain(values: np.ndarray, kind: str) -> np.ndarray:
    """A tensor's numbers, each of its own, as int64 or float32."""
    if kind == "BFloat16Storage":
        return (values.astype(np.uint32) << 16).view(np.float32)
    if values.dtype.kind in "iu":
        return np.array(values, np.int64, order="C")
    if values.dtype.itemsize > 4:
        with np.errstate(over="ignore"):
            single = values.astype(np.float32)
        if np.any(np.isinf(single) & np.isfinite(values)):
            raise Refused("holds numbers that are too large")
        return single
    return np.array(values, np.float32, order="C")


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """What is refused, as a sentence about the file."""
    try:
        yield
    except Refused as error:
        raise InputError(f"{path} {error}.", DOWNLOAD) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the disk.") from error
