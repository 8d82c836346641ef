"""LibriSpeech voices (Panayotov et al. 2015) with the mouth that a filmed speaker makes for the same phones.

LibriSpeech has no films. A small network learns from GRID which motion goes with which sequence of phones; phones
know nothing of a voice, so it can move the same mouth to the phones that PocketSphinx hears in any other voice. The
content branch then learns from many voices instead of one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..audio.loading import load_audio, normalise_loudness
from ..audio.mel import mel_spectrogram
from ..constants import FRAME_RATE, LANDMARKS, SAMPLE_RATE
from ..errors import InputError
from ..landmarks.ibug68 import MIRROR
from ..progress import Progress, part, silent
from .dataset import Clip, Prepared, split_names
from .losses import LandmarkLoss, LossWeights
from .phones import PHONES, Aligner, Phone, phone_track

_SECONDS = 10.0  # used of each recording
_STEPS, _BATCH, _RATE = 600, 24, 2e-3
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
    source: str | Path, dest: str | Path, grid: str | Path, films: str | Path, progress: Progress = silent
) -> Prepared:
    """Writes one clip a recording; phones that were recognised once are kept in `dest/phones`.

    Args:
        source: folder with `*.flac`. dest: folder to write, made where missing.
        grid: prepared GRID folder. films: the GRID folder it was made from, with `align/` and `audio/`.
        progress: told after every recording.

    Raises:
        InputError: there are no recordings. MissingError: PocketSphinx is not installed.
    """
    source, dest, films = Path(source), Path(dest), Path(films)
    recordings = sorted(source.glob("*.flac"))
    if not recordings:
        raise InputError(f"{source} holds no recordings.", "Name a folder of .flac files.")
    phones = dest / "phones"
    phones.mkdir(parents=True, exist_ok=True)
    prepared = Prepared.load(grid)
    aligner = Aligner()
    clips, tracks = grid_phones(prepared, films, phones, aligner, part(progress, 0.0, 0.2))
    motion, face = learn_motion(clips, tracks, part(progress, 0.2, 0.4))
    names: list[str] = []
    skipped: dict[str, str] = {}
    for number, recording in enumerate(recordings):
        progress(0.4 + 0.6 * number / len(recordings), "Recognising phones")
        samples = load_audio(recording).samples[: int(_SECONDS * SAMPLE_RATE)]
        heard = _kept(phones / f"{recording.stem}.json", partial(aligner.recognise, samples))
        if not heard:
            skipped[recording.stem] = f"No words were understood in {recording}."
            continue
        mel = mel_spectrogram(normalise_loudness(samples))
        track = torch.from_numpy(phone_track(_seen(heard), len(mel), FRAME_RATE))
        with torch.inference_mode():
            moved = _LIVELINESS * motion(track[None])[0].numpy()
        neutral = _PIXELS * face
        landmarks = neutral + _PIXELS * moved
        Clip(recording.stem, mel, landmarks, neutral, landmarks).save(dest)
        names.append(recording.stem)
    train, validation, _ = split_names(names, set())
    result = Prepared(dest, "librispeech", train, validation, [], skipped)
    result.save()
    progress(1.0, "Recognising phones")
    return result


def grid_phones(
    prepared: Prepared, films: Path, kept: Path, aligner: Aligner, progress: Progress = silent
) -> tuple[list[Clip], list[np.ndarray]]:
    """GRID's clips to train on and the phone at each of their frames."""
    clips: list[Clip] = []
    tracks: list[np.ndarray] = []
    for number, name in enumerate(prepared.train):
        progress(number / len(prepared.train), "Aligning words")
        rows = (films / "align" / f"{name}.align").read_text(encoding="utf-8").split("\n")
        words = " ".join(
            row.split()[2] for row in rows if len(row.split()) == 3 and row.split()[2] not in ("sil", "sp")
        )
        sound = films / "audio" / f"{name}.flac"
        found = _kept(
            kept / f"{name}.json", partial(lambda s, w: aligner.align(load_audio(s).samples, w), sound, words)
        )
        if found:
            clip = prepared.clip(name)
            clips.append(clip)
            tracks.append(phone_track(_seen(found), len(clip.mel), FRAME_RATE))
    return clips, tracks


def learn_motion(
    clips: list[Clip], tracks: list[np.ndarray], progress: Progress = silent, steps: int = _STEPS
) -> tuple[PhoneMotion, np.ndarray]:
    """The network from phones to motion, and the speaker's mean face at rest (68, 3), canonical and symmetric."""
    from .content import canonical

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


def _kept(path: Path, make: Callable[[], list[Phone]]) -> list[Phone]:
    """What a JSON file holds, made and written where it is missing."""
    if path.is_file():
        return [(float(a), float(b), str(c)) for a, b, c in json.loads(path.read_text())]
    found = make()
    path.write_text(json.dumps(found))
    return found
