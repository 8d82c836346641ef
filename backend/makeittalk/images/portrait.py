"""Makes any picture into the portrait that everything else uses: upright, sRGB, 8 bit, at most 8192 px, alpha kept."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from ..exchange import storage
from ..exchange.constants import MAX_PORTRAIT_SIDE, MAX_SOURCE_PIXELS, MAX_SOURCE_SIDE
from ..exchange.errors import InputError

FILE_NAME = "portrait.png"
_SMALLEST_SIDE = 32  # px
# Only formats whose readers are part of Pillow and start no other program; TGA, which has no signature, comes last.
_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PSD", "PPM", "TGA")
_DAMAGE = (OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError, EOFError, struct.error, zlib.error)
_HINT = "Use a PNG, JPEG, WebP, TIFF, BMP, GIF, PSD or TGA picture."
_ORIENTATION = 0x0112  # EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def prepare_portrait(
    source: str | os.PathLike[str], folder: str | os.PathLike[str]
) -> tuple[Path, np.ndarray, list[str]]:
    """Reads a picture and writes it as `portrait.png`.

    Rotation noted by the camera, colour profiles, CMYK, 16 bit and palettes are resolved; of an animation the first
    picture is taken.

    Args:
        source: the picture. folder: where `portrait.png` goes; it must exist.

    Returns:
        the PNG's path; its pixels (H, W, 4) uint8, alpha not premultiplied; sentences for the user.

    Raises:
        InputError: the file is missing, no picture, damaged, too small or too large.
        OutputError: the PNG cannot be written.
    """
    picture, notices = read_picture(source)
    path = Path(folder) / FILE_NAME
    pixels = np.asarray(picture)
    with storage.replacing(path) as temporary:
        stored = picture.convert("RGB") if pixels[..., 3].min() == 255 else picture
        # Large portraits are written for speed: they stay in a working folder.
        stored.save(temporary, format="PNG", compress_level=6 if pixels.size < 4_000_000 else 1)
    return path, pixels, notices


def read_picture(source: str | os.PathLike[str]) -> tuple[Image.Image, list[str]]:
    """The picture upright in sRGB as an RGBA image of at most 8192 px a side, and sentences for the user.

    Raises:
        InputError: see `prepare_portrait`.
    """
    storage.check_file(source)
    Image.init()
    formats = tuple(name for name in _FORMATS if name in Image.OPEN)
    notices: list[str] = []
    try:
        # Pillow's own guard against decompression bombs starts lower than MAX_SOURCE_PIXELS; _check_size does its work.
        with open(source, "rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with _opened(stream, formats) as image:
                    size = _check_size(source, image)
                    orientation = _orientation(image)
                    if getattr(image, "n_frames", 1) > 1 and image.format in ("GIF", "WEBP", "PNG", "AVIF"):
                        notices.append(f"{source} is animated; its first picture was taken.")
                    image.draft(None, (MAX_PORTRAIT_SIDE, MAX_PORTRAIT_SIDE))  # JPEG: decodes no more than is needed
                    image.load()
                    picture = _shrunk(_to_rgba(_shrunk(image)))
            except _DAMAGE as error:
                if isinstance(error, Image.UnidentifiedImageError):
                    raise InputError(f"{source} is not a picture that can be read.", _HINT) from error
                raise InputError(f"{source} is damaged or cut short.", "Choose another picture.") from error
    except MemoryError as error:
        raise InputError(f"{source} does not fit into memory.", "Scale the picture down.") from error
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}.", "Check the file.") from error
    if orientation in _TURNS:
        picture = picture.transpose(_TURNS[orientation])
        size = size[::-1] if orientation >= 5 else size
    if min(picture.size) < _SMALLEST_SIDE:
        raise InputError(
            f"{source} is too small: {size[0]} × {size[1]} pixels.", "Use a picture of at least 256 × 256 pixels."
        )
    if max(size) > MAX_PORTRAIT_SIDE:
        notices.append(
            f"{source} was scaled down from {size[0]} × {size[1]} to {picture.width} × {picture.height} pixels."
        )
    return picture, notices


def _opened(stream: Any, formats: tuple[str, ...]) -> Image.Image:
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        return Image.open(stream, formats=formats)
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _check_size(source: str | os.PathLike[str], image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    if max(width, height) > MAX_SOURCE_SIDE or width * height > MAX_SOURCE_PIXELS:
        raise InputError(
            f"{source} is too large: {width} × {height} pixels.",
            f"Scale it down to {MAX_SOURCE_PIXELS // 1_000_000} million pixels or fewer.",
        )
    return width, height


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return 1  # a camera's note that makes no sense is no reason to refuse the picture


def _shrunk(image: Image.Image) -> Image.Image:
    """The picture within `MAX_PORTRAIT_SIDE`, where its mode can be averaged."""
    if max(image.size) <= MAX_PORTRAIT_SIDE or image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"):
        return image
    if "transparency" in image.info:  # one colour stands for transparent: averaging would blur it
        return image
    factor = MAX_PORTRAIT_SIDE / max(image.size)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    small = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    small.info = dict(image.info)
    return small


def _to_rgba(image: Image.Image) -> Image.Image:
    """The picture in 8-bit sRGB with alpha."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep_grey(image).convert("RGBA")
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
        except (ImageCms.PyCMSError, *_DAMAGE):
            colour = None  # a broken profile, or one for another kind of pixels
    result = (image if colour is None else colour).convert("RGBA")
    if alpha is not None:
        result.putalpha(alpha)
    return result


def _converted(image: Image.Image, profile: Any) -> Image.Image:
    """The picture from its own colour space to sRGB."""
    if image.mode not in ("RGB", "CMYK", "L", "LAB"):
        image = image.convert("RGB")
    converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None  # only in-place conversion returns nothing
    return converted


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit or floating grey as 8-bit grey."""
    values = np.nan_to_num(np.asarray(image, np.float32))
    if image.mode == "F":
        top = 1.0 if values.max(initial=0.0) <= 1.0 else float(values.max())
    else:
        top = 255.0 if image.mode == "I" and values.max(initial=0.0) <= 255.0 else 65535.0
    return Image.fromarray(np.rint(np.clip(values * (255.0 / top), 0.0, 255.0)).astype(np.uint8))
