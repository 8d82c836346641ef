"""Opens recordings and films with FFmpeg: nothing beyond the one file is read, and text is not drawn as a film."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import BinaryIO

import av
from av.container import InputContainer
from av.error import FFmpegError

from ..exchange.errors import InputError
from .section import section

_TEXT = {"tty", "bin", "xbin", "adf", "idf", "svg_pipe"}  # drawn, page after page
# Lists that name other files or addresses, numbered pictures, and devices.
_ELSEWHERE = {"concat", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "vobsub", "webm_dash_manifest", "mpjpeg"}
_ELSEWHERE |= {"image2", "image2pipe", "alias_pix", "lavfi", "alsa", "fbdev", "kmsgrab", "oss", "x11grab"}
# What PyAV raises for contents that it cannot make sense of.
_DAMAGE = (FFmpegError, ValueError, ArithmeticError, LookupError, TypeError, NotImplementedError)


@contextmanager
def open_media(path: str | os.PathLike[str], stream: BinaryIO, kind: str = "recording") -> Iterator[InputContainer]:
    """FFmpeg's view of an open file, by its contents; whatever FFmpeg finds wrong there is one sentence.

    Nothing but reading and decoding belongs into the `with`: any error of its kind is taken for the file's.

    Args:
        path: what to call the file. stream: its bytes. kind: what it should be, for the sentence.

    Raises:
        InputError: it is not of that kind, is damaged, or would open other files.
    """
    # Formats are refused before they are opened; protocols stop what is named within those that remain.
    options = {"protocol_whitelist": "none", "format_whitelist": _formats()}
    try:
        # A section is sought wherever a damaged header points.
        whole = section(stream, 0, stream.seek(0, os.SEEK_END))
        with av.open(whole, "r", options=options, metadata_errors="ignore") as container:
            yield container
    except _DAMAGE as error:
        raise InputError(
            f"{path} is not a {kind} that can be read.", f"Choose another {kind}, or convert it to {_COMMON[kind]}."
        ) from error


_COMMON = {"recording": "WAV", "film": "MP4"}


@lru_cache(maxsize=1)
def _formats() -> str:
    return ",".join(sorted(av.formats_available - _TEXT - _ELSEWHERE))
