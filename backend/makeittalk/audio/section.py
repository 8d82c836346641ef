"""A stretch of an open file as a file of its own, some of its bytes read as others."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, BinaryIO

_BUFFER = 1 << 16  # bytes


def section(file: BinaryIO, start: int, end: int, patches: Mapping[int, bytes] | None = None) -> BinaryIO:
    """Bytes `start` to `end` of a file.

    Args:
        file: an open one, which is sought before each read. start, end: offsets in it.
        patches: what to read instead, by offset within the section.
    """
    return io.BufferedReader(_Section(file, start, end, patches or {}), _BUFFER)


class _Section(io.RawIOBase):
    def __init__(self, file: BinaryIO, start: int, end: int, patches: Mapping[int, bytes]) -> None:
        self.name = getattr(file, "name", "")  # FFmpeg tells some formats by their suffix
        self._file = file
        self._start, self._size = start, end - start
        self._patches = patches
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        self._file.seek(self._start + self._position)
        data = bytearray(self._file.read(wanted))
        for offset, patch in self._patches.items():
            for index, value in enumerate(patch, offset - self._position):
                if 0 <= index < len(data):
                    data[index] = value
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
