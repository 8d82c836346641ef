"""Decodes compressed sound, and the sound of films, through FFmpeg."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import numpy as np
from av.error import FFmpegError

from ..exchange.constants import MAX_AUDIO_SECONDS
from ..exchange.errors import InputError
from ..exchange.progress import Progress
from .container import open_media
from .sink import Block
from .stated_length import stated_length

_GAP = 0.05  # s: timestamps that jump further than this leave a hole, which becomes silence
_LONGEST_GAP = 600.0  # s: a timestamp that jumps further is damaged
_CUT_SHORT = 0.5  # s that may be missing at the end
_SILENCE = 1 << 16  # samples
_HINT = "Choose another recording, or convert it to WAV."


def container_blocks(path: str | os.PathLike[str], stream: BinaryIO, progress: Progress) -> Iterator[Block]:
    """The sound of a container, silence where it has holes.

    Raises:
        InputError: it is damaged, cut short of a length that it states, not sound, without sound, or too long.
    """
    with open_media(path, stream) as container:
        if not container.streams.audio:
            what = "is a picture or a film without sound" if container.streams.video else "holds no sound"
            raise InputError(f"{path} {what}.", "Choose a recording, or a film with sound.")
        yield from _stream_blocks(path, container, stream, progress)


def _stream_blocks(
    path: str | os.PathLike[str], container: Any, stream: BinaryIO, progress: Progress
) -> Iterator[Block]:
    sound = container.streams.best("audio") or container.streams.audio[0]
    if sound.codec_context is None:
        raise InputError(f"{path} holds sound of a kind that cannot be read.", _HINT)
    floats = sound.codec_context.name.startswith("pcm_f")
    guess = float(sound.duration * sound.time_base) if sound.duration else (container.duration or 0) / av.time_base
    length, whole = stated_length(container, sound, stream)
    if length > MAX_AUDIO_SECONDS:
        raise InputError(
            f"{path} is longer than {MAX_AUDIO_SECONDS / 3600:g} hours.", "Cut it into shorter recordings."
        )
    start, rate, done, last, timed = _start(container), 0, 0, 0.0, True
    for packet in container.demux() if whole else container.demux(sound):
        if packet.pts is not None and packet.time_base:
            last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.stream != sound:
            continue
        for frame in _decoded(packet):
            samples = _samples(frame)
            if frame.sample_rate != rate:
                timed = rate == 0  # the times of what follows were counted at the first rate
                done = round(done * frame.sample_rate / rate) if rate else 0
                rate = frame.sample_rate
            if frame.pts is not None and timed:
                time = float(frame.pts * frame.time_base)
                start = time if start is None else start
                hole = round((time - start) * rate) - done
                if hole > _LONGEST_GAP * rate:
                    raise InputError(
                        f"{path} holds no sound for {hole / rate:.0f} seconds from {done / rate:.1f} s.", _HINT
                    )
                if hole > _GAP * rate or (done == 0 and hole > 0):
                    done += hole
                    yield from _silence(hole, samples.shape[1], rate, floats)
            yield Block(samples, rate, floats)
            done += len(samples)
            if guess:
                progress(min(1.0, done / rate / guess), "Reading the recording")
    if not rate:
        raise InputError(f"{path} is damaged: no sound could be read.", _HINT)
    have = last if whole else done / rate
    if have < 0.95 * length - _CUT_SHORT:
        raise InputError(
            f"{path} is cut short: {have:.1f} of {length:.1f} seconds can be read.", "Copy the recording again."
        )


def _decoded(packet: Any) -> list[Any]:
    """The frames of a packet, none of a damaged one: what follows tells by its timestamps how long the silence is."""
    try:
        return list(packet.decode())
    except FFmpegError:
        return []


def _start(container: Any) -> float | None:
    """The time of a film's beginning, which its sound keeps; other recordings begin with their sound."""
    film = any(not (video.disposition & av.stream.Disposition.attached_pic) for video in container.streams.video)
    return container.start_time / av.time_base if film and container.start_time is not None else None


def _silence(count: int, channels: int, rate: int, floats: bool) -> Iterator[Block]:
    for first in range(0, count, _SILENCE):
        yield Block(np.zeros((min(_SILENCE, count - first), channels), np.float32), rate, floats)


def _samples(frame: Any) -> np.ndarray:
    """The (m, channels) float32 samples, ±1, of a decoded frame."""
    array = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if array.dtype == np.uint8:
        return (array.astype(np.float32) - 128.0) / 128.0
    if array.dtype.kind == "i":
        return array.astype(np.float32) / -float(np.iinfo(array.dtype).min)
    return array.astype(np.float32)
