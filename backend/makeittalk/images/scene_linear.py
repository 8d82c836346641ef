"""Brings floating-point pixels to the screen: linear light or display values, in any primaries, as 8-bit sRGB."""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

_ROWS = 256  # at a time
_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], np.float32)  # luminance of Rec.709
_BRIGHT = 95.0  # percentile of the luminance that the exposure goes by
_DARKEST, _BRIGHTEST = 0.1, 4.0  # where it may lie: within, the picture is shown as it is
_AIM = 0.8  # where it is brought otherwise
_INFINITE = 65504.0  # what stands for infinite light: the largest half float
_STEPS = 65535  # of light, of which each is a twentieth of a grey level where they are widest
_SAMPLES = 1_000_000  # px that are looked at for that
#: Red, green, blue and white of Rec.709, CIE xy.
REC_709 = np.array([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06], [0.3127, 0.3290]])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def show(
    pixels: np.ndarray,
    *,
    linear: bool,
    white: float = 1.0,
    premultiplied: bool = False,
    matrix: np.ndarray | None = None,
) -> tuple[Image.Image, int]:
    """A picture of more than 8 bits as an RGBA image.

    Args:
        pixels: (H, W, C) numbers of any type, C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        white: the value of white and of full opacity; floating-point alpha within 1 is on a scale of its own.
        linear: whether they are linear light, which is exposed by whole stops where it is far too dark or bright,
            rather than values for a screen. premultiplied: whether colours were multiplied by alpha.
        matrix: (3, 3) to the primaries of Rec.709, in linear light.

    Returns:
        the picture, and by how many stops it was exposed.
    """
    height, width, channels = pixels.shape
    has_alpha = channels in (2, 4)
    apart = has_alpha and pixels.dtype.kind == "f" and float(pixels[..., -1].max(initial=0.0)) <= 1.0
    full = 1.0 if apart else white
    stops = _stops(pixels) if linear else 0
    result = np.empty((height, width, 4), np.uint8)
    encoded = np.rint(_encode(np.arange(_STEPS + 1, dtype=np.float32) / _STEPS) * 255.0).astype(np.uint8)
    for start in range(0, height, _ROWS):
        part = np.nan_to_num(pixels[start : start + _ROWS].astype(np.float32), posinf=_INFINITE, neginf=0.0)
        colour = part[..., : channels - has_alpha] / np.float32(white)
        alpha = np.clip(part[..., -1:] / np.float32(full), 0.0, 1.0) if has_alpha else np.ones_like(part[..., :1])
        if premultiplied and has_alpha:
            colour = np.divide(colour, alpha, out=colour, where=alpha > 0.0)
        colour = np.broadcast_to(colour, (*colour.shape[:2], 3))
        if linear:
            if matrix is not None:
                colour = colour @ matrix.T.astype(np.float32)
            light = np.clip(colour * np.float32(2.0**stops), 0.0, 1.0)
            result[start : start + _ROWS, :, :3] = encoded[np.rint(light * _STEPS).astype(np.uint16)]
        else:
            result[start : start + _ROWS, :, :3] = np.rint(np.clip(colour, 0.0, 1.0) * 255.0)
        result[start : start + _ROWS, :, 3:] = np.rint(alpha * 255.0)
    return Image.fromarray(result), stops


def exposure_notices(source: str | os.PathLike[str], stops: int) -> list[str]:
    """What to say of an exposure."""
    if not stops:
        return []
    way, unit = "brightened" if stops > 0 else "darkened", "stop" if abs(stops) == 1 else "stops"
    return [f"{source} was {way} by {abs(stops)} {unit} for the screen."]


def to_rec_709(primaries: np.ndarray) -> np.ndarray | None:
    """The (3, 3) matrix from linear RGB with given red, green, blue and white (4, 2) CIE xy; None where it is none."""
    if np.allclose(primaries, REC_709, atol=1e-3):
        return None
    source, target = _to_xyz(primaries), _to_xyz(REC_709)
    cones = (_BRADFORD @ target.sum(axis=1)) / (_BRADFORD @ source.sum(axis=1))
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ source
    matrix = np.linalg.inv(target) @ adapted
    return matrix if np.isfinite(matrix).all() else None


def _to_xyz(primaries: np.ndarray) -> np.ndarray:
    """The (3, 3) matrix from RGB to XYZ; its columns sum to white."""
    x, y = np.asarray(primaries, np.float64).T
    xyz = np.stack([x / y, np.ones_like(x), (1.0 - x - y) / y])
    return xyz[:, :3] * np.linalg.solve(xyz[:, :3], xyz[:, 3])


def _encode(light: np.ndarray) -> np.ndarray:
    """Linear light 0–1 as sRGB values 0–1 (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.power(light, np.float32(1 / 2.4)) - 0.055)


def _stops(pixels: np.ndarray) -> int:
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / _SAMPLES)))
    sample = np.nan_to_num(pixels[::step, ::step].astype(np.float32), posinf=0.0, neginf=0.0)
    light = sample[..., :3] @ _WEIGHTS if pixels.shape[2] >= 3 else sample[..., 0]
    lit = light[light > 1e-3 * np.percentile(light, 99.9)]  # the black around a rendered head says nothing
    if not lit.size:
        return 0
    bright = float(np.percentile(lit, _BRIGHT))
    return 0 if _DARKEST <= bright <= _BRIGHTEST else round(float(np.log2(_AIM / bright)))
