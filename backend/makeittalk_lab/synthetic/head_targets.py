"""Constructed targets of the speaker branch: head, brows and lids from the real prosody of a recording and a style.

What follows the voice, after what is published on speech and head motion:
    - stressed syllables (loud, high) carry a nod with its recoil, a swing of the head, and raised brows: Hadar,
      Steiner, Grant & Rose (1983); Graf et al. (2002); Ding, Pelachaud & Artières (2013) for brows and head together;
    - the chin follows the contour of F0: Munhall et al. (2004), Kuratate et al. (1999);
    - it rises where a phrase begins and falls where it ends, and the head settles in pauses: Hadar, Steiner, Grant &
      Rose (1983), "Head movement correlates of juncture and stress at sentence level";
    - blinks cluster where a phrase ends: Nakano & Kitazawa (2010).
The sway between them is chance: `networks.noise`, scaled and coloured by the style, livelier the louder and faster the
speech (Busso et al. 2005). These are rules with published causes, not recordings of people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from makeittalk.animation.blinks import DEPTH, lid_displacement
from makeittalk.animation.brows import RAISED
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.landmarks.pose import compose_pose, neck_pivot
from makeittalk.networks.noise import AXES, BANDS, BLINK, SHIFT, SWAY
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from .head_style import HeadStyle

_BEAT_GAP = 0.28  # s between two stressed syllables at least
_BEAT = 0.10  # s, standard deviation of a nod
_RECOIL, _RECOIL_AFTER = 0.4, 0.26  # share of the nod that swings back, s behind it
_BROW = 0.15  # s, standard deviation of raised brows
_COLOUR = 0.85  # octaves, standard deviation of a style's sway about its tempo
_HOLD, _HOLD_SPREAD = 0.7, 0.513  # how flat the tops of the sway are, and its standard deviation then
_SETTLE = 0.30  # s, how fast the head comes to life and to rest
_USUAL_RATE = 2.0  # stressed syllables a second
_SOFT = 0.06  # of the chance: how sharply it is decided whether to blink


@dataclass
class HeadTarget:
    """A living head.

    Attributes:
        rotation: (T, 3) rad, Euler xyz, positive x is a nod down. translation: (T, 3) canonical units.
        brows: (T,) canonical units upwards. lids: (T,) 0 open … 1 shut.
    """

    rotation: np.ndarray
    translation: np.ndarray
    brows: np.ndarray
    lids: np.ndarray

    def landmarks(self, face: np.ndarray) -> np.ndarray:
        """The landmarks (T, 68, 3) of a canonical face at rest (68, 3) that moves so."""
        return compose_pose(face, self.expression(face), self.rotation, self.translation, neck_pivot(face))

    def expression(self, face: np.ndarray) -> np.ndarray:
        """Brows and lids alone, (T, 68, 3) canonical displacement."""
        return self.lids[:, None, None] * lid_displacement(face) + self.brows[:, None, None] * RAISED


def head_target(prosody: np.ndarray, noise: np.ndarray, style: HeadStyle) -> HeadTarget:
    """How a head of this style moves with a recording.

    Args:
        prosody: (T, 3), audio.prosody. noise: (T, NOISE), networks.noise.
    """
    loudness, pitch = np.asarray(prosody[:, 0], np.float64), np.asarray(prosody[:, 1], np.float64)
    speech = np.clip(_smooth(loudness, 0.1) / 0.45, 0.0, 1.0)
    beats = stressed_syllables(loudness, pitch)
    rate = _smooth(beats, 1.0) * FRAME_RATE / _USUAL_RATE
    alive = _smooth(speech * (0.75 + 0.25 * np.minimum(rate, 2.0)), _SETTLE)
    gate = style.idle + (1.0 - style.idle) * alive

    share = np.exp(-0.5 * (np.log2(np.array(BANDS) / style.tempo[:, None]) / _COLOUR) ** 2)
    share /= np.sqrt((share**2).sum(1, keepdims=True))
    wave = (noise[:, SWAY].reshape(-1, AXES, len(BANDS)) * share).sum(2)
    # Heads turn somewhere and stay for a while: the tops are flattened.
    sway = np.tanh(_HOLD * wave) / _HOLD_SPREAD * style.sway
    yaw, roll = sway[:, 1], sway[:, 2]
    rotation = gate[:, None] * np.stack([sway[:, 0], yaw, np.sqrt(1 - style.tilt**2) * roll + style.tilt * yaw], 1)

    nod = _pulses(beats, _BEAT)
    behind = round(_RECOIL_AFTER * FRAME_RATE)
    nod = nod - _RECOIL * np.concatenate([np.zeros(behind), nod])[: len(nod)]
    contour = _smooth(pitch, 0.12)
    edge = np.gradient(_smooth(speech, 0.22)) * FRAME_RATE * 0.22 * np.sqrt(2.0 * np.pi)  # ±1 where speech starts, ends
    rotation[:, 0] += style.nod * nod - style.lift * contour - style.phrase * edge
    rotation[:, 2] += style.swing * nod

    brows = style.brow * np.clip(_pulses(beats, _BROW) + 0.25 * np.maximum(contour, 0.0) + 0.4 * edge, 0.0, 1.4)
    translation = gate[:, None] * style.shift * noise[:, SHIFT]
    translation[:, 0] += 0.05 * rotation[:, 1]  # who turns also moves over a little
    translation[:, 2] -= 0.10 * rotation[:, 0]  # and who nods leans in
    return HeadTarget(rotation, translation, brows, _lids(noise[:, BLINK], edge, style.blink))


def stressed_syllables(loudness: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Impulses (T,) at the nuclei of stressed syllables, as high as the stress (0–1).

    Args:
        loudness: (T,) 0–1. pitch: (T,) standard deviations of the speaker's own.
    """
    impulses = np.zeros(len(loudness))
    smooth = _smooth(loudness, 0.05)
    peaks, found = find_peaks(smooth, distance=max(1, int(_BEAT_GAP * FRAME_RATE)), prominence=0.08)
    if len(peaks):
        loud = np.clip(found["prominences"] / 0.45, 0.0, 1.0)
        high = np.clip(0.4 + 0.4 * _smooth(pitch, 0.06)[peaks], 0.0, 1.0)
        impulses[peaks] = np.clip(1.3 * (0.5 * loud + 0.5 * high) - 0.2, 0.0, 1.0)
    return impulses


def _lids(occasions: np.ndarray, edge: np.ndarray, chance: float) -> np.ndarray:
    """The occasions that become blinks, all the likelier where a phrase ends, in full depth."""
    ending = np.clip(-2.0 * _smooth(edge, 0.1), 0.0, 1.0)
    shut = np.zeros(len(occasions))
    starts = np.flatnonzero((occasions > 0) & (np.concatenate([[0.0], occasions[:-1]]) <= 0))
    for start in starts:
        over = np.flatnonzero(occasions[start:] <= 0)
        stop = start + (int(over[0]) if len(over) else len(occasions) - start)
        bump = occasions[start:stop]
        height = float(bump.max())
        likely = chance + (0.95 - chance) * float(ending[start:stop].mean())
        blinks = 0.5 + 0.5 * np.tanh((height - (1.0 - likely)) / _SOFT)
        shut[start:stop] = blinks * bump / height
    return DEPTH * shut


def _smooth(values: np.ndarray, seconds: float) -> np.ndarray:
    return gaussian_filter1d(np.asarray(values, np.float64), seconds * FRAME_RATE, mode="nearest")


def _pulses(impulses: np.ndarray, seconds: float) -> np.ndarray:
    """A Gaussian of that standard deviation (s) at every impulse, as high as the impulse."""
    width = seconds * FRAME_RATE
    return gaussian_filter1d(impulses, width, mode="constant") * width * np.sqrt(2.0 * np.pi)
