"""Frames of many people for the image network: ICT-FaceKit heads, rendered while they speak.

Only one filmed speaker is at hand; a network that saw only that face would paint it on everybody. Here identity, skin,
hair, light and backdrop are new in every take, and stay the same within it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.exchange import storage
from makeittalk.exchange.constants import LANDMARKS
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.progress import Progress, silent
from makeittalk.landmarks.face_mesh import centre_depth, mesh_points, new_mesh
from makeittalk.landmarks.ibug68 import INNER_PAIRS, STABLE
from scipy.spatial.transform import Rotation

from ..data.clips import FORMAT, Prepared
from .head_look import random_look
from .head_model import HeadModel
from .head_scene import HeadScene

KIND = "renders"
FRAMES, SIZE = 10, (288, 288)
COUNT = 600
_HEAD = "ict_facekit.npz"
# Each take is another person's. Which split it is in follows from its number alone: more takes move none.
_TEST, _VALIDATION = 10, 20  # one take in so many
_INDEX = 20  # takes after which the index is written again, so that an interrupted run leaves a usable folder
_LIPS_MEET = 0.06  # cm between the inner lips' points where lips touch
_MARGIN = 8.0  # px between face and edge of the picture
_MOST_AWAY = 0.06  # of the face's width: landmarks of nose and eyes that lie further off are wrong
_PIVOT = np.array([0.0, -8.0, -1.0])  # cm: the head turns about the neck


@dataclass
class Take:
    """One person under one light.

    Attributes:
        pictures: (N, H, W, 3) uint8 RGB; the first is the portrait.
        landmarks: (N, 68, 3) float32 px: x right, y down, z away, 0 midway between the jaw ends; as MediaPipe finds
            them, because films and portraits are measured so, and its points are not quite those of the head.
        projected: the same of the head's own points, exact.
    """

    pictures: np.ndarray
    landmarks: np.ndarray
    projected: np.ndarray

    def save(self, path: Path) -> None:
        """Writes the take."""
        storage.write_npz(path, {"format": FORMAT, **vars(self)})

    @classmethod
    def load(cls, path: Path) -> Take:
        """Reads a take.

        Raises:
            InputError: the file is no take.
        """
        values = storage.read_npz(path)
        try:
            pictures, landmarks, projected = values["pictures"], values["landmarks"], values["projected"]
            fits = (
                int(values["format"]) == FORMAT
                and pictures.dtype == np.uint8
                and pictures.ndim == 4
                and pictures.shape[3] == 3
                and landmarks.shape == projected.shape == (len(pictures), LANDMARKS, 3)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is not a rendered take.", "Run `makeittalk prepare renders` again.") from error
        if not fits:
            raise InputError(f"{path} is not a rendered take.", "Run `makeittalk prepare renders` again.")
        return cls(pictures, landmarks, projected)


def render_take(head: HeadScene, rng: np.random.Generator, frames: int = FRAMES) -> Take:
    """A new person who speaks: the portrait, then frames with other expressions and a slightly turned head.

    Args:
        head: the scene, which also says how large the pictures are. rng: draws everything.
    """
    while True:
        take = _film_person(head, rng, frames)
        if take is not None:
            return take


def _film_person(head: HeadScene, rng: np.random.Generator, frames: int) -> Take | None:
    """A take of one person, None if the landmarks are too often not found."""
    model, size = head.model, head.size
    person = model.person(np.clip(rng.normal(0.0, rng.uniform(0.5, 1.0), model.modes), -2.2, 2.2))
    head.set_look(random_look(model, rng, size))
    posture = Rotation.from_euler("yxz", rng.uniform(-1.0, 1.0, 3) * [20, 12, 10], degrees=True)
    still = _motion(Rotation.from_rotvec(0.4 * posture.as_rotvec()), 0.0)
    centre = _follow_neck(person, _motion(posture, 0.0), still)[model.landmarks].mean(0)
    camera = _Camera.random(rng, size, centre)
    manner = _Manner(rng)
    pictures: list[np.ndarray] = []
    landmarks: list[np.ndarray] = []
    projected: list[np.ndarray] = []
    for _ in range(2 * frames):
        first = not pictures
        curves = manner.portrait() if first else manner.frame()
        angles = np.zeros(3) if first else np.clip(rng.normal(0.0, 4.0, 3), -8, 8)
        turn = Rotation.from_euler("yxz", angles, degrees=True)
        shift = 0.0 if first else rng.normal(0.0, [0.35, 0.25, 0.35])
        turned = _motion(posture * turn, shift)
        if curves.pop("shut", 0.0) == 1.0:
            _shut_lips(model, person, curves)
        vertices = _follow_neck(model.express(person, curves), turned, still)
        picture = head.draw(vertices, _opening(curves), turned, still, camera.matrix, camera.eye)
        points = camera.landmarks(vertices[model.landmarks])
        found = _find(picture, points)
        if found is not None:
            pictures.append(picture)
            landmarks.append(found)
            projected.append(points)
        if len(pictures) == frames:
            return Take(np.stack(pictures), np.stack(landmarks), np.stack(projected))
    return None


def _shut_lips(model: HeadModel, person: np.ndarray, curves: dict[str, float]) -> None:
    """Sets `mouthClose` so that this person's lips meet: other people's keys leave them apart or crossed."""
    upper, lower = (model.landmarks[[pair[side] for pair in INNER_PAIRS]] for side in (0, 1))

    def gap(close: float) -> float:
        face = model.express(person, curves | {"mouthClose": close})
        return float((face[upper, 1] - face[lower, 1]).mean())

    apart = gap(0.0)
    close = (apart - _LIPS_MEET) / max(apart - gap(1.0), 1e-3)  # the key moves in proportion
    curves["mouthClose"] = float(np.clip(close, 0.0, curves.get("jawOpen", 0.0) + 0.15))


def _opening(curves: dict[str, float]) -> float:
    """How much light the lips let in, about 0–1."""
    jaw = max(0.0, curves.get("jawOpen", 0.0) - 0.9 * curves.get("mouthClose", 0.0))
    return jaw + 0.25 * curves.get("mouthLowerDown_L", 0.0) + 0.15 * curves.get("mouthUpperUp_L", 0.0)


def _find(picture: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """MediaPipe's landmarks (68, 3) px of the face at `points`, None where it sees none or another, or part of one."""
    if points[:, :2].min() < _MARGIN or (points[:, :2] > np.array(picture.shape[1::-1]) - _MARGIN).any():
        return None
    faces = mesh_points(_mesh(), picture)
    if not faces:
        return None
    away = np.linalg.norm((faces[0] - points)[STABLE, :2], axis=1).mean()
    width = np.linalg.norm(points[0, :2] - points[16, :2])
    return centre_depth(faces[0]) if away < _MOST_AWAY * width else None


@lru_cache(maxsize=1)
def _mesh() -> Any:
    return new_mesh(video=False, faces=1)


class _Camera:
    """A camera on the z axis that sees `reach` cm around a point of the head's plane."""

    def __init__(self, distance: float, height: float, middle: np.ndarray, size: tuple[int, int]) -> None:
        self._size = size
        self.eye = np.array([middle[0], middle[1], distance])
        focal = 2.0 * distance / height  # what lies in the plane z = 0 fills the picture with `height` cm
        near, far = distance - 25.0, distance + 40.0
        matrix = np.zeros((4, 4))
        matrix[0, :] = [focal * size[1] / size[0], 0, 0, -focal * size[1] / size[0] * middle[0]]
        matrix[1, :] = [0, -focal, 0, focal * middle[1]]  # y down: what is read back starts at the top
        matrix[2, :] = [0, 0, -(far + near) / (far - near), (far + near) / (far - near) * distance]
        matrix[2, 3] -= 2 * far * near / (far - near)
        matrix[3, :] = [0, 0, -1, distance]
        self.matrix = matrix

    @classmethod
    def random(cls, rng: np.random.Generator, size: tuple[int, int], centre: np.ndarray) -> _Camera:
        """A camera that has the face's centre (3,) about in the middle of its pictures."""
        height = rng.uniform(23.5, 34.0)
        middle = centre[:2] + rng.uniform(-0.06, 0.06, 2) * height + [0.0, 0.03 * height]
        return cls(float(np.exp(rng.uniform(np.log(50.0), np.log(250.0)))), height, middle, size)

    def landmarks(self, points: np.ndarray) -> np.ndarray:
        """Points (68, 3) cm in the picture, px."""
        clip = points @ self.matrix[:, :3].T + self.matrix[:, 3]
        place = (clip[:, :2] / clip[:, 3:] * 0.5 + 0.5) * self._size
        middle = (points[0, 2] + points[16, 2]) / 2
        scale = -0.5 * self._size[1] * self.matrix[1, 1] / (self.eye[2] - middle)
        return np.column_stack([place, (middle - points[:, 2]) * scale]).astype(np.float32)


def _motion(turn: Rotation, shift: np.ndarray | float) -> np.ndarray:
    """(4, 4) turn about the neck, then a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = turn.as_matrix()
    matrix[:3, 3] = _PIVOT - matrix[:3, :3] @ _PIVOT + shift
    return matrix


def _follow_neck(vertices: np.ndarray, turned: np.ndarray, still: np.ndarray) -> np.ndarray:
    """The head moves, the shoulders stay, the neck bends between them."""
    # The chin hangs lower than the nape starts: what lies in front is head further down.
    share = np.clip((vertices[:, 1:2] + 15.0 + 0.2 * np.clip(vertices[:, 2:], -4.0, 10.0)) / 7.0, 0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    head, body = (vertices @ m[:3, :3].T.astype(np.float32) + m[:3, 3].astype(np.float32) for m in (turned, still))
    return np.asarray(body + share * (head - body), np.float32)


class _Manner:
    """Speech-like expressions of one person: an own rest, habits and asymmetry."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._rest = {"mouthSmile": max(0.0, rng.normal(0.02, 0.12)), "mouthFrown": max(0.0, rng.normal(-0.05, 0.12))}
        self._lean = rng.normal(0.0, 0.12)
        self._lids = {"eyeSquint": max(0.0, rng.normal(0.1, 0.25)), "eyeWide": max(0.0, rng.normal(-0.1, 0.25))}

    def portrait(self) -> dict[str, float]:
        """The portrait: mostly shut, else a little open or smiling."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.6:
            values: dict[str, float] = {"mouthPress": rng.uniform(0.0, 0.15), "shut": 1.0}
        elif kind < 0.8:
            values = {"jawOpen": rng.uniform(0.03, 0.25), "mouthLowerDown": rng.uniform(0.0, 0.3)}
        else:
            wide = rng.uniform(0.3, 0.9)
            values = {"mouthSmile": wide, "cheekSquint": 0.5 * wide, "jawOpen": rng.uniform(0.0, 0.18)}
            values |= {"mouthUpperUp": rng.uniform(0.0, 0.45), "mouthLowerDown": rng.uniform(0.0, 0.35)}
        return self._finish(values)

    def frame(self) -> dict[str, float]:
        """One moment of speech."""
        rng = self._rng
        share = [_SOUNDS[rng.choice(len(_SOUNDS), p=_OFTEN)](rng) for _ in range(2)]
        blend = rng.uniform(0.0, 1.0) if rng.random() < 0.4 else 0.0  # between two sounds
        values = {k: (1 - blend) * share[0].get(k, 0.0) + blend * share[1].get(k, 0.0) for k in share[0] | share[1]}
        if rng.random() < 0.3:
            values |= {"browInnerUp": rng.uniform(0.0, 0.9), "browOuterUp": rng.uniform(0.0, 0.7)}
        elif rng.random() < 0.2:
            values |= {"browDown": rng.uniform(0.0, 0.7), "noseSneer": rng.uniform(0.0, 0.3)}
        if rng.random() < 0.2:
            values["eyeBlink"] = rng.uniform(0.2, 1.0)
        if rng.random() < 0.25:
            way, amount = rng.choice(["Up", "Down"]), rng.uniform(0.0, 0.5)
            values[f"eyeLook{way}"] = amount
        values["jawLeft"], values["jawRight"] = np.maximum(0.0, rng.normal(-0.1, 0.12, 2))
        return self._finish(values)

    def _finish(self, values: dict[str, float]) -> dict[str, float]:
        """The head's own names (and `shut`), with the person's rest and a lean to one side."""
        for name, value in (*self._rest.items(), *self._lids.items()):
            values[name] = values.get(name, 0.0) + value
        curves: dict[str, float] = {}
        for name, value in values.items():
            if name in _SINGLE:
                curves[name] = float(np.clip(value, 0.0, 1.0))
                continue
            lean = self._lean + self._rng.normal(0.0, 0.05) if name.startswith(("mouth", "brow", "cheek")) else 0.0
            for side, factor in (("L", 1.0 + lean), ("R", 1.0 - lean)):
                curves[f"{name}_{side}"] = float(np.clip(value * factor, 0.0, 1.0))
        if (blink := max(curves.get("eyeBlink_L", 0.0), curves.get("eyeBlink_R", 0.0))) > 0:
            for name in ("eyeSquint_L", "eyeSquint_R", "eyeWide_L", "eyeWide_R"):
                curves[name] = curves.get(name, 0.0) * (1.0 - blink)
        if self._rng.random() < 0.2:  # a glance aside: one eye turns in, the other out
            aside = self._rng.uniform(-0.5, 0.5)
            way = ("eyeLookOut_L", "eyeLookIn_R") if aside > 0 else ("eyeLookIn_L", "eyeLookOut_R")
            curves |= dict.fromkeys(way, abs(float(aside)))
        return curves


_SINGLE = frozenset((
    "jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft mouthPucker mouthRight mouthRollLower "
    "mouthRollUpper mouthShrugLower mouthShrugUpper shut"
).split())  # fmt: skip


def _closed(rng: np.random.Generator) -> dict[str, float]:
    """m, b, p, and silence: the jaw may hang a little behind shut lips."""
    jaw = rng.uniform(0.0, 0.2)
    press = rng.uniform(0.0, 0.5)
    return {"jawOpen": jaw, "mouthPress": press, "mouthRollLower": 0.3 * press * rng.random(), "shut": 1.0}


def _open(rng: np.random.Generator) -> dict[str, float]:
    """Vowels."""
    wide = rng.uniform(-0.4, 0.6)
    values = {"jawOpen": rng.uniform(0.1, 0.7), "mouthLowerDown": rng.uniform(0.0, 0.4)}
    values |= {"mouthUpperUp": rng.uniform(0.0, 0.4), "mouthStretch": max(0.0, wide) * 0.6}
    return values | {"mouthSmile": max(0.0, wide) * 0.5, "mouthFunnel": max(0.0, -wide)}


def _round(rng: np.random.Generator) -> dict[str, float]:
    """o, u, w, sh."""
    return {
        "mouthPucker": rng.uniform(0.1, 0.8),
        "mouthFunnel": rng.uniform(0.1, 0.8),
        "jawOpen": rng.uniform(0.02, 0.35),
    }


def _teeth(rng: np.random.Generator) -> dict[str, float]:
    """e, s, t: lips apart, jaw nearly shut."""
    return {
        "jawOpen": rng.uniform(0.02, 0.18),
        "mouthLowerDown": rng.uniform(0.2, 0.7),
        "mouthUpperUp": rng.uniform(0.1, 0.6),
        "mouthStretch": rng.uniform(0.0, 0.4),
        "mouthSmile": rng.uniform(0.0, 0.4),
    }


def _lip_on_teeth(rng: np.random.Generator) -> dict[str, float]:
    """f and v."""
    return {
        "jawOpen": rng.uniform(0.02, 0.08),
        "mouthRollLower": rng.uniform(0.3, 0.7),
        "mouthUpperUp": rng.uniform(0.1, 0.4),
    }


def _smile(rng: np.random.Generator) -> dict[str, float]:
    wide = rng.uniform(0.3, 1.0)
    return {"mouthSmile": wide, "cheekSquint": 0.5 * wide, "jawOpen": rng.uniform(0.0, 0.3),
            "mouthUpperUp": rng.uniform(0.0, 0.4)}  # fmt: skip


_SOUNDS: tuple[Callable[[np.random.Generator], dict[str, float]], ...] = (
    _closed,
    _open,
    _round,
    _teeth,
    _lip_on_teeth,
    _smile,
)
_OFTEN = (0.2, 0.32, 0.18, 0.17, 0.05, 0.08)  # shares of these


def prepare_renders(
    source: str | Path, dest: str | Path, progress: Progress = silent, count: int = COUNT, seed: int = 0
) -> Prepared:
    """Renders takes; those that are there are kept.

    Args:
        source: `ict_facekit.npz`, or a folder that holds it. dest: folder to write, made where missing.
        progress: told after every take. count: takes. seed: another number gives other people.

    Returns:
        The prepared folder; one take in ten is for the test, one in twenty to validate.

    Raises:
        InputError: the head is missing or damaged. MissingError: there is no OpenGL.
    """
    source, dest = Path(source), Path(dest)
    model = HeadModel.load(source / _HEAD if source.is_dir() else source)
    dest.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    with HeadScene(model, SIZE) as head:
        for number in range(count):
            progress(number / count, "Rendering heads")
            name = f"take_{seed}_{number:05d}"
            if not (dest / f"{name}.npz").is_file():
                # Drawn by the take's number: rendering again gives the same takes.
                render_take(head, np.random.default_rng([seed, number])).save(dest / f"{name}.npz")
            names.append(name)
            if len(names) % _INDEX == 0:
                split_takes(dest, names).save()
    prepared = split_takes(dest, names)
    prepared.save()
    progress(1.0, "Rendering heads")
    return prepared


def split_takes(dest: Path, names: list[str]) -> Prepared:
    """The index of takes in the order of their numbers."""
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for number, name in enumerate(names, 1):
        parts["test" if number % _TEST == 0 else "validation" if number % _VALIDATION == 5 else "train"].append(name)
    return Prepared(dest, KIND, **parts, skipped={})
