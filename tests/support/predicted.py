"""What the product predicts for a recording."""

from __future__ import annotations

from makeittalk.animation.predict import PredictOptions, analyse_speech, move_face
from makeittalk.audio.loading import Audio
from makeittalk.exchange.formats import Face, Motion


def predict_motion(
    audio: Audio, face: Face, options: PredictOptions | None = None, voice: Audio | None = None
) -> Motion:
    """The motion of a face that says what a recording says, in the manner of `voice` where given."""
    return move_face(analyse_speech(audio.samples, None if voice is None else voice.samples), face, options)
