"""Where a preview is in its recording: the clock is the sound that is heard, or the wall's where there is none. No bpy
here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

_FOLLOW = 0.1  # of how far the clock is off, what a look at the sound corrects: its place goes in steps of a buffer
_JUMP = 0.15  # s off from which the clock does not follow but jumps
_SILENT = 1.0  # s without a step after which nothing is heard any more
_SNIPPET = 0.08  # s that sound where the playhead is dragged
_AHEAD = 0.5  # s that must be there before playing goes on where it waited for the prediction
_CLOSE = 1e-3  # s


class Sound(Protocol):
    """A recording that can be heard from any place on."""

    def start(self, place: float) -> None:
        """Is heard from a place on, s."""

    def stop(self) -> None:
        """Is heard no more."""

    def place(self) -> float | None:
        """What is heard now, s; None where nothing is."""


class Playback:
    """Plays, waits, loops, is dragged.

    Args:
        now: a clock that only goes on, s.

    Attributes:
        until: s, what can be shown by now. seconds: of the whole.
        playing: whether it shall go on; it may wait for the prediction all the same.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._sound: Sound | None = None
        self._heard: float | None = None  # where the sound was when it was last looked at
        self._stepped = 0.0  # when it had moved
        self._running = False
        self._place, self._at = 0.0, now()  # the place at that moment
        self._snippet_end: float | None = None
        self.until = self.seconds = 0.0
        self.playing = False

    @property
    def waiting(self) -> bool:
        """Whether it would go on and what comes next is not predicted yet."""
        return self.playing and not self._running

    def hear(self, sound: Sound | None) -> None:
        """Takes the recording; None where there is no sound."""
        self._halt()
        self._sound = sound
        self._resume()

    def show(self, until: float, seconds: float) -> None:
        """Takes how much can be shown now, of how much, s."""
        self.until, self.seconds = until, max(until, seconds)
        if self.place > self.until:
            self.seek(self.until)
        self._resume()

    @property
    def place(self) -> float:
        """Where it is, s."""
        if not self._running:
            return self._place
        return min(self._place + self._now() - self._at, self.until)

    def play(self) -> None:
        self.playing = True
        if self.place >= self.seconds - _CLOSE:
            self._place = 0.0
        self._resume()

    def pause(self) -> None:
        self.playing = False
        self._halt()

    def seek(self, place: float, aloud: bool = False) -> None:
        """Goes to a place, s, as far as there is something to show.

        Args:
            aloud: whether a moment of it is heard where nothing plays.
        """
        self._halt()
        self._place = min(max(place, 0.0), self.until)
        self._resume()
        if aloud and not self._running and self._sound is not None:
            self._sound.start(self._place)
            self._snippet_end = self._now() + _SNIPPET

    def update(self) -> None:
        """Follows the sound, begins again behind the end, waits where nothing is predicted yet. To be called often."""
        now = self._now()
        if self._snippet_end is not None and now >= self._snippet_end:
            self._silence()
        if not self._running:
            self._resume()
            return
        self._follow(now)
        if self.place < self.until - _CLOSE:
            return
        self._halt()
        if self.until >= self.seconds - _CLOSE:
            self._place = 0.0
        self._resume()

    def close(self) -> None:
        """Is heard no more and lets the recording go."""
        self.pause()
        self._sound = None

    def _follow(self, now: float) -> None:
        """Brings the clock to where the sound is, a little with each look."""
        heard = self._sound.place() if self._sound is not None else None
        if heard is None:
            return
        if heard == self._heard:
            if now - self._stepped > _SILENT:
                self._sound = None  # there is a device that plays nothing: the wall's clock goes on
            return
        self._heard, self._stepped = heard, now
        place = self._place + now - self._at
        off = heard - place
        self._place, self._at = (heard if abs(off) > _JUMP else place + _FOLLOW * off), now

    def _resume(self) -> None:
        """Goes on where it shall and there is something to go on with."""
        if not self.playing or self._running or self.until <= 0.0:
            return
        whole = self.until >= self.seconds - _CLOSE
        if self.until - self._place < (_CLOSE if whole else min(_AHEAD, self.until)):
            return
        self._silence()
        self._running, self._at, self._heard, self._stepped = True, self._now(), None, self._now()
        if self._sound is not None:
            self._sound.start(self._place)

    def _halt(self) -> None:
        self._place, self._running = self.place, False
        self._silence()

    def _silence(self) -> None:
        self._snippet_end = None
        if self._sound is not None:
            self._sound.stop()
