"""The links of a chained Ogg: streams one behind the other, each with a codec, sample rate and channels of its own."""

from __future__ import annotations

import os
from typing import BinaryIO

_MAGIC = b"OggS"
_PAGE = 27  # bytes of a page's header before its table of segments
_FIRST = 0x02  # flag of a page that begins a stream
_MOST_LINKS = 10_000


def links(file: BinaryIO) -> list[tuple[int, int]]:
    """Where each link of an Ogg begins and ends; the whole file if it is none, or holds one link.

    FFmpeg gives up where a link differs from the one before, so each is opened by itself.
    """
    size = file.seek(0, os.SEEK_END)
    starts, offset, began = [0], 0, True
    while len(starts) < _MOST_LINKS:
        file.seek(offset)
        head = file.read(_PAGE)
        if len(head) < _PAGE or head[:4] != _MAGIC:
            if (offset := _next_page(file, offset, size)) < 0:
                break
            continue
        first = bool(head[5] & _FIRST)
        if first and not began:
            starts.append(offset)
        began = first  # streams side by side begin page by page
        offset += _PAGE + head[26] + sum(file.read(head[26]))
    return list(zip(starts, [*starts[1:], size], strict=True))


def _next_page(file: BinaryIO, offset: int, size: int) -> int:
    """Where the next page begins behind what is damaged, −1 without one."""
    block = 1 << 16
    offset += 1
    while offset < size:
        file.seek(offset)
        found = file.read(block).find(_MAGIC)
        if found >= 0:
            return offset + found
        offset += block - len(_MAGIC) + 1
    return -1
