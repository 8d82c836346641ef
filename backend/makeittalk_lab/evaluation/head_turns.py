"""How far heads are seen to turn when they are asked to: the pose detected in turned frames, against what was asked.

    python -m makeittalk_lab.evaluation.head_turns PORTRAIT…

A head is turned by ±5° and ±10° of pitch, yaw and roll, drawn, and its face detected again; the turn is the rotation
between what is detected there and in the frame at rest. Two ways: the mesh as Blender moves it, and with the relief
that photoreal frames give back (`rendering/seen_turns.py`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from makeittalk.exchange import formats, temporary
from makeittalk.exchange.errors import InputError
from makeittalk.jobs.animate import find_face
from makeittalk.landmarks.face_mesh import find_faces
from makeittalk.landmarks.pose import fit_rigid
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform
from makeittalk.mesh.depth_restore import restore_depth
from makeittalk.rendering.seen_turns import fitting_relief
from makeittalk.rendering.warp import Warper
from scipy.spatial.transform import Rotation

from ..tool import exit_status

AXES = ("pitch", "yaw", "roll")
ANGLES = (-10.0, -5.0, 5.0, 10.0)  # degrees


@dataclass(frozen=True)
class HeadTurns:
    """Errors (axes, angles) in degrees: what was seen less what was asked, of the axis that was turned."""

    errors: np.ndarray

    @property
    def mean(self) -> float:
        """The mean size of an error, degrees."""
        return float(np.abs(self.errors).mean())

    @property
    def worst(self) -> float:
        """The largest size of an error, degrees."""
        return float(np.abs(self.errors).max())


def head_turns(
    mesh: formats.Mesh,
    rgba: np.ndarray,
    restored: bool,
    axes: Sequence[str] = AXES,
    angles: Sequence[float] = ANGLES,
) -> HeadTurns:
    """Turns a character's head and looks how far it turned.

    Args:
        mesh: the character's. rgba: (H, W, 4) uint8, its portrait.
        restored: whether the relief that the mesh gave up is given back, as in photoreal frames.
        axes: of `AXES`. angles: degrees.

    Raises:
        InputError: no face is detected in a frame.
    """
    turns = np.zeros((1 + len(axes) * len(angles), 3))  # the first is at rest
    for index, axis in enumerate(axes):
        turns[1 + index * len(angles) :][: len(angles), AXES.index(axis)] = np.radians(angles)
    vertices = deform(mesh, np.zeros((len(turns), 68, 3)), turns, np.zeros(3))
    if restored:
        vertices = restore_depth(mesh, vertices, fitting_relief(mesh, rgba))
    with Warper(mesh, rgba) as warper:
        seen = np.stack([_landmarks(warper.draw(moved)) for moved in vertices])
    rotation = Rotation.from_matrix(fit_rigid(seen[1:], seen[0], scale=True)[0]).as_rotvec(degrees=True)
    turned = rotation[np.arange(len(rotation)), np.repeat([AXES.index(axis) for axis in axes], len(angles))]
    return HeadTurns((turned - np.tile(angles, len(axes))).reshape(len(axes), len(angles)))


def _landmarks(frame: np.ndarray) -> np.ndarray:
    """The landmarks (68, 3) px detected in a frame (H, W, 4) uint8."""
    found = find_faces(np.ascontiguousarray(frame[..., :3]))
    if not found:
        raise InputError("No face is detected in a frame of this portrait.", "Measure on another portrait.")
    return found[0].landmarks


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="head_turns", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("portraits", nargs="+", type=Path, metavar="PORTRAIT")
    chosen = parser.parse_args(arguments)

    def run() -> None:
        every: dict[str, list[np.ndarray]] = {"mesh": [], "photoreal": []}
        for path in chosen.portraits:
            with temporary.folder() as folder:
                portrait = find_face(path, folder)
            mesh = build_mesh(portrait.face, portrait.rgba)
            for way, errors in every.items():
                turns = head_turns(mesh, portrait.rgba, restored=way == "photoreal")
                errors.append(turns.errors)
                table = "  ".join(
                    f"{axis} " + " ".join(f"{error:+.1f}" for error in row)
                    for axis, row in zip(AXES, turns.errors, strict=True)
                )
                print(f"{path.stem:20} {way:10} mean {turns.mean:.2f} worst {turns.worst:.2f}  {table}", flush=True)
        for way, errors in every.items():
            print(f"{'all':20} {way:10} mean {np.abs(errors).mean():.2f} worst {np.abs(errors).max():.2f}")

    return exit_status(run)


if __name__ == "__main__":
    sys.exit(main())
