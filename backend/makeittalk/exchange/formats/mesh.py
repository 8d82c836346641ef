"""The mesh of a portrait: `mesh.npz`."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from ..constants import GAZE_KEYS, LANDMARKS
from ..errors import InputError
from .arrays import ArraysFile
from .checks import check_face, check_keys, check_size


@dataclass
class Mesh(ArraysFile):
    """The one mesh that Blender, the offline warp, the preview and the photoreal frames use (`mesh.npz`).

    Attributes:
        vertices: (V, 3) px at the portrait's neutral. triangles: (F, 3) int32, counter-clockwise seen by the viewer.
        uv: (V, 2), 0–1, v up. material: (F,) 0 portrait, 1 mouth interior, 2 whites of
            the eyes, 3 irises, which lie before them and are translucent at their edges.
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
        eye_image: (J, L, 4) uint8 texture of materials 2 and 3; None where no eye shows an iris, and in older files.
        gaze_reach: (8,) rad, how far the eye is turned where each of `GAZE_KEYS` is 1; 0 for one without an iris.
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
    eye_image: np.ndarray | None = None
    gaze_reach: np.ndarray | None = None

    @property
    def face_width(self) -> float:
        """Distance of the jaw's ends, px."""
        jaw = self.vertices[self.landmark_vertices[[0, 16]]]
        return float(np.linalg.norm(jaw[0] - jaw[1]))

    @classmethod
    def shapes(cls) -> dict[str, tuple[int | str, ...]]:
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
            "eye_image": ("J", "L", 4),
            "gaze_reach": (len(GAZE_KEYS),),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Mesh:
        """Reads a mesh.

        Raises:
            InputError: the file is damaged, or an index points nowhere.
        """
        optional = {"depth_scale", "picture", "lost_depth", "eye_image", "gaze_reach"}
        values = cls.read(path, frozenset(cls.shapes()) - optional)
        values["depth_scale"] = float(values.get("depth_scale", 1.0))
        mesh = cls(**values)
        count = len(mesh.vertices)
        for name in ("triangles", "landmark_vertices"):
            indices = values[name]
            if indices.dtype.kind not in "iu" or indices.min() < 0 or indices.max() >= count:
                raise InputError(f"{path} has {name} that point nowhere.", "Make the file again.")
        material, highest = mesh.material, 1 if mesh.eye_image is None else 3
        if material.dtype.kind not in "iu" or material.min() < 0 or material.max() > highest:
            raise InputError(f"{path} has damaged materials.", "Make the file again.")
        if mesh.mouth_image.dtype != np.uint8 or (mesh.eye_image is not None and mesh.eye_image.dtype != np.uint8):
            raise InputError(f"{path} has a damaged texture.", "Make the file again.")
        if not 0.0 <= mesh.depth_scale <= 1.0:
            raise InputError(f"{path} has a depth that nothing keeps.", "Make the file again.")
        mesh.image_size = check_size(path, mesh.image_size)
        check_face(path, mesh.vertices[mesh.landmark_vertices])
        check_keys(path, mesh.key_names, mesh.key_range)
        return mesh
