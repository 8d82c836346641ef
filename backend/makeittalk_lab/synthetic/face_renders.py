"""Frames of many people for the image network: ICT-FaceKit heads, rendered while they speak.

Only one filmed speaker is at hand; a network that saw only that face would paint it on everybody. Here identity, skin,
hair, light and backdrop are new in every clip, and stay the same within it.
"""

from __future__ import annotations

import numpy as np
from makeittalk.landmarks.face_landmarker import still_landmarker
from makeittalk.landmarks.face_mesh import centre_depth
from makeittalk.landmarks.ibug68 import INNER_PAIRS, STABLE
from makeittalk.landmarks.smoothstep import smoothstep
from scipy.spatial.transform import Rotation

from ..data.rendered_clips import RenderedClip
from .camera import Camera
from .head_expressions import ExpressionStyle
from .head_look import random_look
from .head_model import HeadModel
from .head_scene import HeadScene

FRAMES, SIZE = 10, (288, 288)
_LIP_CONTACT = 0.06  # cm between the inner lips' points where lips touch
_MARGIN = 8.0  # px between face and edge of the picture
_LARGEST_ERROR = 0.06  # of the face's width: landmarks of nose and eyes that lie further off are wrong
_PIVOT = np.array([0.0, -8.0, -1.0])  # cm: the head turns about the neck


def render_clip(head: HeadScene, rng: np.random.Generator, frames: int = FRAMES) -> RenderedClip:
    """A new person who speaks: the portrait, then frames with other expressions and a slightly turned head.

    Args:
        head: the scene, which also says how large the pictures are. rng: draws everything.
    """
    while True:
        clip = _render_person(head, rng, frames)
        if clip is not None:
            return clip


def _render_person(head: HeadScene, rng: np.random.Generator, frames: int) -> RenderedClip | None:
    """A clip of one person, None if the landmarks are too often not found."""
    model, size = head.model, head.size
    person = model.person(np.clip(rng.normal(0.0, rng.uniform(0.5, 1.0), model.modes), -2.2, 2.2))
    head.set_look(random_look(model, rng, size))
    posture = Rotation.from_euler("yxz", rng.uniform(-1.0, 1.0, 3) * [20, 12, 10], degrees=True)
    still = _rigid_motion(Rotation.from_rotvec(0.4 * posture.as_rotvec()), 0.0)
    centre = _bend_neck(person, _rigid_motion(posture, 0.0), still)[model.landmarks].mean(0)
    camera = Camera.random(rng, size, centre)
    style = ExpressionStyle(rng)
    pictures: list[np.ndarray] = []
    landmarks: list[np.ndarray] = []
    projected: list[np.ndarray] = []
    for _ in range(2 * frames):
        first = not pictures
        curves = style.portrait() if first else style.frame()
        angles = np.zeros(3) if first else np.clip(rng.normal(0.0, 4.0, 3), -8, 8)
        turn = Rotation.from_euler("yxz", angles, degrees=True)
        shift = 0.0 if first else rng.normal(0.0, [0.35, 0.25, 0.35])
        turned = _rigid_motion(posture * turn, shift)
        if curves.pop("shut", 0.0) == 1.0:
            _close_lips(model, person, curves)
        vertices = _bend_neck(model.express(person, curves), turned, still)
        picture = head.draw(vertices, _opening(curves), turned, still, camera.matrix, camera.eye)
        points = camera.landmarks(vertices[model.landmarks])
        found = _find_landmarks(picture, points)
        if found is not None:
            pictures.append(picture)
            landmarks.append(found)
            projected.append(points)
        if len(pictures) == frames:
            return RenderedClip(np.stack(pictures), np.stack(landmarks), np.stack(projected))
    return None


def _close_lips(model: HeadModel, person: np.ndarray, curves: dict[str, float]) -> None:
    """Sets `mouthClose` so that this person's lips meet: other people's keys leave them apart or crossed."""
    upper, lower = (model.landmarks[[pair[side] for pair in INNER_PAIRS]] for side in (0, 1))

    def gap(close: float) -> float:
        face = model.express(person, curves | {"mouthClose": close})
        return float((face[upper, 1] - face[lower, 1]).mean())

    apart = gap(0.0)
    close = (apart - _LIP_CONTACT) / max(apart - gap(1.0), 1e-3)  # the key moves in proportion
    curves["mouthClose"] = float(np.clip(close, 0.0, curves.get("jawOpen", 0.0) + 0.15))


def _opening(curves: dict[str, float]) -> float:
    """How much light the lips let in, about 0–1."""
    jaw = max(0.0, curves.get("jawOpen", 0.0) - 0.9 * curves.get("mouthClose", 0.0))
    return jaw + 0.25 * curves.get("mouthLowerDown_L", 0.0) + 0.15 * curves.get("mouthUpperUp_L", 0.0)


def _find_landmarks(picture: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """MediaPipe's landmarks (68, 3) px of the face at `points`, None where it sees none or another, or part of one."""
    if points[:, :2].min() < _MARGIN or (points[:, :2] > np.array(picture.shape[1::-1]) - _MARGIN).any():
        return None
    width = np.linalg.norm(points[0, :2] - points[16, :2])
    away = {
        float(np.linalg.norm((face - points)[STABLE, :2], axis=1).mean()): face
        for face in still_landmarker().points(picture)
    }
    nearest = min(away, default=np.inf)
    return centre_depth(away[nearest]) if nearest < _LARGEST_ERROR * width else None


def _rigid_motion(turn: Rotation, shift: np.ndarray | float) -> np.ndarray:
    """(4, 4) turn about the neck, then a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = turn.as_matrix()
    matrix[:3, 3] = _PIVOT - matrix[:3, :3] @ _PIVOT + shift
    return matrix


def _bend_neck(vertices: np.ndarray, turned: np.ndarray, still: np.ndarray) -> np.ndarray:
    """The head moves, the shoulders stay, the neck bends between them."""
    # The chin hangs lower than the nape starts: what lies in front is head further down.
    share = smoothstep((vertices[:, 1:2] + 15.0 + 0.2 * np.clip(vertices[:, 2:], -4.0, 10.0)) / 7.0)
    head, body = (vertices @ m[:3, :3].T.astype(np.float32) + m[:3, 3].astype(np.float32) for m in (turned, still))
    return np.asarray(body + share * (head - body), np.float32)
