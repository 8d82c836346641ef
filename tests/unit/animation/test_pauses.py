"""Where somebody speaks."""

import numpy as np
import pytest
from makeittalk.animation.pauses import AFTER, BEFORE, speech_presence


@pytest.mark.parametrize("fps", [25.0, 62.5])
def test_a_mouth_moves_around_words_and_rests_far_from_them(fps: float) -> None:
    silence = np.ones(round(6 * fps), np.float32)
    silence[round(2 * fps) : round(3 * fps)] = 0.1  # somebody speaks from 2 s to 3 s
    shown = speech_presence(silence, np.full_like(silence, 0.2), fps)
    at = np.arange(len(shown)) / fps
    assert shown.dtype == np.float32 and shown.min() == 0.0 and shown.max() == 1.0
    assert (shown[(at >= 1.8) & (at <= 3.15)] > 0.999).all()
    assert (shown[(at < 2.0 - BEFORE - 0.15) | (at > 3.0 + AFTER + 0.15)] == 0.0).all()
    assert shown[(at > 2.0 - BEFORE + 0.1) & (at < 2.0)].min() > 0.4  # the breath before the word
    assert np.abs(np.diff(shown)).max() < 10.0 / fps  # nothing jumps


def test_a_click_is_no_word() -> None:
    silence = np.ones(300, np.float32)
    silence[150] = 0.0
    loud = np.full_like(silence, 0.2)
    assert not speech_presence(silence, loud, 62.5).any()
    assert len(speech_presence(silence[:0], loud[:0], 62.5)) == 0


def test_nobody_speaks_without_a_sound() -> None:
    assert not speech_presence(np.zeros(300, np.float32), np.zeros(300, np.float32), 62.5).any()


def test_who_is_loud_speaks_whatever_the_phones_say() -> None:
    assert speech_presence(np.ones(300, np.float32), np.ones(300, np.float32), 62.5).all()
