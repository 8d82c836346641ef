"""Takes decoded sound block by block: mixes it to mono, resamples it, and keeps long recordings out of memory."""

from __future__ import annotations

import tempfile
from typing import IO, NamedTuple

import numpy as np
import soxr

from ..exchange.constants import MAX_AUDIO_SECONDS, SAMPLE_RATE
from ..exchange.errors import InputError

_LOWEST_RATE, _HIGHEST_RATE = 1_000, 1_600_000  # Hz
_FILM_RATE = 48_000  # Hz, the most that is kept for a film
_MOST_CHANNELS = 256
_AUDIBLE = 1e-4  # peak (−80 dBFS) below which a channel is unused
_FAINT = 1e-3  # of the loudest channel's peak: the same for recordings that are quiet as a whole
_DAMAGE = 1e6  # beyond it a sample is no sound
_IN_MEMORY = 128 * 2**20  # bytes of one signal before it goes to a temporary file


class Block(NamedTuple):
    """A stretch of decoded sound: (m, channels) float32 at `rate` Hz; `floats`: whether the file stores them so."""

    samples: np.ndarray
    rate: int
    floats: bool = False


class Sink:
    """Collects (m, c) float32 blocks; a long signal ends as an array mapped from a temporary file."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._blocks: list[np.ndarray] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None

    def add(self, block: np.ndarray) -> None:
        block = np.ascontiguousarray(block, np.float32)
        self._blocks.append(block)
        self._bytes += block.nbytes
        if self._bytes > _IN_MEMORY and self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the array mapped from it
        if self._file is not None:
            for waiting in self._blocks:
                self._file.write(waiting.data)
            self._blocks.clear()

    def finish(self) -> np.ndarray:
        """Everything, (m, c)."""
        if self._file is None:
            blocks, self._blocks = self._blocks, []
            return np.concatenate(blocks) if blocks else np.zeros((0, self._channels), np.float32)
        self._file.flush()
        return np.memmap(self._file, np.float32, "r+", shape=(self._bytes // 4 // self._channels, self._channels))


class Mixer:
    """Turns a recording's blocks into the mono 16 kHz signal and the signal for the film.

    Where rate or channels change midway, what follows is made like the beginning.

    Args:
        name: what to call the recording in a message.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rate = 0
        self.channels = 0
        self.original_rate = 0
        self.frames = 0  # taken in so far
        self.damaged = 0  # samples that were no numbers
        self.full_scale = 1.0  # what stands for ±1 in the blocks
        self.is_unchanged = True  # nothing was silenced, scaled or made like the beginning
        self._changed: _Resampler | None = None  # from the rate that it changed to
        self._changed_to = (0, 0)

    def _open(self, rate: int, channels: int) -> None:
        self.rate = rate
        self.original_rate = min(rate, _FILM_RATE)
        self.channels = channels
        self._peaks = np.zeros(channels, np.float32)
        kept = channels if channels <= 2 else 1
        self._film = Sink(kept)
        # What the networks hear may be the film's sound itself.
        self._mono = self._film if channels == 1 and rate == SAMPLE_RATE else Sink(1)
        self._to_mono = _Resampler(rate, SAMPLE_RATE, 1)
        self._to_film = _Resampler(rate, self.original_rate, kept)

    def add(self, block: Block) -> None:
        """Takes the next stretch.

        Raises:
            InputError: no recording is like that, or it is too long.
        """
        samples, rate, channels = block.samples, block.rate, block.samples.shape[1]
        if not (_LOWEST_RATE <= rate <= _HIGHEST_RATE and 1 <= channels <= _MOST_CHANNELS):
            raise InputError(
                f"{self.name} has {channels} channels at {rate} samples a second.", "Convert it to an ordinary WAV."
            )
        if self.rate == 0:
            self._open(rate, channels)
        if (rate, channels) != self._changed_to:
            self._end_change()
            if (rate, channels) != (self.rate, self.channels):
                self.is_unchanged = False
                self._changed, self._changed_to = _Resampler(rate, self.rate, self.channels), (rate, channels)
        samples = self._sound(samples)
        if self._changed is not None:
            samples = self._changed.take(_with_channels(samples, self.channels))
        self._take(samples)

    def _sound(self, block: np.ndarray) -> np.ndarray:
        """The block at full scale 1, what is no number silenced."""
        block = np.asarray(block, np.float32)
        if self.full_scale != 1.0:
            self.is_unchanged = False
            with np.errstate(invalid="ignore"):  # what is no number is silenced below
                block = block * np.float32(1.0 / self.full_scale)
        sound = np.abs(block) < _DAMAGE  # false for NaN too
        if not sound.all():
            self.is_unchanged = False
            self.damaged += int(sound.size - np.count_nonzero(sound))
            block = np.where(sound, block, np.float32(0.0))
        return block

    def _end_change(self) -> None:
        if self._changed is not None:
            self._take(self._changed.finish())
        self._changed, self._changed_to = None, (0, 0)

    def _take(self, block: np.ndarray) -> None:
        self.frames += len(block)
        if self.frames > MAX_AUDIO_SECONDS * self.rate:
            raise InputError(
                f"{self.name} is longer than {MAX_AUDIO_SECONDS / 3600:g} hours.", "Cut it into shorter recordings."
            )
        self._peaks = np.maximum(self._peaks, np.abs(block).max(0, initial=0.0))
        mono = block.sum(1, keepdims=True)  # divided by the number of used channels once that is known
        self._film.add(self._to_film.take(block if self.channels <= 2 else mono))
        if self._mono is not self._film:
            self._mono.add(self._to_mono.take(mono))

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """samples (n,) at 16 kHz and original (m, 1 or 2)."""
        if self.rate == 0:
            raise InputError(f"{self.name} holds no sound.", "Choose a recording.")
        self._end_change()
        self._film.add(self._to_film.finish())
        film = self._film.finish()
        if self._mono is self._film:
            return film[:, 0], film
        self._mono.add(self._to_mono.finish())
        used = max(1, int(np.count_nonzero(self._peaks > min(_AUDIBLE, _FAINT * self._peaks.max()))))
        samples = self._mono.finish()[:, 0]
        if used > 1:
            samples /= used
            if self.channels > 2:
                film /= used
        return samples, film

    def notices(self) -> list[str]:
        """Sentences for the user."""
        notices = []
        if self.full_scale != 1.0:
            notices.append(f"The samples of {self.name} reach ±{self.full_scale:.0f} instead of ±1: they were scaled.")
        if self.damaged:
            notices.append(f"{self.damaged} samples of {self.name} are not numbers and were silenced.")
        return notices


def _with_channels(block: np.ndarray, channels: int) -> np.ndarray:
    """A block of other channels: one is repeated, several become their mean."""
    if block.shape[1] == channels:
        return block
    return np.repeat(block.mean(1, keepdims=True), channels, axis=1)


class _Resampler:
    """soxr at high quality, block by block, without delay; does nothing at equal rates."""

    def __init__(self, source: int, target: int, channels: int) -> None:
        self._channels = channels
        self._stream = None
        if source != target:
            self._stream = soxr.ResampleStream(source, target, channels, dtype="float32", quality="HQ")

    def take(self, block: np.ndarray) -> np.ndarray:
        if self._stream is None:
            return block
        return self._stream.resample_chunk(np.ascontiguousarray(block)).reshape(-1, self._channels)

    def finish(self) -> np.ndarray:
        if self._stream is None:
            return np.zeros((0, self._channels), np.float32)
        rest = np.zeros((0, self._channels), np.float32)
        return self._stream.resample_chunk(rest, last=True).reshape(-1, self._channels)
