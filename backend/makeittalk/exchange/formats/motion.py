"""A moving face: `motion.npz`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .. import bounded_json
from ..amounts import Amounts
from ..constants import EMBEDDING, LANDMARKS, MAX_SOURCE_SIDE
from ..errors import InputError
from ..rates import HIGHEST_FILMED
from .arrays import ArraysFile
from .checks import FORMAT, check_face, check_rate, check_size

_POINTS: tuple[int | str, ...] = ("T", LANDMARKS, 3)
_SHAPES: dict[str, tuple[int | str, ...]] = {
    "fps": (),
    "landmarks": _POINTS,
    "neutral": (LANDMARKS, 3),
    "expression": _POINTS,
    "head_rotation": ("T", 3),
    "head_translation": ("T", 3),
    "neck_pivot": (3,),
    "speaker_embedding": (EMBEDDING,),
    "image_size": (2,),
    "rest": (LANDMARKS, 3),
    "content": _POINTS,
    "speaker": _POINTS,
    "blink": ("T",),
    "closure": ("T",),
    "gaze": ("T", 2),
    "saccades": ("T", 2),
    "head_rotation_raw": ("T", 3),
    "head_translation_raw": ("T", 3),
    "post": (),
}
_REQUIRED = frozenset(("fps", "landmarks", "neutral"))


@dataclass
class MotionParts:
    """What a predicted motion is baked from: its parts before amounts and smoothing.

    Attributes:
        rest: (68, 3) px, displacement from neutral that shuts this portrait's mouth.
        content, speaker: (T, 68, 3) px, lips and jaw; brows, eyes and manner. blink: (T,) lid closure 0–1.
        head_rotation: (T, 3) rad. head_translation: (T, 3) px.
        closure: (T,) probability that the lips are shut for a P, B or M; None in older files.
        speaker_embedding: (256,), the voice whose manner it is; None in older files.
        saccades: (T, 2) rad, see `animation.gaze.saccades`; None in older files.
        amounts: what the shown motion was baked with.
    """

    rest: np.ndarray
    content: np.ndarray
    speaker: np.ndarray
    blink: np.ndarray
    head_rotation: np.ndarray
    head_translation: np.ndarray
    closure: np.ndarray | None = None
    speaker_embedding: np.ndarray | None = None
    saccades: np.ndarray | None = None
    amounts: Amounts = field(default_factory=Amounts)


@dataclass
class Motion(ArraysFile):
    """A moving face as it is shown; where it was predicted, with the parts from which every amount re-bakes.

    `landmarks = R(head_rotation) (neutral + expression − neck_pivot) + neck_pivot + head_translation`;
    before amounts and smoothing `expression = rest + content + speaker + blink·lids`.

    Attributes:
        fps: frames a second; frame i stands at i / fps.
        landmarks: (T, 68, 3) px. neutral: (68, 3) px, the portrait's own landmarks.
        expression: (T, 68, 3) px, displacement from neutral, head held in the portrait's pose.
        head_rotation: (T, 3) rad, Euler "xyz" of scipy. head_translation: (T, 3) px. neck_pivot: (3,) px.
        image_size: (2,) width, height px of the picture whose pixels these are; None where that is not known.
        gaze: (T, 2) rad, how far the eyes are turned in the head from where the portrait looks: to the right of the
            picture, down; None where nobody knows.
        parts: None for a motion that was filmed, resampled or carried over to another face.
    """

    fps: float
    landmarks: np.ndarray
    neutral: np.ndarray
    expression: np.ndarray
    head_rotation: np.ndarray
    head_translation: np.ndarray
    neck_pivot: np.ndarray
    image_size: np.ndarray | None = None
    parts: MotionParts | None = None
    gaze: np.ndarray | None = None

    @property
    def frames(self) -> int:
        return int(self.landmarks.shape[0])

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    def arrays(self) -> dict[str, Any]:
        """Everything the file holds, `format` included."""
        values: dict[str, Any] = {name: getattr(self, name, None) for name in _SHAPES}
        if self.parts is not None:
            for name in ("speaker_embedding", "rest", "content", "speaker", "blink", "closure", "saccades"):
                values[name] = getattr(self.parts, name)
            values["head_rotation_raw"] = self.parts.head_rotation
            values["head_translation_raw"] = self.parts.head_translation
            values["post"] = json.dumps(asdict(self.parts.amounts))
        return {"format": FORMAT} | {name: value for name, value in values.items() if value is not None}

    @classmethod
    def shapes(cls) -> dict[str, tuple[int | str, ...]]:
        return _SHAPES

    @classmethod
    def from_arrays(cls, values: dict[str, Any]) -> Motion:
        """The motion in what `read_motion_arrays` gave; the head's arrays must be there.

        Raises:
            KeyError: they are not.
        """
        return cls(
            parts=_parts(values),
            image_size=values.get("image_size"),
            gaze=values.get("gaze"),
            **{
                name: values[name]
                for name in (
                    *("fps", "landmarks", "neutral", "expression"),
                    *("head_rotation", "head_translation", "neck_pivot"),
                )
            },
        )


def read_motion_arrays(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The arrays of a motion file; only some must be there.

    They are float32, `image_size` is int32, `fps` a float and `post` an `Amounts`.
    `fps`, `landmarks` and `neutral` are enough: `landmarks.landmark_motion.load_motion` finds the head of such a file.

    Raises:
        InputError: the file is damaged, hostile or of another format.
    """
    values = Motion.read(path, _REQUIRED)
    fps = check_rate(path, values.pop("fps"), HIGHEST_FILMED)
    check_face(path, values["neutral"])
    size = values.pop("image_size", None)
    try:
        amounts = Amounts.from_dict(bounded_json.loads(str(values.pop("post", "{}"))))
    except ValueError as error:
        raise InputError(f"{path} holds unreadable settings.", "Make the file again.") from error
    known: dict[str, Any] = {"fps": fps, "post": amounts}
    if size is not None:
        known["image_size"] = check_size(path, size, MAX_SOURCE_SIDE)  # a film's frame may be larger than a portrait
    return known | {name: value.astype(np.float32) for name, value in values.items()}


def _parts(values: dict[str, Any]) -> MotionParts | None:
    """The parts in a file's arrays; None where one of them is missing."""
    try:
        return MotionParts(
            **{name: values[name] for name in ("rest", "content", "speaker", "blink")},
            head_rotation=values["head_rotation_raw"],
            head_translation=values["head_translation_raw"],
            closure=values.get("closure"),
            speaker_embedding=values.get("speaker_embedding"),
            saccades=values.get("saccades"),
            amounts=values["post"],
        )
    except KeyError:
        return None
