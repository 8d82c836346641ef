"""Draws a contact sheet of prepared mouths: `.venv/bin/python tools/draw_mouth_sheet.py PREPARED SHEET.jpg [PEOPLE]`.

A row a person: the mouth in every moment, then the whole face; with `--points` also landmarks and the mouth's edge.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from makeittalk_lab.data.mouth_clip import MouthClip

SIDE = 160  # px of one picture


def row(clip: MouthClip, points: bool) -> np.ndarray:
    """The pictures of a clip side by side."""
    pictures = []
    for picture, landmarks, inner in zip(clip.pictures, clip.landmarks, clip.inner, strict=True):
        scale = SIDE / len(picture)
        small = np.ascontiguousarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        if points:
            cv2.polylines(small, [np.int32(np.round(scale * inner))], True, (0, 255, 255))
            for x, y in np.int32(np.round(scale * landmarks)):
                cv2.circle(small, (int(x), int(y)), 1, (0, 255, 0), -1)
        pictures.append(small)
    return np.hstack(pictures)


def main() -> None:
    """Writes the sheet."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--points"]
    folder, sheet = Path(arguments[0]), Path(arguments[1])
    people = int(arguments[2]) if len(arguments) > 2 else 24
    files = sorted(folder.glob("mouth_*.npz"))
    chosen = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, people).astype(int))]
    rows = [row(MouthClip.load(file), "--points" in sys.argv) for file in chosen]
    cv2.imwrite(str(sheet), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    main()
