"""Portraits and voices that are not in the project, all the way to frames: `make test-slow`."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
from makeittalk.animation.bake import bake_motion
from makeittalk.animation.resample import resample
from makeittalk.audio.loading import load_audio
from makeittalk.jobs import animate as pipeline
from makeittalk.landmarks.measures import mouth_width, opening
from makeittalk.mesh.deform import deform, signed_areas
from makeittalk_lab.data.phone_source import PhoneSource, Unaligned
from makeittalk_lab.evaluation.metrics import closure_score
from project import ASSETS

pytestmark = pytest.mark.slow

PORTRAITS = ("portrait_photo.jpg", "portrait_cartoon.png", "mona_lisa.jpg", "van_gogh.jpg")
VOICES = (0, 60, 120, 180, 240)  # of the LibriSpeech recordings, in their order
RATES = (24.0, 25.0, 30000 / 1001, 30.0, 60.0)


@pytest.mark.parametrize("portrait", PORTRAITS)
@pytest.mark.parametrize("voice", VOICES)
def test_any_portrait_says_what_any_voice_says(portrait: str, voice: int, data_dir: Path, tmp_path: Path) -> None:
    source = ASSETS / portrait
    source = source if source.is_file() else data_dir / "portraits" / portrait
    recording = sorted((data_dir / "librispeech").glob("*.flac"))[voice]
    made = pipeline.animate(source, recording, tmp_path, pipeline.AnimateOptions(seed=voice))
    motion = made.motion
    assert abs(motion.seconds - made.seconds) < 0.05

    assert motion.expression is not None
    face = motion.neutral + motion.expression
    ratio = opening(face) / mouth_width(face)
    assert np.percentile(ratio, 90) > 0.08, "the mouth hardly opens"
    assert ratio.max() < 0.6, "the mouth gapes"

    for fps in RATES:
        bake = bake_motion(motion, made.mesh, fps)
        assert bake.residual.max() < 0.5, fps
        assert abs(bake.frames / fps - made.seconds) <= 1.5 / fps

    shown = resample(motion, 25.0)
    points = deform(made.mesh, shown.expression, shown.head_rotation, shown.head_translation)
    portrait_triangles = made.mesh.triangles[made.mesh.material == 0]
    for frames in np.array_split(points, max(1, len(points) // 50)):
        assert signed_areas(frames, portrait_triangles).min() > -1e-3, "a triangle flips"


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="words that no dictionary holds need eSpeak NG")
def test_voices_shut_their_lips_on_bilabials(data_dir: Path, tmp_path: Path) -> None:
    source = PhoneSource(data_dir / "librispeech")
    scores, shut = [], []
    for recording in itertools.islice(sorted((data_dir / "librispeech").glob("*.flac")), 5, None, 25):
        made = pipeline.animate(ASSETS / "portrait_photo.jpg", recording, tmp_path)
        try:
            phones = source.phones(recording.stem, load_audio(recording).samples)
        except Unaligned:
            continue  # nobody knows what is said
        assert made.motion.expression is not None
        face = made.motion.neutral + made.motion.expression
        gap = opening(face) / mouth_width(face)
        for start, end, name in phones:
            if name in ("P", "B", "M"):
                shut.append(gap[int(start * 62.5) : int(end * 62.5) + 2].min() < 0.03)
        scores.append(closure_score(gap[: int(phones[-1][1] * 62.5)], phones))
    print(f"closure score {np.nanmean(scores):.2f}, bilabials shut {np.mean(shut):.2f} of {len(shut)}")
    # A recogniser wrote the words, and some of them were never said.
    assert np.mean(shut) > 0.8
    assert np.nanmean(scores) > 1.0
