"""What the samples of a TIFF that Pillow does not read stand for: linear light, a screen's colours, counts."""

from __future__ import annotations

import io
import os
import struct
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageCms

from ..exchange.errors import InputError
from .scene_linear import exposure_notices, show, to_rec_709
from .tiff_samples import LOG_LUV, Page, read_samples

_HINT = (
    "Save it in grey or RGB with LZW, Deflate, PackBits or Zstandard compression or none, "
    "as OpenEXR, or as a 16-bit PNG."
)
_OVER_WHITE = 1.05  # floating-point values up to here are a screen's, resampled or rounded
_PREMULTIPLIED, _STRAIGHT = 1, 2  # kinds of alpha


class DeepTiff:
    """A picture whose tags were read.

    Attributes:
        size: width and height as stored, px. decoded_bytes: what reading its samples takes. orientation: as in EXIF.
    """

    def __init__(self, source: str | os.PathLike[str], stream: BinaryIO, page: Page) -> None:
        """Checks that the kind is read.

        Raises:
            InputError: it is not.
        """
        self._source, self._stream, self._page = source, stream, page
        self._colours = {0: 1, 1: 1, 2: 3}.get(page.photometric, 0)  # white is zero, black is zero, RGB
        if page.photometric not in LOG_LUV and (not page.is_read or not self._colours or page.samples < self._colours):
            raise InputError(f"{source} is a TIFF of a kind that is not read.", _HINT)
        self.size = page.width, page.height
        # As decoded, and as the numbers that they stand for; differences of bytes are summed in a third place.
        self.decoded_bytes = (3 if page.predictor == 3 else 2) * page.decoded_bytes
        self.orientation = page.orientation

    def read(self) -> tuple[Image.Image, list[str]]:
        """The picture as RGBA, with its colour profile where that is still to be applied, and notices."""
        page = self._page
        if page.photometric in LOG_LUV:
            return _show_floats(self._source, _read_log_light(self._stream), False, page.profile)
        alpha = page.extra[0] if page.extra and page.samples > self._colours else 0
        premultiplied, kept = alpha == _PREMULTIPLIED, self._colours + (alpha in (_PREMULTIPLIED, _STRAIGHT))
        pixels = read_samples(self._stream, page)[..., :kept]
        white = 1.0 if pixels.dtype.kind == "f" else _white_of_counts(pixels)
        if page.photometric == 0:
            pixels = np.concatenate([white - pixels[..., :1], pixels[..., 1:]], axis=2)
        if white == 1.0:
            return _show_floats(self._source, pixels, premultiplied, page.profile)
        image, _ = show(pixels, white=white, linear=False, premultiplied=premultiplied)
        return _with_profile(image, page.profile), []


def _white_of_counts(values: np.ndarray) -> float:
    """The value of white in whole numbers: 32 bits often hold fewer."""
    if values.dtype.itemsize == 2:
        return 65535.0
    top = int(values.max(initial=0))
    return float(next(white for white in (255, 65535, 2**32 - 1) if top <= white))


def _show_floats(
    source: str | os.PathLike[str], pixels: np.ndarray, premultiplied: bool, profile: bytes
) -> tuple[Image.Image, list[str]]:
    linear, matrix = _linear_profile(profile)
    white = 1.0
    if not linear:
        colours = pixels[..., : 3 if pixels.shape[2] >= 3 else 1]
        white = _white_of_floats(colours[np.isfinite(colours)])
        linear = not white
    image, stops = show(pixels, white=white or 1.0, linear=linear, premultiplied=premultiplied, matrix=matrix)
    if linear:
        return image, exposure_notices(source, stops)
    if profile or white != 1.0:
        return _with_profile(image, profile), []
    return image, [
        f"{source} holds floating-point values from 0 to 1 and no colour profile: they were taken for a screen's "
        "colours; save it as OpenEXR if they are linear light."
    ]


def _white_of_floats(values: np.ndarray) -> float:
    """The value of white in a screen's colours, by the range they fill; 0 where they are linear light."""
    top = float(values.max(initial=0.0))
    if top <= _OVER_WHITE:
        return 1.0
    middle = float(np.median(values))
    if top <= 255.5 and middle > 2.0:
        return 255.0
    return 65535.0 if top <= 65535.5 and middle > 512.0 else 0.0


def _with_profile(image: Image.Image, profile: bytes) -> Image.Image:
    if profile:
        image.info["icc_profile"] = profile
    return image


def _read_log_light(stream: BinaryIO) -> np.ndarray:
    stream.seek(0)
    decoded: Any = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError("not decoded")
    pixels = np.asarray(decoded, np.float32)
    return pixels[..., None] if pixels.ndim == 2 else pixels[..., 2::-1]


def _linear_profile(profile: bytes) -> tuple[bool, np.ndarray | None]:
    """Whether a colour profile stands for linear light, and the (3, 3) matrix from its primaries to Rec.709."""
    try:
        curve = _tag(profile, b"rTRC") or _tag(profile, b"kTRC")
        if curve[:4] == b"curv":
            count = struct.unpack(">L", curve[8:12])[0]
            straight = count == 0 or (count == 1 and curve[12:14] == b"\1\0")
        else:  # a power of 1
            straight = curve[:4] == b"para" and curve[8:10] == b"\0\0" and curve[12:16] == b"\0\1\0\0"
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile if straight else None
        if space is None or not space.is_matrix_shaper or space.xcolor_space.strip() != "RGB":
            return straight, None
        colorants = (space.red_colorant, space.green_colorant, space.blue_colorant)
        columns = [colour[0] for colour in colorants if colour is not None]
        xyz = np.array([*columns, np.sum(columns, axis=0)])
        return True, to_rec_709(xyz[:, :2] / xyz.sum(axis=1, keepdims=True))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, LookupError, struct.error, np.linalg.LinAlgError):
        return False, None


def _tag(profile: bytes, name: bytes) -> bytes:
    """One entry of an ICC profile, empty where it is missing."""
    count = struct.unpack(">L", profile[128:132])[0] if len(profile) > 132 else 0
    for start in range(132, min(132 + 12 * count, len(profile) - 11), 12):
        if profile[start : start + 4] == name:
            offset, size = struct.unpack(">LL", profile[start + 4 : start + 12])
            return profile[offset : offset + size]
    return b""
