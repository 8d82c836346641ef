"""Where uncompressed formats keep the number of bytes of their sound: WAV, RF64, Wave64, AIFF, AU and CAF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

# What recorders that write to a pipe leave: nearly 2 or 4 GiB, or the largest number of 64 bits.
_STREAMED = ((0x7FFF0000, 0x80000000), (0xFFFF0000, 0xFFFFFFFF), (1 << 62, 1 << 64))  # bytes
_MOST_CHUNKS = 10_000
_FARTHEST = 1 << 40  # bytes: systems refuse to seek much further

Order = Literal["little", "big"]


@dataclass
class Size:
    """Where a header keeps the number of bytes from `origin` to the end of the file."""

    offset: int
    width: int
    origin: int


@dataclass
class Layout:
    """Where the samples begin, how many bytes of them are stated (None: unknown), how far the file claims to go."""

    start: int
    stated: int | None
    order: Order
    sizes: list[Size] = field(default_factory=list)
    claimed: int | None = None


def read_layout(magic: bytes, file: BinaryIO, size: int) -> Layout | None:
    """The layout of a file that begins with `magic` and has `size` bytes; None if it is of another format.

    Raises:
        ValueError: it ends within its header.
    """
    return _READERS[magic](file, size) if magic in _READERS else None


def _bytes(file: BinaryIO, offset: int, count: int) -> bytes:
    if offset > _FARTHEST:
        raise ValueError(offset)
    file.seek(offset)
    data = file.read(count)
    if len(data) < count:
        raise ValueError(offset)
    return data


def _number(file: BinaryIO, offset: int, width: int, order: Order) -> int:
    return int.from_bytes(_bytes(file, offset, width), order)


def flac_samples(file: BinaryIO) -> int:
    """The total of samples in a FLAC's first block, 0 if unknown."""
    return _number(file, 18, 8, "big") & ((1 << 36) - 1)


def chunks(file: BinaryIO, offset: int, order: Order) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset of the contents and size of each chunk of a RIFF or IFF file."""
    for _ in range(_MOST_CHUNKS):
        name, size = _bytes(file, offset, 4), _number(file, offset + 4, 4, order)
        yield name, offset + 8, size
        offset += 8 + size + size % 2


def _riff(file: BinaryIO, size: int) -> Layout | None:
    order: Order = "big" if _bytes(file, 0, 4) == b"RIFX" else "little"
    whole = _number(file, 4, 4, order)
    long = 0  # offset of RF64's sizes of 64 bits
    for name, contents, stated in chunks(file, 12, order):
        if name == b"ds64":
            long = contents
        if name != b"data":
            continue
        sizes = [Size(4, 4, 8), Size(contents - 4, 4, contents)]
        if long:
            stated, whole = _number(file, long + 8, 8, order), _number(file, long, 8, order)
            sizes = [Size(long, 8, 8), Size(long + 8, 8, contents)]
        return Layout(contents, _known(stated, size - contents), order, sizes, _claimed(whole, 8, contents))
    return None


def _aiff(file: BinaryIO, size: int) -> Layout | None:
    whole = _number(file, 4, 4, "big")
    for name, contents, stated in chunks(file, 12, "big"):
        if name == b"SSND":
            start = contents + 8  # behind its offset and block size
            known = _known(max(0, stated - 8), size - start)
            return Layout(
                start, known, "big", [Size(4, 4, 8), Size(contents - 4, 4, contents)], _claimed(whole, 8, start)
            )
    return None


def _au(file: BinaryIO, size: int) -> Layout:
    start, stated = _number(file, 4, 4, "big"), _number(file, 8, 4, "big")
    return Layout(start, _known(stated, size - start), "big", [Size(8, 4, start)])


def _caf(file: BinaryIO, size: int) -> Layout | None:
    offset = 8
    for _ in range(_MOST_CHUNKS):
        name, stated = _bytes(file, offset, 4), _number(file, offset + 4, 8, "big")
        if name == b"data":
            start = offset + 16  # behind its count of edits
            return Layout(start, _known(max(0, stated - 4), size - start), "big", [Size(offset + 4, 8, offset + 12)])
        offset += 12 + stated
    return None


def _wave64(file: BinaryIO, size: int) -> Layout | None:
    offset = 40
    for _ in range(_MOST_CHUNKS):
        name, stated = _bytes(file, offset, 4), _number(file, offset + 16, 8, "little")
        if name == b"data":
            start = offset + 24
            known = _known(max(0, stated - 24), size - start)
            return Layout(start, known, "little", [Size(16, 8, 0), Size(offset + 16, 8, offset)])
        offset += max(24, stated + -stated % 8)
    return None


_READERS = {
    b"RIFF": _riff,
    b"RIFX": _riff,
    b"RF64": _riff,
    b"FORM": _aiff,
    b".snd": _au,
    b"caff": _caf,
    b"riff": _wave64,
}


def _known(stated: int, there: int) -> int | None:
    """A number of bytes, None where it only says that there was no end yet."""
    return None if stated > there and _streamed(stated) else stated


def _claimed(whole: int, origin: int, start: int) -> int | None:
    """Where a file ends by its first chunk, None where that says nothing."""
    end = whole + origin
    return end if start < end and not _streamed(whole) else None


def _streamed(stated: int) -> bool:
    return any(low <= stated <= high for low, high in _STREAMED)
