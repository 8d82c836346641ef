"""Whether aligned words are where they were put: a transcript may stop early, lack words or hold some nobody said.

The limits were found on LibriSpeech with Whisper's transcripts: whole ones score −12 to −22 and hold no voice outside
their words; without their last tenth, without five words in the middle or exchanged for another recording's, they
fail at least one of the checks.
"""

from __future__ import annotations

import numpy as np
from makeittalk.exchange.constants import SAMPLE_RATE
from scipy.ndimage import uniform_filter1d

from .phones import SILENCE, AlignedWord

_HOP = 0.01  # s between two measures of the level
_BLUR = 5  # hops that the level is averaged over
_QUIET, _LOUD = 5.0, 95.0  # percentiles of the level, dB: halfway between them begins voice
_EDGE = 3  # hops at either end of a pause that still belong to a neighbour

LEAST_SCORE = -22.0  # of the words, a frame of 10 ms
LONGEST_PHONE = 0.6  # s; an alignment that must fill time without words stretches one phone over it
UNSAID = 0.6  # s of voice after the last word
UNHEARD = 0.45  # s of voice within one pause


def alignment_fault(samples: np.ndarray, words: list[AlignedWord]) -> str:
    """What speaks against an alignment, one sentence; empty where nothing does.

    Args:
        samples: (n,) at 16 kHz. words: what `Aligner.align_words` answered.
    """
    said = [word for word in words if word.text]
    if not said:
        return "Its words do not fit the sound."
    voiced = voiced_hops(samples)
    last = round(said[-1].phones[-1][1] / _HOP)
    after = float(voiced[last + _EDGE :].sum()) * _HOP
    if after > UNSAID:
        return f"Its transcript stops early: {after:.1f} s of voice follow the last word."
    pauses = [phone for word in words for phone in word.phones if phone[2] == SILENCE]
    within = max((_voice_within(voiced, start, end) for start, end, _ in pauses), default=0.0)
    if within > UNHEARD:
        return f"Its transcript lacks words: one pause holds {within:.1f} s of voice."
    spans = [(end - start, name) for word in said for start, end, name in word.phones if name != SILENCE]
    longest, name = max(spans)
    if longest > LONGEST_PHONE:
        return f"Its words do not fit the sound: one {name} would last {longest:.1f} s."
    score = sum(word.score for word in said) * _HOP / sum(length for length, _ in spans)
    if score < LEAST_SCORE:
        return f"Its words fit the sound badly: {score:.0f} a frame, where {LEAST_SCORE:.0f} is the least."
    return ""


def voiced_hops(samples: np.ndarray) -> np.ndarray:
    """Where somebody speaks up, (m,) bool, one for each 10 ms of samples at 16 kHz."""
    hop = round(_HOP * SAMPLE_RATE)
    frames = np.asarray(samples[: len(samples) // hop * hop], np.float64).reshape(-1, hop)
    level = 10.0 * np.log10(uniform_filter1d((frames**2).mean(1), _BLUR) + 1e-12)
    return level > np.percentile(level, [_QUIET, _LOUD]).mean() if len(level) else np.zeros(0, bool)


def _voice_within(voiced: np.ndarray, start: float, end: float) -> float:
    return float(voiced[round(start / _HOP) + _EDGE : max(0, round(end / _HOP) - _EDGE)].sum()) * _HOP
