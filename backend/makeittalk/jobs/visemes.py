"""From a recording to its phones, words and mouth shapes; what the command line and the server both call."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np

from ..animation.mouth_shapes import mouth_shapes
from ..animation.phone_spans import phone_spans
from ..animation.word_spans import LEAST_FIT, word_spans, words_of
from ..audio.loading import heard, load_audio
from ..exchange.constants import EMBEDDING, FRAME_RATE
from ..exchange.cues import EXTENDED, SILENCE
from ..exchange.errors import InputError
from ..exchange.formats import Cues
from ..exchange.progress import Progress, part, silent
from ..networks.device import choose_device
from ..networks.phones_inference import predict_phones
from ..networks.speech import Speech


@dataclass
class Heard:
    """What was heard in a recording.

    Attributes:
        cues: its phones, words and mouth shapes. notices: sentences for the user.
    """

    cues: Cues
    notices: list[str] = field(default_factory=list)


def hear_cues(
    recording: str | os.PathLike[str],
    text: str = "",
    extended: str = EXTENDED,
    device: str = "auto",
    progress: Progress = silent,
) -> Heard:
    """Hears which phones a recording says when, which words these are, and which shapes a mouth shows for them.

    Args:
        recording: any format that `load_audio` reads. text: what is said in it; empty where nobody knows.
        extended: which of the mouth shapes G, H and X are drawn. device: what the networks run on.

    Raises:
        InputError: the recording cannot be used, the text holds no word, or there are no such shapes.
        MissingError: the weights are not there. Cancelled: `progress` said so.
    """
    _check_extended(extended)
    words = words_of(text)
    if text and not words:
        raise InputError("The text holds no words.", "Paste what is said in the recording.")
    chosen = choose_device(device)
    progress(0.0, "Reading the recording")
    audio = load_audio(recording, part(progress, 0.0, 0.15))
    notices, seconds = audio.notices, audio.seconds
    samples, mel, _ = heard(audio.samples)
    del audio  # hours of sound are as large as what is heard in it
    nobody = np.zeros(EMBEDDING, np.float32)  # a phone is one whoever says it
    speech = Speech(mel, nobody, nobody, samples=samples)
    progress(0.2, "Listening")
    speech.whisper(chosen, part(progress, 0.2, 0.85))
    progress(0.85, "Telling the phones")
    phones = phone_spans(predict_phones(speech, chosen), FRAME_RATE, seconds)
    progress(0.9, "Choosing the mouth shapes")
    shapes = mouth_shapes(phones, seconds, extended)
    progress(0.95, "Finding the words" if words else "Choosing the mouth shapes")
    found, fit = word_spans(words, phones) if words else ([], 1.0)
    if fit < LEAST_FIT and any(phone.name != SILENCE for phone in phones):
        notices.append("The text is hardly what is said in the recording: its words may lie anywhere.")
    progress(1.0, "Choosing the mouth shapes")
    return Heard(Cues.of(seconds, phones, shapes, found), notices)


def _check_extended(extended: str) -> None:
    if len(set(extended)) < len(extended) or not set(extended) <= set(EXTENDED):
        raise InputError(f"There are no extended mouth shapes {extended!r}.", f"Name some of {EXTENDED}, or none.")
