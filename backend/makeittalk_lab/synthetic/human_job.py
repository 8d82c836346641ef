"""A head's pictures as a job for `tools/blender/render_heads.py`: meshes, materials, light and cameras in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from makeittalk.exchange import storage

SENSOR = 36.0  # mm, as wide as the picture


@dataclass
class Part:
    """A mesh of the head.

    Attributes:
        name: of the mesh. vertices: (M, V, 3) metres for each moment, x to the head's left, y up, z to its front.
        faces: (n, 4), -1 for no fourth corner. uv: (corners, 2). attributes: by name, (V,) or (V, 3). material: its
            numbers. subdivision: levels.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    attributes: dict[str, np.ndarray]
    material: dict[str, Any]
    subdivision: int = 0


@dataclass(frozen=True)
class View:
    """A picture to be rendered.

    Attributes:
        file: its name in the folder. moment: index of the vertices. position: (3,) of the camera, in the head's axes.
            rotation: (3, 3) whose columns are its right, up and back. focal: px in one unit of x/z. centre: (2,) px of
            the picture that the axis goes through, which may lie outside. size: px of the side.
    """

    file: str
    moment: int
    position: np.ndarray
    rotation: np.ndarray
    focal: float
    centre: np.ndarray
    size: int

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (…, 3) on the picture: (…, 2) px, x right, y down, the corner of the first pixel 0."""
        local = (points - self.position) @ self.rotation
        return np.asarray(self.centre + self.focal * local[..., :2] / -local[..., 2:] * [1.0, -1.0])


@dataclass(frozen=True)
class Lamp:
    """A rectangle that gives light: where it is, what it points at (3,), its size (2,) in metres, watts and colour."""

    position: np.ndarray
    target: np.ndarray
    size: tuple[float, float]
    watts: float
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class Settings:
    """How pictures are rendered: px, samples a pixel, the noise at which a pixel is left alone, brightness in stops."""

    size: int = 256
    samples: int = 16
    threshold: float = 0.03
    transform: str = "Standard"
    exposure: float = 0.0
    strength: float = 1.0
    seed: int = 0
    threads: int = 1
    denoise: bool = True


def write_job(
    folder: Path,
    parts: Sequence[Part],
    views: Sequence[View],
    lamps: Sequence[Lamp],
    light: np.ndarray,
    textures: dict[str, np.ndarray | Path],
    settings: Settings,
) -> None:
    """Writes the job's files, `head.json` last.

    Args:
        light: (h, w, 3) the light image, linear. textures: by the names that the materials use: an sRGB picture
            (h, w, 3 or 4) uint8, or a file to be read from where it is.

    Raises:
        OutputError: they cannot be written.
    """
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    with storage.replacing(folder / "light.hdr") as beside:
        encoded = cv2.imencode(".hdr", np.ascontiguousarray(light[..., ::-1], np.float32))[1]
        beside.write_bytes(encoded.tobytes())
    places: dict[str, str] = {}
    for name, picture in textures.items():
        if isinstance(picture, Path):
            places[name] = str(picture.resolve())
            continue
        places[name] = name
        with storage.replacing(folder / name) as beside:
            order = [2, 1, 0, 3][: picture.shape[2]]
            beside.write_bytes(cv2.imencode(".png", np.ascontiguousarray(picture[..., order]))[1].tobytes())
    arrays: dict[str, np.ndarray] = {}
    for part in parts:
        arrays[f"{part.name}.vertices"] = _blender(part.vertices).astype(np.float32)
        arrays[f"{part.name}.faces"] = part.faces.astype(np.int32)
        arrays[f"{part.name}.uv"] = part.uv.astype(np.float32)
        for name, values in part.attributes.items():
            arrays[f"{part.name}.attribute.{name}"] = values.astype(np.float32)
    storage.write_npz(folder / "head.npz", arrays)
    storage.write_json(
        folder / "head.json",
        {
            "size": settings.size,
            "samples": settings.samples,
            "threshold": settings.threshold,
            "transform": settings.transform,
            "exposure": settings.exposure,
            "seed": settings.seed,
            "threads": settings.threads,
            "denoise": settings.denoise,
            "world": {"image": "light.hdr", "strength": settings.strength},
            "parts": [
                {
                    "name": part.name,
                    "subdivision": part.subdivision,
                    "material": part.material | {"texture": places[part.material["texture"]]},
                }
                for part in parts
            ],
            "lamps": [_lamp(lamp) for lamp in lamps],
            "views": [_view(view) for view in views],
        },
    )


def look_at(position: np.ndarray, target: np.ndarray, roll: float = 0.0) -> np.ndarray:
    """Columns right, up and back (3, 3) of something at `position` that looks at `target`, turned by `roll` radians."""
    back = position - target
    back = back / np.linalg.norm(back)
    right = np.cross([0.0, 1.0, 0.0], back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    return np.column_stack([np.cos(roll) * right + np.sin(roll) * up, np.cos(roll) * up - np.sin(roll) * right, back])


def _blender(points: np.ndarray) -> np.ndarray:
    """From x left, y up, z front to Blender's x, -z, y."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)


def _matrix(position: np.ndarray, rotation: np.ndarray) -> list[list[float]]:
    matrix = np.eye(4)
    matrix[:3, :3] = _blender(rotation.T).T
    matrix[:3, 3] = _blender(position)
    return [[float(v) for v in row] for row in matrix]


def _lamp(lamp: Lamp) -> dict[str, Any]:
    rotation = look_at(lamp.position, lamp.target)
    return {"matrix": _matrix(lamp.position, rotation), "size": list(lamp.size), "watts": lamp.watts,
            "colour": list(lamp.colour)}  # fmt: skip


def _view(view: View) -> dict[str, Any]:
    middle = view.size / 2
    shift = [float((middle - view.centre[0]) / view.size), float((view.centre[1] - middle) / view.size)]
    return {
        "file": view.file,
        "moment": view.moment,
        "matrix": _matrix(view.position, view.rotation),
        "lens": float(view.focal / view.size * SENSOR),
        "shift": shift,
    }
