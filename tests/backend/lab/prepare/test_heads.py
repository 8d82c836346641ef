"""Constructed heads on real voices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from makeittalk.exchange.constants import MEL_HOP
from makeittalk_lab.data.clips import Prepared


def test_constructed_heads_are_clips_with_head_motion(heads: Path) -> None:
    prepared = Prepared.load(heads)
    speakers = [{name.partition("-")[0] for name in part} for part in (prepared.train, prepared.validation)]
    assert prepared.kind == "heads" and len(prepared.test) == 5 and not speakers[0] & speakers[1]
    clip = prepared.clip(prepared.train[0])
    assert clip.embedding is not None and clip.prosody is not None
    moved = np.linalg.norm(clip.posed - clip.neutral, axis=2)
    assert moved[:, 48:68].std() > 0.3  # px: the whole face moves with the head
    assert np.abs(clip.landmarks[:, 48:68] - clip.neutral[48:68]).max() < 1e-3  # registered, lips rest
    assert clip.samples is not None and len(clip.mel) == 1 + len(clip.samples) // MEL_HOP  # for Whisper to hear
