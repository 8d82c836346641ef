"""Draws the picture of photoreal frames: `.venv/bin/python tools/draw_photo.py docs/photo.jpg [PORTRAIT…]`.

A row for each portrait: as it is, its mesh with an open mouth, the photoreal frame of that, and one of a turned head.
Without names: the embedded photograph, Grace Hopper (matplotlib's sample, US Navy), and the pictures in `portraits` of
the training data. What it prints says whether a seam is seen (training/seam.py), and who is still seen
(training/identity.py), against the nearest other portrait.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from makeittalk.images.face_crop import FaceCrop
from makeittalk.jobs.animate import find_face
from makeittalk.landmarks.pose import Canonical
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import deform
from makeittalk.mesh.depth_restore import restore_depth
from makeittalk.networks.image_inference import ImageModel, load_image
from makeittalk.rendering.photo import PhotoRenderer
from makeittalk.rendering.seen_turns import fitting_relief
from makeittalk.rendering.warp import Warper
from makeittalk_lab.evaluation.identity import describe_face
from makeittalk_lab.evaluation.seam import box_seam, paste_seam
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SIDE = 300  # px of one picture
LARGEST = 1600  # px of a portrait: more is not seen here
WIDER = 1.25  # side of what is shown, in sides of the square that the network sees


def portraits() -> list[Path]:
    """The pictures shown where none are named."""
    data = Path(os.environ.get("MAKEITTALK_DATA") or ROOT.parent / "shared" / "data")
    sample = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    found = [ROOT / "backend" / "makeittalk" / "assets" / "portrait_photo.jpg", sample]
    return found + sorted((data / "portraits").glob("*.jpg"))


def row(path: Path, model: ImageModel) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The pictures of one portrait, (SIDE, SIDE, 3) each, and the whole frames: portrait, open mouth, turned head."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "portrait.png"
        with Image.open(path) as picture:
            picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
            picture.convert("RGBA").save(small)
        portrait = find_face(small, folder)
    mesh = build_mesh(portrait.face, portrait.rgba)
    keys = dict(zip(mesh.key_names.tolist(), mesh.key_landmarks, strict=True))
    shut = keys["mouthShut"]  # from which every mouth opens alike
    expression = np.stack([shut + 0.55 * keys["jawOpen"], shut + 0.3 * keys["jawOpen"] + 0.4 * keys["mouthFunnel"]])
    away = Canonical.of(portrait.face.landmarks).R[:, 2]
    turn = 9.0 if away[0] < 0 else -9.0  # back towards the viewer, if the portrait looks aside
    rotation = np.deg2rad([[0.0, 0.0, 0.0], [2.0, turn, -3.0]])
    vertices = restore_depth(
        mesh, deform(mesh, expression, rotation, np.zeros((2, 3))), fitting_relief(mesh, portrait.rgba)
    )
    with Warper(mesh, portrait.rgba) as warper:
        warp = warper.draw(vertices[0])
    with PhotoRenderer(mesh, portrait.rgba, model) as renderer:
        frames = list(renderer.frames(vertices))
        square = renderer.crop
    box, paste = box_seam(frames[0], warp, square), paste_seam(frames[0], warp)
    print(
        f"{path.stem}: gradient at the square's sides {box.across:.2f} (warp {box.before:.2f}, beside {box.beside:.2f})"
        + (f", around what was changed {paste.ratio:.2f} of the gradient beside it" if paste else "")
    )
    height, width = warp.shape[:2]
    side = min(round(WIDER * square.side), height, width)
    left, top = (corner - (side - square.side) // 2 for corner in (square.left, square.top))
    shown = FaceCrop(int(np.clip(left, 0, width - side)), int(np.clip(top, 0, height - side)), side)
    pictures = [shown.take(picture[..., :3], SIDE) for picture in (portrait.rgba, warp, *frames)]
    return pictures, [portrait.rgba, *frames]


def main(target: str, *names: str) -> None:
    cv2.setNumThreads(1)
    paths = [Path(name) for name in names] or portraits()
    model = load_image()
    rows, faces = [], []
    for path in paths:
        pictures, frames = row(path, model)
        rows.append(np.hstack(pictures))
        faces.append([describe_face(frame) for frame in frames])
    for index, (path, (own, *made)) in enumerate(zip(paths, faces, strict=True)):
        distances = [float(np.linalg.norm(face - own)) for face in made]
        others = [float(np.linalg.norm(face[0] - own)) for other, face in enumerate(faces) if other != index]
        nearest = f"{min(others):.2f}" if others else "–"
        print(f"{path.stem}: open mouth {distances[0]:.2f}, turned head {distances[1]:.2f}, nearest other {nearest}")
    Image.fromarray(np.vstack(rows)).save(target, optimize=True, quality=88)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Usage: python tools/draw_photo.py OUT.jpg [PORTRAIT…]")
    main(*sys.argv[1:])
