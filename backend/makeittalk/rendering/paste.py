"""Puts what a network made of the face crop back into the full-resolution picture, without a seam."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..images.face_crop import SIZE, FaceCrop
from ..images.landmark_image import fill_mouth
from ..landmarks.face_frame import FaceFrame
from ..landmarks.smoothstep import smoothstep

_BORDER = 0.10  # of the crop's side: nothing is pasted at its border, everything that far inside
_NEAR, _FAR = 0.05, 0.16  # of the crop's side from the face's outline: pasted in full, and no more
_BAND = 1 << 20  # px of the picture worked on together
_AGREE = 8.0  # levels of 255: what a network changes by less keeps the warp's own fine detail
_LIP_EDGE = 7  # px of the square around the mouth's opening that a network may draw anew
_UNSEEN = 0.25  # levels of 255 that rounding hides


def border_window(size: int = SIZE) -> np.ndarray:
    """A square (size, size) float32, 0 at its border and 1 from a tenth of its side on, smooth."""
    place = (np.arange(size) + 0.5) / size
    rise = smoothstep(np.minimum(place, 1 - place) / _BORDER)
    return np.asarray(rise[:, None] * rise[None], np.float32)


def face_zone(points: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Where the face and its forehead lie, (size, size) float32: 1 on it, smoothly 0 in hair and background.

    Args:
        points: (…, 68, 2) px of the square, one or more places of the same face.
    """
    mask = np.full((size, size), 255, np.uint8)
    for face in np.reshape(points, (-1, 68, 2)):
        hull = np.clip(FaceFrame.of(face, size, size).hull - 0.5, -4096, 4096)
        cv2.fillConvexPoly(mask, np.rint(16 * hull).astype(np.int32), 0, cv2.LINE_8, 4)
    away = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) / size
    return np.asarray(smoothstep((_FAR - away) / (_FAR - _NEAR)), np.float32)


def hollow_zone(points: np.ndarray, size: int = SIZE) -> np.ndarray:
    """The mouth's opening and the lips' inner edge, (size, size) float32: 1 there, softly 0 around it.

    Args:
        points: (68, 2) px of the square.
    """
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_LIP_EDGE, _LIP_EDGE))
    return (
        np.asarray(cv2.GaussianBlur(cv2.dilate(fill_mouth(points, size), around), (0, 0), _LIP_EDGE / 4), np.float32)
        / 255
    )


@dataclass(frozen=True)
class Patch:
    """What is done to a crop: result = warp + change − blur · (the warp's detail finer than the crop's pixels).

    Attributes:
        change: (256, 256, 3) float32, levels of 255. blur: (256, 256) float32 0–1. coarse: (256, 256, 3) uint8, the
        warp as the crop shows it.
    """

    change: np.ndarray
    blur: np.ndarray
    coarse: np.ndarray

    @classmethod
    def of(cls, warp: np.ndarray, change: np.ndarray, replaced: np.ndarray) -> Patch:
        """The patch of a change; where that only says again what the warp shows, the warp's detail stays.

        Args:
            warp: (256, 256, 3) uint8. change: (256, 256, 3) float32, levels of 255.
            replaced: (256, 256) float32 0–1, how far the warp's own pixels give way.
        """
        much = np.abs(cv2.GaussianBlur(change, (0, 0), 2.0)).max(axis=2)
        blur = replaced * (1.0 - np.exp(-np.square(much / _AGREE)))
        return cls(change.astype(np.float32), blur.astype(np.float32), warp)

    def onto(self, picture: np.ndarray, crop: FaceCrop) -> None:
        """Changes the colours of a picture (H, W, ≥3) uint8 in place; its alpha stays."""
        found = _bounds((np.abs(self.change).max(axis=2) > _UNSEEN) | (self.blur > 1 / 255))
        if found is None:
            return
        scale = crop.side / SIZE
        low = np.floor(np.array(found[0]) * scale).astype(int) + [crop.left, crop.top]
        high = np.ceil(np.array(found[1]) * scale).astype(int) + [crop.left, crop.top]
        left, top = np.maximum(low, 0)
        right, bottom = np.minimum(high, [picture.shape[1], picture.shape[0]])
        if right <= left or bottom <= top:
            return
        layers = np.concatenate([self.change, self.blur[..., None]], axis=2)
        coarse = self.coarse.astype(np.float32)
        if crop.side < SIZE:  # enlarging reads between pixels; shrinking must average them
            layers, coarse = (
                cv2.resize(layer, (crop.side, crop.side), interpolation=cv2.INTER_AREA) for layer in (layers, coarse)
            )
        rows = max(1, _BAND // (right - left))
        for first in range(top, bottom, rows):
            last = min(first + rows, bottom)
            place = (left - crop.left, first - crop.top, right - left, last - first)
            part = picture[first:last, left:right, :3]
            added = _enlarged(layers, place, crop.side)
            value = part.astype(np.float32)
            share = added[..., 3:]
            if scale > 1 and share.max() > 1 / 255:
                value -= np.clip(share, 0.0, 1.0) * (value - _enlarged(coarse, place, crop.side))
            value += added[..., :3]
            part[...] = np.rint(np.clip(value, 0.0, 255.0, out=value), out=value)


def _enlarged(layers: np.ndarray, place: tuple[int, int, int, int], side: int) -> np.ndarray:
    """The part `place` (x, y, width, height) of layers (n, n, C) float32 enlarged to `side`, cubic."""
    x, y, width, height = place
    if len(layers) == side:
        return layers[y : y + height, x : x + width]
    step = len(layers) / side
    matrix = np.array([[step, 0, (x + 0.5) * step - 0.5], [0, step, (y + 0.5) * step - 0.5]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(layers, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _bounds(mask: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Corners (x, y) of the rectangle around a mask (n, n), with what cubic interpolation reads around it."""
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    if not len(rows):
        return None
    reach, size = 3, len(mask)
    low = (max(0, int(columns[0]) - reach), max(0, int(rows[0]) - reach))
    return low, (min(size, int(columns[-1]) + 1 + reach), min(size, int(rows[-1]) + 1 + reach))
