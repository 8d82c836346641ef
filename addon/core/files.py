"""Reading what the backend made: `face.json`, `mesh.npz`, `bake.npz`. No bpy here.

The files are treated as a stranger's: limits on size, no pickle, every shape and index checked, so that nothing
behind this module can fail half way through building a scene.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import AddonError

FORMAT = 1
MAX_JSON_BYTES = 8 * 2**20
MAX_NPZ_BYTES = 2 * 2**30  # of the arrays once unpacked
MAX_SIDE = 8192  # px of the prepared portrait
_LANDMARKS = 68

_MESH: dict[str, tuple[int | str, ...]] = {
    "vertices": ("V", 3),
    "triangles": ("F", 3),
    "uv": ("V", 2),
    "material": ("F",),
    "head_weights": ("V",),
    "landmark_vertices": (_LANDMARKS,),
    "key_names": ("K",),
    "keys": ("K", "V", 3),
    "key_landmarks": ("K", _LANDMARKS, 3),
    "key_range": ("K", 2),
    "neck_pivot": (3,),
    "image_size": (2,),
    "mouth_image": ("H", "I", 4),
}
_BAKE: dict[str, tuple[int | str, ...]] = {
    "fps": (),
    "key_names": ("K",),
    "key_values": ("N", "K"),
    "key_range": ("K", 2),
    "head_rotation": ("N", 3),
    "head_location": ("N", 3),
    "residual": ("N",),
}


@dataclass
class MeshArrays:
    """The character's mesh; shapes and units as in the backend's `mesh.npz` (pixels of the portrait)."""

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    material: np.ndarray
    head_weights: np.ndarray
    landmark_vertices: np.ndarray
    key_names: np.ndarray
    keys: np.ndarray
    key_landmarks: np.ndarray
    key_range: np.ndarray
    neck_pivot: np.ndarray
    image_size: np.ndarray
    mouth_image: np.ndarray

    @property
    def face_width(self) -> float:
        """Distance of the jaw's ends, px."""
        jaw = self.vertices[self.landmark_vertices[[0, 16]]]
        return float(np.linalg.norm(jaw[0] - jaw[1]))


@dataclass
class BakeArrays:
    """The motion on the scene's frames; shapes and units as in the backend's `bake.npz` (Blender units, radians)."""

    fps: float
    key_names: np.ndarray
    key_values: np.ndarray
    key_range: np.ndarray
    head_rotation: np.ndarray
    head_location: np.ndarray
    residual: np.ndarray

    @property
    def frames(self) -> int:
        return len(self.key_values)


def read_mesh(path: str | Path) -> MeshArrays:
    """Reads `mesh.npz`.

    Raises:
        AddonError: the file is missing, damaged, or an index points nowhere.
    """
    arrays = _read(path, _MESH)
    count = len(arrays["vertices"])
    for name in ("triangles", "landmark_vertices"):
        if arrays[name].dtype.kind not in "iu" or arrays[name].min() < 0 or arrays[name].max() >= count:
            raise _damaged(path)
    if arrays["material"].dtype.kind not in "iu" or not np.isin(arrays["material"], (0, 1)).all():
        raise _damaged(path)
    if arrays["mouth_image"].dtype != np.uint8 or not (arrays["image_size"] >= 1).all():
        raise _damaged(path)
    _check_keys(path, arrays)
    return MeshArrays(**arrays)


def read_bake(path: str | Path) -> BakeArrays:
    """Reads `bake.npz`.

    Raises:
        AddonError: the file is missing or damaged.
    """
    arrays = _read(path, _BAKE)
    fps = float(arrays["fps"])
    if not 0.1 <= fps <= 1000.0:
        raise _damaged(path)
    _check_keys(path, arrays)
    return BakeArrays(**{**arrays, "fps": fps})


def read_portrait_path(face: str | Path) -> Path:
    """The prepared portrait that a `face.json` names: a file in the same folder or below.

    Raises:
        AddonError: the file is damaged, or the picture is missing or elsewhere.
    """
    path = Path(face)
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_JSON_BYTES + 1)
        if len(data) > MAX_JSON_BYTES:
            raise _damaged(path)
        value = json.loads(data)
        if value["format"] != FORMAT:
            raise _damaged(path)
        folder = path.resolve().parent
        picture = (folder / str(value["image"]["path"])).resolve()
        inside = picture.is_relative_to(folder) and picture.is_file()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path) from error
    if not inside:
        raise AddonError(f"The portrait of {path.name} is not beside it.", "Make the file again.")
    return picture


def _check_keys(path: str | Path, arrays: dict[str, Any]) -> None:
    names = [str(name) for name in arrays["key_names"]]
    if len(set(names)) != len(names) or not all(0 < len(name) < 64 for name in names) or "Basis" in names:
        raise _damaged(path)
    if not (arrays["key_range"][:, 0] < arrays["key_range"][:, 1]).all():
        raise _damaged(path)


def _read(path: str | Path, shapes: dict[str, tuple[int | str, ...]]) -> dict[str, np.ndarray]:
    source = Path(path)
    wanted = {"format": (), **shapes}
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(source) as archive:
            members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            if sum(members[name].file_size for name in wanted) > MAX_NPZ_BYTES:
                raise AddonError(f"{source.name} is too large.", "Use a shorter recording.")
            for name in wanted:
                raw = io.BytesIO(archive.read(members[name]))
                arrays[name] = np.lib.format.read_array(raw, allow_pickle=False)
    except FileNotFoundError as error:
        raise AddonError(f"{source} does not exist.", "Run Make It Talk again.") from error
    except AddonError:
        raise
    except Exception as error:  # a hostile archive can make zipfile, zlib and numpy raise nearly anything
        raise _damaged(source) from error
    if int(arrays.pop("format")) != FORMAT:
        raise AddonError(f"{source.name} has a format that this version does not read.", "Update the add-on.")
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        array = arrays[name]
        if array.ndim != len(shape):
            raise _damaged(source)
        for have, want in zip(array.shape, shape, strict=True):
            if have == 0 or have != (sizes.setdefault(want, have) if isinstance(want, str) else want):
                raise _damaged(source)
        if array.dtype.kind not in ("U" if name == "key_names" else "biuf"):
            raise _damaged(source)
        if array.dtype.kind == "f" and not (np.isfinite(array).all() and np.abs(array).max() < 1e6):
            raise _damaged(source)
    return arrays


def _damaged(path: str | Path) -> AddonError:
    return AddonError(f"{Path(path).name} is damaged.", "Run Make It Talk again.")
