"""A recording played beside Blender's own sound, by its `aud` module."""

from __future__ import annotations

import contextlib
import importlib
import math
from pathlib import Path
from typing import Any


class PreviewSound:
    """A recording that is heard from any place on; see `core.playback.Sound`.

    Args:
        path: a recording that Blender reads.

    Raises:
        OSError: this Blender has no sound, no device plays it, or the file cannot be played.
    """

    def __init__(self, path: Path) -> None:
        try:
            aud: Any = importlib.import_module("aud")  # Blenders that were built without sound have none
        except ImportError as error:
            raise OSError("This Blender was built without sound.") from error
        self._error = aud.error
        try:
            self._device = aud.Device()
            if not self._device.rate > 0.0:
                raise OSError("No sound device was found.")
            self._sound = aud.Sound(str(path))
        except aud.error as error:
            raise OSError("The recording cannot be heard.") from error
        self._handle: Any = None

    def start(self, place: float) -> None:
        """Is heard from a place on, s."""
        self.stop()
        with contextlib.suppress(self._error):  # a device that was pulled out: the picture goes on without it
            self._device.lock()  # or the beginning would be heard before the place is set
            try:
                handle = self._device.play(self._sound)
                handle.position = place
            finally:
                self._device.unlock()
            self._handle = handle

    def stop(self) -> None:
        """Is heard no more."""
        handle, self._handle = self._handle, None
        if handle is not None:
            with contextlib.suppress(self._error):
                handle.stop()

    def place(self) -> float | None:
        """What is heard now, s; None where nothing is."""
        if self._handle is None:
            return None
        try:
            place = float(self._handle.position)
        except self._error:
            return None
        return place if math.isfinite(place) and self._handle.status else None
