"""A recording as the networks hear it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..exchange.constants import MEL_HOP
from ..exchange.errors import MissingError
from ..exchange.progress import Progress, silent
from .whisper_inference import hear_whisper


@dataclass
class Speech:
    """What is known of a recording before any face moves.

    Attributes:
        mel: (T, 80) of the loudness-normalised sound, 62.5 frames/s.
        embedding: (256,) of who speaks. style_embedding: (256,) of whose head motion the face takes on.
        prosody: (T, 3), audio.prosody; None where the sound itself is not there, and the mel tells the loudness.
        pitch: (T,) F0 in Hz, 0 where there is none; None where nobody knows it.
        samples: (n,) at 16 kHz, loudness-normalised; None where only the mel is known, and once Whisper has heard it.
    """

    mel: np.ndarray
    embedding: np.ndarray
    style_embedding: np.ndarray
    prosody: np.ndarray | None = None
    samples: np.ndarray | None = None
    _heard: np.ndarray | None = field(default=None, repr=False, compare=False)
    pitch: np.ndarray | None = None

    def whisper(self, device: str = "cpu", progress: Progress = silent) -> np.ndarray:
        """What Whisper's encoder hears in it, (T, 512) float16: computed once, whoever asks; the sound is let go then.

        Raises:
            MissingError: the sound is not there; or the weights are missing. InputError: they are damaged.
        """
        if self._heard is None:
            if self.samples is None:
                raise MissingError("The sound of this recording is not there.", "Prepare the clips again.")
            self._heard = hear_whisper(self.samples, device, progress)
            self.samples = None
        return self._heard

    def beginning(self, frames: int) -> Speech:
        """The first frames of it, at the loudness and in the voice of the whole."""
        samples = None if self.samples is None else self.samples[: (frames - 1) * MEL_HOP]
        prosody = None if self.prosody is None else self.prosody[:frames]
        heard = None if self._heard is None else self._heard[:frames]
        pitch = None if self.pitch is None else self.pitch[:frames]
        return Speech(self.mel[:frames], self.embedding, self.style_embedding, prosody, samples, heard, pitch)
