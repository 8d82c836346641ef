"""Reads Radiance pictures (.hdr): linear light, shown as sRGB."""

from __future__ import annotations

import os
import re
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from ..exchange.errors import InputError
from .scene_linear import exposure_notices, show

MAGIC = (b"#?RADIANCE", b"#?RGBE")
_LONGEST_HEADER = 64 * 1024  # bytes
_SIZE = re.compile(rb"\n\n-Y (\d{1,6}) \+X (\d{1,6})\n")


class Radiance:
    """A picture whose header was read.

    Attributes:
        size: width and height, px. decoded_bytes: what it takes.
    """

    def __init__(self, source: str | os.PathLike[str], stream: BinaryIO) -> None:
        """Reads the header.

        Raises:
            InputError: it is of a kind that is not read.
        """
        self._source, self._stream = source, stream
        header = stream.read(_LONGEST_HEADER)
        found = _SIZE.search(header)
        if found is None or b"32-bit_rle_xyze" in header[: found.start()]:
            raise InputError(f"{source} is a Radiance picture of a kind that is not read.", "Save it as OpenEXR.")
        self.size = int(found[2]), int(found[1])
        self.decoded_bytes = 2 * 12 * self.size[0] * self.size[1]  # OpenCV holds them twice

    def read(self) -> tuple[Image.Image, list[str]]:
        """The picture as RGBA and sentences for the user."""
        self._stream.seek(0)
        pixels = cv2.imdecode(np.frombuffer(self._stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels is None:
            raise ValueError("not decoded")
        image, stops = show(np.asarray(pixels)[..., ::-1], linear=True)
        return image, exposure_notices(self._source, stops)
