"""MDD and PC2 files: where every vertex is on every frame, for programs that know no shape keys. No bpy here.

MDD (NewTek): big-endian; int32 frames, int32 points, a float32 time in seconds a frame, then float32 x, y, z.
PC2 (3ds Max): little-endian; "POINTCACHE2\\0", int32 version 1, int32 points, float32 first frame, float32 frames a
sample, int32 samples, then float32 x, y, z.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

_PC2 = struct.Struct("<12siiffi")
_PC2_SIGNATURE = b"POINTCACHE2\0"


def write_mdd(path: Path, points: np.ndarray, fps: float, first: float = 0.0) -> None:
    """Writes an MDD file.

    Args:
        points: (N, V, 3), N frames of V vertices. fps: frames a second. first: the number of the first frame.

    Raises:
        OSError: it cannot be written.
    """
    frames, vertices = points.shape[:2]
    times = ((first + np.arange(frames)) / fps).astype(">f4")
    with path.open("wb") as file:
        file.write(struct.pack(">ii", frames, vertices))
        file.write(times.tobytes())
        file.write(points.astype(">f4").tobytes())


def write_pc2(path: Path, points: np.ndarray, first: float = 0.0) -> None:
    """Writes a PC2 file, a sample a frame.

    Args:
        points: (N, V, 3), N frames of V vertices. first: the number of the first frame.

    Raises:
        OSError: it cannot be written.
    """
    frames, vertices = points.shape[:2]
    with path.open("wb") as file:
        file.write(_PC2.pack(_PC2_SIGNATURE, 1, vertices, first, 1.0, frames))
        file.write(points.astype("<f4").tobytes())
