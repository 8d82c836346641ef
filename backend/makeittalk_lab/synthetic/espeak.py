"""Speech whose phones are known to the sample: eSpeak NG's own library, which says when it says what.

GPL 3, from Debian; the library lies beside the program. It speaks some hundred languages by the same rules.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import lru_cache
from typing import Any

import librosa
import numpy as np
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import InputError, MissingError

from ..data.phones import SILENCE, Phone

_SYNCHRONOUS = 2  # the sound goes to a callback …
_EVENTS = 1 | 2  # … and so do phonemes, in the International Phonetic Alphabet
_NO_EVENT, _PHONEME = 0, 7  # types of events
_PACE, _PITCH = 1, 3  # parameters
_UTF8 = 1
_PAUSE = 0.05  # s: what is silent for less is none
_CLOSURE = 0.09  # s: the longest silence before a stop that is taken for its closure
_HOP = 0.005  # s between two measures of the level
_QUIET = 0.1  # of the loudest level: a closure lies below, voicing behind shut lips included
_STOPS = frozenset("pbtdkgɡqcɟʈɖɓɗ")


class _Name(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Name),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The library of this machine; one of it is enough, as it knows one voice at a time (`Espeak.find`).

    Raises:
        MissingError: it is not installed.
    """

    def __init__(self) -> None:
        found = ctypes.util.find_library("espeak-ng")
        if found is None:
            raise MissingError("eSpeak NG was not found.", "Install espeak-ng.")
        self._library = ctypes.CDLL(found)
        self._rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _EVENTS))
        if self._rate <= 0:
            raise MissingError("eSpeak NG cannot be used: its data are missing.", "Install espeak-ng-data.")
        self._sound: list[np.ndarray] = []
        self._events: list[tuple[int, str]] = []
        self._kept = _Callback(self._hear)  # the library calls it later: it must not be collected
        self._library.espeak_SetSynthCallback(self._kept)

    @classmethod
    @lru_cache(maxsize=1)
    def find(cls) -> Espeak:
        """The library, loaded once.

        Raises:
            MissingError: it is not installed.
        """
        return cls()

    def say(self, text: str, voice: str, pace: int = 150, pitch: int = 50) -> tuple[np.ndarray, list[Phone]]:
        """Speech and its phones.

        eSpeak tells a stop from its burst on; its closure, the near silence before, is added here.

        Args:
            text: in the voice's language. voice: eSpeak's name, with a variant where wished: "de+f2".
            pace: words a minute. pitch: 0–99.

        Returns:
            (n,) samples at 16 kHz; start and end in seconds of each phone and its symbol of the International Phonetic
            Alphabet without stress, SIL for pauses.

        Raises:
            InputError: there is no such voice, or the text is not in its language.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise InputError(f"eSpeak NG has no voice {voice}.", "See `espeak-ng --voices`.")
        self._library.espeak_SetParameter(_PACE, pace, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._sound.clear()
        self._events.clear()
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        if not self._sound or not self._events:
            raise InputError(f"The voice {voice} says nothing for {text!r}.", "Give text in its language.")
        sound = np.concatenate(self._sound).astype(np.float32) / 32768.0
        phones = with_closures(self._phones(len(sound)), sound, self._rate)
        return librosa.resample(sound, orig_sr=self._rate, target_sr=SAMPLE_RATE), phones

    def _hear(self, sound: Any, count: int, events: Any) -> int:
        if sound and count > 0:
            self._sound.append(np.ctypeslib.as_array(sound, (count,)).copy())
        index = 0
        while events[index].type != _NO_EVENT:
            event = events[index]
            if event.type == _PHONEME:
                name = bytes(event.id.string).partition(b"\0")[0].decode("utf-8", "ignore")
                self._events.append((event.sample, name))
            index += 1
        return 0

    def _phones(self, samples: int) -> list[Phone]:
        ends = [sample for sample, _ in self._events[1:]] + [samples]
        phones: list[Phone] = []
        for (first, name), last in zip(self._events, ends, strict=True):
            start, end, symbol = first / self._rate, last / self._rate, name.strip("ˈˌ_:|-.") or SILENCE
            if symbol.startswith("("):
                raise InputError(f"eSpeak NG reads some of this in another language, {symbol}.", "Write it otherwise.")
            if symbol == SILENCE and end - start < _PAUSE and phones:
                # What has no name and is no pause, as a trill's first stroke, belongs to the phone before.
                phones[-1] = (phones[-1][0], end, phones[-1][2])
            elif end > start:
                phones.append((start, end, symbol))
        return phones


def with_closures(phones: list[Phone], sound: np.ndarray, rate: int) -> list[Phone]:
    """The phones with each stop begun where the sound before it falls silent, at most 90 ms before its burst.

    Args:
        phones: as eSpeak tells them. sound: (n,) that they are of. rate: its samples a second.
    """
    hop = round(_HOP * rate)
    level = np.sqrt((sound[: len(sound) // hop * hop].reshape(-1, hop) ** 2).mean(1))
    quiet = level < _QUIET * level.max(initial=0.0)
    found: list[Phone] = []
    for start, end, name in phones:
        if name[0] in _STOPS and found:
            before = found[-1]
            first = burst = round(start * rate / hop)
            least = max(before[0], start - _CLOSURE) * rate / hop
            while first - 1 >= least and quiet[first - 1]:
                first -= 1
            if first < burst:
                start = max(first * hop / rate, before[0])
                found[-1] = (before[0], start, before[2])
        found.append((start, end, name))
    return [phone for phone in found if phone[1] > phone[0]]
