"""Encodes recordings and films with FFmpeg for the tests."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soxr


def silence(path: Path, seconds: float, rate: int = 16000) -> Path:
    """Writes a WAV of zeros."""
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(rate)
        stream.writeframes(b"\0\0" * int(seconds * rate))
    return path


def encode_sound(
    path: Path,
    samples: np.ndarray,
    codec: str,
    rate: int,
    layout: str = "mono",
    *,
    codec_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Writes (n,) samples at 16 kHz as `codec` at `rate`, timestamps as an encoder sets them.

    `codec_options` go to FFmpeg's encoder, `options` to the writer of the file.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout, options=codec_options or {})
        _mux_sound(container, stream, samples, rate, layout)
    return path


def encode_film(
    path: Path, frames: list[np.ndarray], times: list[Fraction], samples: np.ndarray | None = None, delay: float = 0.0
) -> Path:
    """Writes RGB frames at the given times (s), and sound at 16 kHz that starts `delay` seconds later."""
    with av.open(str(path), "w") as container:
        height, width = frames[0].shape[:2]
        base = Fraction(1, 600)
        video = container.add_stream("libx264", rate=25, options={"crf": "16", "bf": "0"})
        video.width, video.height, video.pix_fmt, video.time_base = width, height, "yuv420p", base
        video.codec_context.time_base = base
        sound = container.add_stream("aac", rate=48000, layout="mono") if samples is not None else None
        for rgb, time in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = int(time / base), base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            _mux_sound(container, sound, samples, 48000, "mono", delay)
    return path


def _mux_sound(container, stream, samples, rate: int, layout: str, delay: float = 0.0) -> None:
    sound = samples if rate == 16000 else soxr.resample(samples, 16000, rate)
    whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None], np.float32), format="fltp", layout="mono")
    whole.rate = rate
    whole.pts = 0
    resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate)
    fifo = av.AudioFifo()
    for frame in resampler.resample(whole):
        fifo.write(frame)
    position = round(delay * rate)
    while (frame := fifo.read(stream.codec_context.frame_size or 1024, partial=True)) is not None:
        frame.time_base, frame.pts = Fraction(1, rate), position
        position += frame.samples
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def lag(a: np.ndarray, b: np.ndarray) -> float:
    """How much later `a` is than `b`, in milliseconds at 16 kHz, by cross-correlation."""
    count = min(len(a), len(b))
    spectrum = np.fft.rfft(a[:count], 2 * count) * np.conj(np.fft.rfft(b[:count], 2 * count))
    best = int(np.argmax(np.fft.irfft(spectrum)))
    return (best - 2 * count if best > count else best) / 16.0
