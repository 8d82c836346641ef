"""A contact sheet of pictures that were taken for photographs or drawings, the wrong ones crossed out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from makeittalk.exchange.errors import OutputError
from makeittalk.images.face_crop import FaceCrop
from PIL import Image

_CELL, _FRAME, _GAP = 108, 4, 3  # px
_COLUMNS = 12
_PHOTOGRAPH, _DRAWING, _WRONG, _GROUND = (70, 130, 220), (240, 170, 60), (220, 20, 30), (255, 255, 255)


def sheet(rows: Iterable[tuple[np.ndarray, np.ndarray, bool, bool]]) -> np.ndarray:
    """Faces side by side, in a blue frame what was taken for a photograph, in an orange one what for a drawing.

    Args:
        rows: picture (H, W, 3) uint8, landmarks (68, ≥2) px, whether it is a photograph, whether it was taken for one.

    Returns:
        (h, w, 3) uint8.
    """
    cells = [_cell(*row) for row in rows]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % _COLUMNS)
    lines = [np.hstack(cells[start : start + _COLUMNS]) for start in range(0, len(cells), _COLUMNS)]
    return np.vstack(lines)


def _cell(rgb: np.ndarray, landmarks: np.ndarray, photo: bool, taken: bool) -> np.ndarray:
    face = FaceCrop.of(landmarks).take(rgb, _CELL)
    side = _CELL + 2 * _FRAME
    cell = np.full((side, side, 3), _PHOTOGRAPH if taken else _DRAWING, np.uint8)
    cell[_FRAME:-_FRAME, _FRAME:-_FRAME] = face
    if photo != taken:
        cv2.line(cell, (0, 0), (side - 1, side - 1), _WRONG, 5, cv2.LINE_AA)
        cv2.line(cell, (0, side - 1), (side - 1, 0), _WRONG, 5, cv2.LINE_AA)
    return cv2.copyMakeBorder(cell, _GAP, _GAP, _GAP, _GAP, cv2.BORDER_CONSTANT, value=_GROUND)


def write_sheet(path: Path, rows: Iterable[tuple[np.ndarray, np.ndarray, bool, bool]]) -> None:
    """Writes the sheet of `rows` as a JPEG or PNG.

    Raises:
        OutputError: it cannot be written there.
    """
    try:
        Image.fromarray(sheet(rows)).save(path, quality=74, optimize=True)
    except (OSError, ValueError) as error:
        raise OutputError(f"The sheet cannot be written to {path}", "Name a .jpg in a folder that exists.") from error
