"""The project's files (format 1) as dataclasses: `face.json`, `motion.npz`, `mesh.npz`, `bake.npz`, `moves.npz`.

Pixels are those of the portrait: x right, y down, z away from the viewer. Reading checks every shape, so that
what is loaded can be trusted by the code behind.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from . import storage
from .constants import EMBEDDING, LANDMARKS, MAX_PORTRAIT_SIDE
from .errors import InputError

FORMAT = 1
_MAX_COORDINATE = 1e6  # px: beyond it a coordinate is damage, not a face


@dataclass
class Face:
    """A portrait's landmarks (`face.json`).

    Attributes:
        image: path of the prepared portrait (upright sRGB 8-bit PNG).
        width, height: its size, px.
        landmarks: (68, 3) float32, px.
        detector: who found them ("mediapipe", "face-alignment", "hand").
        confidence: 0–1.
    """

    image: Path
    width: int
    height: int
    landmarks: np.ndarray
    detector: str = "hand"
    confidence: float = 1.0

    @property
    def size(self) -> np.ndarray:
        return np.array([self.width, self.height], np.int32)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the face; the image is named relative to the file.

        Raises:
            OutputError: it cannot be written.
        """
        relative = os.path.relpath(self.image, Path(path).parent)
        points = [[round(float(v), 4) for v in point] for point in self.landmarks]
        image = {"path": Path(relative).as_posix(), "width": self.width, "height": self.height}
        storage.write_json(
            path,
            {
                "format": FORMAT,
                "image": image,
                "landmarks": points,
                "detector": self.detector,
                "confidence": round(float(self.confidence), 4),
            },
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Face:
        """Reads a face; its image must lie in the file's own folder or below.

        Raises:
            InputError: the file is damaged, of another format, or leaves its folder.
        """
        value = storage.read_json(path)
        _check_format(path, value.get("format"))
        folder = Path(path).resolve().parent
        try:
            image = value["image"]
            picture = (folder / str(image["path"])).resolve()
            width, height = int(image["width"]), int(image["height"])
            landmarks = np.array(value["landmarks"], np.float64)
            detector, confidence = str(value.get("detector", "hand"))[:40], float(value.get("confidence", 1.0))
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise InputError(f"{path} is not a face file.", "Make it with `makeittalk detect`.") from error
        if not picture.is_relative_to(folder):
            raise InputError(f"{path} names a picture outside its own folder.", "Keep the picture beside it.")
        if not (1 <= width <= MAX_PORTRAIT_SIDE and 1 <= height <= MAX_PORTRAIT_SIDE):
            raise InputError(f"{path} names an impossible picture size.", "Make it with `makeittalk detect`.")
        _check_array(path, "landmarks", landmarks, (LANDMARKS, 3))
        if float(np.ptp(landmarks[:, :2], axis=0).min()) < 1.0:
            raise InputError(f"{path} holds landmarks that do not form a face.", "Correct the landmarks.")
        if not np.isfinite(confidence):
            confidence = 0.0
        return cls(picture, width, height, landmarks.astype(np.float32), detector, min(1.0, max(0.0, confidence)))


@dataclass
class _Arrays:
    """Common reading and writing of the .npz files."""

    @classmethod
    def _shapes(cls) -> dict[str, tuple[int | str, ...]]:
        raise NotImplementedError

    def arrays(self) -> dict[str, Any]:
        """Everything the file holds, `format` included."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {"format": FORMAT} | {name: value for name, value in values.items() if value is not None}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """
        storage.write_npz(path, self.arrays())

    @classmethod
    def _read(cls, path: str | os.PathLike[str], required: frozenset[str]) -> dict[str, Any]:
        arrays = storage.read_npz(path)
        _check_format(path, arrays.get("format"))
        sizes: dict[str, int] = {}
        values: dict[str, Any] = {}
        for name, shape in cls._shapes().items():
            array = arrays.get(name)
            if array is None:
                if name in required:
                    raise InputError(f"{path} lacks the array {name!r}.", "Make the file again.")
                continue
            _check_array(path, name, array, shape, sizes)
            values[name] = array
        return values


@dataclass
class Motion(_Arrays):
    """A moving face (`motion.npz`): the result, and the parts from which every amount re-bakes.

    `landmarks = R(head_rotation) (neutral + expression − neck_pivot) + neck_pivot + head_translation`;
    before amounts and smoothing `expression = rest + content + speaker + blink·lids`.

    Attributes:
        fps: frames a second; frame i stands at i / fps.
        landmarks: (T, 68, 3) px. neutral: (68, 3) px, the portrait's own landmarks.
        expression: (T, 68, 3) px, displacement from neutral, head held in the portrait's pose.
        head_rotation: (T, 3) rad, Euler "xyz" of scipy. head_translation: (T, 3) px. neck_pivot: (3,) px.
        speaker_embedding: (256,). image_size: (2,) width, height px.
        rest: (68, 3) px, displacement from neutral that shuts this portrait's mouth.
        content, speaker: (T, 68, 3) px, lips and jaw; brows, eyes and manner. blink: (T,) lid closure 0–1.
        closure: (T,) probability that the lips are shut for a P, B or M.
        head_rotation_raw, head_translation_raw: (T, 3), the head before amount and smoothing.
        post: JSON of the amounts that made the result.
    """

    fps: float
    landmarks: np.ndarray
    neutral: np.ndarray
    expression: np.ndarray | None = None
    head_rotation: np.ndarray | None = None
    head_translation: np.ndarray | None = None
    neck_pivot: np.ndarray | None = None
    speaker_embedding: np.ndarray | None = None
    image_size: np.ndarray | None = None
    rest: np.ndarray | None = None
    content: np.ndarray | None = None
    speaker: np.ndarray | None = None
    blink: np.ndarray | None = None
    closure: np.ndarray | None = None
    head_rotation_raw: np.ndarray | None = None
    head_translation_raw: np.ndarray | None = None
    post: str = field(default="{}")

    @property
    def frames(self) -> int:
        return int(self.landmarks.shape[0])

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    @classmethod
    def _shapes(cls) -> dict[str, tuple[int | str, ...]]:
        points: tuple[int | str, ...] = ("T", LANDMARKS, 3)
        return {
            "fps": (),
            "landmarks": points,
            "neutral": (LANDMARKS, 3),
            "expression": points,
            "head_rotation": ("T", 3),
            "head_translation": ("T", 3),
            "neck_pivot": (3,),
            "speaker_embedding": (EMBEDDING,),
            "image_size": (2,),
            "rest": (LANDMARKS, 3),
            "content": points,
            "speaker": points,
            "blink": ("T",),
            "closure": ("T",),
            "head_rotation_raw": ("T", 3),
            "head_translation_raw": ("T", 3),
            "post": (),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Motion:
        """Reads a motion; only `fps`, `landmarks` and `neutral` must be there.

        Raises:
            InputError: the file is damaged, hostile or of another format.
        """
        values = cls._read(path, frozenset(("fps", "landmarks", "neutral")))
        fps = _check_rate(path, values.pop("fps"))
        post = str(values.pop("post", "{}"))
        try:
            if not isinstance(json.loads(post), dict):
                raise ValueError
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} holds unreadable settings.", "Make the file again.") from error
        return cls(fps=fps, post=post, **{k: v.astype(np.float32) for k, v in values.items()})


@dataclass
class Mesh(_Arrays):
    """The one mesh that Blender, the offline warp, the preview and the photoreal frames use (`mesh.npz`).

    Attributes:
        vertices: (V, 3) px at the portrait's neutral. triangles: (F, 3) int32, counter-clockwise seen by the viewer.
        uv: (V, 2), 0–1, v up. material: (F,) 0 portrait, 1 mouth interior.
        W: (V, 68), a vertex's displacement as a linear function of the landmarks' displacements.
        head_weights: (V,) 0–1, how far a vertex follows the head bone.
        landmark_vertices: (68,) int32, the vertex that is each landmark.
        key_names: (K,) names of the shape keys. keys: (K, V, 3) px, displacement of each vertex at value 1.
        key_landmarks: (K, 68, 3) px, the same at the landmarks. key_range: (K, 2) slider limits.
        neck_pivot: (3,) px. image_size: (2,) width, height px.
        mouth_image: (H, W, 4) uint8 texture of material 1.
        depth_scale: share of their depth that displacements keep: the plane is flatter than the head it shows, so
            that it can be turned. `keys` have it in them; whoever uses W multiplies z by it.
        picture: (32,) uint8, `picture.fingerprint` of the portrait it was built from; None in older files.
        lost_depth: (V,) px, what was taken from the depth of `vertices` when the relief was flattened.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    material: np.ndarray
    W: np.ndarray
    head_weights: np.ndarray
    landmark_vertices: np.ndarray
    key_names: np.ndarray
    keys: np.ndarray
    key_landmarks: np.ndarray
    key_range: np.ndarray
    neck_pivot: np.ndarray
    image_size: np.ndarray
    mouth_image: np.ndarray
    depth_scale: float = 1.0
    picture: np.ndarray | None = None
    lost_depth: np.ndarray | None = None

    @classmethod
    def _shapes(cls) -> dict[str, tuple[int | str, ...]]:
        return {
            "vertices": ("V", 3),
            "triangles": ("F", 3),
            "uv": ("V", 2),
            "material": ("F",),
            "W": ("V", LANDMARKS),
            "head_weights": ("V",),
            "landmark_vertices": (LANDMARKS,),
            "key_names": ("K",),
            "keys": ("K", "V", 3),
            "key_landmarks": ("K", LANDMARKS, 3),
            "key_range": ("K", 2),
            "neck_pivot": (3,),
            "image_size": (2,),
            "mouth_image": ("H", "I", 4),
            "depth_scale": (),
            "picture": (32,),
            "lost_depth": ("V",),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Mesh:
        """Reads a mesh.

        Raises:
            InputError: the file is damaged, or an index points nowhere.
        """
        values = cls._read(path, frozenset(cls._shapes()) - {"depth_scale", "picture", "lost_depth"})
        values["depth_scale"] = float(values.get("depth_scale", 1.0))
        count = len(values["vertices"])
        for name in ("triangles", "landmark_vertices"):
            if values[name].dtype.kind not in "iu" or values[name].min() < 0 or values[name].max() >= count:
                raise InputError(f"{path} has {name} that point nowhere.", "Make the file again.")
        material, mouth = values["material"], values["mouth_image"]
        if material.dtype.kind not in "iu" or material.min() < 0 or material.max() > 1 or mouth.dtype != np.uint8:
            raise InputError(f"{path} has damaged materials.", "Make the file again.")
        return cls(**values)


@dataclass
class Bake(_Arrays):
    """A motion on the scene's frames (`bake.npz`): what the add-on turns into F-curves.

    Frame i of the arrays lands on `start + i`; time of frame i is `i · fps_base / fps`.

    Attributes:
        fps: the scene's rate, `fps / fps_base`.
        key_names: (K,). key_values: (N, K). key_range: (K, 2) slider limits.
        head_rotation: (N, 3) the bone's `rotation_euler`, rad. head_location: (N, 3) its `location`, Blender units.
        residual: (N,) what the keys leave of the prediction: largest landmark error, px at 256 px face width.
    """

    fps: float
    key_names: np.ndarray
    key_values: np.ndarray
    key_range: np.ndarray
    head_rotation: np.ndarray
    head_location: np.ndarray
    residual: np.ndarray

    @classmethod
    def _shapes(cls) -> dict[str, tuple[int | str, ...]]:
        return {
            "fps": (),
            "key_names": ("K",),
            "key_values": ("N", "K"),
            "key_range": ("K", 2),
            "head_rotation": ("N", 3),
            "head_location": ("N", 3),
            "residual": ("N",),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Bake:
        """Reads a bake.

        Raises:
            InputError: the file is damaged.
        """
        values = cls._read(path, frozenset(cls._shapes()))
        values["fps"] = _check_rate(path, values["fps"])
        return cls(**values)


@dataclass
class Moves(_Arrays):
    """How a character's mesh moves, frame by frame: what the add-on reads from Blender for photoreal frames.

    Attributes:
        vertices: (T, V, 3) float32 px of the portrait, the order that of `Mesh.vertices`; expression and head included.
    """

    vertices: np.ndarray

    @classmethod
    def _shapes(cls) -> dict[str, tuple[int | str, ...]]:
        return {"vertices": ("T", "V", 3)}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Moves:
        """Reads a character's moves.

        Raises:
            InputError: the file is damaged.
        """
        values = cls._read(path, frozenset(cls._shapes()))
        return cls(values["vertices"].astype(np.float32, copy=False))


def _check_format(path: str | os.PathLike[str], value: Any) -> None:
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} does not say which format it has.", "Make the file again.") from error
    if number != FORMAT:
        raise InputError(f"{path} has format {number}, this version reads {FORMAT}.", "Make the file again.")


def _check_rate(path: str | os.PathLike[str], value: np.ndarray) -> float:
    fps = float(value)
    if not 1.0 <= fps <= 1000.0:
        raise InputError(f"{path} runs at {fps:g} frames a second.", "Between 1 and 1000 is possible.")
    return fps


def _check_array(
    path: str | os.PathLike[str],
    name: str,
    array: np.ndarray,
    shape: tuple[int | str, ...],
    sizes: dict[str, int] | None = None,
) -> None:
    """Compares a shape with its pattern; a letter stands for one size throughout the file."""
    sizes = {} if sizes is None else sizes
    fits = array.ndim == len(shape)
    if fits:
        for have, want in zip(array.shape, shape, strict=True):
            if isinstance(want, str):
                fits &= have > 0 and sizes.setdefault(want, have) == have
            else:
                fits &= have == want
    if not fits:
        raise InputError(f"{path}: the array {name!r} has the shape {array.shape}.", f"It must be {shape}.")
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and np.abs(array).max(initial=0) < _MAX_COORDINATE):
        raise InputError(f"{path}: the array {name!r} holds impossible numbers.", "Make the file again.")
    text = name.endswith("names") or name == "post"
    if array.dtype.kind not in ("U" if text else "iuf"):
        raise InputError(f"{path}: the array {name!r} has the type {array.dtype}.", "Make the file again.")
