"""Makes any picture into the portrait that everything else uses: upright, sRGB, 8 bit, at most 8192 px, alpha kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..exchange import storage
from ..exchange.constants import MAX_PORTRAIT_SIDE
from ..exchange.errors import InputError
from .decoding import Decoded, opened

FILE_NAME = "portrait.png"
_SMALLEST_SIDE = 32  # px


@dataclass
class LaterPicture:
    """A picture of a file that holds several.

    Attributes:
        image: as `read_picture` gives it. number: which of the file's, from 1. count: of how many. animated: whether
        they are an animation, and not pages. notices: sentences for the user.
    """

    image: Image.Image
    number: int
    count: int
    animated: bool
    notices: list[str]


def prepare_portrait(
    source: str | os.PathLike[str], folder: str | os.PathLike[str]
) -> tuple[Path, np.ndarray, list[str]]:
    """Reads a picture and writes it as `portrait.png`.

    Rotation noted by the camera, colour profiles, CMYK, 16 bit, linear light and palettes are resolved; of an
    animation the first picture is taken.

    Args:
        source: the picture. folder: where `portrait.png` goes; it must exist.

    Returns:
        the PNG's path; its pixels (H, W, 4) uint8, alpha not premultiplied; sentences for the user.

    Raises:
        InputError: the file is missing, no picture, damaged, too small or too large.
        MissingError: the package that reads its kind is not installed.
        OutputError: the PNG cannot be written.
    """
    picture, notices = read_picture(source)
    return *write_portrait(picture, folder), notices


def write_portrait(picture: Image.Image, folder: str | os.PathLike[str]) -> tuple[Path, np.ndarray]:
    """Writes an RGBA picture as `portrait.png` into a folder; returns its path and pixels (H, W, 4) uint8.

    Raises:
        OutputError: the PNG cannot be written.
    """
    path = Path(folder) / FILE_NAME
    pixels = np.asarray(picture)
    with storage.replacing(path) as temporary:
        stored = picture.convert("RGB") if pixels[..., 3].min() == 255 else picture
        # Large portraits are written for speed: they stay in a working folder.
        stored.save(temporary, format="PNG", compress_level=6 if pixels.size < 4_000_000 else 1)
    return path, pixels


def read_picture(source: str | os.PathLike[str]) -> tuple[Image.Image, list[str]]:
    """The picture upright in sRGB as an RGBA image of at most 8192 px a side, and sentences for the user.

    Raises:
        InputError, MissingError: see `prepare_portrait`.
    """
    storage.check_file(source)
    with opened(source) as pictures:
        notices = [f"{source} is animated; its first picture was taken."] if pictures.animated else []
        decoded = pictures.read()
    notices += decoded.notices
    if _too_small(decoded):
        width, height = decoded.size
        raise InputError(
            f"{source} is too small: {width} × {height} pixels.", "Use a picture of at least 256 × 256 pixels."
        )
    return decoded.image, notices + _scaled(source, decoded)


def read_later_pictures(source: str | os.PathLike[str]) -> Iterator[LaterPicture]:
    """The other pictures of an animation or of a file with several pages, in their order.

    Raises:
        InputError: one of them is damaged or too large.
    """
    with opened(source) as pictures:
        for number, decoded in pictures.later():
            if not _too_small(decoded):
                notices = decoded.notices + _scaled(source, decoded)
                yield LaterPicture(decoded.image, number, pictures.count, pictures.animated, notices)


def _too_small(decoded: Decoded) -> bool:
    """Whether a picture is too small for any face."""
    return min(decoded.image.size) < _SMALLEST_SIDE


def _scaled(source: str | os.PathLike[str], decoded: Decoded) -> list[str]:
    (width, height), picture = decoded.size, decoded.image
    if max(width, height) <= MAX_PORTRAIT_SIDE:
        return []
    return [f"{source} was scaled down from {width} × {height} to {picture.width} × {picture.height} pixels."]
