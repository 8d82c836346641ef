"""Brings a decoded picture to what the project keeps: 8-bit sRGB with straight alpha, at most 8192 px a side."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from ..exchange.constants import MAX_PORTRAIT_SIDE

_AVERAGED = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr")  # modes whose pixels can be averaged as they are
_STRIP = 4 * 2**20  # px that are converted at a time
_DAMAGE = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def fit(image: Image.Image) -> Image.Image:
    """The picture (any mode, any size) as RGBA within `MAX_PORTRAIT_SIDE`; alpha is not premultiplied."""
    return to_rgba(image) if max(image.size) <= MAX_PORTRAIT_SIDE else _shrink(image)


def fitting_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height, px, of a larger picture brought within `MAX_PORTRAIT_SIDE`."""
    factor = MAX_PORTRAIT_SIDE / max(size)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def to_rgba(image: Image.Image, white: float | None = None) -> Image.Image:
    """The picture in 8-bit sRGB with alpha.

    Args:
        white: the value of white where the mode has more than 8 bits, measured where it is left out.
    """
    profile = image.info.get("icc_profile")
    if _is_deep(image):
        return _from_deep_grey(image, _white(image) if white is None else white).convert("RGBA")
    if image.mode == "LAB":
        return _converted(image, None).convert("RGBA")
    alpha = None
    if image.mode in ("P", "PA", "LA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    colour = None
    if profile:
        try:
            colour = _converted(image, profile)
        except _DAMAGE:
            colour = None  # a broken profile, or one for another kind of pixels
    result = (image if colour is None else colour).convert("RGBA")
    if alpha is not None:
        result.putalpha(alpha)
    return result


def _shrink(image: Image.Image) -> Image.Image:
    """The picture as RGBA, strip by strip: all its pixels at once would take gigabytes once more."""
    width, height = fitting_size(image.size)
    # One colour that stands for transparent must not be blurred into its neighbours.
    averaged = image.mode in _AVERAGED and "transparency" not in image.info
    # Lanczos' kernel would take four times as long.
    kernel = Image.Resampling.HAMMING if averaged else Image.Resampling.BOX
    margin = 2 * -(-image.height // height) if averaged else 0  # rows beyond a strip that its ends are averaged with
    white = _white(image) if _is_deep(image) else None
    small = Image.new("RGBA", (width, height))
    rows = max(1, _STRIP * height // (image.width * image.height))
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        low, high = top * image.height / height, min(image.height, bottom * image.height / height)
        first, last = max(0, int(low) - margin), min(image.height, int(np.ceil(high)) + margin)
        strip = image.crop((0, first, image.width, last))
        strip = strip if averaged else _flat(strip, white)
        box = (0.0, low - first, float(image.width), high - first)
        shrunk = strip.resize((width, bottom - top), kernel, box, reducing_gap=2.0 if averaged else None)
        shrunk.info = {"icc_profile": strip.info.get("icc_profile")}
        small.paste(to_rgba(shrunk), (0, top))
    return small


def _flat(image: Image.Image, white: float | None) -> Image.Image:
    """A picture whose pixels cannot be averaged as one whose pixels can; with its profile where that still holds."""
    if white is not None:
        return _from_deep_grey(image, white)
    if image.mode in ("1", "L", "RGB", "P", "PA"):
        mode = "RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB" if image.mode == "P" else "L"
        flat = image.convert(mode)
        flat.info = {"icc_profile": image.info.get("icc_profile")}
        return flat
    flat = to_rgba(image)
    flat.info = {}
    return flat


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture from its own colour space to sRGB; that of a LAB picture is LAB where no profile is given."""
    if image.mode not in ("RGB", "CMYK", "L", "LAB"):
        image = image.convert("RGB")
    converted = ImageCms.applyTransform(image, _transform(profile, image.mode))
    assert converted is not None  # only in-place conversion returns nothing
    return converted


@functools.lru_cache(maxsize=2)  # of the strips of a picture
def _transform(profile: bytes | None, mode: str) -> Any:
    source = ImageCms.createProfile("LAB") if profile is None else ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I") or image.mode == "F"


def _white(image: Image.Image) -> float:
    """The value of white in 16-bit, 32-bit or floating grey."""
    if image.mode == "I" or image.mode == "F":
        top = float(np.nan_to_num(np.asarray(image)).max(initial=0))
        if image.mode == "F":
            return 1.0 if top <= 1.0 else top
        return 255.0 if top <= 255.0 else 65535.0
    return 65535.0


def _from_deep_grey(image: Image.Image, white: float) -> Image.Image:
    values = np.asarray(image)
    if values.dtype == np.uint16 and white == 65535.0:  # the same by whole numbers, in a fifth of the time
        return Image.fromarray((values.astype(np.uint32) * 255 + 32895 >> 16).astype(np.uint8))
    values = np.nan_to_num(values.astype(np.float32))
    return Image.fromarray(np.rint(np.clip(values * (255.0 / white), 0.0, 255.0)).astype(np.uint8))
