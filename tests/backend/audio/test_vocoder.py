"""A mel made audible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.audio.mel import mel_spectrogram
from makeittalk.audio.vocoder import waveform
from makeittalk.exchange.constants import SAMPLE_RATE

torch.set_num_threads(1)


def test_a_mel_is_made_audible(speech_wav: Path) -> None:
    samples = normalise_loudness(load_audio(speech_wav).samples)[: 3 * SAMPLE_RATE]
    mel = mel_spectrogram(samples)
    sound = waveform(mel)
    assert len(sound) == 256 * (len(mel) - 1)
    assert np.abs(mel_spectrogram(sound) - mel).mean() < 0.02  # 2 dB
    assert len(waveform(mel[:1])) == 0
