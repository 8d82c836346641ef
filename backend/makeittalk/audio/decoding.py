"""Decodes sound files and the sound of films: libsndfile for uncompressed and lossless files, FFmpeg for the rest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ..exchange.constants import MAX_AUDIO_SECONDS
from ..exchange.errors import InputError
from ..exchange.progress import Progress
from .sink import Mixer

# How files begin that libsndfile reads: WAV, RF64, Wave64, FLAC, AIFF, CAF, AU. It would read MP3 too, and print.
_LOSSLESS = frozenset((b"RIFF", b"RIFX", b"RF64", b"riff", b"fLaC", b"FORM", b"caff", b".snd"))
_BLOCK = 1 << 20  # samples of all channels together
_GAP = 0.05  # s: timestamps that jump further than this leave a hole, which becomes silence
_CUT_SHORT = 0.5  # s that may be missing at the end
_HINT = "Choose another recording, or convert it to WAV."


def decode_sound(path: str | os.PathLike[str], mixer: Mixer, progress: Progress) -> None:
    """Feeds the sound of a file to a mixer.

    Raises:
        InputError: it is damaged, cut short, not sound, without sound, or too long.
    """
    try:
        with open(path, "rb") as stream:
            if not _decode_lossless(path, stream, mixer, progress):
                stream.seek(0)
                _decode_ffmpeg(path, stream, mixer, progress)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the file.") from error


def _decode_lossless(path: str | os.PathLike[str], stream: Any, mixer: Mixer, progress: Progress) -> bool:
    """True if libsndfile took the file; false if it is not one of its formats."""
    if stream.read(4) not in _LOSSLESS:
        return False
    stream.seek(0)
    try:
        sound = soundfile.SoundFile(stream)
    except (soundfile.SoundFileError, TypeError, ValueError):
        return False
    with sound:
        _check_length(path, sound.frames / max(1, sound.samplerate))
        _check_container(path, stream)
        mixer.open(sound.samplerate, sound.channels)
        block = max(1, _BLOCK // sound.channels)
        try:
            while len(samples := sound.read(block, dtype="float32", always_2d=True)):
                mixer.add(samples)
                progress(mixer.frames / max(1, sound.frames), "Reading the recording")
        except soundfile.SoundFileError as error:
            raise InputError(f"{path} is damaged.", _HINT) from error
        _check_complete(path, mixer.frames / sound.samplerate, sound.frames / sound.samplerate)
    return True


def _check_container(path: str | os.PathLike[str], stream: Any) -> None:
    """libsndfile reads what is there of a WAV or AIFF that was cut off; its first chunk tells how much there was."""
    position = stream.tell()
    stream.seek(0)
    head = stream.read(12)
    size = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    order = {b"RIFF": "little", b"RIFX": "big", b"FORM": "big"}.get(head[:4])
    if order is None:
        return
    claimed = int.from_bytes(head[4:8], order) + 8  # type: ignore[arg-type]
    # Recorders that write to a pipe leave nearly 4 GiB or 2 GiB there.
    if claimed < 0x7FFF0000 and size < 0.98 * claimed - 64:
        raise InputError(f"{path} is cut short: {size} of {claimed} bytes are there.", "Copy the recording again.")


def _decode_ffmpeg(path: str | os.PathLike[str], stream: Any, mixer: Mixer, progress: Progress) -> None:
    import av
    from av.error import FFmpegError

    # No nested address of a playlist may be opened: neither the network nor another file.
    options = {"protocol_whitelist": "none"}
    try:
        with av.open(stream, "r", options=options, metadata_errors="ignore") as container:
            if container.format.name == "tty":  # FFmpeg draws any text as a film
                raise InputError(f"{path} is not a recording that can be read.", _HINT)
            if not container.streams.audio:
                what = "is a picture or a film without sound" if container.streams.video else "holds no sound"
                raise InputError(f"{path} {what}.", "Choose a recording, or a film with sound.")
            _decode_stream(path, container, mixer, progress)
    except FFmpegError as error:
        raise InputError(f"{path} is not a recording that can be read.", _HINT) from error


def _decode_stream(path: str | os.PathLike[str], container: Any, mixer: Mixer, progress: Progress) -> None:
    import av

    sound = container.streams.best("audio") or container.streams.audio[0]
    film = any(not (video.disposition & av.stream.Disposition.attached_pic) for video in container.streams.video)
    length = float(sound.duration * sound.time_base) if sound.duration else 0.0
    _check_length(path, length)
    start: float | None = container.start_time / av.time_base if film and container.start_time is not None else None
    for packet in container.demux(sound):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue  # what is left out becomes silence, by the timestamps of what follows
        for frame in frames:
            samples = _samples(frame)
            if mixer.rate == 0:
                mixer.open(frame.sample_rate, samples.shape[1])
            if (frame.sample_rate, samples.shape[1]) != (mixer.rate, mixer.channels):
                raise InputError(f"{path} changes its sample rate or channels midway.", _HINT)
            if frame.pts is not None:
                time = float(frame.pts * frame.time_base)
                start = time if start is None else start
                hole = round((time - start) * mixer.rate) - mixer.frames
                if hole > _GAP * mixer.rate or (mixer.frames == 0 and hole > 0):
                    _check_length(path, time - start)
                    mixer.add_silence(hole)
            mixer.add(samples)
            if length:
                progress(min(1.0, mixer.frames / mixer.rate / length), "Reading the recording")
    if mixer.rate == 0:
        raise InputError(f"{path} is damaged: no sound could be read.", _HINT)
    _check_complete(path, mixer.frames / mixer.rate, length)


def _samples(frame: Any) -> np.ndarray:
    """The (m, channels) float32 samples, ±1, of a decoded frame."""
    array = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if array.dtype == np.uint8:
        return (array.astype(np.float32) - 128.0) / 128.0
    if array.dtype.kind == "i":
        return array.astype(np.float32) / -float(np.iinfo(array.dtype).min)
    return array.astype(np.float32)


def _check_length(path: str | os.PathLike[str], seconds: float) -> None:
    if seconds > MAX_AUDIO_SECONDS:
        raise InputError(
            f"{path} is longer than {MAX_AUDIO_SECONDS / 3600:g} hours.", "Cut it into shorter recordings."
        )


def _check_complete(path: str | os.PathLike[str], have: float, claimed: float) -> None:
    if have < 0.95 * claimed - _CUT_SHORT:
        name = Path(path)
        raise InputError(
            f"{name} is cut short: {have:.1f} of {claimed:.1f} seconds can be read.", "Copy the recording again."
        )
