"""Motion of the mouth from phones: a small network, learned from clips whose phones are known.

Phones know nothing of a voice, so it can move the same mouth to the phones of any other voice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.exchange.constants import FRAME_RATE, LANDMARKS
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.ibug68 import MIRROR
from torch import Tensor, nn

from ..data.canonical_motion import canonical_motion
from ..data.clips import Clip
from ..data.phones import PHONES, Phone, phone_track
from ..losses.landmark_loss import LandmarkLoss, LandmarkLossWeights

TRAINING_STEPS = 600
_BATCH, _RATE = 24, 2e-3
_SCALE = 0.05  # canonical units in one unit of the network's answer
_PIXELS = 100.0  # px a canonical unit in the clips written
#: The phone whose lips another one has: those that look alike, or that GRID's fifty words hardly hold.
VISEMES = {
    **dict.fromkeys(("P", "M"), "B"),
    **dict.fromkeys(("SH", "ZH", "JH"), "CH"),
    **{"V": "F", "DH": "TH", "NG": "G", "HH": "AH", "UH": "UW", "OY": "AO", "ER": "R"},
}
_AMPLITUDE = 1.1  # the average over many speakings is a tenth flatter than any one of them


class PhoneMotionNet(nn.Module):
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


@dataclass(frozen=True)
class PhoneMotion:
    """A speaker's mouth.

    Attributes:
        network: from phones to motion. face: (68, 3), the speaker's mean face at rest, canonical and symmetric.
    """

    network: PhoneMotionNet
    face: np.ndarray

    def motion(self, track: np.ndarray) -> np.ndarray:
        """The motion (T, 68, 3) that goes with visemes (T,), as `phone_track` gives them; canonical units."""
        with torch.inference_mode():
            return _AMPLITUDE * self.network(torch.from_numpy(track)[None])[0].numpy()

    def clip(self, name: str, mel: np.ndarray, samples: np.ndarray, phones: list[Phone]) -> Clip:
        """A recording, its mel (T, 80) and (n,) samples, with the mouth that says its phones."""
        moved = self.motion(phone_track(to_visemes(phones), len(mel), FRAME_RATE))
        neutral = _PIXELS * self.face
        landmarks = neutral + _PIXELS * moved
        return Clip(name, mel, landmarks, neutral, landmarks, embedding=speaker_embedding(samples), samples=samples)


def learn_phone_motion(
    clips: list[Clip], tracks: list[np.ndarray], progress: Progress = silent, steps: int = TRAINING_STEPS
) -> PhoneMotion:
    """Trains the network on clips, given the phone at each frame of theirs."""
    faces, motions = zip(*map(canonical_motion, clips), strict=True)
    return learn_canonical_phone_motion(list(faces), list(motions), tracks, None, progress, steps)


def learn_canonical_phone_motion(
    faces: list[np.ndarray],
    motions: list[np.ndarray],
    tracks: list[np.ndarray],
    chances: np.ndarray | None = None,
    progress: Progress = silent,
    steps: int = TRAINING_STEPS,
) -> PhoneMotion:
    """`learn_phone_motion` of faces with their lips shut (68, 3) and their motions from there (T, 68, 3).

    Args:
        chances: (N,) how often each of the N clips is drawn, with sum 1; None for all alike.
    """
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    flip = np.array([-1.0, 1.0, 1.0], np.float32)
    face = np.mean(faces, axis=0)
    face = (face + face[MIRROR] * flip) / 2
    network = PhoneMotionNet()
    # The pull towards shut lips keeps the average over many speakings of a P from staying open.
    loss = LandmarkLoss(LandmarkLossWeights(velocity=10.0, gap=0.3, closure=6.0))
    optimizer = torch.optim.Adam(network.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    count = min(map(len, tracks))
    for step in range(steps):
        drawn = rng.choice(len(motions), _BATCH, p=chances)
        track = torch.from_numpy(np.stack([tracks[i][:count] for i in drawn]))
        target = torch.from_numpy(np.stack([motions[i][:count] for i in drawn]))
        rest = torch.from_numpy(np.stack([faces[i] for i in drawn]))
        value = loss(network(track), target, rest, torch.ones(track.shape))["loss"]
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        progress((step + 1) / steps, "Learning phones")
    return PhoneMotion(network.eval(), face)


def to_visemes(phones: list[Phone]) -> list[Phone]:
    """The same phones, those whose lips look alike under one name."""
    return [(start, end, VISEMES.get(name, name)) for start, end, name in phones]


def viseme_track(track: np.ndarray) -> np.ndarray:
    """`to_visemes` of a track (T,) of indices into PHONES."""
    same = np.array([PHONES.index(VISEMES.get(name, name)) for name in PHONES])
    return same[track]
