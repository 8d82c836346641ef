"""Samples of the TIFFs that Pillow cannot read: floating-point and 32-bit ones, and planes of more than 8 bits.

The compressed strips or tiles are handed to Pillow's libtiff as if they held grey bytes; predictor, type and order of
the samples are resolved here.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

LOG_LUV = (32844, 32845)  # photometric interpretations of logarithmic light
#: What undoes a compression: none, LZW, Deflate (two numbers), PackBits, LZMA, Zstandard.
_CODECS = {1: 1, 5: 5, 8: 8, 32946: 8, 32773: 32773, 34925: 34925, 50000: 50000}
_KINDS = {1: "u", 2: "i", 3: "f"}  # by the tag SampleFormat


@contextlib.contextmanager
def unguarded() -> Iterator[None]:
    """For pictures that were weighed already: Pillow's own guard starts lower than `MAX_SOURCE_PIXELS`."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


@dataclass
class Page:
    """How the first picture of a TIFF is stored.

    Attributes:
        width, height: px. samples: numbers a pixel. dtype: of one, as stored; None where it is of no known type.
        planar: whether each has a plane of its own. tiled: in tiles rather than strips.
        block: width and height of a tile or strip, px. places: (offset, bytes) of each.
        extra: what the samples beyond the colours are. profile: ICC. The rest: the tags of the same name.
    """

    width: int
    height: int
    samples: int
    dtype: np.dtype[Any] | None
    planar: bool
    tiled: bool
    block: tuple[int, int]
    places: list[tuple[int, int]]
    photometric: int
    compression: int
    predictor: int
    extra: tuple[int, ...]
    orientation: int
    profile: bytes

    @property
    def decoded_bytes(self) -> int:
        """What its samples take once decoded."""
        across, down = self._blocks
        item = self.dtype.itemsize if self.dtype is not None else 4
        return across * self.block[0] * down * self.block[1] * self.samples * item

    @property
    def is_read(self) -> bool:
        """Whether `read_samples` knows the way it is stored."""
        predictors = (1, 3) if self.dtype is not None and self.dtype.kind == "f" else (1, 2)
        return self.dtype is not None and self.compression in _CODECS and self.predictor in predictors

    @property
    def _blocks(self) -> tuple[int, int]:
        return -(-self.width // self.block[0]), -(-self.height // self.block[1])


def read_page(stream: BinaryIO) -> Page | None:
    """The layout of a TIFF that Pillow does not read; None of one that it does, and of damaged ones."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parse(stream)
    except (SyntaxError, OSError, ValueError, LookupError, TypeError, ArithmeticError, struct.error):
        return None  # Pillow finds the words for what is wrong


def _parse(stream: BinaryIO) -> Page | None:
    stream.seek(0)
    header = stream.read(8)
    if 43 in header[2:4]:  # BigTIFF
        header += stream.read(8)
    tags = ImageFileDirectory_v2(header)
    stream.seek(tags.next)
    tags.load(stream)

    def numbers(tag: int, *default: int) -> tuple[int, ...]:
        value = tags.get(tag, default)
        return tuple(int(item) for item in value) if isinstance(value, tuple) else (int(value),)

    width, height, samples = numbers(256)[0], numbers(257)[0], numbers(277, 1)[0]
    bits, kinds, photometric = numbers(258, 1), numbers(339, 1), numbers(262, 1)[0]
    planar = samples > 1 and numbers(284, 1)[0] == 2
    deep = 3 in kinds or max(bits) > 16 or (planar and max(bits) > 8)
    if not deep and photometric not in LOG_LUV:
        return None
    tiled = 322 in tags
    block = (numbers(322)[0], numbers(323)[0]) if tiled else (width, min(height, numbers(278, height)[0]))
    if min(width, height, samples, *block) < 1:
        return None
    profile = tags.get(34675)
    return Page(
        width=width,
        height=height,
        samples=samples,
        dtype=_dtype(">" if header[:2] == b"MM" else "<", kinds, bits),
        planar=planar,
        tiled=tiled,
        block=block,
        places=list(zip(numbers(324 if tiled else 273), numbers(325 if tiled else 279), strict=True)),
        photometric=photometric,
        compression=numbers(259, 1)[0],
        predictor=numbers(317, 1)[0],
        extra=numbers(338),
        orientation=numbers(274, 1)[0],
        profile=profile if isinstance(profile, bytes) else b"",
    )


def _dtype(order: str, kinds: tuple[int, ...], bits: tuple[int, ...]) -> np.dtype[Any] | None:
    kind = _KINDS.get(kinds[0])
    if len(set(kinds)) > 1 or len(set(bits)) > 1 or kind is None:
        return None
    return np.dtype(f"{order}{kind}{bits[0] // 8}") if bits[0] in ((16, 32, 64) if kind == "f" else (16, 32)) else None


def read_samples(stream: BinaryIO, page: Page) -> np.ndarray:
    """(H, W, samples) of a page that `is_read`.

    Raises:
        ValueError, OSError, …: as Pillow does where the file is damaged.
    """
    if not page.planar:
        return _read_plane(stream, page, page.places, page.samples)
    count = len(page.places) // page.samples
    planes = [
        _read_plane(stream, page, page.places[n * count : (n + 1) * count], 1) for n in range(min(4, page.samples))
    ]
    return np.concatenate(planes, axis=2)


def _read_plane(stream: BinaryIO, page: Page, places: list[tuple[int, int]], samples: int) -> np.ndarray:
    assert page.dtype is not None
    across, down = page._blocks
    row = page.block[0] * samples * page.dtype.itemsize  # bytes
    rows = down * page.block[1] if page.tiled else page.height
    if len(places) < across * down:
        raise ValueError("strips or tiles are missing")
    grey = _as_grey(stream, page, places[: across * down], across * row, rows, row)
    with unguarded(), Image.open(grey, formats=("TIFF",)) as image:
        data = np.asarray(image).reshape(rows, across, row)
    return _numbers(data, page, samples).reshape(rows, -1, samples)[: page.height, : page.width]


def _numbers(data: np.ndarray, page: Page, samples: int) -> np.ndarray:
    """The numbers in rows of bytes (rows, blocks, bytes)."""
    assert page.dtype is not None
    rows, blocks, size = data.shape
    item = page.dtype.itemsize
    if page.predictor == 3:  # differences of bytes, of all samples the most significant first (TIFF Technical Note 3)
        added = np.add.accumulate(data.reshape(rows, blocks, -1, samples), axis=2, dtype=np.uint8)
        planes = added.reshape(rows, blocks, item, size // item)
        return np.ascontiguousarray(np.moveaxis(planes, 2, 3)).view(page.dtype.newbyteorder(">"))
    numbers = np.ascontiguousarray(data).view(page.dtype)
    if page.predictor == 2:  # differences of neighbouring pixels, which wrap around
        unsigned = numbers.astype(f"u{item}").reshape(rows, blocks, -1, samples)
        return np.add.accumulate(unsigned, axis=2, dtype=unsigned.dtype).view(page.dtype.newbyteorder("="))
    return numbers


def _as_grey(
    stream: BinaryIO, page: Page, places: list[tuple[int, int]], width: int, height: int, row: int
) -> io.BytesIO:
    """A TIFF of grey bytes whose strips or tiles, `row` bytes wide, are those at `places`."""
    end = stream.seek(0, os.SEEK_END)
    result = io.BytesIO(b"II*\0\0\0\0\0")
    result.seek(8)
    offsets, counts = [], []
    for offset, count in places:
        if offset + count > end or result.tell() + count > end:
            raise ValueError("a strip or tile lies beyond the end of the file")
        stream.seek(offset)
        offsets.append(result.tell())
        counts.append(result.write(stream.read(count)))
    tags = {256: [width], 257: [height], 258: [8], 259: [_CODECS[page.compression]], 262: [1]}
    if page.tiled:
        tags |= {322: [row], 323: [page.block[1]], 324: offsets, 325: counts}
    else:
        tags |= {273: offsets, 278: [page.block[1]], 279: counts}
    entries = []
    for tag, values in sorted(tags.items()):
        value = values[0]
        if len(values) > 1:
            value = result.tell()
            result.write(struct.pack(f"<{len(values)}L", *values))
        entries.append(struct.pack("<HHLL", tag, 4, len(values), value))  # 4: LONG
    start = result.tell()
    result.write(struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0")
    result.seek(4)
    result.write(struct.pack("<L", start))
    result.seek(0)
    return result
