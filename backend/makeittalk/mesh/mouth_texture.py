"""Draws the inside of a mouth: teeth, gums, tongue and dark, in the portrait's own light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..landmarks.smoothstep import smoothstep
from ..weights.cache import kept_loaded
from . import teeth as rendered

#: Rows of the picture (0 top, 1 bottom): top, upper gum's end, upper teeth's edge, dark, tongue, lower teeth's edge,
#: their end, bottom. Of the card's rows on the skull, and of those on the jaw, they show everything at one scale, the
#: same up and down as across.
EDGES = np.array([0.0, 0.1515, 0.3561, 0.3636, 0.6606, 0.6712, 0.8258, 1.0])
_SIZE = 384  # px
_OVERSAMPLING = 2

_IVORY = np.array([0.90, 0.85, 0.77])
_GUM = np.array([0.62, 0.30, 0.29])
_TONGUE = np.array([0.60, 0.27, 0.27])
_DEEPENS = 0.4  # of the gap between the rows of teeth: over which it grows dark below a portrait's own
_SHADOW = np.array([0.30, 0.14, 0.13])  # of gums and tongue, between teeth and lip
_DEEP = np.array([0.20, 0.085, 0.078])  # of the cavity, below a photograph's own teeth
_DARK = np.array([0.13, 0.045, 0.045])
#: Widths of the upper teeth from the middle outwards, in widths of the mouth; they narrow as the arch turns away.
_UPPER_TEETH = np.array([0.115, 0.092, 0.085, 0.066, 0.055, 0.045])
_LOWER_TEETH = np.array([0.075, 0.078, 0.078, 0.066, 0.056, 0.046])
_ENDING = (0.004, 0.034)  # of the mouth's width below the lower lip's edge: where a portrait's own teeth end
_USUAL = 50 / 63  # widths of a mouth and of the distance of its eyes
_SCALES = (0.7, 1.15)
_BARED = np.array([0.36, 0.16, 0.15])  # gums above a portrait's own teeth, under the lip
_BARE = (-0.005, 0.055)  # of the mouth's width above the upper lip's edge: where they begin
_COLOURFUL = 0.1  # of its brightness: how far apart the channels of skin are at least
_SKIN = ((2, 31), (14, 35), (3, 48), (13, 54), (29, 40), (29, 47))


def mouth_texture(rgba: np.ndarray, landmarks: np.ndarray, teeth: int | None = None) -> np.ndarray:
    """A mouth's inside (size, size, 4) uint8 as bright and as warm as the face around it.

    Args:
        rgba: (H, W, 4) uint8 portrait. landmarks: (68, 3) px. teeth: which rendered set; painted ones if None.
    """
    return lit_texture(face_light(rgba, landmarks), teeth_scale(landmarks), teeth, face_colour(rgba, landmarks))


def lit_texture(light: np.ndarray, scale: float, teeth: int | None = None, colour: float = 1.0) -> np.ndarray:
    """A mouth's inside (size, size, 4) uint8.

    Args:
        light: (3,), see `face_light`. scale: of the teeth, see `teeth_scale`. teeth: as for `mouth_texture`.
        colour: see `face_colour`.
    """
    if teeth is None:
        picture = cv2.resize(_painted() * light, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA)
        picture = cv2.GaussianBlur(picture, (0, 0), 0.8)
    else:
        picture = _toned(rendered.inside(teeth, scale, EDGES) * light, colour)
    alpha = np.full(picture.shape[:2], 255, np.uint8)
    return np.dstack([np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8), alpha])


def teeth_scale(landmarks: np.ndarray) -> float:
    """Size of a face's teeth to those of a mouth that is as wide: a smile makes a mouth wider, but no teeth."""
    eyes = landmarks[42:48, :2].mean(axis=0) - landmarks[36:42, :2].mean(axis=0)
    mouth = landmarks[54, :2] - landmarks[48, :2]
    return float(np.clip(_USUAL * np.linalg.norm(eyes) / max(float(np.linalg.norm(mouth)), 1e-9), *_SCALES))


@kept_loaded
def _painted() -> np.ndarray:
    """Every mouth's inside in even light, (768, 768, 3); nobody may change it."""
    size = _SIZE * _OVERSAMPLING
    v, u = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size, indexing="ij")
    x = (u - 0.5) * rendered.SPAN
    picture = np.empty((size, size, 3))
    picture[:] = _DARK
    _tongue(picture, x, v)
    _teeth(picture, x, v, _UPPER_TEETH, gum=EDGES[1], edge=EDGES[2], root=EDGES[0])
    _teeth(picture, x, v, _LOWER_TEETH, gum=EDGES[6], edge=EDGES[5], root=EDGES[7])
    side = np.clip(np.abs(x) / 0.52, 0, 1)
    picture *= (1 - 0.72 * side**2.6)[..., None]
    return picture


@dataclass(frozen=True)
class Hole:
    """A mouth's opening in a portrait.

    Attributes:
        upper, lower: (n, 2) px, the inner lips from the same corner. lips: whether there are any, which reach into it;
            one that is drawn without them has a line that belongs to it.
    """

    upper: np.ndarray
    lower: np.ndarray
    lips: bool

    @property
    def outline(self) -> np.ndarray:
        """(m, 2) px."""
        return np.concatenate([self.upper, self.lower[-2:0:-1]])

    @property
    def axis(self) -> np.ndarray:
        """From corner to corner, (2,) px."""
        return np.asarray(self.upper[-1] - self.upper[0])


def own_texture(
    rgba: np.ndarray, landmarks: np.ndarray, grid: np.ndarray, hole: Hole, teeth: int | None = None
) -> np.ndarray:
    """`mouth_texture` with the portrait's own open mouth in place of the upper teeth.

    Args:
        rgba: (H, W, 4) uint8 portrait. landmarks: (68, 3) px.
        grid: (3, columns, 2) px, the card's upper rows in the portrait.
        hole: where that mouth is open. teeth: as there.

    Returns:
        (size, size, 4) uint8.
    """
    light, colour = face_light(rgba, landmarks), face_colour(rgba, landmarks)
    picture = mouth_texture(rgba, landmarks, teeth)
    size = len(picture)
    rows = round(EDGES[2] * size)
    v = (np.arange(rows) + 0.5) / size
    u = (np.arange(size) + 0.5) / size * (grid.shape[1] - 1)
    column = np.minimum(u.astype(int), grid.shape[1] - 2)
    across = grid[:, column] + (u - column)[:, None] * (grid[:, column + 1] - grid[:, column])
    share = np.interp(v, EDGES[:3], np.arange(3.0))
    row = np.minimum(share.astype(int), 1)
    places = across[row] + (share - row)[:, None, None] * (across[row + 1] - across[row])
    shadow = np.clip((_SHADOW if teeth is None else _DEEP) * light, 0, 1)
    shadow = shadow if teeth is None else _toned(shadow, colour)
    own = _filled(rgba, hole, places, 255 * shadow)
    if teeth is not None and hole.lips:
        # Where lips bare more than in the portrait there are gums, and no teeth without an end.
        share, side = _above(hole, places)
        bared = np.clip(_BARED * light, 0, 1) * (1 - 0.75 * smoothstep((side - 0.2) / 0.3))[..., None]
        own += share[..., None] * (255 * _toned(bared, colour) - own)
    picture[:rows, :, :3] = own
    # The dark below begins in the colour that the own mouth ends in.
    fade = round((EDGES[3] + _DEEPENS * (EDGES[4] - EDGES[3]) - EDGES[2]) * size)
    share = np.linspace(0, 1, fade)[:, None, None]
    last = own[-3:].mean(axis=0, keepdims=True)
    picture[rows : rows + fade, :, :3] = (1 - share) * last + share * picture[rows : rows + fade, :, :3]
    return picture


def _filled(rgba: np.ndarray, hole: Hole, places: np.ndarray, shadow: np.ndarray) -> np.ndarray:
    """The portrait's colours at `places` (r, c, 2), lips and skin replaced by what lies between the lips.

    Args:
        shadow: (3,) levels of 255, what is seen below the teeth.
    """
    low = np.maximum(np.floor(places.min(axis=(0, 1))).astype(int) - 4, 0)
    high = np.minimum(np.ceil(places.max(axis=(0, 1))).astype(int) + 5, [rgba.shape[1], rgba.shape[0]])
    crop = np.ascontiguousarray(rgba[low[1] : high[1], low[0] : high[0], :3])
    # Worked on at a fixed size, whatever the portrait's, so that time and look are the same.
    scale = 256.0 / max(crop.shape[:2])
    crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    mask = np.full(crop.shape[:2], 255, np.uint8)
    outline = ((hole.outline - low + 0.5) * scale - 0.5) * 16
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 0, shift=4)
    margin = np.ones((9, 9), np.uint8)
    grown = cv2.dilate(mask, margin)
    mask = grown if hole.lips and (grown == 0).sum() > 40 else mask
    filled = cv2.inpaint(crop, mask, 6, cv2.INPAINT_TELEA)
    # Away from the opening it grows dim, as under a lip.
    away = cv2.distanceTransform(mask, cv2.DIST_L2, 5) / 256
    filled = filled * np.clip(1 - 1.6 * away, 0.35, 1)[..., None]
    if hole.lips:
        # Where lips part further than in the portrait, its teeth end and the cavity begins.
        here = Hole((hole.upper - low + 0.5) * scale - 0.5, (hole.lower - low + 0.5) * scale - 0.5, True)
        width = float(np.linalg.norm(here.axis)) / 256
        start, end = _ENDING
        ends = _below(mask.shape, here) * smoothstep((away / width - start) / (end - start))
        filled += ends[..., None] * (shadow - filled)
    target = (((places - low + 0.5) * scale) - 0.5).astype(np.float32)
    return cv2.remap(
        filled.astype(np.float32), target[..., 0], target[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).clip(0, 255)


def _above(hole: Hole, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much gum shows at `places` (r, c, 2) px, (r, c) 0–1, beyond the upper lip's edge; how far they lie from the
    mouth's middle, in its widths."""
    width = max(float(np.linalg.norm(hole.axis)), 1e-9)
    along = hole.axis / width
    up = np.array([along[1], -along[0]])
    edge = np.interp(places @ along, np.maximum.accumulate(hole.upper @ along), hole.upper @ up)
    start, end = _BARE
    share = smoothstep(((places @ up - edge) / width - start) / (end - start))
    return np.asarray(share), np.abs((places - (hole.upper[0] + hole.upper[-1]) / 2) @ along) / width


def _below(shape: tuple[int, ...], hole: Hole) -> np.ndarray:
    """Where pixels lie nearer to the lower lip than to the upper one, (H, W) bool."""
    along = hole.axis / max(float(np.linalg.norm(hole.axis)), 1e-9)
    down = np.array([-along[1], along[0]])
    x = np.maximum.accumulate(hole.upper @ along)
    middle = (hole.upper @ down + np.interp(x, np.maximum.accumulate(hole.lower @ along), hole.lower @ down)) / 2
    row, column = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(column * down[0] + row * down[1] > np.interp(column * along[0] + row * along[1], x, middle))


def _teeth(
    picture: np.ndarray, x: np.ndarray, v: np.ndarray, widths: np.ndarray, gum: float, edge: float, root: float
) -> None:
    """Paints one row of teeth between `gum` and `edge` (rows of the picture), the gum beyond it towards `root`."""
    bounds = np.concatenate([[0.0], np.cumsum(widths)])
    place = np.abs(x)
    tooth = np.clip(np.searchsorted(bounds, place, side="right") - 1, 0, len(widths) - 1)
    within = np.clip((place - bounds[tooth]) / widths[tooth], 0, 1)
    round_off = np.abs(2 * within - 1)
    height = abs(edge - gum)
    towards = np.sign(edge - gum)
    # Edges rise a little from the middle outwards and are rounded at each tooth's corners.
    end = edge - towards * height * (0.10 * (place / 0.4) ** 2 + 0.10 * round_off**4 + np.where(tooth == 1, 0.05, 0.0))
    start = gum + towards * height * (0.16 * round_off**2.5 + 0.05 * (place / 0.4))
    inside = _soft((end - v) * towards, 0.006) * _soft((bounds[-1] - place), 0.012)
    depth = np.clip((v - start) * towards / height, 0, 1)
    shade = 0.66 + 0.34 * np.clip(depth * 1.5, 0, 1) ** 0.8 - 0.06 * np.clip(depth - 0.8, 0, 1)
    shade = (
        shade * (1 - 0.10 * round_off**2) * (1 - 0.30 * np.exp(-((((1 - round_off) * widths[tooth]) / 0.0045) ** 2)))
    )
    enamel = _IVORY * shade[..., None]
    flesh = _GUM * (0.50 + 0.35 * np.clip(1 - (gum - v) * towards / max(abs(gum - root), 1e-6), 0, 1))[..., None]
    row = flesh + _soft((v - start) * towards, 0.008)[..., None] * (enamel - flesh)
    picture += inside[..., None] * (row - picture)


def _tongue(picture: np.ndarray, x: np.ndarray, v: np.ndarray) -> None:
    """Paints a tongue that rises out of the dark towards the lower teeth."""
    rise = 0.25 + 0.35 * np.sqrt(np.clip(1 - (x / 0.34) ** 2, 0, 1))
    top = EDGES[4] - rise * (EDGES[4] - EDGES[3])
    body = _soft(v - top, 0.035) * _soft(0.36 - np.abs(x), 0.05)
    groove = 1 - 0.22 * np.exp(-((x / 0.02) ** 2))
    lit = (0.45 + 0.45 * np.clip((v - top) / 0.12, 0, 1)) * groove
    picture += body[..., None] * (_TONGUE * lit[..., None] - picture)


def _soft(distance: np.ndarray, width: float) -> np.ndarray:
    """0 outside to 1 inside across a soft edge of the given half width."""
    return smoothstep(distance / (2 * width) + 0.5)


def face_colour(rgba: np.ndarray, landmarks: np.ndarray) -> float:
    """How far a portrait has colours: 0 for a grey one, 1 for others."""
    colour = np.median(_skin(rgba, landmarks), axis=0)
    return float(np.clip(np.ptp(colour) / max(float(colour.mean()), 0.05) / _COLOURFUL, 0, 1))


def _toned(colours: np.ndarray, colour: float) -> np.ndarray:
    """Colours (…, 3) in a portrait that has so much of them."""
    grey = (colours @ np.array([0.299, 0.587, 0.114]))[..., None]
    return np.asarray(grey + colour * (colours - grey))


def _skin(rgba: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Colours (n, 3) 0–1 of cheeks and nose."""
    height, width = rgba.shape[:2]
    places = np.array([(landmarks[a, :2] + landmarks[b, :2]) / 2 for a, b in _SKIN])
    places = np.clip(np.rint(places), 0, [width - 1, height - 1]).astype(int)
    reach = max(1, int(np.linalg.norm(landmarks[16, :2] - landmarks[0, :2]) / 60))
    patches = [
        rgba[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1, :3].reshape(-1, 3) for x, y in places
    ]
    return np.array([np.median(patch, axis=0) for patch in patches]) / 255


def face_light(rgba: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The light of a face (3,): how bright it is, about 0.4–1, times its tint, from the skin of cheeks and nose."""
    skin = _skin(rgba, landmarks)
    luma = skin @ np.array([0.299, 0.587, 0.114])
    bright = float(np.sort(luma)[-3:].mean())
    colour = np.median(skin, axis=0)
    colour = colour / max(float(colour.mean()), 0.05)
    # Teeth are paler than skin, so that only part of the light's colour shows on them.
    usual = np.array([1.22, 0.98, 0.80])
    tint = np.clip((colour / usual) ** 0.6, 0.7, 1.25)
    return np.asarray(float(np.clip(0.35 + 0.75 * bright, 0.4, 1.0)) * tint)
