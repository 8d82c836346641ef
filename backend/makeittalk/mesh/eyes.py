"""The eyes behind their lids: a card with the portrait's own white, and before it a disc with the iris, which moves.

The lids' strip is opened but for a rim that stays with the upper lid, its lashes and its shadow. Some of the white
around the iris goes with it and fades out. At rest all of it shows the portrait's very pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exchange import formats
from ..exchange.constants import GAZE_KEYS, LANDMARKS
from ..landmarks import ibug68
from .contours import Contours
from .deform import displacements
from .eye_texture import DISC, eye_pictures, joined
from .irises import Iris, find_iris

_WHITE, _IRIS = 2, 3  # materials of cards and discs
_RING = 20  # vertices of the disc's edge
_EYEBALL = 2.05  # radii of the iris: 12 mm to 5.9 mm
_LINING = 0.12  # of the opening, that stays with the upper lid
_BEHIND = 0.012  # of the eye's width, from the lids to that rim
_GAP = 0.03  # of the eye's width, from all skin before it to the card
_STEEPEST = 0.5  # px a px of the card, so that it can be turned as far as the face
_BEFORE = 0.01  # of the eye's width, from the card to the disc
_ROOM = 0.12  # of the eye's width, of the card beyond the opening
_FURTHEST = 1.15  # radii to the side: 34°, further than eyes turn without the head
_HIGHEST = 0.8  # radii up and down
_LEAST = (0.3, 0.15)  # radii to the side, up and down, in the narrowest eye
_BEYOND = 0.1  # radii that the iris may pass the outer corner
_CARUNCLE = 0.08  # of the eye's width, the inner corner's red that is no white
_SHOWN = 0.15  # radii between the iris's middle and a lid at the furthest
#: Keys that push the lids and the skin around them towards the card.
_PUSHES: tuple[tuple[str, ...], ...] = (
    (),
    ("eyeBlinkLeft", "eyeBlinkRight"),
    ("eyeSquintLeft", "eyeSquintRight"),
    ("eyeWideLeft", "eyeWideRight"),
    ("browDownLeft", "browDownRight"),
)


def add_eyes(
    mesh: formats.Mesh, contours: Contours, rgba: np.ndarray, irises: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Opens the eyes whose iris can be seen and appends their cards to `mesh`; sets their texture.

    Eyes that show no iris stay as they are, and the keys of the gaze leave their lids alone.

    Args:
        mesh: the portrait's plane, its keys not yet made. contours: its lines. rgba: (H, W, 4) uint8.
        irises: (2, 3) px, right and left: middle and radius, as a detector found them.

    Returns:
        what each key of the gaze moves besides the lids: (V, 3) px by its name.
    """
    cards = []
    for side in range(2):
        eye = _Eye.of(mesh, contours, side)
        iris = find_iris(rgba, mesh.vertices[eye.loop, :2], None if irises is None else np.asarray(irises)[side])
        if iris is not None and set(eye.keys) <= set(mesh.key_names.tolist()):
            cards.append(_Card.of(mesh, eye, iris))
        else:
            mesh.key_landmarks[np.isin(mesh.key_names, eye.keys)] = 0.0
    if not cards:
        return {}
    pictures = [eye_pictures(rgba, *card.box, card.eye.opening(mesh), card.iris) for card in cards]
    mesh.eye_image, places = joined([picture for pair in pictures for picture in pair])
    reach = dict.fromkeys(GAZE_KEYS, 0.0)
    moved: dict[str, tuple[int, np.ndarray]] = {}
    for card, spans in zip(cards, places.reshape(-1, 2, 2, 2), strict=True):
        low, high = card.box
        share = (card.points - low) / (high - low)
        start, end = np.where(card.on_disc[:, None, None], spans[1], spans[0]).swapaxes(0, 1)
        first = card.append(mesh, start + share * (end - start))
        for key, move, angle in card.moves():
            reach[key] = angle
            moved[key] = first, move
    for card in cards:
        card.eye.open(mesh)
    mesh.gaze_reach = np.array(list(reach.values()), np.float32)
    answer = {}
    for key, (first, move) in moved.items():
        answer[key] = np.zeros((len(mesh.vertices), 3))
        answer[key][first : first + len(move)] = move
    return answer


@dataclass
class _Eye:
    """The lids of one eye as vertices.

    Attributes:
        loop: around it, from corner to corner and back. upper, lower: chains between the corners. middle: the vertices
            between the chains. keys: of its gaze, in the order of `GAZE_KEYS`. corners: landmarks, left and right.
        inner: which of the corners lies at the nose.
    """

    loop: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    middle: np.ndarray
    keys: tuple[str, ...]
    corners: tuple[int, int]
    inner: int

    @classmethod
    def of(cls, mesh: formats.Mesh, contours: Contours, side: int) -> _Eye:
        """The right eye for `side` 0, the left one for 1."""
        loop = contours.loops[1 + side]
        count = len(loop) // 2 + 1
        upper = loop[:count]
        lower = np.concatenate([loop[:1], loop[: count - 1 : -1], upper[-1:]])
        above = {int(vertex): int(middle) for middle, vertex, _ in contours.middles}
        middle = np.array([above[int(vertex)] for vertex in upper[1:-1]])
        points = ibug68.EYE_LEFT if side else ibug68.EYE_RIGHT
        keys = tuple(key for key in GAZE_KEYS if key.endswith(("Right", "Left")[side]))
        return cls(loop, upper, lower, middle, keys, (int(points[0]), int(points[3])), 1 - side)

    def rim(self, values: np.ndarray) -> np.ndarray:
        """Values (V, …) at the upper lid's rim."""
        return np.asarray((1 - _LINING) * values[self.upper[1:-1]] + _LINING * values[self.lower[1:-1]])

    def opening(self, mesh: formats.Mesh) -> np.ndarray:
        """What rim and lower lid leave open, (n, 2) px, from corner to corner and back."""
        flat = mesh.vertices[:, :2]
        return np.concatenate([flat[self.upper[:1]], self.rim(flat), flat[self.lower[:0:-1]]])

    def open(self, mesh: formats.Mesh) -> None:
        """Makes a rim of the vertices between the lids, and a hole of what lies below it."""
        width = float(np.linalg.norm(np.diff(mesh.vertices[self.loop[[0, len(self.upper) - 1]], :2], axis=0)))
        below = np.isin(mesh.triangles, np.concatenate([self.middle, self.lower])).all(axis=1)
        kept = ~below
        mesh.triangles, mesh.material = mesh.triangles[kept], mesh.material[kept]
        for values in (mesh.vertices, mesh.uv, mesh.lost_depth):
            if values is not None:
                values[self.middle] = self.rim(values)
        mesh.vertices[self.middle, 2] += _BEHIND * width
        mesh.W[self.middle] = mesh.W[self.upper[1:-1]]  # shut, it lies behind the lower lid, and nothing shines through


@dataclass
class _Card:
    """One eye's card and the disc before it: four corners, the iris's middle, the disc's edge.

    Attributes:
        points: (n, 2) px. depth: (n,) px. lost: (n,) px, see `Mesh.lost_depth`. slope: (2,) px a px, of its depth.
        along, down: unit axes. travel: left, right, up, down, px, that the iris goes at most.
        weights: (n, 68).
    """

    eye: _Eye
    iris: Iris
    points: np.ndarray
    depth: np.ndarray
    lost: np.ndarray
    slope: np.ndarray
    along: np.ndarray
    down: np.ndarray
    travel: np.ndarray
    weights: np.ndarray

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of its pictures in the portrait, (2,) int px each."""
        return np.floor(self.points.min(axis=0)).astype(int) - 2, np.ceil(self.points.max(axis=0)).astype(int) + 2

    @property
    def on_disc(self) -> np.ndarray:
        """Which vertices belong to the disc, (n,) bool."""
        return np.arange(len(self.points)) >= 4

    @classmethod
    def of(cls, mesh: formats.Mesh, eye: _Eye, iris: Iris) -> _Card:
        """The card of an eye that is not yet open."""
        flat, radius = mesh.vertices[:, :2], iris.radius
        first, last = flat[eye.upper[0]], flat[eye.upper[-1]]
        width = float(np.linalg.norm(last - first))
        along = (last - first) / width
        axes = np.array([along, [-along[1], along[0]]])
        upper, lower = ((flat[chain] - iris.centre) @ axes.T for chain in (eye.upper, eye.lower))
        lids = [float(np.interp(0.0, np.maximum.accumulate(chain[:, 0]), chain[:, 1])) for chain in (upper, lower)]
        free = np.array([-upper[0, 0], upper[-1, 0], -lids[0], lids[1]])
        ends = free - radius * np.array([1 - _BEYOND, 1 - _BEYOND, _SHOWN, _SHOWN])
        ends[eye.inner] -= _CARUNCLE * width
        most, least = radius * np.repeat([_FURTHEST, _HIGHEST], 2), radius * np.repeat(_LEAST, 2)
        travel = np.clip(ends, least, most)
        seen = np.concatenate([upper, lower])
        low, high = seen.min(axis=0) - _ROOM * width, seen.max(axis=0) + _ROOM * width
        corners = np.array([[high[0], high[1]], [high[0], low[1]], [low[0], low[1]], [low[0], high[1]]])
        angles = np.arange(_RING) * 2 * np.pi / _RING
        ring = DISC * radius * np.stack([np.cos(angles), -np.sin(angles)], axis=1)
        points = iris.centre + np.concatenate([corners, np.zeros((1, 2)), ring]) @ axes
        share = (points - first) @ along / width
        share[4:] = share[4]  # the iris stays round
        weights = np.zeros((len(points), LANDMARKS))
        weights[:, eye.corners[0]], weights[:, eye.corners[1]] = 1 - share, share
        reach = DISC * radius + travel
        extent = np.array([[-reach[0], -reach[2]], [reach[1], reach[3]]])
        around = iris.centre + np.concatenate([extent, [extent[0] * [1, 0] + extent[1] * [0, 1]]]) @ axes
        around = np.concatenate([points, around])
        depth, lost, slope = _behind(mesh, eye, points, around, width)
        depth[4:] -= _BEFORE * width
        return cls(eye, iris, points, depth, lost, slope, along, axes[1], travel, weights)

    def append(self, mesh: formats.Mesh, places: np.ndarray) -> int:
        """Adds its vertices and triangles; `places` (n, 2) are shares of the texture from its top left corner.

        Returns:
            the first of its vertices.
        """
        first, ring = len(mesh.vertices), 5 + np.arange(_RING)
        disc = np.stack([np.full(_RING, 4), ring, np.roll(ring, -1)], axis=1)
        triangles = np.concatenate([[[0, 1, 2], [0, 2, 3]], disc])
        mesh.vertices = np.concatenate([mesh.vertices, np.column_stack([self.points, self.depth])])
        mesh.triangles = np.concatenate([mesh.triangles, (first + triangles).astype(np.int32)])
        material = np.where(np.arange(len(triangles)) < 2, _WHITE, _IRIS).astype(np.int32)
        mesh.material = np.concatenate([mesh.material, material])
        mesh.uv = np.concatenate([mesh.uv, np.column_stack([places[:, 0], 1 - places[:, 1]])])
        mesh.W = np.concatenate([mesh.W, self.weights])
        mesh.head_weights = np.concatenate([mesh.head_weights, np.ones(len(self.points))])
        if mesh.lost_depth is not None:
            mesh.lost_depth = np.concatenate([mesh.lost_depth, self.lost.astype(np.float32)])
        return first

    def moves(self) -> list[tuple[str, np.ndarray, float]]:
        """Each key of its gaze with what it moves on the card, (n, 3) px, and the angle that the eye turns, rad."""
        inner = self.along if self.eye.inner else -self.along
        answer = []
        for key in self.eye.keys:
            if key.startswith("eyeLookUp"):
                way, travel = -self.down, self.travel[2]
            elif key.startswith("eyeLookDown"):
                way, travel = self.down, self.travel[3]
            else:
                inwards = key.startswith("eyeLookIn")
                way = inner if inwards else -inner
                travel = self.travel[self.eye.inner if inwards else 1 - self.eye.inner]
            angle = float(np.arcsin(min(0.95, travel / (_EYEBALL * self.iris.radius))))
            # A disc that turns away grows narrow.
            narrower = ((self.points - self.iris.centre) @ way) * (1 - np.cos(angle))
            flat = (travel - narrower)[:, None] * way * self.on_disc[:, None]
            answer.append((key, np.column_stack([flat, flat @ self.slope]), angle))
        return answer


def _behind(
    mesh: formats.Mesh, eye: _Eye, points: np.ndarray, around: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The depth of a flat card behind the skin before it, and what was taken from that skin's: (n,), (n,), slope.

    Args:
        points: (n, 2) px, the card's. around: (m, 2) px, what it and the moving disc cover.
    """
    triangles = mesh.triangles[mesh.material == 0]
    low, high = around.min(axis=0) - 0.05 * width, around.max(axis=0) + 0.05 * width
    corners = mesh.vertices[triangles, :2]
    before = ((corners.max(axis=1) > low) & (corners.min(axis=1) < high)).all(axis=1)
    skin = np.setdiff1d(np.unique(triangles[before]), eye.middle)
    lids = mesh.vertices[eye.loop]
    centre = lids[:, :2].mean(axis=0)
    plane = np.linalg.lstsq(np.column_stack([lids[:, :2] - centre, np.ones(len(lids))]), lids[:, 2], rcond=None)[0]
    slope = plane[:2] * min(1.0, _STEEPEST / max(float(np.linalg.norm(plane[:2])), 1e-9))
    needed = -np.inf
    for names in _PUSHES:
        expression = mesh.key_landmarks[np.isin(mesh.key_names, names)].sum(axis=0)
        moved = (mesh.vertices + displacements(mesh, expression))[skin]
        needed = max(needed, float((moved[:, 2] - (moved[:, :2] - centre) @ slope).max()))
    lost = 0.0 if mesh.lost_depth is None else float(mesh.lost_depth[skin].max())
    return (points - centre) @ slope + needed + _GAP * width, np.full(len(points), lost), slope
