"""Brings a decoded picture to what the project keeps: 8-bit sRGB with straight alpha, at most 8192 px a side."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from ..exchange.constants import MAX_PORTRAIT_SIDE

_AVERAGED = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr")  # modes whose pixels can be averaged as they are
_STRIP = 4 * 2**20  # px that are converted at a time where they cannot
_DAMAGE = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def fit(image: Image.Image) -> Image.Image:
    """The picture (any mode, any size) as RGBA within `MAX_PORTRAIT_SIDE`; alpha is not premultiplied."""
    if max(image.size) <= MAX_PORTRAIT_SIDE:
        return to_rgba(image)
    # One colour that stands for transparent must not be blurred into its neighbours.
    if image.mode in _AVERAGED and "transparency" not in image.info:
        return to_rgba(_shrink(image))
    return _shrink_in_strips(image)


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
        return _converted(image, ImageCms.createProfile("LAB")).convert("RGBA")
    alpha = None
    if image.mode in ("P", "PA", "LA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    colour = None
    if profile:
        try:
            colour = _converted(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except _DAMAGE:
            colour = None  # a broken profile, or one for another kind of pixels
    result = (image if colour is None else colour).convert("RGBA")
    if alpha is not None:
        result.putalpha(alpha)
    return result


def _shrink(image: Image.Image) -> Image.Image:
    small = image.resize(fitting_size(image.size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    small.info = dict(image.info)
    return small


def _shrink_in_strips(image: Image.Image) -> Image.Image:
    """The same for palettes and more than 8 bits, where all pixels at once would take gigabytes in RGBA."""
    width, height = fitting_size(image.size)
    white = _white(image) if _is_deep(image) else None
    small = Image.new("RGBA", (width, height))
    rows = max(1, _STRIP * height // (image.width * image.height))
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        low, high = top * image.height / height, bottom * image.height / height
        first, last = int(low), min(image.height, int(np.ceil(high)))
        strip = to_rgba(image.crop((0, first, image.width, last)), white)
        box = (0.0, low - first, float(image.width), min(high, last) - first)
        small.paste(strip.resize((width, bottom - top), Image.Resampling.BOX, box), (0, top))
    return small


def _converted(image: Image.Image, profile: Any) -> Image.Image:
    """The picture from its own colour space to sRGB."""
    if image.mode not in ("RGB", "CMYK", "L", "LAB"):
        image = image.convert("RGB")
    converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None  # only in-place conversion returns nothing
    return converted


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
    values = np.nan_to_num(np.asarray(image, np.float32))
    return Image.fromarray(np.rint(np.clip(values * (255.0 / white), 0.0, 255.0)).astype(np.uint8))
