"""Random people: the colours of skin, lips, brows, eyes, hair and clothes, light and what is behind them."""

from __future__ import annotations

import cv2
import numpy as np
from makeittalk.landmarks import ibug68

from .head_model import SKIN, HeadModel
from .head_scene import FRONT, Look

_FRONT_SIDE = (480, 672)  # px of the painted front: 24 a cm
_SCALE = _FRONT_SIDE[0] / (FRONT[1] - FRONT[0])
#: From very light to very dark skin, sRGB; undertones vary around these.
_SKINS = np.array(
    [
        [250, 222, 204],
        [241, 200, 172],
        [226, 176, 142],
        [205, 152, 114],
        [176, 122, 86],
        [142, 94, 64],
        [106, 68, 47],
        [72, 46, 34],
        [50, 33, 26],
    ],
    float,
)
_HAIRS = np.array(
    [[22, 18, 17], [38, 27, 22], [62, 42, 30], [96, 66, 42], [150, 108, 66], [206, 170, 118], [150, 74, 40],
     [150, 148, 145], [215, 212, 206]],
    float,
)  # fmt: skip
_IRISES = np.array([[60, 36, 20], [92, 58, 30], [120, 92, 50], [96, 110, 70], [100, 130, 150], [70, 110, 160]], float)


def linear(colour: np.ndarray) -> np.ndarray:
    """Linear 0–1 of sRGB 0–255 (as a power of 2.2, which the shader turns back)."""
    return (np.clip(np.asarray(colour, float), 0, 255) / 255.0) ** 2.2


def random_look(model: HeadModel, rng: np.random.Generator, size: tuple[int, int]) -> Look:
    """A person's colours with light and a backdrop.

    Args:
        model: the head. rng: draws everything. size: (width, height) of the backdrop, px.
    """
    tone = rng.uniform(0.0, len(_SKINS) - 1.0)
    skin = _mix(_SKINS, tone) * (1.0 + rng.normal(0.0, [0.025, 0.012, 0.04]))
    hair_place = rng.uniform(0, len(_HAIRS) - 1) if tone < 3.5 else rng.uniform(0.0, 2.2)
    if tone >= 3.5 and rng.random() < 0.1:
        hair_place = rng.uniform(6.6, 7.4)  # grey
    hair = _mix(_HAIRS, hair_place) * rng.uniform(0.75, 1.15)
    iris = _mix(_IRISES, rng.uniform(0, 5) if tone < 3.5 else rng.uniform(0, 1.3)) * rng.uniform(0.7, 1.2)
    grown, thickness, locks = _hair(model, rng)
    front = _paint_front(model, rng, skin, hair, tone / (len(_SKINS) - 1.0))
    tooth = linear(np.array([246, 238, 222]) * rng.uniform(0.84, 1.0) - np.array([0, 4, 24]) * rng.random() ** 2)
    gum = linear(np.array([196, 98, 92]) * rng.uniform(0.65, 1.05, 3).mean() * rng.normal(1.0, 0.05, 3))
    cloth = linear(rng.uniform(10, 245, 3) if rng.random() < 0.6 else np.repeat(rng.uniform(10, 245), 3))
    uniforms = {
        "hair_colour": tuple(linear(hair)),
        "iris_colour": tuple(linear(iris)),
        "rim_colour": tuple(linear(iris * 0.45)),
        "white": tuple(linear(np.array([236, 230, 224]) * rng.uniform(0.8, 0.97))),
        "pupil": float(rng.uniform(0.11, 0.2)),
        "gaze_right": _unit(-0.10, 0.02, 1.0),
        "gaze_left": _unit(0.10, 0.02, 1.0),
        "tooth": tuple(tooth),
        "gum": tuple(gum),
        "cloth_colour": tuple(cloth),
        "cloth_other": tuple(np.clip(cloth * rng.uniform(0.5, 1.5) + rng.normal(0.0, 0.05, 3), 0.0, 1.0)),
        "cloth_kind": float(rng.choice([0.0, 0.0, 0.0, 1.0, 2.0])),
        "lashes": float(rng.uniform(0.05, 0.7)),
        "gloss": float(rng.uniform(0.1, 0.8)),
    }
    uniforms |= _light(rng)
    # A camera exposes for the face, in part.
    bright = float(linear(skin) @ (0.2, 0.7, 0.1))
    uniforms["exposure"] = float(np.exp(rng.normal(0.0, 0.2)) * (0.42 / bright) ** 0.22)
    return Look(front, _backdrop(rng, size), grown, thickness, uniforms, locks, rng.uniform(0.0, 2.5))


def _light(rng: np.random.Generator) -> dict[str, object]:
    """A key light from the front half above, a fill from the other side, sky and ground."""
    turn, height = rng.normal(0.0, 0.7), rng.uniform(-0.05, 0.9)
    key_way = np.array([np.sin(turn) * np.cos(height), np.sin(height), max(0.25, np.cos(turn)) * np.cos(height)])
    across = -np.sign(turn) * rng.uniform(0.2, 1.2)
    fill_way = np.array([np.sin(across), rng.uniform(-0.3, 0.5), np.cos(across)])
    share = rng.uniform(0.25, 0.7)  # of light that comes from everywhere
    warmth = rng.normal(0.0, 0.12)
    tint = np.array([1.0 + warmth, 1.0, 1.0 - warmth])
    return {
        "key_way": tuple(key_way / np.linalg.norm(key_way)),
        "fill_way": tuple(fill_way / np.linalg.norm(fill_way)),
        "key": tuple((1.0 - share) * 1.25 * tint),
        "fill": tuple(rng.uniform(0.0, 0.35) * (2.0 - tint) * rng.uniform(0.8, 1.2)),
        "sky": tuple(share * 1.3 * (1.0 + rng.normal(0.0, 0.06, 3))),
        "ground": tuple(share * rng.uniform(0.5, 1.1) * (1.0 + rng.normal(0.0, 0.08, 3))),
    }


def _hair(model: HeadModel, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """How far inside the hair each vertex lies, how thick it is there, cm, and the length of long hair."""
    x, y, z = model.neutral.T
    forehead = rng.uniform(8.9, 11.3)
    line = forehead - rng.uniform(0.0, 0.06) * x**2 + rng.uniform(-0.5, 0.5) * np.cos(x * rng.uniform(0.4, 1.2))
    line += sum(rng.normal(0.0, 0.15 / f) * np.sin(x * f + rng.uniform(0.0, 6.0)) for f in (0.5, 0.9, 1.7, 2.9))
    burns = rng.uniform(-1.5, 3.5)  # how far down hair grows before the ears
    before = 3.2 + 0.1 * (y - 4.0)
    side = np.where(y > burns, before - z, (-2.6 + 0.1 * (y - burns)) - z)
    side = np.where(y > -7.0, side, side + (y + 7.0))
    inside = np.maximum(np.where(z > 0, y - line, np.maximum(y - line, side)), np.minimum(side, y - burns + 1.0))
    inside = np.where((z < -2.6) & (y > -8.0), np.maximum(inside, -2.6 - z), inside)
    ear = (np.abs(x) > 6.9) & (y < 5.6) & (y > -4.0) & (z > -2.8) & (z < 3.2)
    inside = np.where(ear | (model.kinds != SKIN), -2.0, inside)
    if rng.random() < 0.1:
        return np.full(len(x), -2.0), np.zeros(len(x)), 0.0
    bulk = rng.uniform(0.1, 0.5) if rng.random() < 0.4 else rng.uniform(0.5, 1.8)
    top = 0.6 + 0.7 * np.clip((y - 6.0) / 8.0, 0.0, 1.0)
    wave = 1.0 + 0.25 * np.sin(x * rng.uniform(0.5, 1.5) + rng.uniform(0, 6)) * np.sin(z * rng.uniform(0.4, 1.0))
    thickness = bulk * top * wave * np.clip(inside / 1.5, 0.0, 1.0) ** 0.6
    locks = float(rng.uniform(3.0, 24.0)) if bulk > 0.5 and rng.random() < 0.5 else 0.0
    return inside, thickness, locks


def _paint_front(
    model: HeadModel, rng: np.random.Generator, skin: np.ndarray, hair: np.ndarray, dark: float
) -> np.ndarray:
    """The skin seen from the front, (H, W, 3) uint8 sRGB, painted over the neutral head."""
    width, height = _FRONT_SIDE
    points = _place(model.neutral[model.landmarks])
    picture = np.broadcast_to(skin, (height, width, 3)).copy()
    # Blotches of several sizes: redder, paler, darker.
    strength = rng.uniform(0.5, 1.5)
    for cells, amount in ((5, 5.0), (14, 4.0), (45, 3.5), (160, 3.0)):
        blotch = strength * amount / 220.0 * skin
        picture += blotch * _noise(rng, cells)[..., None] * np.array([0.8, 1.0, 1.0])
        picture += 0.6 * blotch * _noise(rng, cells)[..., None] * np.array([0.6, -0.5, -0.4])
    red = np.array([0.04, -0.09, -0.08]) * skin * rng.uniform(0.0, 1.4) * (1.0 - 0.5 * dark)
    for centre, radius in (((4.3, -0.6), 1.9), ((-4.3, -0.6), 1.9), ((0.0, 0.4), 1.1), ((0.0, -7.0), 1.4)):
        picture += _blob(centre, radius, 1.0)[..., None] * red
    around_eyes = _blob((3.1, 3.4), 1.7, 0.62) + _blob((-3.1, 3.4), 1.7, 0.62)
    picture += around_eyes[..., None] * rng.uniform(-0.16, 0.02) * skin * (0.5, 0.7, 0.7)
    if rng.random() < 0.25:  # eye shadow
        lid = (_blob((3.1, 4.4), 1.3, 0.5) + _blob((-3.1, 4.4), 1.3, 0.5))[..., None] * rng.uniform(0.2, 0.7)
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


def _place(points: np.ndarray) -> np.ndarray:
    """Where points (…, ≥2) cm lie in the painting, px."""
    return np.stack([(points[..., 0] - FRONT[0]) * _SCALE, (FRONT[3] - points[..., 1]) * _SCALE], -1)


def _noise(rng: np.random.Generator, cells: int) -> np.ndarray:
    width, height = _FRONT_SIDE
    grid = rng.normal(size=(max(2, cells * height // width), cells)).astype(np.float32)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)


def _blob(centre: tuple[float, float], radius: float, flat: float) -> np.ndarray:
    width, height = _FRONT_SIDE
    place = _place(np.array(centre))
    x, y = np.meshgrid(np.arange(width) - place[0], np.arange(height) - place[1])
    return np.exp(-0.5 * (x**2 + (y / flat) ** 2) / (radius * _SCALE) ** 2)


def _polygon(points: np.ndarray, blur: float) -> np.ndarray:
    width, height = _FRONT_SIDE
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), blur)


def _curve(points: np.ndarray, count: int, closed: bool = False) -> np.ndarray:
    """A smooth curve (count, 2) through points."""
    from scipy.interpolate import CubicSpline

    if closed:
        points = np.concatenate([points, points[:1]])
    place = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    spline = CubicSpline(place, points, bc_type="periodic" if closed else "natural")
    return np.asarray(spline(np.linspace(0.0, place[-1], count)))


def _lips(
    picture: np.ndarray,
    points: np.ndarray,
    rng: np.random.Generator,
    skin: np.ndarray,
    dark: float,
    lipstick: bool,
) -> None:
    outline = np.concatenate([_curve(points[48:55], 40), _curve(points[[*range(54, 60), 48]], 40)])
    middle = outline.mean(0)
    outline = middle + (outline - middle) * rng.uniform(0.97, 1.04, 2)
    mask = _polygon(outline, rng.uniform(1.2, 3.0))[..., None]
    natural = skin * np.array([0.88, 0.62, 0.76]) if dark < 0.6 else skin * np.array([0.97, 0.74, 0.88])
    colour = natural + rng.normal(0.0, 8.0, 3)
    amount = rng.uniform(0.4, 0.95)
    if lipstick:
        colour = np.array([rng.uniform(110, 215), rng.uniform(15, 90), rng.uniform(30, 110)])
        amount = rng.uniform(0.6, 0.95)
    creases = 1.0 + 0.05 * cv2.resize(rng.normal(size=(6, 200)).astype(np.float32), _FRONT_SIDE)[..., None]
    picture += mask * amount * (colour * creases - picture)


def _brows(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator, hair: np.ndarray) -> None:
    """Short strokes along the brow landmarks, over a soft ground."""
    colour = np.clip(hair, 0, rng.uniform(60, 140)) * rng.uniform(0.5, 0.95)
    thick = rng.uniform(0.3, 0.85) * _SCALE
    amount, fine = rng.uniform(0.45, 1.0), rng.integers(90, 260)
    ground = int(255 * rng.uniform(0.2, 0.8))
    width, height = _FRONT_SIDE
    mask = np.zeros((height, width), np.uint8)
    for part, side in ((ibug68.BROW_RIGHT, -1.0), (ibug68.BROW_LEFT[::-1], 1.0)):
        line = _curve(points[part], 60)  # from the temple to the nose
        share = np.linspace(0.0, 1.0, 60)
        body = thick * (0.35 + 0.65 * np.minimum(1.0, 1.6 * share))
        half = np.stack([0 * body, body / 2], 1)
        polygon = np.concatenate([line - half, (line + half)[::-1]])
        cv2.fillPoly(mask, [np.rint(polygon * 16).astype(np.int32)], ground, cv2.LINE_AA, 4)
        for _ in range(fine):
            k = int(rng.integers(0, 60))
            start = line[k] + [0.0, body[k] * rng.uniform(-0.55, 0.6)]
            way = np.array([side * rng.uniform(0.4, 1.0), -rng.uniform(-0.2, 0.6)]) * _SCALE * rng.uniform(0.2, 0.45)
            ends = np.rint(np.stack([start, start + way]) * 16).astype(int)
            cv2.line(mask, tuple(ends[0].tolist()), tuple(ends[1].tolist()), 255, 1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), rng.uniform(0.7, 1.6))[..., None]
    picture += amount * soft * (colour - picture)


def _lash_line(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> None:
    width, height = _FRONT_SIDE
    mask = np.zeros((height, width), np.uint8)
    for upper, lower in (((36, 37, 38, 39), (36, 41, 40, 39)), ((42, 43, 44, 45), (42, 47, 46, 45))):
        for index, line in ((upper, rng.uniform(0.4, 1.0)), (lower, rng.uniform(0.0, 0.5))):
            curve = np.rint(_curve(points[list(index)], 30) * 16).astype(np.int32)
            cv2.polylines(mask, [curve], False, int(255 * line), 3, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), 1.2)[..., None]
    picture += soft * (0.25 * picture - picture)


def _freckles(picture: np.ndarray, rng: np.random.Generator, skin: np.ndarray) -> None:
    width, height = _FRONT_SIDE
    mask = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(60, 500))):
        place = _place(np.array([rng.normal(0.0, 3.2), rng.normal(0.8, 2.0)]))
        centre = tuple(np.rint(place * 16).astype(int).tolist())
        cv2.circle(mask, centre, int(rng.uniform(12, 34)), int(rng.uniform(60, 220)), -1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), 1.0)[..., None] * rng.uniform(0.3, 0.7)
    picture += soft * (skin * np.array([0.72, 0.55, 0.45]) - picture)


def _wrinkle(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> None:
    """Folds of age: from the nose to the mouth, under the eyes, across the forehead."""
    width, height = _FRONT_SIDE
    mask = np.zeros((height, width), np.uint8)
    lines = []
    for side, nose, mouth in ((-1, 31, 48), (1, 35, 54)):
        start = points[nose] + [side * 12, -12]
        lines.append(np.stack([start, (start + points[mouth]) / 2 + [side * 14, 0], points[mouth] + [side * 13, 4]]))
    for k in range(int(rng.integers(0, 4))):
        y = 7.6 + 0.9 * k + rng.normal(0.0, 0.1)
        lines.append(_place(np.array([[-3.5, y - 0.2], [-1.2, y + 0.1], [1.2, y], [3.5, y - 0.2]])))
    for eye in (points[36:42], points[42:48]):
        low = eye[[0, 5, 4, 3]] + [0, 12]
        lines.append(low)
    for line in lines:
        curve = np.rint(_curve(line + rng.normal(0.0, 1.5, line.shape), 30) * 16).astype(np.int32)
        cv2.polylines(mask, [curve], False, int(rng.uniform(60, 200)), 2, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), 2.0)[..., None] * rng.uniform(0.2, 0.6)
    picture *= 1.0 - soft * np.array([0.4, 0.55, 0.55])


def _beard(
    picture: np.ndarray, points: np.ndarray, rng: np.random.Generator, hair: np.ndarray, skin: np.ndarray
) -> None:
    """A shadow or a short beard: cheeks under a line from ear to mouth corner, chin, above the lip."""
    right = np.array([points[2] + [4, 0], points[3] + [16, -2], points[48] + [-28, -2]])
    left = np.array([points[54] + [28, -2], points[13] + [-16, -2], points[14] + [-4, 0]])
    under = _place(np.array([[7.5, -6.0], [5.0, -10.0], [0.0, -11.0], [-5.0, -10.0], [-7.5, -6.0]]))
    lip = np.array([points[48] + [-4, -2], points[31] + [-6, 16], points[33] + [0, 12], points[35] + [6, 16],
                    points[54] + [4, -2]])  # fmt: skip
    jaw = _polygon(np.concatenate([right, points[48:49], points[57:58] + [0, 9], points[54:55], left, under]), 7.0)
    moustache = _polygon(np.concatenate([lip, points[54:47:-1]]), 3.0)
    style = rng.random()
    mask = np.maximum(jaw * (style < 0.8), moustache * (style > 0.1))
    stubble = cv2.GaussianBlur(rng.random(mask.shape).astype(np.float32), (0, 0), 0.9)
    stubble = np.clip(0.5 + (stubble - 0.5) * 5.0, 0.0, 1.0)
    amount = rng.uniform(0.15, 0.8)
    cover = (mask * amount * (0.55 + 0.45 * stubble))[..., None]
    colour = np.minimum(hair * 0.85 + 10.0, rng.uniform(0.75, 1.2) * skin)
    picture += cover * (colour - picture)


def _backdrop(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Smooth gradients, soft shapes, blurred noise: (H, W, 3) uint8."""
    width, height = size
    corners = rng.uniform(0, 255, (2, 2, 3)) if rng.random() < 0.5 else rng.uniform(0, 255, (2, 2, 1)).repeat(3, 2)
    corners = corners.mean((0, 1)) + (corners - corners.mean((0, 1))) * rng.uniform(0.0, 0.6)
    picture = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    kind = rng.random()
    if 0.35 < kind < 0.85:
        for _ in range(int(rng.integers(1, 14))):
            shape = np.zeros((height, width), np.uint8)
            centre = (rng.uniform(0, 1, 2) * size).astype(int)
            reach = rng.uniform(0.05, 0.5) * width
            if rng.random() < 0.5:
                cv2.ellipse(shape, tuple(centre.tolist()), (int(reach), int(reach * rng.uniform(0.3, 1.5))),
                            rng.uniform(0, 180), 0, 360, 255, -1)  # fmt: skip
            else:
                far = (centre + rng.normal(0.0, reach, 2)).astype(int)
                cv2.rectangle(shape, tuple(centre.tolist()), tuple(far.tolist()), 255, -1)
            soft = cv2.GaussianBlur(shape.astype(np.float32) / 255.0, (0, 0), rng.uniform(0.5, 12.0))[..., None]
            picture += soft * rng.uniform(0.2, 0.9) * (rng.uniform(0, 255, 3) - picture)
    if kind > 0.7:
        for cells in (3, 8, 20, 60):
            grid = rng.normal(0.0, 1.0, (cells, cells, 3)) * rng.uniform(2.0, 14.0)
            grid = grid.mean(2, keepdims=True) * 1.7 + (grid - grid.mean(2, keepdims=True)) * 0.4
            picture += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    grey = picture.mean(2, keepdims=True)
    return np.clip(grey + (picture - grey) * rng.uniform(0.0, 1.0), 0, 255).astype(np.uint8)


def _mix(colours: np.ndarray, place: float) -> np.ndarray:
    low = min(int(place), len(colours) - 2)
    return np.asarray(colours[low] + (place - low) * (colours[low + 1] - colours[low]))


def _unit(*way: float) -> tuple[float, ...]:
    vector = np.array(way)
    return tuple(vector / np.linalg.norm(vector))
