"""A voice and a face in, a motion out: the landmark networks, the head, the blinks, and the post-processing.

The networks, and torch with them, are imported where they run: moving a face by a motion that is there needs none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..audio.embedding import speaker_embedding
from ..audio.loading import heard, normalise_loudness
from ..audio.pitch import fundamental
from ..audio.prosody import loudness_prosody, prosody_track
from ..audio.windows import in_blocks
from ..exchange.amounts import Amounts
from ..exchange.constants import FRAME_RATE
from ..exchange.formats import Face, Motion, MotionParts
from ..exchange.progress import Progress, part, silent
from ..landmarks.pose import Canonical, neck_pivot
from ..weights.released_folder import released_folder
from .brows import RAISED
from .gaze import saccades
from .lips import shut_mouth
from .pauses import QUIET, SURE, speech_presence
from .postprocess import shown_motion
from .rounding import rounded_lips, rounding_curve

if TYPE_CHECKING:
    from ..networks.speech import Speech


@dataclass(frozen=True)
class PredictOptions:
    """What a prediction can be told.

    Attributes:
        seed: what head motion and blinks are drawn from; the lips do not depend on it.
        amounts: lip, head, blink and smoothing.
        device: "auto", "cpu", "cuda" or "mps".
        features: what the lips are predicted from: "whisper", or "autovc", the paper's own way.
        weights: a named set of content weights, whatever it hears; None for the shipped one of these features. Or a set
            of the released weights, by its name or its folder: then lips, head and blinks are all the released ones',
            from the voice conversion that belongs to them, whatever the features.
    """

    seed: int = 0
    amounts: Amounts = field(default_factory=Amounts)
    device: str = "auto"
    features: str = "whisper"
    weights: str | None = None


def analyse_speech(samples: np.ndarray, voice: np.ndarray | None = None, progress: Progress = silent) -> Speech:
    """Hears what is said, who says it, and whose manner the face takes on: the speaker of `voice` where given.

    Args:
        samples, voice: (n,) mono at 16 kHz, as recorded.
    """
    from ..networks.speech import Speech

    progress(0.0, "Listening")
    samples, mel, _ = heard(samples)
    progress(0.3, "Recognising the voice")
    own = speaker_embedding(samples)
    style = own if voice is None else speaker_embedding(normalise_loudness(voice))
    pitch = fundamental(samples)
    return Speech(mel, own, style, prosody_track(samples, mel, pitch), samples, pitch=pitch[0][: len(mel)])


def move_face(speech: Speech, face: Face, options: PredictOptions | None = None, progress: Progress = silent) -> Motion:
    """The motion of a face that says what a recording says; arguments and errors are those of `predict_parts`."""
    return show_parts(face, predict_parts(speech, face, options, progress))


def show_parts(face: Face, parts: MotionParts) -> Motion:
    """The motion, at 62.5 frames/s, that is made of what was predicted for a face.

    Apart from `predict_parts` for those who let go of the speech in between: of an hour it is as large as two of the
    motion's arrays.
    """
    return shown_motion(face.landmarks.astype(np.float32), parts, FRAME_RATE, neck_pivot(face.landmarks), face.size)


def predict_parts(
    speech: Speech, face: Face, options: PredictOptions | None = None, progress: Progress = silent
) -> MotionParts:
    """How a face moves that says what a recording says (paper, sections 3.2 to 3.4).

    Args:
        speech: the recording, and the voice whose manner the head takes on; the lips do not depend on that.
        face: the portrait's landmarks. options: defaults where None.

    Returns:
        every part that re-baking needs, at 62.5 frames/s.

    Raises:
        InputError: there is no such device, or there are no such features.
        MissingError: the weights are not there or damaged.
        Cancelled: `progress` said so.
    """
    from ..networks.device import choose_device

    options = options or PredictOptions()
    device = choose_device(options.device)
    folder = released_folder(options.weights)
    if folder is not None:
        return _released_parts(speech, face, options, folder, device, progress)
    return _own_parts(speech, face, options, device, progress)


def hear_speech(speech: Speech, options: PredictOptions, device: str, progress: Progress = silent) -> None:
    """Has Whisper listen to a recording now, where `predict_parts` is going to ask for that: released networks do not.

    Raises:
        MissingError, InputError: as `Speech.whisper`, and `released_folder` of the options' weights.
    """
    if released_folder(options.weights) is None:
        speech.whisper(device, progress)


def _own_parts(speech: Speech, face: Face, options: PredictOptions, device: str, progress: Progress) -> MotionParts:
    """`predict_parts` by the networks of this project."""
    from ..networks.content_inference import content_weights, predict_content
    from ..networks.phones_inference import closure_of, predict_phones, rounding_of, silence_of
    from .head_motion import head_motion

    weights = options.weights or content_weights(options.features)
    neutral = face.landmarks.astype(np.float64)
    canonical = Canonical.of(neutral)
    frontal = canonical.to_canonical(neutral)
    shut = shut_mouth(frontal)

    speech.whisper(device, part(progress, 0.0, 0.5))
    # The head first: what it is read from and taken out of is as large as the lips, and gone before them.
    moved = head_motion(speech, frontal + shut, options.seed, device, part(progress, 0.5, 0.65))
    lips = predict_content(
        speech,
        (frontal + shut).astype(np.float32),
        device=device,
        weights=weights,
        progress=part(progress, 0.65, 1.0),
    )
    phones = predict_phones(speech, device)
    closure = closure_of(phones)
    prosody = loudness_prosody(speech.mel) if speech.prosody is None else speech.prosody
    lips *= speech_presence(silence_of(phones), prosody[:, 0], FRAME_RATE)[:, None, None]
    speaking = (prosody[:, 0] > QUIET) & (silence_of(phones) < SURE)
    rest = canonical.displacement_from(shut).astype(np.float32)
    rounded, round_mouth = rounding_curve(rounding_of(phones), FRAME_RATE), rounded_lips(frontal + shut)
    content = in_blocks(
        lambda moved, share: canonical.displacement_from(moved + share[:, None, None] * round_mouth),
        [lips, rounded],
        lips,
    )
    speaker = moved.brows[:, None, None] * canonical.displacement_from(RAISED).astype(np.float32)
    # The head turns about the viewer's axes, whichever way the portrait looks: only the sway needs the face's scale.
    shift = (canonical.scale * moved.translation).astype(np.float32)
    return MotionParts(
        rest=rest,
        content=content,
        speaker=speaker,
        blink=moved.blink,
        head_rotation=moved.rotation,
        head_translation=shift,
        closure=closure,
        speaker_embedding=speech.style_embedding.astype(np.float32),
        saccades=saccades(options.seed, speaking, moved.blink, FRAME_RATE),
        amounts=options.amounts,
    )


def _released_parts(
    speech: Speech, face: Face, options: PredictOptions, folder: Path, device: str, progress: Progress
) -> MotionParts:
    """`predict_parts` by a set of the released networks."""
    from ..weights.released import load_set
    from .released_motion import released_motion

    neutral = face.landmarks.astype(np.float64)
    canonical = Canonical.of(neutral)
    frontal = canonical.to_canonical(neutral)
    shut = shut_mouth(frontal)
    moved = released_motion(load_set(folder, device), speech, frontal + shut, options.seed, progress)
    prosody = loudness_prosody(speech.mel) if speech.prosody is None else speech.prosody
    for track in (moved.content, moved.speaker):
        in_blocks(canonical.displacement_from, [track], track)
    return MotionParts(
        rest=canonical.displacement_from(shut).astype(np.float32),
        content=moved.content,
        speaker=moved.speaker,
        blink=moved.blink,
        head_rotation=moved.rotation,
        head_translation=(canonical.scale * moved.translation).astype(np.float32),
        speaker_embedding=speech.style_embedding.astype(np.float32),
        saccades=saccades(options.seed, prosody[:, 0] > QUIET, moved.blink, FRAME_RATE),
        amounts=options.amounts,
    )
