"""Loads what the first character needs, while nobody has asked for one yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ..exchange.constants import EMBEDDING, MEL_BANDS, MEL_HOP, SAMPLE_RATE
from ..exchange.formats import Face
from ..landmarks.mean_face import MEAN_FACE


def warm_steps() -> Iterator[Callable[[], object]]:
    """Pieces of work of a second at most, in this order; each may raise what a request would."""
    yield _modules
    yield _finder
    yield _builder
    yield _listener
    yield _voice
    yield _movers


def _modules() -> None:
    from ..images import style  # noqa: F401
    from . import preview  # noqa: F401


def _finder() -> None:
    """The detector glances at a picture without a face."""
    from ..landmarks.face_mesh import find_faces

    find_faces(np.full((256, 256, 3), 128, np.uint8), thorough=False)


def _builder() -> None:
    """A mesh of a face on grey, with both insides of mouths: that of photographs, and the one that is painted."""
    from ..mesh.build import build_mesh
    from ..mesh.mouth_texture import mouth_texture

    face, grey = _mean_face(), np.full((512, 512, 4), 128, np.uint8)
    build_mesh(face, grey, style="photo")
    mouth_texture(grey, face.landmarks)


def _listener() -> None:
    from ..networks.device import choose_device
    from ..networks.whisper_inference import hear_whisper

    hear_whisper(np.zeros(SAMPLE_RATE, np.float32), choose_device("auto"))


def _voice() -> None:
    from ..audio.embedding import load_encoder

    load_encoder()


def _movers() -> None:
    """Every network that moves a face hears a second of silence."""
    from ..animation.predict import predict_parts
    from ..networks.speech import Speech

    samples = np.zeros(SAMPLE_RATE, np.float32)
    nobody = np.zeros(EMBEDDING, np.float32)
    speech = Speech(np.zeros((1 + len(samples) // MEL_HOP, MEL_BANDS), np.float32), nobody, nobody, None, samples)
    predict_parts(speech, _mean_face())


def _mean_face() -> Face:
    return Face(Path("mean face"), 512, 512, (100.0 * MEAN_FACE + 256.0).astype(np.float32))
