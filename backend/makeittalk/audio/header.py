"""What the header of an uncompressed or FLAC file states of its length; where it states none, the file's end counts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

from ..exchange.errors import InputError
from .layout import Layout, chunks, flac_samples, read_layout
from .section import section

_SLACK = 64  # bytes at the end that nobody misses
_TRAILER = 1 << 14  # bytes behind the sound that may be tags of unknown make
_TAGS = (b"TAG", b"ID3", b"APETAGEX")


@dataclass
class Header:
    """A file as its decoder should read it.

    Attributes:
        stream: its bytes, with the length put right. unstated: whether the header does not tell the length.
        ffmpeg: whether only FFmpeg reads it to its end.
    """

    stream: BinaryIO
    unstated: bool = False
    ffmpeg: bool = False


def read_header(path: str | os.PathLike[str], file: BinaryIO) -> Header:
    """Compares what the header of a file states with what is there.

    Recorders that crash leave sizes of 0, or of the last time they were brought up to date; those that write to a
    pipe leave the largest number, or say that they do not know.

    Raises:
        InputError: the file is cut short of a length that it states.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    magic = file.read(4)
    try:
        if magic == b"fLaC":
            unstated = not flac_samples(file)
            return Header(_rewound(file), unstated, ffmpeg=unstated)
        layout = read_layout(magic, file, size)
    except ValueError:  # it ends within its header
        layout = None
    if layout is None or layout.start >= size:
        return Header(_rewound(file))
    there = size - layout.start
    unstated = layout.stated is None or (layout.stated == 0 and _sound_from(file, layout, layout.start, size))
    stated = layout.claimed - layout.start if unstated and layout.claimed else layout.stated or 0
    if there < 0.98 * stated - _SLACK:
        raise InputError(
            f"{path} is cut short: {size} of {layout.start + stated} bytes are there.", "Copy the recording again."
        )
    if not unstated and not _goes_on(file, layout, size):
        return Header(_rewound(file))
    patches = {item.offset: (size - item.origin, item.width) for item in layout.sizes}
    if any(value >= 1 << 8 * width for value, width in patches.values()):
        return Header(_rewound(file), unstated=True, ffmpeg=True)
    fixed = {offset: value.to_bytes(width, layout.order) for offset, (value, width) in patches.items()}
    return Header(section(file, 0, size, fixed), unstated=True)


def _rewound(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    return file


def _goes_on(file: BinaryIO, layout: Layout, size: int) -> bool:
    """Whether sound goes on behind a stated end: the header was last brought up to date before a crash."""
    end = layout.start + (layout.stated or 0)
    if size - end <= _TRAILER or layout.claimed is None or layout.claimed > end + _SLACK:
        return False
    return _sound_from(file, layout, end + end % 2, size, _TRAILER)


def _sound_from(file: BinaryIO, layout: Layout, offset: int, size: int, spare: int = 0) -> bool:
    """Whether more than `spare` bytes behind an offset are neither chunks of a RIFF or IFF file nor tags."""
    try:
        for name, contents, stated in chunks(file, offset, layout.order):
            if not name.isascii() or not name.decode("ascii").isprintable() or contents + stated > size:
                break
            offset = contents + stated + stated % 2
    except ValueError:
        pass  # fewer than the bytes of a chunk's beginning are left
    file.seek(offset)
    return size - offset > spare and not file.read(8).startswith(_TAGS)
