"""Paints the skin of a face: blotches, freckles, wrinkles, beard, lips, brows and lashes."""

from __future__ import annotations

import cv2
import numpy as np
from makeittalk.landmarks import ibug68

from .head_model import HeadModel
from .skin_canvas import CANVAS, SCALE, blob, canvas_position, noise_field, polygon, smooth_curve


def paint_skin(
    model: HeadModel, rng: np.random.Generator, skin: np.ndarray, hair: np.ndarray, dark: float
) -> np.ndarray:
    """The skin seen from the front, (H, W, 3) uint8 sRGB, painted over the neutral head."""
    width, height = CANVAS
    points = canvas_position(model.neutral[model.landmarks])
    picture = np.broadcast_to(skin, (height, width, 3)).copy()
    # Blotches of several sizes: redder, paler, darker.
    strength = rng.uniform(0.5, 1.5)
    for cells, amount in ((5, 5.0), (14, 4.0), (45, 3.5), (160, 3.0)):
        blotch = strength * amount / 220.0 * skin
        picture += blotch * noise_field(rng, cells)[..., None] * np.array([0.8, 1.0, 1.0])
        picture += 0.6 * blotch * noise_field(rng, cells)[..., None] * np.array([0.6, -0.5, -0.4])
    red = np.array([0.04, -0.09, -0.08]) * skin * rng.uniform(0.0, 1.4) * (1.0 - 0.5 * dark)
    for centre, radius in (((4.3, -0.6), 1.9), ((-4.3, -0.6), 1.9), ((0.0, 0.4), 1.1), ((0.0, -7.0), 1.4)):
        picture += blob(centre, radius, 1.0)[..., None] * red
    around_eyes = blob((3.1, 3.4), 1.7, 0.62) + blob((-3.1, 3.4), 1.7, 0.62)
    picture += around_eyes[..., None] * rng.uniform(-0.16, 0.02) * skin * (0.5, 0.7, 0.7)
    if rng.random() < 0.25:  # eye shadow
        lid = (blob((3.1, 4.4), 1.3, 0.5) + blob((-3.1, 4.4), 1.3, 0.5))[..., None] * rng.uniform(0.2, 0.7)
        picture = picture * (1 - lid) + lid * np.clip(skin * 0.6 + rng.normal(0.0, 25.0, 3), 0, 255)
    if rng.random() < 0.3:
        _freckles(picture, rng, skin)
    if rng.random() < 0.4:
        _wrinkle(picture, points, rng)
    bearded = rng.random() < 0.3
    if bearded:
        _beard(picture, points, rng, hair, skin)
    _lips(picture, points, rng, skin, dark, lipstick=not bearded and rng.random() < 0.2)
    _brows(picture, points, rng, hair)
    _lash_line(picture, points, rng)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _lips(
    picture: np.ndarray,
    points: np.ndarray,
    rng: np.random.Generator,
    skin: np.ndarray,
    dark: float,
    lipstick: bool,
) -> None:
    outline = np.concatenate([smooth_curve(points[48:55], 40), smooth_curve(points[[*range(54, 60), 48]], 40)])
    middle = outline.mean(0)
    outline = middle + (outline - middle) * rng.uniform(0.97, 1.04, 2)
    mask = polygon(outline, rng.uniform(1.2, 3.0))[..., None]
    natural = skin * np.array([0.88, 0.62, 0.76]) if dark < 0.6 else skin * np.array([0.97, 0.74, 0.88])
    colour = natural + rng.normal(0.0, 8.0, 3)
    amount = rng.uniform(0.4, 0.95)
    if lipstick:
        colour = np.array([rng.uniform(110, 215), rng.uniform(15, 90), rng.uniform(30, 110)])
        amount = rng.uniform(0.6, 0.95)
    creases = 1.0 + 0.05 * cv2.resize(rng.normal(size=(6, 200)).astype(np.float32), CANVAS)[..., None]
    picture += mask * amount * (colour * creases - picture)


def _brows(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator, hair: np.ndarray) -> None:
    """Short strokes along the brow landmarks, over a soft ground."""
    colour = np.clip(hair, 0, rng.uniform(60, 140)) * rng.uniform(0.5, 0.95)
    thick = rng.uniform(0.3, 0.85) * SCALE
    amount, fine = rng.uniform(0.45, 1.0), rng.integers(90, 260)
    ground = int(255 * rng.uniform(0.2, 0.8))
    width, height = CANVAS
    mask = np.zeros((height, width), np.uint8)
    for part, side in ((ibug68.BROW_RIGHT, -1.0), (ibug68.BROW_LEFT[::-1], 1.0)):
        line = smooth_curve(points[part], 60)  # from the temple to the nose
        share = np.linspace(0.0, 1.0, 60)
        body = thick * (0.35 + 0.65 * np.minimum(1.0, 1.6 * share))
        half = np.stack([0 * body, body / 2], 1)
        polygon = np.concatenate([line - half, (line + half)[::-1]])
        cv2.fillPoly(mask, [np.rint(polygon * 16).astype(np.int32)], ground, cv2.LINE_AA, 4)
        for _ in range(fine):
            k = int(rng.integers(0, 60))
            start = line[k] + [0.0, body[k] * rng.uniform(-0.55, 0.6)]
            way = np.array([side * rng.uniform(0.4, 1.0), -rng.uniform(-0.2, 0.6)]) * SCALE * rng.uniform(0.2, 0.45)
            ends = np.rint(np.stack([start, start + way]) * 16).astype(int)
            cv2.line(mask, tuple(ends[0].tolist()), tuple(ends[1].tolist()), 255, 1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), rng.uniform(0.7, 1.6))[..., None]
    picture += amount * soft * (colour - picture)


def _lash_line(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> None:
    width, height = CANVAS
    mask = np.zeros((height, width), np.uint8)
    for upper, lower in (((36, 37, 38, 39), (36, 41, 40, 39)), ((42, 43, 44, 45), (42, 47, 46, 45))):
        for index, line in ((upper, rng.uniform(0.4, 1.0)), (lower, rng.uniform(0.0, 0.5))):
            curve = np.rint(smooth_curve(points[list(index)], 30) * 16).astype(np.int32)
            cv2.polylines(mask, [curve], False, int(255 * line), 3, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), 1.2)[..., None]
    picture += soft * (0.25 * picture - picture)


def _freckles(picture: np.ndarray, rng: np.random.Generator, skin: np.ndarray) -> None:
    width, height = CANVAS
    mask = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(60, 500))):
        position = canvas_position(np.array([rng.normal(0.0, 3.2), rng.normal(0.8, 2.0)]))
        centre = tuple(np.rint(position * 16).astype(int).tolist())
        cv2.circle(mask, centre, int(rng.uniform(12, 34)), int(rng.uniform(60, 220)), -1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), 1.0)[..., None] * rng.uniform(0.3, 0.7)
    picture += soft * (skin * np.array([0.72, 0.55, 0.45]) - picture)


def _wrinkle(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> None:
    """Folds of age: from the nose to the mouth, under the eyes, across the forehead."""
    width, height = CANVAS
    mask = np.zeros((height, width), np.uint8)
    lines = []
    for side, nose, mouth in ((-1, 31, 48), (1, 35, 54)):
        start = points[nose] + [side * 12, -12]
        lines.append(np.stack([start, (start + points[mouth]) / 2 + [side * 14, 0], points[mouth] + [side * 13, 4]]))
    for k in range(int(rng.integers(0, 4))):
        y = 7.6 + 0.9 * k + rng.normal(0.0, 0.1)
        lines.append(canvas_position(np.array([[-3.5, y - 0.2], [-1.2, y + 0.1], [1.2, y], [3.5, y - 0.2]])))
    for eye in (points[36:42], points[42:48]):
        low = eye[[0, 5, 4, 3]] + [0, 12]
        lines.append(low)
    for line in lines:
        curve = np.rint(smooth_curve(line + rng.normal(0.0, 1.5, line.shape), 30) * 16).astype(np.int32)
        cv2.polylines(mask, [curve], False, int(rng.uniform(60, 200)), 2, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), 2.0)[..., None] * rng.uniform(0.2, 0.6)
    picture *= 1.0 - soft * np.array([0.4, 0.55, 0.55])


def _beard(
    picture: np.ndarray, points: np.ndarray, rng: np.random.Generator, hair: np.ndarray, skin: np.ndarray
) -> None:
    """A shadow or a short beard: cheeks under a line from ear to mouth corner, chin, above the lip."""
    right = np.array([points[2] + [4, 0], points[3] + [16, -2], points[48] + [-28, -2]])
    left = np.array([points[54] + [28, -2], points[13] + [-16, -2], points[14] + [-4, 0]])
    under = canvas_position(np.array([[7.5, -6.0], [5.0, -10.0], [0.0, -11.0], [-5.0, -10.0], [-7.5, -6.0]]))
    lip = np.array([points[48] + [-4, -2], points[31] + [-6, 16], points[33] + [0, 12], points[35] + [6, 16],
                    points[54] + [4, -2]])  # fmt: skip
    jaw = polygon(np.concatenate([right, points[48:49], points[57:58] + [0, 9], points[54:55], left, under]), 7.0)
    moustache = polygon(np.concatenate([lip, points[54:47:-1]]), 3.0)
    style = rng.random()
    mask = np.maximum(jaw * (style < 0.8), moustache * (style > 0.1))
    stubble = cv2.GaussianBlur(rng.random(mask.shape).astype(np.float32), (0, 0), 0.9)
    stubble = np.clip(0.5 + (stubble - 0.5) * 5.0, 0.0, 1.0)
    amount = rng.uniform(0.15, 0.8)
    cover = (mask * amount * (0.55 + 0.45 * stubble))[..., None]
    colour = np.minimum(hair * 0.85 + 10.0, rng.uniform(0.75, 1.2) * skin)
    picture += cover * (colour - picture)
