"""Phones: on frames, and aligned with words."""

import numpy as np
import pytest
import torch
from makeittalk_lab.data.phones import PHONES, Aligner, phone_track
from project import ASSETS

torch.set_num_threads(1)


def test_phones_fill_their_frames():
    track = phone_track([(0.0, 0.1, "SIL"), (0.1, 0.2, "B"), (0.2, 9.0, "AA")], 20, 62.5)
    assert track.tolist() == [0] * 6 + [PHONES.index("B")] * 6 + [PHONES.index("AA")] * 8


def test_words_are_aligned():
    pytest.importorskip("pocketsphinx")
    if not (ASSETS / "speech.flac").is_file():
        pytest.skip("the demo recording is missing")
    from makeittalk.audio.loading import load_audio

    words = "".join(c for c in (ASSETS / "speech.txt").read_text().lower() if c.isalpha() or c in " '")
    phones = Aligner().align(load_audio(ASSETS / "speech.flac").samples, words)
    assert {"M", "P", "B"} <= {name for _, _, name in phones}
    assert all(start < end for start, end, _ in phones)
    assert Aligner().align(np.zeros(16_000, np.float32), "qqqq zzzz") == []
