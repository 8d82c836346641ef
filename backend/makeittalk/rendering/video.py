"""Writes films and picture sequences: H.264 and AAC through PyAV, PNG through OpenCV."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from ..exchange import storage, temporary
from ..exchange.errors import OutputError
from ..exchange.progress import Progress, silent
from ..exchange.rates import exact_rate
from ..images.picture import is_opaque, on_grey
from .beside import beside

if TYPE_CHECKING:
    from ..audio.loading import Audio

_QUALITY = 18  # x264's constant rate factor: visually lossless
_AUDIO_BITS = 192_000  # a second
_AUDIO_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)  # Hz that AAC knows
_BLOCK = 1024  # samples handed to the encoder at a time
_PNGS = 2  # pictures that are encoded at a time; of the largest, one takes 268 MB
_ENCODED_TOGETHER = 4  # pictures
_WAITING = 6  # pictures that may be drawn, wait or be encoded together
_WAITING_BYTES = 96 * 2**20  # that they may take; two are always allowed


def write_mp4(
    path: str | os.PathLike[str],
    frames: Iterable[np.ndarray],
    fps: Fraction | float,
    size: tuple[int, int],
    audio: Audio | None = None,
    progress: Progress = silent,
    total: int | None = None,
) -> None:
    """Writes a film beside `path` and renames it into place.

    Sides that are odd lose their last row or column to a repeat of it, as H.264 wants even ones; what is transparent
    is shown on grey. The encoder works in a thread of its own, while the next pictures are made.

    Args:
        path: an .mp4. frames: pictures (height, width, 4 or 3) uint8, straight alpha, each an array of its own.
        fps: frames/s, 30000/1001 for 29.97. size: width, height of the pictures.
        audio: its sound, as long as it is. progress: told the done fraction. total: frames expected.

    Raises:
        InputError: the rate is impossible.
        OutputError: the film cannot be written, or the disk is full.
        Cancelled: `progress` said so; nothing is left behind.
    """
    rate = exact_rate(fps)
    with storage.replacing(path) as written, _encoder_errors(path):
        container = av.open(str(written), "w", format="mp4", options={"movflags": "+faststart"})
        try:
            _encode(container, frames, rate, size, audio, progress, total)
        except BaseException:
            _abandon(container)
            raise
        container.close()


def write_pngs(
    folder: str | os.PathLike[str],
    frames: Iterable[np.ndarray],
    progress: Progress = silent,
    total: int | None = None,
) -> list[Path]:
    """Writes pictures as `frame_00001.png` …, alpha kept, into a folder that is made if need be.

    They are written beside the folder and moved in at the end, so that an interrupted run leaves none.

    Args:
        folder: where. frames: pictures (height, width, 4 or 3) uint8. progress, total: as in `write_mp4`.

    Returns:
        the files.

    Raises:
        OutputError: they cannot be written, or the disk is full.
        Cancelled: `progress` said so.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target} is a file.", "Name a folder for the pictures.")
    try:
        with temporary.folder_beside(target.absolute().parent) as made:
            names: list[str] = []
            numbered = enumerate(_told(frames, progress, total), start=1)
            with contextlib.closing(beside(functools.partial(_write_png, made), numbered, _PNGS, _PNGS + 1)) as done:
                names.extend(done)
            target.mkdir(exist_ok=True)
            places = [storage.real_target(target / name) for name in names]
            for name, place in zip(names, places, strict=True):
                os.replace(made / name, place)
            return [target / name for name in names]
    except OSError as error:
        raise storage.output_error(target, error) from error


def _write_png(folder: Path, numbered: tuple[int, np.ndarray]) -> str:
    """Writes a picture into a folder, by its number; the file's name."""
    number, frame = numbered
    order = cv2.COLOR_RGBA2BGRA if frame.shape[2] == 4 else cv2.COLOR_RGB2BGR
    ok, data = cv2.imencode(".png", cv2.cvtColor(frame, order), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not ok:
        raise OutputError("A picture could not be encoded as PNG.", "Try another size.")
    name = f"frame_{number:05d}.png"
    (folder / name).write_bytes(data.tobytes())
    return name


def _encode(
    container: Any,
    frames: Iterable[np.ndarray],
    rate: Fraction,
    size: tuple[int, int],
    audio: Audio | None,
    progress: Progress,
    total: int | None,
) -> None:
    """Encodes beside the drawing; what goes wrong with a picture is raised here."""
    film = _Film(container, rate, size, audio)
    room = max(2, min(_WAITING, _WAITING_BYTES // (4 * size[0] * size[1])))
    for _ in beside(film.add, _told(frames, progress, total), 1, room):
        pass
    film.finish()


class _Film:
    """The picture and the sound of a film that is being written."""

    def __init__(self, container: Any, rate: Fraction, size: tuple[int, int], audio: Audio | None) -> None:
        self._container, self._rate = container, rate
        self._size = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._video = container.add_stream("libx264", rate=rate)
        self._video.width, self._video.height = self._size
        self._video.pix_fmt = "yuv420p"
        self._video.options = {"crf": str(_QUALITY), "preset": "veryfast"}
        context = self._video.codec_context
        # Several pictures at a time, so that handing one over waits for none; as many everywhere, for the same film.
        context.thread_type, context.thread_count = "FRAME", _ENCODED_TOGETHER
        # The colours are labelled as what they are converted to, or players guess by the picture's size.
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
        self._converter = VideoReformatter()
        self._sound = _SoundTrack(container, audio) if audio is not None else None
        self._frames = 0

    def add(self, frame: np.ndarray) -> None:
        """Encodes a picture (height, width, 4 or 3) uint8, straight alpha, and the sound up to its end."""
        converted = _converted(_opaque(frame, *self._size), self._converter)
        converted.pts, converted.time_base = self._frames, 1 / self._rate
        self._frames += 1
        self._container.mux(self._video.encode(converted))
        if self._sound is not None:
            self._sound.write_until(float(self._frames / self._rate))

    def finish(self) -> None:
        """Encodes what the encoders still hold."""
        self._container.mux(self._video.encode(None))
        if self._sound is not None:
            self._sound.finish()


class _SoundTrack:
    """Feeds a recording to the AAC encoder in step with the picture, so that the file interleaves them."""

    def __init__(self, container: Any, audio: Audio) -> None:
        samples = np.asarray(audio.original, np.float32)
        self._samples = samples[:, None] if samples.ndim == 1 else samples[:, :2]
        self._rate = int(audio.original_rate)
        self._container = container
        layout = "mono" if self._samples.shape[1] == 1 else "stereo"
        target = next((rate for rate in _AUDIO_RATES if rate <= self._rate), _AUDIO_RATES[-1])
        self._stream = container.add_stream("aac", rate=target, layout=layout)
        self._stream.bit_rate = _AUDIO_BITS
        self._layout = layout
        self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=target)
        self._done = 0

    def write_until(self, seconds: float) -> None:
        """Encodes the sound up to a time."""
        end = min(len(self._samples), int(seconds * self._rate))
        while self._done < end:
            self._write(self._samples[self._done : min(self._done + _BLOCK, end)])

    def finish(self) -> None:
        """Encodes the rest."""
        while self._done < len(self._samples):
            self._write(self._samples[self._done : self._done + _BLOCK])
        for frame in self._resampler.resample(None):
            self._container.mux(self._stream.encode(frame))
        self._container.mux(self._stream.encode(None))

    def _write(self, block: np.ndarray) -> None:
        planes = np.ascontiguousarray(np.clip(block, -1.0, 1.0).T)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=self._layout)
        frame.sample_rate = self._rate
        frame.pts, frame.time_base = self._done, Fraction(1, self._rate)
        self._done += len(block)
        for ready in self._resampler.resample(frame):
            self._container.mux(self._stream.encode(ready))


def _told(frames: Iterable[np.ndarray], progress: Progress, total: int | None) -> Iterator[np.ndarray]:
    """The frames, with `progress` told before each, so that it can stop the work."""
    for index, frame in enumerate(frames):
        progress(min(index / total, 1.0) if total else 0.0, "Drawing frames")
        yield frame
    progress(1.0, "Drawing frames")


def _opaque(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """The frame on grey, its last row and column repeated up to the even size: (height, width, 3), or 4 of which the
    last is to be ignored."""
    pixels = np.ascontiguousarray(frame) if is_opaque(frame) else on_grey(frame)
    below, beside = height - pixels.shape[0], width - pixels.shape[1]
    if below or beside:
        pixels = cv2.copyMakeBorder(pixels, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    return pixels


def _converted(pixels: np.ndarray, converter: VideoReformatter) -> av.VideoFrame:
    """What `_opaque` gave, in the colours of the film; the array is not copied."""
    picture = av.VideoFrame.from_numpy_buffer(pixels, format="rgba" if pixels.shape[2] == 4 else "rgb24")
    return converter.reformat(
        picture, format="yuv420p", dst_colorspace=Colorspace.ITU709, src_color_range=2, dst_color_range=1, threads=1
    )


def _abandon(container: Any) -> None:
    """Closes a film that nobody wants any more; what its encoders say now does not matter."""
    try:
        container.close()
    except Exception:  # the disk may be full: the first error is the one to tell
        return


class _encoder_errors:
    """Turns what PyAV raises into a sentence."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, av.FFmpegError):
            number = error.errno if isinstance(error, OSError) else None
            if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
                raise storage.output_error(self._path, OSError(number, os.strerror(number))) from error
            raise OutputError(f"{self._path} could not be encoded: {error}.", "Try another size or rate.") from error
