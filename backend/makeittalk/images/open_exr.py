"""Reads OpenEXR pictures, those with layers and parts too: the one that a render shows, from linear light to sRGB."""

from __future__ import annotations

import contextlib
import io
import os
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from ..exchange.errors import InputError, MissingError
from ..landmarks.quiet import quiet_stderr
from .scene_linear import exposure_notices, show, to_rec_709

MAGIC = b"v/1\x01"
_HINT = "Save the picture itself, RGB or RGBA, as OpenEXR."
_PREFERRED = ("combined", "composite", "rgba", "beauty")  # layers that hold what a render shows


class OpenExr:
    """A picture whose header was read.

    Attributes:
        size: width and height, px. decoded_bytes: what all its channels take, and the picture that
        is put together of some.
    """

    def __init__(self, source: str | os.PathLike[str], stream: BinaryIO) -> None:
        """Reads the header.

        Raises:
            InputError: it holds no picture that is read. MissingError: the library is not installed.
        """
        self._source, self._stream = source, stream
        parts = _open(stream, header_only=True).parts
        choices = [(part, layer) for part in range(len(parts)) for layer in _layers(parts[part].header)]
        if not choices:
            raise InputError(f"{source} is an OpenEXR file without a picture in colour or grey.", _HINT)
        self._part, self._names = min(choices, key=lambda choice: _rank(parts[choice[0]].header, choice[1]))
        header = parts[self._part].header
        self.size = _size(header)
        needed = sum(4 * len(p.header["channels"]) * int(np.prod(_size(p.header), dtype=object)) for p in parts)
        self.decoded_bytes = needed + 4 * len(self._names) * self.size[0] * self.size[1]
        self._matrix = _matrix(header)

    def read(self) -> tuple[Image.Image, list[str]]:
        """The picture as RGBA and sentences for the user."""
        parts = _open(self._stream, header_only=False).parts
        channels = {channel.name: channel.pixels for channel in parts[self._part].channels.values()}
        pixels = np.stack([channels[name] for name in self._names], axis=2)
        image, stops = show(pixels, linear=True, premultiplied=True, matrix=self._matrix)
        return image, exposure_notices(self._source, stops)


def _open(stream: BinaryIO, header_only: bool) -> Any:
    try:
        import OpenEXR
    except ImportError as error:
        raise MissingError("OpenEXR pictures need the package OpenEXR.", "Run `pip install OpenEXR`.") from error
    stream.seek(0)
    # It prints what is wrong with a damaged file, and then leaves parts out.
    with quiet_stderr(), contextlib.redirect_stdout(io.StringIO()):
        return OpenEXR.File(stream, separate_channels=True, header_only=header_only)


def _size(header: dict[str, Any]) -> tuple[int, int]:
    low, high = (np.asarray(corner, np.int64) for corner in header["dataWindow"])
    width, height = (high - low + 1).tolist()
    return width, height


def _layers(header: dict[str, Any]) -> list[tuple[str, ...]]:
    """The channels of each layer that is a picture: red, green, blue or grey, and alpha where there is one."""
    if "image" not in str(header.get("type", "image")):
        return []  # deep pixels
    names = {channel.name for channel in header["channels"] if channel.xSampling == channel.ySampling == 1}
    found = []
    for prefix in sorted({name[: name.rfind(".") + 1] for name in names}):
        for colours in (("R", "G", "B"), ("r", "g", "b"), ("Y",), ("V",)):
            layer = [prefix + colour for colour in colours]
            if names.issuperset(layer):
                alpha = [prefix + letter for letter in ("A", "a") if prefix + letter in names]
                found.append(tuple(layer + alpha[:1]))
                break
    return found


def _rank(header: dict[str, Any], layer: tuple[str, ...]) -> tuple[int, int, int]:
    """Low where a layer is what a render shows: the nameless one, then one that says so, colour before grey."""
    name = f"{header.get('name', '')}.{layer[0]}".lower()
    known = next((n for n, word in enumerate(_PREFERRED) if word in name), len(_PREFERRED))
    return (len(layer) < 3, "." in layer[0] and known == len(_PREFERRED), known)


def _matrix(header: dict[str, Any]) -> np.ndarray | None:
    """To Rec.709 from the primaries in the header, where there are any."""
    with contextlib.suppress(ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError):
        if "chromaticities" in header:
            return to_rec_709(np.asarray(header["chromaticities"], np.float64).reshape(4, 2))
    return None
