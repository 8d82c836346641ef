"""Whether a pasted face shows a border: the gradient across it, against the gradient beside it.

    python -m makeittalk_lab.evaluation.seam FRAME WARP

FRAME and WARP are one frame of `makeittalk render`, with `--style photo` and with `--style cartoon`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from makeittalk.exchange.errors import InputError
from makeittalk.images.face_crop import FaceCrop
from makeittalk.images.picture import gradient
from makeittalk.images.portrait import read_picture

from ..tool import exit_status

_AT = 1.5  # px from the border that count as across it
_BESIDE = 12.0  # px from it that count as beside it
_CHANGED = 1.0  # levels of 255


@dataclass(frozen=True)
class Seam:
    """Mean gradient magnitudes of the brightness, levels a px.

    Attributes:
        across: on the border. beside: next to it, on both sides. before: on the border's place in the warp.
    """

    across: float
    beside: float
    before: float

    @property
    def ratio(self) -> float:
        """Across over the larger of what is beside and what the portrait itself shows there; above 1 is a seam."""
        return self.across / max(self.beside, self.before, 1e-6)


def box_seam(picture: np.ndarray, warp: np.ndarray, crop: FaceCrop) -> Seam:
    """The seam along the sides of the square that a network sees.

    Args:
        picture, warp: (H, W, ≥3) uint8, a frame with and without what was pasted.
    """
    inside = np.zeros(picture.shape[:2], np.uint8)
    low = np.maximum([crop.left, crop.top], 0)
    inside[low[1] : crop.top + crop.side, low[0] : crop.left + crop.side] = 255
    return _seam(picture, warp, inside)


def paste_seam(picture: np.ndarray, warp: np.ndarray) -> Seam | None:
    """The seam along the outline of what was changed, None where nothing was.

    Args:
        picture, warp: (H, W, ≥3) uint8, a frame with and without what was pasted.
    """
    change = np.abs(picture[..., :3].astype(np.int16) - warp[..., :3]).max(axis=2)
    changed = (cv2.blur(change.astype(np.float32), (3, 3)) > _CHANGED).astype(np.uint8) * 255
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    area = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, around)
    return _seam(picture, warp, area) if 0 < int((area > 0).sum()) < area.size else None


def _seam(picture: np.ndarray, warp: np.ndarray, area: np.ndarray) -> Seam:
    within = cv2.distanceTransform(area, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(255 - area, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = np.maximum(within, outside)
    # The picture's own rim is no border of the paste.
    at, beside = distance <= _AT, (distance > 2 * _AT) & (distance <= _BESIDE)
    now, before = _gradient(picture), _gradient(warp)
    return Seam(float(now[at].mean()), float(now[beside].mean()), float(before[at].mean()))


def _gradient(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return gradient(grey)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the seam along what was changed; a ratio above 1 is one that shows."""
    parser = argparse.ArgumentParser("makeittalk_lab.evaluation.seam", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("frame", type=Path, help="a picture with a pasted face")
    parser.add_argument("warp", type=Path, help="the same picture without it")
    options = parser.parse_args(arguments)

    def work() -> None:
        frame, warp = (np.asarray(read_picture(path)[0])[..., :3] for path in (options.frame, options.warp))
        if frame.shape != warp.shape:
            raise InputError(f"{options.frame} and {options.warp} differ in size.", "Name two pictures of one frame.")
        seam = paste_seam(frame, warp)
        if seam is None:
            raise InputError(f"{options.frame} and {options.warp} show the same.", "Name a frame with a pasted face.")
        print(f"across {seam.across:.2f}  beside {seam.beside:.2f}  before {seam.before:.2f}  ratio {seam.ratio:.2f}")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
