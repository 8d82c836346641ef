"""Decodes sound files and the sound of films: libsndfile for uncompressed and lossless files, FFmpeg for the rest."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import soundfile

from ..exchange.constants import MAX_AUDIO_SECONDS
from ..exchange.errors import InputError
from ..exchange.progress import Progress, part
from .ffmpeg import container_blocks
from .full_scale import full_scale
from .header import Header, read_header
from .ogg import links
from .section import section
from .sink import Block, Mixer

# How files begin that libsndfile reads: WAV, RF64, Wave64, FLAC, AIFF, CAF, AU. It would read MP3 too, and print.
_LOSSLESS = frozenset((b"RIFF", b"RIFX", b"RF64", b"riff", b"fLaC", b"FORM", b"caff", b".snd"))
# Those of them that Blender and every player read sample by sample as libsndfile does.
_PLAIN = frozenset(("WAV", "WAVEX", "FLAC", "AIFF"))
_PLAIN_SAMPLES = frozenset(("PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"))
_PLAIN_RATES = (8_000, 192_000)  # Hz
_BLOCK = 1 << 20  # samples of all channels together
_CUT_SHORT = 0.5  # s that may be missing at the end
_HINT = "Choose another recording, or convert it to WAV."


@dataclass
class Decoded:
    """What decoding found out.

    Attributes:
        plain: whether Blender and players hear the file itself just as it was heard here. notices: for the user.
    """

    plain: bool
    notices: list[str]


def decode_sound(path: str | os.PathLike[str], mixer: Mixer, progress: Progress) -> Decoded:
    """Feeds the sound of a file to a mixer.

    Raises:
        InputError: it is damaged, cut short, not sound, without sound, or too long.
    """
    notices = []
    try:
        with open(path, "rb") as file:
            header = read_header(path, file)
            if header.unstated:
                notices.append(f"The header of {path} does not tell its length: it was read to its end.")
            sound = None if header.ffmpeg else _open_lossless(header)
            plain = sound is not None and not header.unstated and _is_plain(sound)
            with closing(_blocks(path, header, sound, progress)) as blocks:
                for block in blocks:
                    if block.floats and mixer.rate == 0:
                        mixer.full_scale = _survey(path, part(progress, 0.0, 0.0))
                    mixer.add(block)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the file.") from error
    return Decoded(plain and mixer.is_unchanged, notices)


def _survey(path: str | os.PathLike[str], progress: Progress) -> float:
    """The full scale of a file of floats, for which it is read a first time."""
    with open(path, "rb") as file:
        header = read_header(path, file)
        sound = None if header.ffmpeg else _open_lossless(header)
        with closing(_blocks(path, header, sound, progress)) as blocks:
            return full_scale(block.samples for block in blocks)


def _blocks(
    path: str | os.PathLike[str], header: Header, sound: soundfile.SoundFile | None, progress: Progress
) -> Generator[Block]:
    if sound is not None:
        yield from _lossless_blocks(path, sound, progress)
        return
    stream = header.stream
    stream.seek(0)
    if stream.read(4) != b"OggS":
        stream.seek(0)
        yield from container_blocks(path, stream, progress)
        return
    parts = links(stream)
    for index, (start, end) in enumerate(parts):
        share = part(progress, index / len(parts), (index + 1) / len(parts))
        yield from container_blocks(path, section(stream, start, end), share)


def _open_lossless(header: Header) -> soundfile.SoundFile | None:
    """The file in libsndfile, None if it is not one of its formats."""
    magic = header.stream.read(4)
    header.stream.seek(0)
    if magic not in _LOSSLESS:
        return None
    try:
        # In a section of its own: soundfile prints a trace where a damaged header makes it seek before the beginning.
        return soundfile.SoundFile(section(header.stream, 0, header.stream.seek(0, os.SEEK_END)))
    except (soundfile.SoundFileError, TypeError, ValueError):
        return None


def _is_plain(sound: soundfile.SoundFile) -> bool:
    low, high = _PLAIN_RATES
    return (
        sound.format in _PLAIN
        and sound.subtype in _PLAIN_SAMPLES
        and low <= sound.samplerate <= high
        and sound.channels <= 2  # more are mixed down in another way by each player
    )


def _lossless_blocks(path: str | os.PathLike[str], sound: soundfile.SoundFile, progress: Progress) -> Iterator[Block]:
    rate, done = sound.samplerate, 0
    if sound.frames > MAX_AUDIO_SECONDS * max(1, rate):
        raise InputError(
            f"{path} is longer than {MAX_AUDIO_SECONDS / 3600:g} hours.", "Cut it into shorter recordings."
        )
    floats = sound.subtype in ("FLOAT", "DOUBLE")
    count = max(1, _BLOCK // sound.channels)
    yield Block(np.zeros((0, sound.channels), np.float32), rate, floats)
    with sound:
        try:
            while len(samples := sound.read(count, dtype="float32", always_2d=True)):
                yield Block(samples, rate, floats)
                done += len(samples)
                progress(done / max(1, sound.frames), "Reading the recording")
        except soundfile.SoundFileError as error:
            raise InputError(f"{path} is damaged.", _HINT) from error
        if done < 0.95 * sound.frames - _CUT_SHORT * rate:
            raise InputError(
                f"{path} is cut short: {done / rate:.1f} of {sound.frames / rate:.1f} seconds can be read.",
                "Copy the recording again.",
            )
