"""The pictures that the warp reads: premultiplied, and no larger than they are shown."""

from __future__ import annotations

import cv2
import numpy as np

from ..exchange import formats

_ROWS = 512  # at a time: the largest portrait has 67 million pixels


def premultiplied(rgba: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 with colour × alpha, so that filtering never mixes in what is transparent."""
    if rgba[..., 3].min() == 255:
        return rgba
    result = np.empty_like(rgba)
    for start in range(0, len(rgba), _ROWS):
        part = rgba[start : start + _ROWS]
        alpha = part[..., 3:].astype(np.uint16)
        result[start : start + _ROWS, :, :3] = (part[..., :3] * alpha + 127) // 255
        result[start : start + _ROWS, :, 3:] = alpha
    return result


def straight(rgba: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 with colour ÷ alpha, the inverse of `premultiplied`."""
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return rgba
    result = rgba.copy()
    for start in range(0, len(rgba), _ROWS):
        part = result[start : start + _ROWS]
        clear = np.flatnonzero(cv2.extractChannel(part, 3) < 255)  # all else stays as it is, and is most of it
        pixels = part.reshape(-1, 4).take(clear, axis=0)
        colour = pixels[:, :3].astype(np.float32) * 255.0 / np.maximum(pixels[:, 3:], 1)
        pixels[:, :3] = np.rint(np.minimum(colour, 255))
        part.reshape(-1, 4)[clear] = pixels
    return result


def shown_textures(mesh: formats.Mesh, rgba: np.ndarray, width: int, height: int) -> tuple[np.ndarray, ...]:
    """The texture of each material, premultiplied, shrunk by area to the size at which a `width` × `height` picture
    shows it: portrait, mouth, eyes.

    Both renderers then read them bilinearly and agree.
    """
    portrait = _shrunk(premultiplied(rgba), width, height)
    eyes = np.zeros((1, 1, 4), np.uint8) if mesh.eye_image is None else mesh.eye_image
    share = np.minimum(np.array([width, height]) / mesh.image_size, 1.0)
    wide, high = np.maximum(np.rint(share * eyes.shape[1::-1]).astype(int), 1)
    eyes = _shrunk(premultiplied(eyes), wide, high)
    card = np.unique(mesh.triangles[mesh.material == 1])
    if not len(card):
        return portrait, mesh.mouth_image, eyes
    scale = np.array([width, height]) / mesh.image_size
    extent = np.ptp(mesh.vertices[card, :2], axis=0) * scale
    # Half as large again: an open mouth stretches the card.
    wide, high = np.maximum(np.rint(extent * 1.5).astype(int), 8)
    return portrait, _shrunk(premultiplied(mesh.mouth_image), wide, high), eyes


def _shrunk(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    size = (min(width, picture.shape[1]), min(height, picture.shape[0]))
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
