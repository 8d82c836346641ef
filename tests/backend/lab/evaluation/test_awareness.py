"""Speaker awareness: who moves is recognised, and what is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_heads import head_styles, syllables
from makeittalk.networks.noise import noise_track
from makeittalk_lab.evaluation import awareness
from makeittalk_lab.synthetic.head_targets import head_target


def test_voices_are_found_by_their_style_and_motion_by_its_audio() -> None:
    known, voices = head_styles()
    prosodies = [syllables(7.0 + 0.1 * k) * np.float32([1.0, 0.0, 1.0]) for k in range(12)]
    rng = np.random.default_rng(0)
    for prosody in prosodies:  # pauses of their own
        start = int(rng.integers(40, 200))
        prosody[start : start + 90] = 0.0
    turns = [
        [np.degrees(head_target(p, noise_track(2 * k + s, len(p)), known.of(voices[k])).rotation) for s in (0, 1)]
        for k, p in enumerate(prosodies)
    ]
    first, second = (np.array([awareness.traits(pair[s]) for pair in turns]) for s in (0, 1))
    assert awareness.rank_one_accuracy(first, second) > 0.4
    assert awareness.rank_one_accuracy(first, np.random.default_rng(1).permutation(second)) < 0.3
    fits = np.array([[awareness.prosody_fit(pair[0], prosody) for prosody in prosodies] for pair in turns])
    assert awareness.permutation_test(fits) < 0.01
    assert awareness.permutation_test(np.random.default_rng(2).permutation(fits)) > 0.01


@pytest.mark.slow
def test_the_head_moves_like_the_speaker(data_dir: Path) -> None:
    result = awareness.measure_awareness(data_dir / "librispeech")
    for kind in ("same seed", "different seeds"):
        values = result[kind]
        assert isinstance(values, dict)
        assert values["found first"] >= 0.3 and values["found first over draws"] >= 0.3
        assert values["p"] < 0.01
        assert all(1.0 < spread < 6.0 for spread in values["spread"])
        assert all(share > 0.85 for share in values["slow power"])
        assert values["peak speed"][0] < 150.0
