"""The mouth's inside: a card behind the lips with upper teeth that stay with the skull and lower ones on the jaw.

The card is laid out for the shut mouth and then opened with the portrait's own opening, so that whatever shuts the
lips brings it back to that layout and none of its triangles folds.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from scipy.ndimage import gaussian_filter, maximum_filter

from ..exchange import formats
from ..exchange.constants import LANDMARKS
from ..landmarks import ibug68
from ..landmarks.polygon import inside_polygon
from .contours import Contours, strip
from .deform import displacements
from .mouth_texture import EDGES, Hole, mouth_texture, own_texture

_COLUMNS = 17
_OVERHANG = 0.16  # of the mouth's width, beyond each corner
_BEHIND = 0.08  # of the mouth's width, from the lips to the card
_DEEPER = 0.03  # of the mouth's width, lower teeth behind the upper ones
_LINING = 0.012  # of the mouth's width, the lower lip's rim behind the upper lip
_STEEPEST = 0.6  # px a px of the card, so that it can be turned as far as the face
_OPEN = 0.06  # of the mouth's width: from this opening on a portrait shows its own mouth
#: Rows of the card: distance below the shut lips in widths of the mouth; whether the jaw carries it.
_ROWS = np.array([-0.42, -0.22, 0.05, 0.06, 0.1, 0.114, 0.318, 0.548])
_ON_JAW = np.array([False, False, False, False, True, True, True, True])
#: Of the mouth's width: how much nearer to a portrait's own lower lip the rows lie that begin beneath its teeth.
_OWN = (0.015, 0.015, 0.025, 0.025, 0.02, 0.0)
_GAP = 0.04  # of the mouth's width, between the last row on the skull and the first on the jaw
#: Keys that press the cheeks towards the card. Those that roll the lips in do, too, but hide it at once.
_PUSHES: tuple[tuple[str, ...], ...] = (
    (),
    ("jawOpen",),
    ("jawOpen", "mouthSmileLeft", "mouthSmileRight"),
    ("jawOpen", "mouthStretchLeft", "mouthStretchRight"),
    ("jawOpen", "mouthLowerDownLeft", "mouthLowerDownRight"),
)
#: What the lower teeth follow: mostly the chin, a little the lower lip.
_JAW = {7: 0.25, 8: 0.25, 9: 0.25, 57: 0.25}


def add_mouth(
    mesh: formats.Mesh,
    contours: Contours,
    landmarks: np.ndarray,
    rgba: np.ndarray,
    own_mouth: bool,
    teeth: int | None = None,
) -> np.ndarray:
    """Appends the card to `mesh` (material 1) and sets its texture.

    Args:
        mesh: the portrait's plane. contours: its lines. landmarks: (68, 3) px.
        rgba: (H, W, 4) uint8. own_mouth: whether an open mouth keeps the portrait's own pixels.
        teeth: which rendered set; painted ones if None.

    Returns:
        (rows, columns) the card's vertices, top row first.
    """
    _add_lining(mesh, contours, landmarks)
    shutting = _shutting(mesh, landmarks)
    shut = landmarks + shutting
    width = float(np.linalg.norm(shut[54, :2] - shut[48, :2]))
    along = (shut[54, :2] - shut[48, :2]) / max(width, 1e-9)
    down = np.array([-along[1], along[0]])
    opening = float((landmarks[66, :2] - landmarks[62, :2]) @ down)
    own = own_mouth and opening > _OPEN * width
    line = _shut_line(contours, landmarks, shutting, along, width)
    # No wider than a mouth opens: towards its ends the card tapers, or it would lie behind the cheeks.
    across = np.linspace(-1, 1, _COLUMNS)
    taper = 0.3 + 0.7 * np.sqrt(1 - 0.95 * across**2)
    offsets = _ROWS[:, None] * width * taper
    # The dark between the rows of teeth keeps its height, so that a jaw pressed shut does not fold it.
    offsets[_ON_JAW] += _GAP * width * (1 - taper)
    if own:
        # The portrait's own mouth reaches down to where its lower lip begins.
        lower = contours.places(landmarks)[contours.lower_chain]
        below = np.interp(line @ along, lower @ along, (lower @ down), left=-np.inf, right=-np.inf) - line @ down
        offsets[2:] += np.maximum(below, 0.0) - np.array(_OWN)[:, None] * width
    grid = line[None] + offsets[..., None] * down
    jaw = np.zeros(LANDMARKS)
    jaw[list(_JAW)] = list(_JAW.values())
    weights = np.repeat(_ON_JAW[:, None] * jaw, _COLUMNS, axis=0)
    flat = grid.reshape(-1, 2) - weights @ shutting[:, :2]
    depth = _depth(mesh, contours, flat, weights, width) + np.repeat(_ON_JAW, _COLUMNS) * _DEEPER * width
    depth = _gentle(depth, grid.reshape(-1, 2))
    first = len(mesh.vertices)
    chains = first + np.arange(len(flat)).reshape(len(_ROWS), _COLUMNS)
    triangles = strip(list(chains))
    u, v = np.linspace(0, 1, _COLUMNS), 1.0 - EDGES
    if own:
        places = contours.places(landmarks)
        hole = Hole(places[contours.upper_chain], places[contours.lower_chain], not contours.lipless)
        mesh.mouth_image = own_texture(rgba, landmarks, flat.reshape(len(_ROWS), _COLUMNS, 2)[:3], hole, teeth)
    else:
        mesh.mouth_image = mouth_texture(rgba, landmarks, teeth)
    mesh.vertices = np.concatenate([mesh.vertices, np.column_stack([flat, depth])])
    mesh.triangles = np.concatenate([mesh.triangles, triangles.astype(np.int32)])
    mesh.material = np.concatenate([mesh.material, np.ones(len(triangles), np.int32)])
    mesh.uv = np.concatenate([mesh.uv, np.column_stack([np.tile(u, len(v)), np.repeat(v, len(u))])])
    mesh.W = np.concatenate([mesh.W, weights])
    mesh.head_weights = np.concatenate([mesh.head_weights, np.ones(len(flat))])
    return chains


def _add_lining(mesh: formats.Mesh, contours: Contours, landmarks: np.ndarray) -> None:
    """Lines the lower lip with a thin rim that reaches up behind the upper one.

    Shut lips share an edge only up to rounding, and single pixels of the card would show between them.
    """
    axis = landmarks[54, :2] - landmarks[48, :2]
    up = np.array([axis[1], -axis[0]])  # as long as the mouth is wide
    chain = contours.lower_chain
    start, end = (int(np.nonzero(chain == corner)[0][side]) for corner, side in ((chain[0], -1), (chain[-1], 0)))
    chain = chain[start + 1 : end]  # beside the corners the lips turn too much, and the card is dark
    inner = chain[1:-1]
    first = len(mesh.vertices)
    rim = mesh.vertices[inner].copy()
    rim[:, :2] += _LINING * up
    rim[:, 2] += 0.3 * _LINING * float(np.linalg.norm(axis))
    triangles = strip([np.concatenate([chain[:1], first + np.arange(len(inner)), chain[-1:]]), chain])
    mesh.vertices = np.concatenate([mesh.vertices, rim])
    mesh.triangles = np.concatenate([mesh.triangles, triangles.astype(np.int32)])
    mesh.material = np.concatenate([mesh.material, np.zeros(len(triangles), np.int32)])
    for name in ("uv", "W", "head_weights"):
        values = getattr(mesh, name)
        setattr(mesh, name, np.concatenate([values, values[inner]]))


def _shutting(mesh: formats.Mesh, landmarks: np.ndarray) -> np.ndarray:
    """The displacement (68, 3) that shuts the mouth: the key of that name, else inner lips meeting halfway."""
    for name, key in zip(mesh.key_names, mesh.key_landmarks, strict=True):
        if name == "mouthShut":
            return np.asarray(key, np.float64)
    shutting = np.zeros((LANDMARKS, 3))
    for upper, lower in ibug68.INNER_PAIRS:
        half = (landmarks[lower] - landmarks[upper]) / 2
        shutting[upper], shutting[lower] = half, -half
    return shutting


def _shut_line(
    contours: Contours, landmarks: np.ndarray, shutting: np.ndarray, along: np.ndarray, width: float
) -> np.ndarray:
    """The line (columns, 2) between the shut lips, level beyond the corners."""
    shut = landmarks + shutting
    moved = contours.places(landmarks) + contours.weights @ shutting[:, :2]
    chain = (moved[contours.upper_chain] + moved[contours.lower_chain]) / 2
    down = np.array([-along[1], along[0]])
    x, y = chain @ along, chain @ down
    keep = np.concatenate([[True], np.diff(np.maximum.accumulate(x)) > 0])
    places = np.linspace(shut[48, :2] @ along - _OVERHANG * width, shut[54, :2] @ along + _OVERHANG * width, _COLUMNS)
    heights = np.interp(places, np.maximum.accumulate(x)[keep], y[keep])
    return places[:, None] * along + heights[:, None] * down


def _gentle(depth: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The least deep surface behind `depth` (n,) at `places` (n, 2) px that is nowhere steeper than `_STEEPEST`."""
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    return np.asarray((depth - _STEEPEST * distance).max(axis=1))


def _depth(mesh: formats.Mesh, contours: Contours, flat: np.ndarray, weights: np.ndarray, width: float) -> np.ndarray:
    """Depth (n,) of the card's vertices: behind the face before them, wherever expressions push it.

    Args:
        mesh: the plane. contours: its lines. flat: (n, 2) px, the card's vertices. weights: (n, 68) what they follow.
        width: of the mouth, px.
    """
    hole = np.concatenate([contours.upper_chain, contours.lower_chain[-2:0:-1]])
    needed = np.full(len(flat), -np.inf)
    resting: np.ndarray | None = None
    for names in _PUSHES:
        expression = mesh.key_landmarks[np.isin(mesh.key_names, names)].sum(axis=0)
        face = mesh.vertices + displacements(mesh, expression)
        card = weights @ expression
        place = flat + card[:, :2]
        surface = LinearNDInterpolator(face[:, :2], face[:, 2])(place)
        gaps = np.isnan(surface)
        if gaps.any():
            surface[gaps] = NearestNDInterpolator(face[:, :2], face[:, 2])(place[gaps])
        behind = surface - card[:, 2] * mesh.depth_scale
        resting = behind.copy() if resting is None else resting
        behind[inside_polygon(place, face[hole, :2])] = -np.inf  # nothing lies before it there
        needed = np.maximum(needed, behind)
    assert resting is not None
    grid = np.where(np.isfinite(needed), needed, resting).reshape(-1, _COLUMNS)
    smooth = gaussian_filter(maximum_filter(grid, 3, mode="nearest"), 0.8, mode="nearest")
    return np.asarray(np.maximum(smooth, grid).ravel() + _BEHIND * width)
