"""Clips of real speech with a constructed head, which moves by the speech's own prosody in the style of a voice.

To keep style and speech apart (a style may be taken from another recording), that voice is the speaker's own in a part
of the clips only; in others it is another's, or one in between.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.audio.prosody import prosody_track
from makeittalk.exchange.constants import EMBEDDING, SAMPLE_RATE
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.pose import Canonical
from makeittalk.networks.noise import noise_track

from ..data.augment import Augment, vary_face
from ..data.clips import Clip
from .head_style import HeadStyles
from .head_targets import head_target
from .landmark_head import LandmarkHead

_PIXELS = 100.0  # px a canonical unit
_SHORTEST = 5.0  # s of a recording that are cut out at least
_PAUSE = 2.5  # s of silence at most before and behind
_NOISY, _NOISE = 0.4, (8.0, 40.0)  # share of clips with noise, and dB that it lies under the voice
_OTHER_SPEAKER, _MIXED, _UNKNOWN = 0.35, 0.65, 0.03  # up to which share clips take a style that is not the speaker's
_FACES = Augment(shape=0.08, identity=0.06)


@dataclass
class SpeakerRecording:
    """A recording of one speaker: its samples, loudness normalised, and its embedding."""

    name: str
    samples: np.ndarray
    embedding: np.ndarray

    @classmethod
    def read(cls, path: Path) -> SpeakerRecording:
        """From a file of sound."""
        samples = normalise_loudness(load_audio(path).samples)
        return cls(path.stem, samples, speaker_embedding(samples))


def noise_seed(name: str) -> int:
    """The seed of the noise that a constructed clip's head was moved with."""
    return zlib.crc32(name.encode())


class HeadClips:
    """Makes the clips; everything that is drawn depends on a clip's name alone."""

    def __init__(self, styles: HeadStyles, recordings: list[SpeakerRecording], head: LandmarkHead | None) -> None:
        self.styles, self.recordings, self.head = styles, recordings, head

    def clip(self, name: str, recording: SpeakerRecording | None, own: bool) -> Clip:
        """A clip of a recording (None: of silence), in its speaker's own style or in one drawn."""
        rng = np.random.default_rng([noise_seed(name), 1])
        speech = np.zeros(round(rng.uniform(5.0, 9.0) * SAMPLE_RATE), np.float32)
        embedding = self._other_speaker(rng)
        if recording is not None:
            speech, embedding = recording.samples, recording.embedding
        if recording is not None and not own:
            length = min(len(speech), round(rng.uniform(_SHORTEST, 17.0) * SAMPLE_RATE))
            start = int(rng.integers(0, len(speech) - length + 1))
            speech = normalise_loudness(speech[start : start + length])
            embedding = self._style_embedding(speech, rng)
        speech = _with_pauses(speech, rng)
        # What is heard may be noisy; what moves the head is not.
        heard = normalise_loudness(_with_noise(speech, rng)) if not own else speech
        mel, prosody = mel_spectrogram(heard), prosody_track(heard)
        clean = prosody_track(speech)
        target = head_target(clean, noise_track(noise_seed(name), len(clean)), self.styles.of(embedding))
        neutral = self._face(rng)
        frame = Canonical.of(neutral)
        face = frame.to_canonical(neutral)
        posed = frame.from_canonical(target.landmarks(face))
        still = neutral + frame.displacement_from(target.expression(face))
        return Clip(name, mel, still, neutral, posed, embedding=embedding, prosody=prosody, samples=heard)

    def _style_embedding(self, speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Whose style it is: the speaker's own, another's, one in between two, or nobody's."""
        kind = rng.random()
        if kind < _UNKNOWN:
            return np.zeros(EMBEDDING, np.float32)
        if kind < _OTHER_SPEAKER:
            return self._other_speaker(rng)
        if kind < _MIXED:
            return _mix_embeddings(self._other_speaker(rng), self._other_speaker(rng), float(rng.uniform(-0.15, 1.15)))
        return speaker_embedding(speech)

    def _other_speaker(self, rng: np.random.Generator) -> np.ndarray:
        return self.recordings[int(rng.integers(len(self.recordings)))].embedding

    def _face(self, rng: np.random.Generator) -> np.ndarray:
        """A face at rest, (68, 3) px."""
        still = np.zeros((1, 68, 3), np.float32)
        if self.head is None or rng.random() < 0.5:
            return vary_face(_PIXELS * np.asarray(MEAN_FACE, np.float32), still, _scaled(_FACES), rng)[0]
        return self.head.play(np.zeros((1, len(self.head.names))), rng)[0]


def _scaled(options: Augment) -> Augment:
    return Augment(mirror=0.5, shape=options.shape, identity=options.identity * _PIXELS)


def _mix_embeddings(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    mixed = np.maximum(share * first + (1.0 - share) * second, 0.0)
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


def _with_pauses(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Silence before, behind and once within."""
    lengths = (rng.uniform(0.0, 1.0, 3) ** 2 * _PAUSE * SAMPLE_RATE).astype(int)
    before, within, behind = (np.zeros(length, np.float32) for length in lengths)
    middle = _quiet_place(speech, rng)
    return np.concatenate([before, speech[:middle], within, speech[middle:], behind])


def _quiet_place(speech: np.ndarray, rng: np.random.Generator) -> int:
    """Where a pause may be drawn out without cutting a word in two."""
    hop = SAMPLE_RATE // 50
    level = np.abs(speech[: len(speech) // hop * hop]).reshape(-1, hop).mean(1)
    quiet = np.flatnonzero(level <= np.percentile(level, 6))
    return int(quiet[rng.integers(len(quiet))] * hop + hop // 2)


def _with_noise(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White to brown noise under the voice of some clips; a faint floor under the others."""
    below = rng.uniform(*_NOISE) if rng.random() < _NOISY else rng.uniform(45.0, 90.0)
    noise = np.fft.rfft(rng.standard_normal(len(speech)))
    frequency = np.maximum(np.fft.rfftfreq(len(speech), 1.0 / SAMPLE_RATE), 50.0)
    coloured = np.fft.irfft(noise * frequency ** -rng.uniform(0.0, 1.0), len(speech))
    level = 0.1 * 10 ** (-below / 20.0)  # of a voice at −20 dBFS
    return (speech + level * coloured / coloured.std()).astype(np.float32)
