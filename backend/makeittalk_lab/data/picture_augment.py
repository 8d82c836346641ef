"""Varies faces for the image network: place, shape, light and skin, alike on portrait, warp and target."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from makeittalk.images.face_crop import SIZE
from makeittalk.landmarks.ibug68 import EYE_LEFT, EYE_RIGHT, LIPS, MIRROR


@dataclass(frozen=True)
class PictureAugment:
    """How far faces are varied.

    Attributes:
        turn: ± degrees. scale: largest enlargement and its inverse. stretch: largest ratio of width to height and its
            inverse. shift: ± of the square's side.
        colour: spread of the random matrix that mixes the channels. light: spread of gain and gamma, as exponents of e.
        swap: share of examples whose channels are permuted.
        apart: ± turn (degrees) and shift (% of the side) of the portrait alone. A filmed speaker who hardly moves
            would teach that the portrait's pixels already lie in the right place.
        texture: share of examples whose skin is given a texture that moves with it, and strokes like wrinkles, hair or
            frames of glasses. The films are soft; a network that saw nothing else would smooth every sharp photograph.
        mouth, eyes: shares of the patches that are laid around mouth and eyes; the rest lie anywhere.
    """

    turn: float = 12.0
    scale: float = 1.25
    stretch: float = 1.12
    shift: float = 0.03
    colour: float = 0.12
    light: float = 0.22
    swap: float = 0.08
    apart: float = 15.0
    texture: float = 0.75
    mouth: float = 0.65
    eyes: float = 0.15


def patch_map(
    rng: np.random.Generator, augment: PictureAugment, landmarks: np.ndarray, size: int
) -> tuple[np.ndarray, bool]:
    """The affine map (2, 3) from the face's square to a varied patch, and whether it is mirrored.

    Args:
        landmarks: (68, 2) px of the square, of the moment to make. size: side of the patch; with the whole square's
            side the patch is the whole square.
    """
    turn = np.deg2rad(rng.uniform(-augment.turn, augment.turn))
    scale = np.exp(rng.uniform(-1, 1) * np.log(augment.scale))
    stretch = np.exp(rng.uniform(-1, 1) * np.log(augment.stretch) / 2)
    mirrored = bool(rng.random() < 0.5)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.diag([scale * stretch * (-1 if mirrored else 1), scale / stretch])
    centre = np.full(2, SIZE / 2)
    if size < SIZE:
        draw = rng.random()
        if draw < augment.mouth:
            centre = landmarks[LIPS].mean(axis=0)
        elif draw < augment.mouth + augment.eyes:
            centre = landmarks[EYE_LEFT if rng.random() < 0.5 else EYE_RIGHT].mean(axis=0)
        else:
            centre = rng.uniform(size / 2, SIZE - size / 2, 2)
        centre = centre + rng.uniform(-0.2, 0.2, 2) * size
    target = size / 2 + rng.uniform(-1, 1, 2) * augment.shift * size
    return np.column_stack([matrix, target - matrix @ centre]), mirrored


def portrait_map(rng: np.random.Generator, augment: PictureAugment, affine: np.ndarray, size: int) -> np.ndarray:
    """The map (2, 3) of the portrait, which lies elsewhere than the moment that `affine` places."""
    turn = np.deg2rad(rng.uniform(-augment.apart, augment.apart))
    scale = np.exp(rng.uniform(-1, 1) * augment.apart / 100)
    more = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.full(2, size / 2)
    shift = rng.uniform(-1, 1, 2) * augment.apart / 100 * size
    return np.column_stack([more @ affine[:, :2], more @ (affine[:, 2] - middle) + middle + shift])


def move_points(points: np.ndarray, affine: np.ndarray, mirrored: bool) -> np.ndarray:
    """Landmarks (68, 2) in the patch; in a mirrored face left is right."""
    moved = points @ affine[:, :2].T + affine[:, 2]
    return moved[MIRROR] if mirrored else moved


def move_picture(picture: np.ndarray, affine: np.ndarray, size: int) -> np.ndarray:
    """The patch (size, size, 3) of a picture; points of the map are corners of pixels, OpenCV's are their middles."""
    shifted = affine.copy()
    shifted[:, 2] += affine[:, :2] @ [0.5, 0.5] - 0.5
    return np.asarray(
        cv2.warpAffine(picture, shifted, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    )


def colour_change(rng: np.random.Generator, augment: PictureAugment) -> tuple[np.ndarray, float]:
    """Another light and skin: a matrix (3, 3) from old channels to new ones, and the exponent that follows it."""
    mix = np.eye(3) + rng.normal(0, augment.colour, (3, 3))
    mix /= np.maximum(mix.sum(axis=1, keepdims=True), 0.3)
    if rng.random() < augment.swap:
        mix = mix[rng.permutation(3)]
    mix = np.diag(np.exp(rng.normal(0, augment.light, 1) + rng.normal(0, augment.light / 3, 3))) @ mix
    return mix.astype(np.float32), float(np.exp(rng.normal(0, augment.light)))


def recolour(rng: np.random.Generator, augment: PictureAugment, pictures: np.ndarray) -> np.ndarray:
    """Pictures (…, 3) 0–1 in one other light and skin, float32 0–1."""
    mix, gamma = colour_change(rng, augment)
    mixed = np.clip(pictures.reshape(-1, 3) @ mix.T, 0.0, 1.0)
    return np.asarray(cv2.pow(np.ascontiguousarray(mixed), gamma).reshape(pictures.shape), np.float32)


def add_texture(
    rng: np.random.Generator, augment: PictureAugment, pictures: np.ndarray, mouth: np.ndarray
) -> np.ndarray:
    """Pictures (s, s, 9) 0–1 with the same texture on warp and target: what the mesh moves, the film has moved as well.

    Args:
        pictures: portrait, warp and target. mouth: (s, s) uint8, the opening between the lips, which stays as it is.
    """
    if rng.random() >= augment.texture:
        return pictures
    size = len(mouth)
    skin = 1 - cv2.GaussianBlur(cv2.dilate(mouth, np.ones((3, 3), np.uint8)), (0, 0), 1.0)[..., None] / np.float32(255)
    grain, other = _noise_fields(rng, size)
    strokes, cover = _strokes(rng, size)
    result = pictures.copy()
    for first in (3, 6):
        part = result[..., first : first + 3]
        part += skin * grain
        part += skin * cover * (strokes - part)
    result[..., :3] += other
    return np.clip(result, 0.0, 1.0)


def _noise_fields(rng: np.random.Generator, size: int) -> np.ndarray:
    """Two fields of noise (2, size, size, 3), alike in size, direction and strength."""
    spread = np.exp(rng.uniform(np.log(0.35), np.log(2.5), 2))
    noise = rng.standard_normal((2 * size, size, 1 if rng.random() < 0.7 else 3), np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=float(spread[0]), sigmaY=float(spread[1])).reshape(2, size, size, -1)
    strength = 0.09 * rng.random() ** 2 / max(float(noise.std()), 1e-6)
    return np.repeat(noise * np.float32(strength), 3 // noise.shape[3], axis=3)


def _strokes(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Colours (size, size, 3) 0–1 of a few curves, and how far each pixel (size, size, 1) is covered by them."""
    colours = np.zeros((size, size, 3), np.float32)
    cover = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(0, 6))):
        line = np.zeros((size, size), np.uint8)
        centre = tuple(int(value) for value in rng.integers(0, size, 2))
        axes = tuple(int(value) for value in rng.integers(4, size, 2))
        start, turn, length = (float(value) for value in rng.uniform([0, 0, 20], [360, 360, 300]))
        width = int(rng.integers(1, 5))
        cv2.ellipse(line, centre, axes, turn, start, start + length, 255, width, cv2.LINE_AA)
        drawn = line / np.float32(255) * np.float32(rng.uniform(0.1, 1.0))
        shade = rng.random(3, np.float32) * np.float32(rng.uniform(0.1, 1.0))
        colours += (drawn[..., None] > 0) * (shade - colours)
        cover = np.maximum(cover, drawn)
    return colours, cover[..., None]
