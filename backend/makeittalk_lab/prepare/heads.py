"""LibriSpeech voices (Panayotov et al. 2015) with heads that move by constructed targets: `training.prosody`.

There is no corpus of many filmed speakers here. So every clip pairs real speech with a head that moves by its real
prosody, in a manner that is a function of a voice. To keep manner and speech apart (a manner may be taken from another
recording), that voice is the speaker's own in a part of the clips only; in others it is another's, or one in between.
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
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.pose import Canonical
from makeittalk.networks.noise import noise_track

from ..data.augment import Augment, vary_face
from ..data.clips import Clip, Prepared
from ..data.poisson import poisson_disk
from ..data.splits import split_voices
from ..synthetic.head_style import TRAITS, Manners
from ..synthetic.head_targets import head_target
from .facegood import Head

KIND = "heads"
_PIXELS = 100.0  # px a canonical unit
_SHORTEST = 5.0  # s of a recording that are cut out at least
_PAUSE = 2.5  # s of silence at most before and behind
_NOISY, _NOISE = 0.4, (8.0, 40.0)  # share of clips with noise, and dB that it lies under the voice
_STRANGE, _BETWEEN, _NOBODY = 0.35, 0.65, 0.03  # up to which share clips take a manner that is not the speaker's
_SILENT = 0.03  # clips without speech, for each with some
_FACES = Augment(shape=0.08, identity=0.06)
_HEAD = "ict_facekit.npz"


@dataclass
class Voice:
    """A recording of one speaker: its samples, loudness normalised, and its embedding."""

    name: str
    samples: np.ndarray
    embedding: np.ndarray


def noise_seed(name: str) -> int:
    """The seed of the noise that a constructed clip's head was moved with."""
    return zlib.crc32(name.encode())


def prepare_heads(
    source: str | Path,
    dest: str | Path,
    progress: Progress = silent,
    variants: int = 6,
    speakers: int = 0,
) -> Prepared:
    """Writes several clips of each voice to learn from, one of each to validate and to test.

    Args:
        source: folder with `*.flac`, one recording a speaker; `ict_facekit.npz` in it or beside it gives the faces,
            the mean face otherwise. dest: folder to write, made where missing; clips that are there are kept.
        variants: clips of a voice to learn from.
        speakers: how many of these voices, chosen by Poisson disk sampling; 0 for all.

    Raises:
        InputError: there are not enough recordings.
    """
    source, dest = Path(source), Path(dest)
    recordings = {path.stem: path for path in sorted(source.glob("*.flac"))}
    train, validation, test = split_voices(recordings)
    if len(train) <= TRAITS:
        raise InputError(f"{source} holds {len(recordings)} recordings, too few.", "Name a folder of many speakers.")
    dest.mkdir(parents=True, exist_ok=True)
    voices = []
    for number, name in enumerate(train):
        progress(0.2 * number / len(train), "Recognising voices")
        voices.append(_voice(recordings[name]))
    embeddings = np.stack([voice.embedding for voice in voices])
    manners = Manners.fit(embeddings)
    voices = [voices[place] for place in poisson_disk(embeddings, speakers)]
    maker = _Maker(manners, voices, _faces(source))
    splits: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    silent_clips = round(_SILENT * len(voices) * variants)
    total = len(voices) * variants + silent_clips + len(validation) + len(test)
    made = 0

    def keep(split: str, name: str, voice: Voice | None, own: bool = False) -> None:
        nonlocal made
        if not (dest / f"{name}.npz").is_file():
            maker.clip(name, voice, own).save(dest)
        splits[split].append(name)
        made += 1
        progress(0.2 + 0.8 * made / total, "Moving heads")

    for voice in voices:
        for variant in range(variants):
            keep("train", f"{voice.name}_{variant}", voice)
    for number in range(silent_clips):
        keep("train", f"silence_{number}", None)
    for split, names in (("validation", validation), ("test", test)):
        for name in names:
            keep(split, name, _voice(recordings[name]), own=True)
    prepared = Prepared(dest, KIND, splits["train"], splits["validation"], splits["test"], {})
    prepared.save()
    return prepared


class _Maker:
    """Makes clips; everything that is drawn depends on a clip's name alone."""

    def __init__(self, manners: Manners, voices: list[Voice], head: Head | None) -> None:
        self.manners, self.voices, self.head = manners, voices, head

    def clip(self, name: str, voice: Voice | None, own: bool) -> Clip:
        """A clip of a voice (None: of silence), in its own manner or in one drawn."""
        rng = np.random.default_rng([noise_seed(name), 1])
        speech = np.zeros(round(rng.uniform(5.0, 9.0) * SAMPLE_RATE), np.float32)
        embedding = self._stranger(rng)
        if voice is not None:
            speech, embedding = voice.samples, voice.embedding
        if voice is not None and not own:
            length = min(len(speech), round(rng.uniform(_SHORTEST, 17.0) * SAMPLE_RATE))
            start = int(rng.integers(0, len(speech) - length + 1))
            speech = normalise_loudness(speech[start : start + length])
            embedding = self._embedding(speech, rng)
        speech = _with_pauses(speech, rng)
        # What is heard may be noisy; what moves the head is not.
        heard = normalise_loudness(_with_noise(speech, rng)) if not own else speech
        mel, prosody = mel_spectrogram(heard), prosody_track(heard)
        clean = prosody_track(speech)
        target = head_target(clean, noise_track(noise_seed(name), len(clean)), self.manners.of(embedding))
        neutral = self._face(rng)
        frame = Canonical.of(neutral)
        face = frame.to_canonical(neutral)
        posed = frame.from_canonical(target.landmarks(face))
        still = neutral + frame.displacement_from(target.expression(face))
        return Clip(name, mel, still, neutral, posed, embedding=embedding, prosody=prosody)

    def _embedding(self, speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Whose manner it is: the speaker's own, another's, one in between two, or nobody's."""
        kind = rng.random()
        if kind < _NOBODY:
            return np.zeros(EMBEDDING, np.float32)
        if kind < _STRANGE:
            return self._stranger(rng)
        if kind < _BETWEEN:
            return _between(self._stranger(rng), self._stranger(rng), float(rng.uniform(-0.15, 1.15)))
        return speaker_embedding(speech)

    def _stranger(self, rng: np.random.Generator) -> np.ndarray:
        return self.voices[int(rng.integers(len(self.voices)))].embedding

    def _face(self, rng: np.random.Generator) -> np.ndarray:
        """A face at rest, (68, 3) px."""
        still = np.zeros((1, 68, 3), np.float32)
        if self.head is None or rng.random() < 0.5:
            return vary_face(_PIXELS * np.asarray(MEAN_FACE, np.float32), still, _scaled(_FACES), rng)[0]
        return self.head.play(np.zeros((1, len(self.head.names))), rng)[0]


def _scaled(options: Augment) -> Augment:
    return Augment(mirror=0.5, shape=options.shape, identity=options.identity * _PIXELS)


def _voice(path: Path) -> Voice:
    samples = normalise_loudness(load_audio(path).samples)
    return Voice(path.stem, samples, speaker_embedding(samples))


def _faces(source: Path) -> Head | None:
    found = next((path for path in (source / _HEAD, source.parent / _HEAD) if path.is_file()), None)
    return Head.load(found) if found else None


def _between(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
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
