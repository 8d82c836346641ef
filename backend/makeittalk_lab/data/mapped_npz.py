"""Arrays that are read where they lie on the disk: .npz files whose members are stored as they are, and aligned.

A training opens thousands of clips and looks at a few frames of each at a time. Mapped into memory, opening one takes
no time whatever its length, only the frames that are looked at are read, and the processes of several devices share
them. Any other program reads these files as the .npz that they are.
"""

from __future__ import annotations

import io
import mmap
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError

_ALIGN = 64  # bytes; numpy's own headers are multiples of it
_LOCAL = 30  # bytes of a member's header before its name
_PADDING = 0x6D69  # of the extra field that fills up to the next multiple
_KINDS = frozenset("biufU")
_MOST = 256  # arrays of a file
_LONGEST_HEADER = 4096


def write_mapped(path: str | os.PathLike[str], arrays: dict[str, Any]) -> None:
    """Writes arrays beside `path` and renames them into place; the same arrays always make the same bytes.

    Raises:
        OutputError: the file cannot be written.
    """
    with (
        storage.replacing(path) as temporary,
        open(temporary, "wb") as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive,
    ):
        for name, value in arrays.items():
            array = np.ascontiguousarray(value) if np.ndim(value) else np.asarray(value)
            # Not by the clock: preparing again gives the same file.
            member = zipfile.ZipInfo(f"{name}.npy")
            before = stream.tell() + _LOCAL + len(member.filename) + 4
            member.extra = struct.pack("<HH", _PADDING, -before % _ALIGN) + bytes(-before % _ALIGN)
            member.file_size = array.nbytes + _LONGEST_HEADER  # an upper bound, by which zipfile sizes its own header
            with archive.open(member, "w") as target:
                np.lib.format.write_array(target, array, allow_pickle=False)


def read_mapped(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, those of `write_mapped` as read-only views of the file.

    Files that were packed, and all where the system maps no more, are read into memory instead.

    Raises:
        InputError: it is no .npz, damaged, or holds anything but plain arrays.
    """
    storage.check_file(path)
    whole = _map(Path(path))
    if whole is None:
        return storage.read_npz(path)
    try:
        with zipfile.ZipFile(io.BufferedReader(_Bytes(whole))) as archive:
            members = archive.infolist()
        if len(members) > _MOST:
            raise ValueError("too many")
        if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 for member in members):
            return storage.read_npz(path)
        return {member.filename.removesuffix(".npy"): _array(whole, member) for member in members}
    except InputError:
        raise
    except Exception as error:  # a damaged archive can make zipfile and numpy raise nearly anything
        raise InputError(f"{path} is not a readable .npz file.", "Make the file again.") from error


def map_array(path: str | os.PathLike[str]) -> np.ndarray:
    """The array of an .npy file as a read-only view of it; nothing is allocated for what only its header promises.

    Raises:
        InputError: it is missing or empty. ValueError, OSError, EOFError: it is no plain array, or cut short.
    """
    storage.check_file(path)
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _map(path: Path) -> mmap.mmap | None:
    """The file in memory; None where it has to be read."""
    if os.name == "nt":  # which lets nobody replace a file that is mapped
        return None
    try:
        with open(path, "rb") as stream:
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:  # Linux lets a process map 65,530 files
        return None


class _Bytes(io.RawIOBase):
    """A map as a file, for zipfile, which would read a copy of it otherwise."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._place = data, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: len(self._data)}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, target: Any) -> int:
        part = self._data[self._place : self._place + len(target)]
        target[: len(part)] = part
        self._place += len(part)
        return len(part)


def _array(whole: mmap.mmap, member: zipfile.ZipInfo) -> np.ndarray:
    """One member as a view.

    Raises:
        ValueError: it lies outside of the file, or is no plain array.
    """
    name, extra = struct.unpack_from("<HH", whole, member.header_offset + 26)
    first = member.header_offset + _LOCAL + name + extra
    if first + member.file_size > len(whole) or not member.filename.endswith(".npy"):
        raise ValueError("outside of the file")
    head = io.BytesIO(whole[first : first + min(member.file_size, _LONGEST_HEADER)])
    if np.lib.format.read_magic(head) != (1, 0):
        raise ValueError("another version")
    shape, fortran, kind = np.lib.format.read_array_header_1_0(head)
    if kind.kind not in _KINDS or (fortran and len(shape) > 1) or min(shape, default=0) < 0:
        raise ValueError("no plain array")
    count = int(np.prod(shape, dtype=object))
    if head.tell() + count * kind.itemsize != member.file_size:
        raise ValueError("more or less than its header says")
    if not count:
        return np.zeros(shape, kind)
    return np.frombuffer(whole, kind, count, first + head.tell()).reshape(shape)
