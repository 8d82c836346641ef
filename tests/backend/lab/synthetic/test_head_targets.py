"""Head styles of voices, and the heads that move by them."""

from __future__ import annotations

import numpy as np
from made_heads import head_styles, syllables
from makeittalk.animation.blinks import DEPTH
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.networks.noise import noise_track
from makeittalk_lab.synthetic.head_style import TRAITS
from makeittalk_lab.synthetic.head_targets import head_target, stressed_syllables


def test_like_voices_have_like_styles_and_others_others() -> None:
    known, voices = head_styles()
    trait = np.array([known.traits(voice) for voice in voices])
    near = np.array([known.traits(voice + 0.001) for voice in voices])
    assert trait.shape == (60, TRAITS) and np.abs(trait - near).max() < 0.1
    assert (trait.std(0) > 0.2).all()
    assert (known.traits(np.zeros(256)) == 0.5).all()


def test_a_head_follows_the_voice_and_settles_in_pauses() -> None:
    known, voices = head_styles()
    prosody = syllables(30.0)
    beats = stressed_syllables(prosody[:, 0], prosody[:, 1])
    times = np.flatnonzero(beats) / FRAME_RATE
    assert len(times) == 40 and np.abs((times - 0.25) / 0.5 - np.round((times - 0.25) / 0.5)).max() < 0.05
    noise = noise_track(0, len(prosody))
    for voice in voices[:8]:
        style = known.of(voice)
        target = head_target(prosody, noise, style)
        degrees = np.degrees(target.rotation)
        speed = np.linalg.norm(np.diff(degrees, axis=0), axis=1) * FRAME_RATE
        talking, pausing = speed[: len(speed) * 2 // 3 - 60], speed[len(speed) * 2 // 3 + 60 :]
        assert 0.1 * talking.mean() < pausing.mean() < 0.7 * talking.mean()
        assert speed.max() < 150.0
        # What is left when chance is taken out moves with the syllables, down or up as the style says.
        still = head_target(prosody, 0.0 * noise, style)
        nods = still.rotation[: len(prosody) * 2 // 3, 0]
        assert np.sign(np.corrcoef(nods, beats[: len(nods)])[0, 1]) == np.sign(style.nod) or abs(style.nod) < 0.01
        assert still.brows.max() > 0.5 * style.brow and target.lids.max() <= DEPTH
