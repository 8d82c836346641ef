"""The head style of a voice: how a person with this voice would move the head, as a smooth function of the embedding.

No corpus here shows who belongs to which voice, so the style is not observed but laid down: the principal components
of the training voices' embeddings, each a number that most voices differ in, set one trait each. Like voices get like
styles, so that a network which learned it on some voices knows it for all; traits span what is measured on people.

Sources of the ranges:
    Hadar, Steiner, Grant & Rose (1983), "Kinematics of head movements accompanying speech during conversation":
        sway at 0.2–1.8 Hz, 1.8–3.7 Hz for ordinary beats, rest in pauses.
    Graf, Cosatto, Ström & Huang (2002), "Visual prosody": nods, nods with an overshoot, and swings on accents, by taste
        of the speaker; angles of some degrees.
    Busso, Deng, Grimm, Neumann & Narayanan (2007), "Rigid head motion in expressive speech animation": spreads of
        1–6° per axis, the most in pitch and yaw.
    Munhall, Jones, Callan, Kuratate & Vatikiotis-Bateson (2004), "Visual prosody and speech intelligibility": the
        head's motion follows F0 and amplitude, by a different amount for every speaker.
    Bentivoglio et al. (1997), "Analysis of blink rate patterns in normal subjects": 17 blinks a minute at rest, 26 in
        conversation, with a wide spread over people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from makeittalk.exchange.constants import EMBEDDING
from scipy.special import ndtr

TRAITS = 14
_TYPICAL_TEMPO = 0.45  # Hz


@dataclass(frozen=True)
class HeadStyle:
    """How one voice moves.

    Attributes:
        sway: (3,) rad, spread of pitch, yaw and roll while speaking. tempo: (3,) Hz, about which it happens.
        tilt: roll that goes along with yaw, per rad of yaw.
        idle: share of the sway that is left in silence.
        nod: rad of pitch on a stressed syllable, positive down, negative for those who lift their chin.
        swing: rad of roll on a stressed syllable. lift: rad the chin rises with one deviation of the pitch.
        phrase: rad the chin rises where a phrase begins and falls where it ends.
        brow: canonical units that the brows rise on a stressed syllable.
        shift: canonical units, spread of the head's shift. blink: chance to blink on an occasion.
    """

    sway: np.ndarray
    tempo: np.ndarray
    tilt: float
    idle: float
    nod: float
    swing: float
    lift: float
    phrase: float
    brow: float
    shift: float
    blink: float


@dataclass(frozen=True)
class HeadStyles:
    """What maps embeddings to head styles: their mean (256,) and the components (TRAITS, 256) in deviations."""

    mean: np.ndarray
    components: np.ndarray

    @classmethod
    def fit(cls, embeddings: np.ndarray) -> HeadStyles:
        """From the embeddings (N, 256) of the voices that are trained on."""
        mean = embeddings.mean(0, dtype=np.float64)
        _, size, axes = np.linalg.svd(embeddings - mean, full_matrices=False)
        if len(size) < TRAITS:
            raise ValueError(f"{len(size)} voices do not tell {TRAITS} traits apart")
        axes = axes[:TRAITS] * np.sign(axes[:TRAITS].sum(1, keepdims=True))  # whichever way the solver turned them
        return cls(mean, axes / (size[:TRAITS, None] / np.sqrt(len(embeddings))))

    def traits(self, embedding: np.ndarray) -> np.ndarray:
        """(TRAITS,) between 0 and 1, even over the training voices; the middle where there is no voice (all zero)."""
        assert embedding.shape == (EMBEDDING,), embedding.shape
        if not embedding.any():
            return np.full(TRAITS, 0.5)
        return ndtr(self.components @ (embedding - self.mean))

    def of(self, embedding: np.ndarray) -> HeadStyle:
        """The style of a voice, from its embedding (256,)."""
        trait = self.traits(embedding)
        # The components that most tell voices apart set what is seen most: spread and tempo of each axis.
        tempo = _interpolate_log(trait[[1, 3, 5]], 0.28, 0.85)
        # Who sways fast sways less far: nobody's head flies about.
        sway = np.radians(_interpolate_log(trait[[0, 2, 4]], [1.9, 1.9, 1.7], [4.0, 5.0, 4.2]))
        return HeadStyle(
            sway=sway * (_TYPICAL_TEMPO / tempo) ** 0.4,
            tempo=tempo,
            tilt=float(0.5 * (2.0 * trait[6] - 1.0)),
            nod=float(np.radians(5.5) * (2.0 * trait[7] - 1.0)),
            brow=float(_interpolate_log(trait[8], 0.012, 0.05)),
            idle=float(_interpolate_log(trait[9], 0.3, 0.55)),
            swing=float(np.radians(2.0) * (2.0 * trait[10] - 1.0)),
            lift=float(np.radians(_interpolate_log(trait[11], 0.25, 1.3))),
            phrase=float(np.radians(_interpolate_log(trait[12], 0.6, 2.4))),
            blink=float(_interpolate_log(trait[13], 0.2, 0.5)),
            shift=float(_interpolate_log(trait[2], 0.006, 0.016)),
        )


def _interpolate_log(share: np.ndarray | float, low: float | list[float], high: float | list[float]) -> np.ndarray:
    """From low to high, by equal factors."""
    bottom, top = np.log(low), np.log(high)
    return np.exp(bottom + np.asarray(share) * (top - bottom))
