"""What lies behind the lids of one eye: a card with its white, walls from the lids back to it, a disc with the iris.

The walls close what a turned head would show between lids and card; from the front they are seen edge-on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exchange import formats
from ..exchange.constants import LANDMARKS
from ..landmarks.polygon import inside_polygon, outline_distance
from .deform import displacements, signed_areas
from .depth_restore import lost_depth_for, missing_depth
from .eye_texture import DISC
from .eyelids import Eyelids
from .irises import Iris

_WHITE, _IRIS = 2, 3  # materials of card and walls, and of the disc
_RING = 20  # vertices of the disc's edge
_EYEBALL = 2.05  # radii of the iris: 12 mm to 5.9 mm
_GAP = 0.03  # of the eye's width, from all skin before it to the card
_STEEPEST = 0.5  # px a px of the card, so that it can be turned as far as the face
_BEFORE = 0.01  # of the eye's width, from the card to the disc
_ROOM = 0.12  # of the eye's width, of the card beyond the opening
_FLARE = 0.02  # of the eye's width, that walls go outwards on their way back
_THROUGH = 0.1  # of the eye's width, that they go on behind the card: lids also move in depth
_WALL = 0.06  # of the eye's width, from the upper lid's middle to the shaded white that all walls show: seen nearly
# edge-on, a change of colours along or across them would be read far beyond its ends
_MARGIN = 0.1  # of the card's width, of its picture beyond it: small frames read beyond its edge
_FURTHEST = 1.15  # radii to the side: 34°, further than eyes turn without the head
_HIGHEST = 0.8  # radii up and down
_LEAST = (0.3, 0.15)  # radii to the side, up and down, in the narrowest eye
_BEYOND = 0.1  # radii that the iris may pass the outer corner
_CARUNCLE = 0.08  # of the eye's width, the inner corner's red that is no white
_SHOWN = 0.15  # radii between the iris's middle and a lid at the furthest
_PARTS = 8  # samples along a triangle's side
#: Keys that push the lids and the skin around them towards the card.
_PUSHES: tuple[tuple[str, ...], ...] = (
    (),
    ("eyeBlinkLeft", "eyeBlinkRight"),
    ("eyeSquintLeft", "eyeSquintRight"),
    ("eyeWideLeft", "eyeWideRight"),
    ("browDownLeft", "browDownRight"),
)


@dataclass
class EyeCard:
    """One eye's card, its middle first and its edge; the walls' edge at the lids and the one at the card; the disc.

    Attributes:
        points: (n, 2) px. places: (n, 2) px of the portrait, whose colours they have. depth: (n,) px.
        lost: (n,) px, see `Mesh.lost_depth`. slope: (2,) px a px, of the card's depth.
        along, down: unit axes. travel: left, right, up, down, px, that the iris goes at most.
        weights: (n, 68). on_disc: (n,) bool. triangles: (f, 3). material: (f,).
    """

    eye: Eyelids
    iris: Iris
    points: np.ndarray
    places: np.ndarray
    depth: np.ndarray
    lost: np.ndarray
    slope: np.ndarray
    along: np.ndarray
    down: np.ndarray
    travel: np.ndarray
    weights: np.ndarray
    on_disc: np.ndarray
    triangles: np.ndarray
    material: np.ndarray

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of its pictures in the portrait, (2,) int px each."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        margin = 2 + int(_MARGIN * float((high - low)[0]))
        return np.floor(low).astype(int) - margin, np.ceil(high).astype(int) + margin

    @classmethod
    def of(cls, mesh: formats.Mesh, eye: Eyelids, iris: Iris) -> EyeCard:
        """The card of an eye that is not yet open."""
        flat = mesh.vertices[:, :2]
        left, right = flat[eye.upper[0]], flat[eye.upper[-1]]
        width = float(np.linalg.norm(right - left))
        along = (right - left) / width
        axes = np.array([along, [-along[1], along[0]]])
        travel = _travel(flat, eye, iris, axes)
        lids, count = flat[eye.loop], len(eye.loop)
        outwards = _outwards(lids)
        middle = lids.mean(axis=0)
        card = np.concatenate([[middle], lids + _ROOM * width * outwards])
        angles = np.arange(_RING) * 2 * np.pi / _RING
        ring = DISC * iris.radius * np.stack([np.cos(angles), -np.sin(angles)], axis=1)
        disc = iris.centre + np.concatenate([np.zeros((1, 2)), ring]) @ axes
        points = np.concatenate([card, lids, lids + _FLARE * width * outwards, disc])
        places = points.copy()
        front, back = (slice(first, first + count) for first in (1 + count, 1 + 2 * count))
        top = len(eye.upper) // 2
        places[front] = places[back] = lids[top] + _WALL * width * outwards[top]
        share = (points - left) @ along / width
        share[-len(disc) :] = share[-len(disc)]  # the iris stays round
        weights = np.zeros((len(points), LANDMARKS))
        weights[:, eye.corners[0]], weights[:, eye.corners[1]] = 1 - share, share
        weights[front] = weights[back] = mesh.W[eye.loop]
        slope = eye.plane(mesh)
        slope *= min(1.0, _STEEPEST / max(float(np.linalg.norm(slope)), 1e-9))
        reach = np.array([[x, y] for x in (-travel[0], travel[1]) for y in (-travel[2], travel[3])])[[0, 1, 3, 2]]
        behind, missing = _behind(mesh, eye, slope, card[1:], (iris.centre + reach @ axes, DISC * iris.radius))
        depth = points @ slope + behind + _GAP * width
        depth[back] += _THROUGH * width
        depth[-len(disc) :] -= _BEFORE * width
        lost = np.zeros(len(points)) if mesh.lost_depth is None else lost_depth_for(depth, missing)
        depth[front] = mesh.vertices[eye.loop, 2]
        if mesh.lost_depth is not None:
            lost[front] = mesh.lost_depth[eye.loop]
        triangles, material = _triangles(points, count)
        on_disc = np.arange(len(points)) >= len(points) - len(disc)
        return cls(
            eye, iris, points, places, depth, lost, slope, along, axes[1], travel, weights, on_disc, triangles, material
        )

    def append(self, mesh: formats.Mesh, places: np.ndarray) -> int:
        """Adds its vertices and triangles; `places` (n, 2) are shares of the texture from its top left corner.

        Returns:
            the first of its vertices.
        """
        first = len(mesh.vertices)
        mesh.vertices = np.concatenate([mesh.vertices, np.column_stack([self.points, self.depth])])
        mesh.triangles = np.concatenate([mesh.triangles, (first + self.triangles).astype(np.int32)])
        mesh.material = np.concatenate([mesh.material, self.material.astype(np.int32)])
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


def _travel(flat: np.ndarray, eye: Eyelids, iris: Iris, axes: np.ndarray) -> np.ndarray:
    """How far the iris goes to the left, right, up and down, (4,) px."""
    radius = iris.radius
    upper, lower = ((flat[chain] - iris.centre) @ axes.T for chain in (eye.upper, eye.lower))
    lids = [float(np.interp(0.0, np.maximum.accumulate(chain[:, 0]), chain[:, 1])) for chain in (upper, lower)]
    free = np.array([-upper[0, 0], upper[-1, 0], -lids[0], lids[1]])
    ends = free - radius * np.array([1 - _BEYOND, 1 - _BEYOND, _SHOWN, _SHOWN])
    ends[eye.inner] -= _CARUNCLE * float(np.linalg.norm(flat[eye.upper[-1]] - flat[eye.upper[0]]))
    most, least = radius * np.repeat([_FURTHEST, _HIGHEST], 2), radius * np.repeat(_LEAST, 2)
    return np.asarray(np.clip(ends, least, most))


def _outwards(loop: np.ndarray) -> np.ndarray:
    """Unit normals (n, 2) of a closed outline (n, 2), away from its inside."""
    along = np.roll(loop, -1, axis=0) - np.roll(loop, 1, axis=0)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-9)[:, None]
    return np.asarray(normal if ((loop - loop.mean(axis=0)) * normal).sum() > 0 else -normal)


def _triangles(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (f, 3), counter-clockwise, and their materials (f,), for `count` vertices around the opening."""
    edge = np.arange(count)
    following = np.roll(edge, -1)
    front, back, ring = 1 + count, 1 + 2 * count, 2 + 3 * count + np.arange(_RING)
    parts = [
        np.stack([np.zeros(count, int), 1 + edge, 1 + following], axis=1),
        np.stack([front + edge, front + following, back + edge], axis=1),
        np.stack([back + edge, front + following, back + following], axis=1),
        np.stack([np.full(_RING, 1 + 3 * count), ring, np.roll(ring, -1)], axis=1),
    ]
    triangles = np.concatenate(parts)
    turned = signed_areas(points, triangles) < 0
    triangles[turned] = triangles[turned, ::-1]
    return triangles, np.where(np.arange(len(triangles)) < len(triangles) - _RING, _WHITE, _IRIS)


def _behind(
    mesh: formats.Mesh, eye: Eyelids, slope: np.ndarray, outline: np.ndarray, disc: tuple[np.ndarray, float]
) -> tuple[float, float]:
    """Where a plane of a slope lies behind all skin before it: its depth at (0, 0), and what is missing of its depth.

    Args:
        outline: (n, 2) px, the card's. disc: (4, 2) px, the outline of where its middle goes, and its radius.
    """
    triangles = mesh.triangles[(mesh.material == 0) & ~np.isin(mesh.triangles, eye.middle).any(axis=1)]
    every = np.concatenate([outline, disc[0] - disc[1], disc[0] + disc[1]])
    low, high = every.min(axis=0), every.max(axis=0)
    corners = mesh.vertices[triangles, :2]
    triangles = triangles[((corners.max(axis=1) > low) & (corners.min(axis=1) < high)).all(axis=1)]
    steps = np.arange(_PARTS + 1) / _PARTS
    shares = np.array([[a, b, 1.0 - a - b] for a in steps for b in steps if a + b <= 1.0 + 1e-9])
    missing = np.zeros(len(mesh.vertices)) if mesh.lost_depth is None else missing_depth(mesh)
    behind = [-np.inf, -np.inf]
    for names in _PUSHES:
        expression = mesh.key_landmarks[np.isin(mesh.key_names, names)].sum(axis=0)
        moved = mesh.vertices + displacements(mesh, expression)
        skin = np.einsum("sc,fck->fsk", shares, np.column_stack([moved, missing])[triangles]).reshape(-1, 4)
        covered = inside_polygon(skin[:, :2], outline) | (outline_distance(skin[:, :2], disc[0]) < disc[1])
        below = skin[covered, 2] - skin[covered, :2] @ slope
        behind[0] = max(behind[0], float(below.max()))
        behind[1] = max(behind[1], float((below + skin[covered, 3]).max()))
    return behind[0], behind[1] - behind[0]
