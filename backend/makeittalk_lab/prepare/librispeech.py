"""LibriSpeech voices (Panayotov et al. 2015) with the mouth that a filmed speaker makes for the same phones.

LibriSpeech has no films. A small network learns from GRID which motion goes with which sequence of phones; phones
know nothing of a voice, so it can move the same mouth to the phones that PocketSphinx hears in any other voice. The
content branch then learns from many voices instead of one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.exchange.constants import FRAME_RATE, LANDMARKS, SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, part, silent
from makeittalk.landmarks.ibug68 import MIRROR
from torch import Tensor, nn

from ..data.clips import Clip, Prepared
from ..data.phone_files import aligned_words, keep_phones
from ..data.phones import PHONES, Aligner, Phone, phone_track
from ..data.splits import split_voices
from ..training.losses import LandmarkLoss, LossWeights

_SECONDS = 10.0  # used of each recording
TEACHING = 600  # steps in which the mouth learns phones
_BATCH, _RATE = 24, 2e-3
_SCALE = 0.05  # canonical units in one unit of the network's answer
_PIXELS = 100.0  # px a canonical unit in the clips written
#: Phones that look like another one, or that GRID's fifty words hardly hold.
LOOK_ALIKE = {
    **dict.fromkeys(("P", "M"), "B"),
    **dict.fromkeys(("SH", "ZH", "JH"), "CH"),
    **{"V": "F", "DH": "TH", "NG": "G", "HH": "AH", "UH": "UW", "OY": "AO", "ER": "R"},
}
_LIVELINESS = 1.1  # the average over many speakings is a tenth flatter than any one of them


class PhoneMotion(nn.Module):
    """Phones over time → displacement of the landmarks, knowing 12 frames (0.2 s) on either side."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in (len(PHONES), 128, 128):
            layers += [nn.Conv1d(width, 128, 9, padding=4), nn.ReLU(), nn.Dropout(0.1)]
        self.layers = nn.Sequential(*layers, nn.Conv1d(128, LANDMARKS * 3, 1))

    def forward(self, track: Tensor) -> Tensor:
        """Indices of phones (B, T) → (B, T, 68, 3), canonical units."""
        heard = nn.functional.one_hot(track, len(PHONES)).float().transpose(1, 2)
        return _SCALE * self.layers(heard).transpose(1, 2).unflatten(2, (LANDMARKS, 3))


def prepare_librispeech(
    source: str | Path,
    dest: str | Path,
    grid: str | Path,
    films: str | Path,
    progress: Progress = silent,
    steps: int = TEACHING,
) -> Prepared:
    """Writes one clip a recording of the training and validation voices; `split_voices` says which those are.

    Phones that were recognised once are kept in `dest/phones`. Test voices are not even listened to.

    Args:
        source: folder with `*.flac`. dest: folder to write, made where missing.
        grid: prepared GRID folder. films: the GRID folder it was made from, with `align/` and `audio/`.
        progress: told after every recording. steps: how long the mouth learns phones.

    Raises:
        InputError: there are no recordings, or GRID is not where it was named. MissingError: PocketSphinx or
            Resemblyzer is not installed.
    """
    source, dest, films = Path(source), Path(dest), Path(films)
    recordings = {path.stem: path for path in sorted(source.glob("*.flac"))}
    if not recordings:
        raise InputError(f"{source} holds no recordings.", "Name a folder of .flac files.")
    prepared = Prepared.load(grid)
    phones = dest / "phones"
    phones.mkdir(parents=True, exist_ok=True)
    aligner = lru_cache(Aligner)  # made for the first recording whose phones are not known yet
    mouth = teach(prepared, films, phones, part(progress, 0.0, 0.4), steps, aligner)
    train, validation, _ = split_voices(recordings)
    chosen = sorted(train + validation)
    skipped: dict[str, str] = {}
    for number, name in enumerate(chosen):
        progress(0.4 + 0.6 * number / len(chosen), "Recognising phones")
        samples = load_audio(recordings[name]).samples[: int(_SECONDS * SAMPLE_RATE)]
        heard = keep_phones(phones / f"{name}.json", partial(lambda s: aligner().recognise(s), samples))
        if not heard:
            skipped[name] = f"No words were understood in {recordings[name]}."
            continue
        samples = normalise_loudness(samples)
        taught_clip(name, mel_spectrogram(samples), samples, heard, mouth).save(dest)
    train, validation = ([name for name in names if name not in skipped] for names in (train, validation))
    result = Prepared(dest, "librispeech", train, validation, [], skipped)
    result.save()
    progress(1.0, "Recognising phones")
    return result


#: A network from phones to motion, and the face at rest (68, 3) that it moves, canonical.
Mouth = tuple[PhoneMotion, np.ndarray]


def teach(
    prepared: Prepared,
    films: Path,
    phones: Path,
    progress: Progress = silent,
    steps: int = TEACHING,
    aligner: Callable[[], Aligner] = Aligner,
) -> Mouth:
    """The mouth that a filmed speaker's clips teach; what phones they hold is kept in the folder `phones`."""
    clips, tracks = grid_phones(prepared, films, phones, lru_cache(aligner), part(progress, 0.0, 0.5))
    return learn_motion(clips, tracks, part(progress, 0.5, 1.0), steps)


def taught_clip(name: str, mel: np.ndarray, samples: np.ndarray, phones: list[Phone], mouth: Mouth) -> Clip:
    """A recording, its mel (T, 80) and (n,) samples, with the mouth that says its phones."""
    motion, face = mouth
    track = torch.from_numpy(phone_track(_seen(phones), len(mel), FRAME_RATE))
    with torch.inference_mode():
        moved = _LIVELINESS * motion(track[None])[0].numpy()
    neutral = _PIXELS * face
    landmarks = neutral + _PIXELS * moved
    return Clip(name, mel, landmarks, neutral, landmarks, embedding=speaker_embedding(samples))


def grid_phones(
    prepared: Prepared, films: Path, kept: Path, aligner: Callable[[], Aligner], progress: Progress = silent
) -> tuple[list[Clip], list[np.ndarray]]:
    """GRID's clips to train on and the phone at each of their frames.

    Raises:
        InputError: `films` is not the folder that the clips were made from.
    """
    clips: list[Clip] = []
    tracks: list[np.ndarray] = []
    for number, name in enumerate(prepared.train):
        progress(number / len(prepared.train), "Aligning words")
        found = keep_phones(kept / f"{name}.json", partial(_align, films, name, aligner))
        if found:
            clip = prepared.clip(name)
            clips.append(clip)
            tracks.append(phone_track(_seen(found), len(clip.mel), FRAME_RATE))
    if not clips:
        raise InputError(f"The phones of no clip in {prepared.folder} are known.", "Name a prepared GRID folder.")
    return clips, tracks


def _align(films: Path, name: str, aligner: Callable[[], Aligner]) -> list[Phone]:
    """Phones of a GRID sentence, whose words are known."""
    path = films / "align" / f"{name}.align"
    words = aligned_words(path)
    if not words:
        raise InputError(f"{path} holds no words.", "Name the GRID folder that the clips were made from.")
    return aligner().align(load_audio(films / "audio" / f"{name}.flac").samples, words)


def learn_motion(
    clips: list[Clip], tracks: list[np.ndarray], progress: Progress = silent, steps: int = TEACHING
) -> tuple[PhoneMotion, np.ndarray]:
    """The network from phones to motion, and the speaker's mean face at rest (68, 3), canonical and symmetric."""
    from ..training.content import canonical

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    faces, motions = zip(*map(canonical, clips), strict=True)
    flip = np.array([-1.0, 1.0, 1.0], np.float32)
    face = np.mean(faces, axis=0)
    face = (face + face[MIRROR] * flip) / 2
    network = PhoneMotion()
    # The pull towards shut lips keeps the average over many speakings of a P from staying open.
    loss = LandmarkLoss(LossWeights(velocity=10.0, gap=0.3, closure=6.0))
    optimizer = torch.optim.Adam(network.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    count = min(map(len, tracks))
    for step in range(steps):
        drawn = rng.integers(0, len(clips), _BATCH)
        track = torch.from_numpy(np.stack([tracks[i][:count] for i in drawn]))
        target = torch.from_numpy(np.stack([motions[i][:count] for i in drawn]))
        rest = torch.from_numpy(np.stack([faces[i] for i in drawn]))
        value = loss(network(track), target, rest, torch.ones(track.shape))["loss"]
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        progress((step + 1) / steps, "Learning phones")
    return network.eval(), face


def _seen(phones: list[Phone]) -> list[Phone]:
    """The same phones, those that look alike under one name."""
    return [(start, end, LOOK_ALIKE.get(name, name)) for start, end, name in phones]
