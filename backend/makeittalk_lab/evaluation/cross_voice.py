"""Clips converted to other voices: their films stay, so lips can be measured on voices that nobody filmed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.vocoder import waveform
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.networks.normalised_mel import normalise_mel
from makeittalk.networks.voice_inference import convert, encode, load_voice

from ..data.clips import Clip, Prepared
from ..data.phone_files import SOUNDS
from .face_motion import clip_embedding

_MOST = 20  # voices, evenly from all over the folder


class CrossVoice:
    """Voice conversion of clips to the speakers of a folder of recordings, taken in turn.

    Args:
        folder: of recordings, one a voice. weights: of voice conversion, a listed set or a path.

    Raises:
        InputError: no recording holds a voice. MissingError, InputError: the weights are missing or damaged.
    """

    def __init__(
        self, folder: str | Path, weights: str = "voice", device: str = "cpu", progress: Progress = silent
    ) -> None:
        model = load_voice(weights, device)
        self._network, self._average = model.network, model.average
        sounds = [path for path in sorted(Path(folder).glob("*")) if path.suffix.lower() in SOUNDS]
        chosen = [sounds[i] for i in np.linspace(0, len(sounds) - 1, min(_MOST, len(sounds))).astype(int)]
        self._embeddings: list[np.ndarray] = []
        for number, path in enumerate(chosen):
            embedding = speaker_embedding(load_audio(path).samples)
            if embedding.any():
                self._embeddings.append(embedding)
            progress((number + 1) / len(chosen), "Listening to the voices")
        if not self._embeddings:
            raise InputError(f"{folder} holds no recording of a voice.", "Name a folder of speech.")

    def convert(self, prepared: Prepared, clip: Clip, number: int) -> Clip:
        """The clip in voice `number`, counted round and round; its sound as far as a mel can be made audible."""
        embedding = self._embeddings[number % len(self._embeddings)]
        code = encode(self._network, normalise_mel(clip.mel, self._average), clip_embedding(prepared, clip))
        mel = convert(self._network, code, embedding)
        return replace(clip, mel=mel, embedding=embedding, samples=normalise_loudness(waveform(mel)))
