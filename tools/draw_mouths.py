"""Draws mouths up close: `.venv/bin/python tools/draw_mouths.py SHEET.png PORTRAIT… [--with WAY…]`.

A row for each portrait and way of drawing, the face first, then the mouth at the picture's own size in each of six
expressions. A way is `warp`, a set of weights of photoreal frames, or a path to one, with weights of a mouth network
after a colon; several stand below each other. A folder stands for all its pictures. `docs/sources.md` says where those
of a committed sheet come from.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from makeittalk.exchange.formats import Mesh
from makeittalk.images.face_crop import FaceCrop
from makeittalk.jobs.animate import find_face
from makeittalk.landmarks.ibug68 import LIP_OUTER
from makeittalk.landmarks.measures import mouth_width
from makeittalk.landmarks.pose import Canonical
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform
from makeittalk.mesh.depth_restore import restore_depth
from makeittalk.networks.image_inference import ImageModel, load_image
from makeittalk.rendering.photo import PhotoRenderer
from makeittalk.rendering.warp import Warper
from makeittalk_lab.tool import exit_status
from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
WIDER = 2.2  # width of a cell in widths of the mouth
TURN = 10.0  # degrees
HEAD = 22  # px above the columns
#: Values of named keys on top of the shut mouth, from which every mouth opens alike.
EXPRESSIONS: dict[str, dict[str, float]] = {
    "shut": {},
    "half open": {"jawOpen": 0.25},
    "wide": {"jawOpen": 0.6},
    "ee": {"jawOpen": 0.12, "mouthSmileLeft": 0.6, "mouthSmileRight": 0.6, "mouthStretch": 0.3},
    "oo": {"jawOpen": 0.15, "mouthFunnel": 0.5, "mouthPucker": 0.5},
    "turned 10°": {"jawOpen": 0.25},
}


def expressions(mesh: Mesh) -> np.ndarray:
    """Displacements (E, 68, 3) px of the landmarks for each expression; `mouthStretch` is left and right together."""
    keys = dict(zip(mesh.key_names.tolist(), mesh.key_landmarks, strict=True))
    keys["mouthStretch"] = keys["mouthStretchLeft"] + keys["mouthStretchRight"]
    values = EXPRESSIONS.values()
    return np.stack([sum((keys[name] * value for name, value in one.items()), keys["mouthShut"]) for one in values])


def drawn(mesh: Mesh, rgba: np.ndarray, vertices: np.ndarray, model: ImageModel | None) -> list[np.ndarray]:
    """The whole frames (H, W, 4) of vertices (E, V, 3), by the mesh alone without a network."""
    if model is None:
        with Warper(mesh, rgba) as warper:
            return [warper.draw(moved) for moved in vertices]
    with PhotoRenderer(mesh, rgba, model) as renderer:
        return list(renderer.frames(vertices))


def cell(picture: np.ndarray, points: np.ndarray, width: float, side: int) -> np.ndarray:
    """The mouth (side, side, 3) of a frame with landmarks (68, ≥2) px, `width` px of the picture across."""
    across = max(8, round(width))
    middle = points[LIP_OUTER, :2].mean(axis=0)
    corner = np.rint(middle - across / 2).astype(int)
    return FaceCrop(int(corner[0]), int(corner[1]), across).take(np.ascontiguousarray(picture[..., :3]), side)


def rows(path: Path, ways: dict[str, ImageModel | None], side: int) -> list[np.ndarray]:
    """A row (side, columns · side, 3) for each way of drawing a portrait."""
    with tempfile.TemporaryDirectory() as folder:
        portrait = find_face(path, folder)
    mesh, rgba = build_mesh(portrait.face, portrait.rgba), portrait.rgba
    moved = expressions(mesh)
    rotation = np.zeros((len(moved), 3))
    # Towards the viewer, if the portrait looks aside.
    away = Canonical.of(portrait.face.landmarks).R[0, 2]
    rotation[list(EXPRESSIONS).index("turned 10°"), 1] = np.deg2rad(TURN if away < 0 else -TURN)
    vertices = restore_depth(mesh, deform(mesh, moved, rotation, np.zeros((len(moved), 3))))
    width = WIDER * float(mouth_width(portrait.face.landmarks[..., :2]))
    print(f"{path.name}: {rgba.shape[1]} x {rgba.shape[0]} px, the mouth {width / WIDER:.0f} px wide")
    face = FaceCrop.of(portrait.face.landmarks).take(np.ascontiguousarray(rgba[..., :3]), side)
    answer = []
    for name, model in ways.items():
        label = face.copy()
        for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(label, name, (5, side - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thick, cv2.LINE_AA)
        frames = drawn(mesh, rgba, vertices, model)
        points = vertices[:, mesh.landmark_vertices]
        answer.append(np.hstack([label, *(cell(*pair, width, side) for pair in zip(frames, points, strict=True))]))
    return answer


def way(name: str) -> tuple[str, ImageModel | None]:
    """How it is called, and its networks: `warp`, weights, or weights:weights of a mouth network."""
    if name == "warp":
        return name, None
    face, _, mouth = name.partition(":")
    label = " ".join(Path(part).stem for part in (face, mouth) if part)
    return label, load_image(face, mouth=mouth or None)


def heads(side: int) -> np.ndarray:
    """The names of the columns, (HEAD, columns · side, 3)."""
    strip = np.full((HEAD, side * (len(EXPRESSIONS) + 1), 3), 255, np.uint8)
    for index, name in enumerate(["portrait", *EXPRESSIONS]):
        text = name.replace("°", " deg")  # Hershey's letters are ASCII
        cv2.putText(strip, text, (index * side + 6, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (40, 40, 40), 1, cv2.LINE_AA)
    return strip


def pictures(names: Sequence[Path]) -> list[Path]:
    """The files that are meant; those of a folder by name."""
    found = []
    for name in names:
        inside = sorted(path for path in name.iterdir() if path.suffix.lower() in SUFFIXES) if name.is_dir() else [name]
        found.extend(inside)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws the sheet."""
    parser = argparse.ArgumentParser("tools/draw_mouths.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("sheet", type=Path, help="PNG or JPEG to write")
    parser.add_argument("portraits", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument(
        "--with",
        dest="ways",
        nargs="+",
        default=["image"],
        metavar="WAY",
        help="warp, weights, or both networks' as FACE:MOUTH",
    )
    parser.add_argument("--cell", type=int, default=240, metavar="PX", help="side of a cell (default 240)")
    options = parser.parse_args(arguments)

    def work() -> None:
        cv2.setNumThreads(1)
        ways = dict(map(way, options.ways))
        found = [row for path in pictures(options.portraits) for row in rows(path, ways, options.cell)]
        Image.fromarray(np.vstack([heads(options.cell), *found])).save(options.sheet, optimize=True, quality=90)

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
