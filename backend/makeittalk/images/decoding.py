"""Opens pictures of every kind that is read, and decodes none before its header was weighed."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from PIL import Image

from ..exchange import storage
from ..exchange.constants import MAX_DECODED_BYTES, MAX_PORTRAIT_SIDE, MAX_SOURCE_PIXELS, MAX_SOURCE_SIDE
from ..exchange.errors import InputError, MakeItTalkError, MissingError
from ..landmarks.quiet import quiet_stderr
from . import open_exr, radiance, srgb
from .deep_tiff import DeepTiff
from .tiff_samples import read_page, unguarded

# Only formats whose readers are part of Pillow (HEIF's is part of pillow-heif) and start no other program; TGA, which
# has no signature, comes last.
_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF", "JPEG2000", "PSD", "PPM", "TGA")
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
_PAGED = ("TIFF", "HEIF")  # several pictures that do not follow one another in time
_HINT = "Use a PNG, JPEG, HEIC, AVIF, WebP, TIFF, OpenEXR, Radiance HDR, JPEG 2000, BMP, GIF, PSD, PPM or TGA picture."
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")
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
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}  # a pixel in memory, else 4
#: How often decoders hold what they decode: as planes, as rows, as the frame before.
_COPIES = {"WEBP": 4, "AVIF": 4, "JPEG2000": 5, "HEIF": 2, "GIF": 2}


@dataclass
class Decoded:
    """One picture of a file.

    Attributes:
        image: upright RGBA in sRGB within `MAX_PORTRAIT_SIDE`. size: its size in the file, upright, px.
        notices: sentences for the user.
    """

    image: Image.Image
    size: tuple[int, int]
    notices: list[str] = field(default_factory=list)


class Pictures:
    """An opened file with one picture or more.

    Attributes:
        animated: whether they are an animation. size: of the first as it is stored, width and height, px.
    """

    def __init__(self, source: str | os.PathLike[str], image: Image.Image) -> None:
        self._source, self._image = source, image
        self._first = image.tell()
        self.size = image.size
        self.animated = image.format in _ANIMATED and self.count > 1

    @property
    def count(self) -> int:
        """How many pictures there are."""
        several = self._image.format in _ANIMATED or self._image.format in _PAGED
        return int(getattr(self._image, "n_frames", 1)) if several else 1

    def read(self) -> Decoded:
        """The picture that the file shows first."""
        image = self._image
        size = _check_sides(self._source, image.size)
        if max(size) > MAX_PORTRAIT_SIDE:
            # JPEG: decodes no more than is needed, or than there is room for.
            wanted = srgb.fitting_size(size)
            if 2 * wanted[0] > size[0] and _decoded_bytes(image, size) > MAX_DECODED_BYTES:
                wanted = size[0] // 2, size[1] // 2
            image.draft(None, wanted)
        _check_bytes(self._source, size, _decoded_bytes(image, size))
        orientation = _orientation(image)  # a PNG is decoded for it
        with quiet_stderr():  # libtiff prints what is wrong with a file
            image.load()
        if image.format == "HEIF":
            size = image.size  # what is decoded may have been cropped
        return _upright(srgb.fit(image), size, orientation, [])

    def later(self) -> Iterator[tuple[int, Decoded]]:
        """Number, from 1, and picture of each of the others in the file's order."""
        image = self._image
        for index in range(self.count):
            if index != self._first:
                _check_bytes(self._source, image.size, 2 * 4 * image.width * image.height)  # this and the one before
                image.seek(index)
                size = _check_sides(self._source, image.size)
                _check_bytes(self._source, size, _decoded_bytes(image, size))
                with quiet_stderr():
                    image.load()
                yield index + 1, _upright(srgb.fit(image), size, _orientation(image), [])


class Single:
    """An opened file of a kind that this project decodes by itself: OpenEXR, Radiance and some TIFFs."""

    animated, count = False, 1

    def __init__(self, source: str | os.PathLike[str], file: DeepTiff | open_exr.OpenExr | radiance.Radiance) -> None:
        self._source, self._file = source, file
        self.size = file.size

    def read(self) -> Decoded:
        """The picture."""
        size = _check_sides(self._source, self._file.size)
        _check_bytes(self._source, size, self._file.decoded_bytes)
        with quiet_stderr():  # libtiff, OpenCV and OpenEXR print what is wrong with a file
            image, notices = self._file.read()
        return _upright(srgb.fit(image), size, getattr(self._file, "orientation", 1), notices)

    def later(self) -> Iterator[tuple[int, Decoded]]:
        """Nothing: there is one picture."""
        return iter(())


@contextlib.contextmanager
def opened(source: str | os.PathLike[str]) -> Iterator[Pictures | Single]:
    """The pictures of a file; what decoders raise meanwhile becomes an `InputError`.

    Raises:
        InputError: the file is no picture, damaged or too large. MissingError: its reader is not installed.
    """
    try:
        with open(source, "rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _decoding(source), _open(source, stream) as pictures:
                yield pictures
    except MemoryError as error:
        raise InputError(f"{source} does not fit into memory.", "Scale the picture down.") from error
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}.", "Check the file.") from error


def check_picture(source: str | os.PathLike[str]) -> None:
    """Sees to it that a file holds a picture of at most `MAX_PORTRAIT_SIDE`, for those who decode it by themselves.

    Raises:
        InputError: it is missing, no picture, or larger. MissingError: as `opened`.
    """
    storage.check_file(source)
    with opened(source) as pictures:
        if max(pictures.size) > MAX_PORTRAIT_SIDE:
            raise InputError(f"{source} is too large.", f"Scale it down to {MAX_PORTRAIT_SIDE} pixels or fewer.")


@contextlib.contextmanager
def _decoding(source: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except (MakeItTalkError, MemoryError):
        raise
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{source} is not a picture that can be read.", _HINT) from error
    except Exception as error:  # a dozen decoders, and each has its own way to say that a file is damaged
        raise InputError(f"{source} is damaged or cut short.", "Choose another picture.") from error


@contextlib.contextmanager
def _open(source: str | os.PathLike[str], stream: BinaryIO) -> Iterator[Pictures | Single]:
    start = stream.read(32)
    stream.seek(0)
    file: Any = None
    if start.startswith(open_exr.MAGIC):
        file = open_exr.OpenExr(source, stream)
    elif start.startswith(radiance.MAGIC):
        file = radiance.Radiance(source, stream)
    elif start[:2] in (b"II", b"MM") and (page := read_page(stream)):
        file = DeepTiff(source, stream, page)
    if file is not None:
        _check_bytes(source, file.size, os.fstat(stream.fileno()).st_size)  # these are read whole
        yield Single(source, file)
        return
    stream.seek(0)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS:
        _register_heif(source)
    Image.init()
    with unguarded():
        image = Image.open(stream, formats=tuple(name for name in _FORMATS if name in Image.OPEN))
    with image:
        yield Pictures(source, image)


def _register_heif(source: str | os.PathLike[str]) -> None:
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingError(
            f"{source} is a HEIC picture, which needs the package pillow-heif.", "Run `pip install pillow-heif`."
        ) from error
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _check_sides(source: str | os.PathLike[str], size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    if max(width, height) > MAX_SOURCE_SIDE or width * height > MAX_SOURCE_PIXELS:
        raise InputError(
            f"{source} is too large: {width} × {height} pixels.",
            f"Scale it down to {MAX_SOURCE_PIXELS // 1_000_000} million pixels or fewer.",
        )
    return size


def _check_bytes(source: str | os.PathLike[str], size: tuple[int, int], needed: int) -> None:
    if needed > MAX_DECODED_BYTES:
        raise InputError(
            f"{source} is too large: its {size[0]} × {size[1]} pixels would take {needed / 2**30:.1f} GiB of memory.",
            f"Scale it down to {max(1, _fitting(size, needed) // 1_000_000)} million pixels or fewer.",
        )


def _fitting(size: tuple[int, int], needed: int) -> int:
    """How many pixels of a kind that needs so many bytes can be decoded."""
    return size[0] * size[1] * MAX_DECODED_BYTES // needed


def _decoded_bytes(image: Image.Image, full: tuple[int, int]) -> int:
    """What decoding an opened picture takes, after `draft`."""
    needed = image.width * image.height * _MODE_BYTES.get(image.mode, 4) * _COPIES.get(image.format or "", 1)
    if image.info.get("progressive"):  # a JPEG's coefficients are kept until its last scan, whatever its draft
        sampling = [across * down for _, across, down, _ in getattr(image, "layer", [(0, 1, 1, 0)] * 4)]
        needed += 2 * full[0] * full[1] * sum(sampling) // max(sampling)
    return needed


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a camera's note that makes no sense is no reason to refuse the picture
        return 1


def _upright(image: Image.Image, size: tuple[int, int], orientation: int, notices: list[str]) -> Decoded:
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
        size = size[::-1] if orientation >= 5 else size
    return Decoded(image, size, notices)
