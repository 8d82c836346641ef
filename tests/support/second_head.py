"""A head of somebody else's, made of numbers: an egg with lips, lids, brows, teeth, hair, and keys of any vocabulary.

Not one of our meshes: rings around the mouth, eyeballs of their own, a mouth that goes inwards. What its keys do comes
from the fixed set of shapes at the landmarks of a mean face. Canonical units: x right as the viewer sees it, y down, z
away from the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from extension import part
from makeittalk.landmarks.mean_face import MEAN_FACE

SEGMENTS = 48  # around the mouth
_RINGS = 26  # from the lips to the back of the head
_CENTRE, _RADII = np.array([0.0, -0.12, 0.72]), np.array([0.93, 1.2, 0.98])
_LIPS = ((60, 67), (48, 60))  # landmarks of the inner and the outer lips
_UPPER, _LOWER = (49, 50, 51, 52, 53, 61, 62, 63), (55, 56, 57, 58, 59, 65, 66, 67)
_JAW = tuple(range(4, 13))
SKIN, MOUTH, HAIR, WHITE, IRIS, TEETH, LIP, BROW = range(8)
COLOURS = (
    *((0.80, 0.46, 0.30, 1.0), (0.13, 0.01, 0.015, 1.0), (0.03, 0.10, 0.16, 1.0), (0.92, 0.92, 0.90, 1.0)),
    *((0.02, 0.10, 0.09, 1.0), (0.90, 0.87, 0.78, 1.0), (0.55, 0.10, 0.11, 1.0), (0.02, 0.06, 0.10, 1.0)),
)


@dataclass
class Head:
    """What is built: vertices, faces with their materials, and what each landmark at (1, 1, 1) does (V, 68)."""

    points: list[np.ndarray] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    materials: list[int] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)
    lids: list[tuple[int, int, np.ndarray, np.ndarray]] = field(default_factory=list)  # first, count, shut − open, side

    def add(self, points: np.ndarray, faces: list[tuple[int, ...]], materials: list[int], weights: np.ndarray) -> int:
        first = sum(map(len, self.points))
        self.points.append(np.asarray(points, float))
        self.weights.append(np.asarray(weights, float))
        self.faces += [tuple(first + corner for corner in face) for face in faces]
        self.materials += materials
        return first


def _on_egg(points: np.ndarray) -> np.ndarray:
    """Points (…, 2) of the front, with the depth of the egg there and a nose."""
    x, y = points[..., 0], points[..., 1]
    inside = 1.0 - ((x - _CENTRE[0]) / _RADII[0]) ** 2 - ((y - _CENTRE[1]) / _RADII[1]) ** 2
    z = _CENTRE[2] - _RADII[2] * np.sqrt(np.maximum(inside, 0.0))
    return np.stack([x, y, z], axis=-1)


def _shaped(points: np.ndarray) -> np.ndarray:
    """The egg with a nose, cheeks and a chin."""
    found = points.copy()
    nose = MEAN_FACE[30]
    front = np.clip((_CENTRE[2] - points[:, 2]) / _RADII[2], 0.0, 1.0)
    for place, reach, height in (
        *((nose[:2], (0.10, 0.12), 0.26), (nose[:2] - (0.0, 0.2), (0.07, 0.2), 0.10)),
        *(((0.42, 0.18), (0.25, 0.2), 0.05), ((-0.42, 0.18), (0.25, 0.2), 0.05), ((0.0, 0.86), (0.22, 0.16), 0.09)),
    ):
        away = ((points[:, :2] - np.array(place)) / np.array(reach)) ** 2
        found[:, 2] -= height * np.exp(-away.sum(axis=1)) * front
    return found


def _around(landmarks: np.ndarray, chosen: tuple[int, int], angles: np.ndarray) -> np.ndarray:
    """(n, 68) weights of the landmarks of a lip for places at angles around the mouth."""
    numbers = np.arange(chosen[0], chosen[1] + (chosen == _LIPS[0]))
    centre = landmarks[[48, 54], :2].mean(axis=0)
    width = np.ptp(landmarks[numbers, 0]) / 2.0
    beside = landmarks[numbers, :2] - centre
    height = np.where(beside[:, 1] < 0.0, 0.12, 0.14)
    there = np.arctan2(beside[:, 1] / height * (1.0 if chosen == _LIPS[1] else 6.0), beside[:, 0] / width)
    there[beside[:, 0] > width * 0.97], there[beside[:, 0] < -width * 0.97] = 0.0, np.pi
    order = np.argsort(there)
    there, numbers = there[order], numbers[order]
    there, numbers = (
        np.concatenate([there[-1:] - 2 * np.pi, there, there[:1] + 2 * np.pi]),
        np.r_[numbers[-1], numbers, numbers[0]],
    )
    wrapped = (angles + np.pi) % (2 * np.pi) - np.pi
    right = np.clip(np.searchsorted(there, wrapped), 1, len(there) - 1)
    share = (wrapped - there[right - 1]) / np.maximum(there[right] - there[right - 1], 1e-9)
    found = np.zeros((len(angles), 68))
    np.add.at(found, (np.arange(len(angles)), numbers[right - 1]), 1.0 - share)
    np.add.at(found, (np.arange(len(angles)), numbers[right]), share)
    return found


def _spread(points: np.ndarray, below: np.ndarray, reach: float = 0.17) -> np.ndarray:
    """(n, 68) how far skin goes with the landmarks near it; what is above the mouth not with the lower lip."""
    away = np.linalg.norm(points[:, None, :2] - MEAN_FACE[None, :, :2], axis=-1)
    weight = np.exp(-((away / reach) ** 2))
    weight[np.ix_(~below, [*_LOWER, *_JAW])] = 0.0
    weight[np.ix_(below, list(_UPPER))] = 0.0
    near = 1.0 - np.exp(-weight.sum(axis=1) * 2.5)
    front = np.clip((_CENTRE[2] + 0.15 - points[:, 2]) / 0.4, 0.0, 1.0)
    return weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9) * (near * front)[:, None]


def build() -> Head:
    """The head at rest."""
    head = Head()
    _skin(head)
    for side, landmarks in ((-1.0, np.arange(36, 42)), (1.0, np.arange(42, 48))):
        _eye(head, side, MEAN_FACE[landmarks].mean(axis=0))
    for brow in (np.arange(17, 22), np.arange(22, 27)):
        _brow(head, brow)
    _hair(head)
    return head


def _skin(head: Head) -> None:
    middle = MEAN_FACE[[48, 54], :2].mean(axis=0)
    angles = np.arange(SEGMENTS) / SEGMENTS * 2.0 * np.pi
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    below = np.sin(angles) > 1e-9
    inner, outer = (_around(MEAN_FACE, lip, angles) for lip in _LIPS)
    rings, weights = [], []

    def lip(width: float, up: float, down: float, depth: float) -> np.ndarray:
        flat = middle + ring * np.stack([np.full(SEGMENTS, width), np.where(below, down, up)], axis=-1)
        found = _on_egg(flat)
        found[:, 2] += depth
        return found

    for depth, size, share in ((0.42, 0.55, 0.45), (0.26, 0.85, 0.7), (0.10, 0.97, 0.95)):  # the mouth, inwards
        rings.append(lip(0.27 * size, 0.02, 0.02, depth))
        weights.append(inner * share)
    for width, up, down, depth, share in (
        *((0.27, 0.003, 0.003, 0.0, 0.0), (0.292, 0.045, 0.055, -0.055, 0.35), (0.315, 0.095, 0.115, -0.035, 1.0)),
        (0.35, 0.14, 0.16, 0.0, 1.0),
    ):
        rings.append(lip(width, up, down, depth))
        weights.append(inner * (1.0 - share) + outer * share)
    front = (_on_egg(middle) - _CENTRE) / _RADII
    across = np.cross([0.0, 1.0, 0.0], front)
    across /= -np.linalg.norm(across)
    down = np.cross(front, across)
    down *= np.sign(down[1])
    last = (rings[-1] - _CENTRE) / _RADII
    last /= np.linalg.norm(last, axis=1, keepdims=True)
    start = np.arccos(np.clip(last @ front, -1.0, 1.0))
    turn = np.arctan2(last @ down, last @ across)
    for step in np.linspace(0.0, 1.0, _RINGS)[1:]:
        to = start + (np.pi - 0.12 - start) * step**1.15
        turned = turn + (np.unwrap(angles) - np.unwrap(turn)) * min(1.0, 2.0 * step)
        unit = np.cos(to)[:, None] * front + np.sin(to)[:, None] * (
            np.cos(turned)[:, None] * across + np.sin(turned)[:, None] * down
        )
        rings.append(_CENTRE + unit * _RADII)
        weights.append(_spread(rings[-1], rings[-1][:, 1] > middle[1]))
    points = np.concatenate(rings)
    lips = 7 * SEGMENTS
    points[lips:] = _shaped(points[lips:])
    number = np.arange(len(points)).reshape(-1, SEGMENTS)
    faces, materials = [], []
    for row in range(len(number) - 1):
        for column in range(SEGMENTS):
            after = (column + 1) % SEGMENTS
            face = (number[row, column], number[row + 1, column], number[row + 1, after], number[row, after])
            faces.append(face)
            materials.append(MOUTH if row < 3 else LIP if row < 5 else SKIN)
    faces.append(tuple(number[0][::-1]))
    faces.append(tuple(number[-1]))
    head.add(points, faces, [*materials, MOUTH, SKIN], np.concatenate(weights))
    _teeth(head, middle)


def _hair(head: Head) -> None:
    rows, columns = 16, 64
    turn = np.arange(columns) / columns * 2.0 * np.pi  # from the front
    share = 0.5 - 0.5 * np.cos(turn)
    edge = 0.85 + 1.3 * share + 0.05 * np.cos(turn - 0.6) * (1.0 - share)
    slope = np.linspace(0.02, 1.0, rows)[:, None] * edge
    thick = 1.0 + 0.09 * np.sqrt(np.clip(1.08 - np.linspace(0.0, 1.0, rows) ** 4, 0.0, 1.0))[:, None, None]
    unit = np.stack([np.sin(slope) * np.sin(turn), -np.cos(slope), -np.sin(slope) * np.cos(turn)], axis=-1)
    points = (_CENTRE + unit * _RADII * thick).reshape(-1, 3)
    number = np.arange(rows * columns).reshape(rows, columns)
    faces = [
        (number[row, column], number[row, (column + 1) % columns], *number[row + 1, [(column + 1) % columns, column]])
        for row in range(rows - 1)
        for column in range(columns)
    ]
    faces.append(tuple(number[0][::-1]))
    head.add(points, faces, [HAIR] * len(faces), np.zeros((len(points), 68)))


def _teeth(head: Head, middle: np.ndarray) -> None:
    for jaw, top, bottom in ((False, -0.075, 0.0), (True, 0.045, 0.1)):
        across = np.linspace(-0.2, 0.2, 13)
        rows = [_on_egg(np.stack([across, np.full(13, middle[1] + height)], axis=-1)) for height in (top, bottom)]
        points = np.concatenate(rows) + (0.0, 0.0, 0.12)
        points[:, 2] += np.tile(across**2, 2) * 0.9
        faces = [(column, column + 1, 14 + column, 13 + column) for column in range(12)]
        weights = np.zeros((26, 68))
        weights[:, 8] = 0.9 if jaw else 0.0  # the chin
        head.add(points, faces, [TEETH] * 12, weights)


def _eye(head: Head, side: float, centre: np.ndarray) -> None:
    radius = 0.19
    middle = _on_egg(centre[:2]) + (0.0, 0.0, 0.10)
    columns, rows = 24, 14
    polar = np.linspace(0.02, np.pi - 0.02, rows)
    turn = np.arange(columns) / columns * 2.0 * np.pi
    ball = np.stack(  # its pole looks at the viewer
        [
            np.outer(np.sin(polar), np.cos(turn)),
            np.outer(np.sin(polar), np.sin(turn)),
            np.outer(-np.cos(polar), np.ones(columns)),
        ],
        axis=-1,
    )
    faces, materials = [], []
    for row in range(rows - 1):
        for column in range(columns):
            after = (column + 1) % columns
            faces.append(
                (
                    row * columns + column,
                    (row + 1) * columns + column,
                    (row + 1) * columns + after,
                    row * columns + after,
                )
            )
            materials.append(IRIS if polar[row] < 0.5 else WHITE)
    faces.append(tuple(range(columns)))
    head.add(middle + radius * ball.reshape(-1, 3), faces, [*materials, IRIS], np.zeros((rows * columns, 68)))
    for upper in (True, False):
        _lid(head, side, middle, radius * 1.06, upper)


def _lid(head: Head, side: float, middle: np.ndarray, radius: float, upper: bool) -> None:
    sign = -1.0 if upper else 1.0
    rows, columns = 7, 17
    spin = np.linspace(-0.5 * np.pi, 0.5 * np.pi, columns)

    def shell(edge: float) -> np.ndarray:
        turn = np.linspace(2.2, edge, rows)  # about the axis from corner to corner; 0 looks straight ahead
        found = np.stack(
            [
                np.outer(np.ones(rows), np.sin(spin)),
                sign * np.outer(np.sin(turn), np.cos(spin)),
                -np.outer(np.cos(turn), np.cos(spin)),
            ],
            axis=-1,
        )
        return middle + radius * found.reshape(-1, 3)

    opened, shut = shell(0.5 if upper else 0.8), shell(-0.18 if upper else 0.20)
    faces = [
        (
            row * columns + column,
            row * columns + column + 1,
            (row + 1) * columns + column + 1,
            (row + 1) * columns + column,
        )
        for row in range(rows - 1)
        for column in range(columns - 1)
    ]
    first = head.add(opened, faces, [SKIN] * len(faces), np.zeros((rows * columns, 68)))
    head.lids.append((first, rows * columns, shut - opened, np.array(side)))


def _brow(head: Head, landmarks: np.ndarray) -> None:
    line = np.stack(
        [np.interp(np.linspace(0, 4, 13), range(5), MEAN_FACE[landmarks, axis]) for axis in (0, 1)], axis=-1
    )
    line[:, 1] -= 0.06
    thick = 0.045 * np.sin(np.linspace(0.25, np.pi - 0.25, 13)) ** 0.5
    turn = np.arange(6) / 6 * 2.0 * np.pi
    points = np.concatenate(
        [
            _on_egg(place)
            + (0.0, 0.0, -0.03)
            + np.stack([np.zeros(6), size * np.sin(turn), size * np.cos(turn)], axis=-1)
            for place, size in zip(line, thick, strict=True)
        ]
    )
    faces = [
        (row * 6 + column, row * 6 + (column + 1) % 6, (row + 1) * 6 + (column + 1) % 6, (row + 1) * 6 + column)
        for row in range(12)
        for column in range(6)
    ]
    weights = np.zeros((78, 68))
    for row in range(13):
        left = min(3, int(row / 3))
        weights[row * 6 : row * 6 + 6, landmarks[left]] = 1.0 - (row / 3 - left)
        weights[row * 6 : row * 6 + 6, landmarks[left + 1]] = row / 3 - left
    head.add(points, faces, [BROW] * len(faces), weights)


def shapes(meanings: dict[str, str]) -> dict[str, np.ndarray]:
    """What keys do to the landmarks, (68, 3) canonical units, by their names.

    Args:
        meanings: identifiers of `retarget_names.MEANINGS` by key name.
    """
    known = part("addon.core.retarget_shapes")
    width = np.linalg.norm(MEAN_FACE[54] - MEAN_FACE[48])
    found = {name: known.shape_of(meaning) for name, meaning in meanings.items()}
    return {name: np.zeros((68, 3)) if shape is None else shape * width for name, shape in found.items()}


def add(name: str, meanings: dict[str, str], at=(0.0, 0.0, 0.0), scale: float = 1.0):
    """Puts the head into the scene as one mesh object with a key for each meaning, and returns it."""
    import bpy

    head = build()
    rest, weights = np.concatenate(head.points), np.concatenate(head.weights)
    to_blender = lambda points: np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=-1)  # noqa: E731
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(to_blender(rest).tolist(), [], [tuple(map(int, face)) for face in head.faces])
    for colour in COLOURS:
        material = bpy.data.materials.new(f"{name} {len(mesh.materials)}")
        material.diffuse_color, material.roughness = colour, 0.5
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", np.array(head.materials, np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    mesh.update()
    item = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(item)
    item.location, item.scale = at, (scale,) * 3
    item.shape_key_add(name="Basis", from_mix=False)
    for key, moved in shapes(meanings).items():
        block = item.shape_key_add(name=key, from_mix=False)
        block.value = 0.0
        points = rest + weights @ moved
        for first, count, shut, side in head.lids:
            points[first : first + count] += shut * _shuts(meanings[key], float(side))
        block.data.foreach_set("co", to_blender(points).astype(np.float32).reshape(-1))
    return item


def _shuts(meaning: str, side: float) -> float:
    """How far a key shuts the lid of a side: −1 the viewer's left, the person's right."""
    name = meaning.partition(":")[2].lower()
    both, own = name.endswith("blink"), name.endswith("left" if side > 0 else "right")
    if both or own:
        return 1.0 if "blink" in name else 0.25 if "squint" in name else -0.3 if "wide" in name else 0.0
    return 0.0


def arkit() -> dict[str, str]:
    """A head's keys by ARKit's names."""
    meanings = part("addon.core.retarget_names").MEANINGS
    return {item.name: identifier for identifier, item in meanings.items() if item.vocabulary == "arkit"}


def of(word: str) -> dict[str, str]:
    """A head's keys for a vocabulary's mouth, by its own names, and both lids."""
    meanings = part("addon.core.retarget_names").MEANINGS
    mouth = {
        item.name: identifier
        for identifier, item in meanings.items()
        if (item.vocabulary, item.part) == (word, "mouth")
    }
    return mouth | {"blinkLeft": "vrm:blinkLeft", "blinkRight": "vrm:blinkRight"}


VRM = {
    f"Fcl_MTH_{letter}": f"vrm:{name}" for letter, name in zip("AIUEO", ("aa", "ih", "ou", "ee", "oh"), strict=True)
} | {"Fcl_EYE_Close": "vrm:blink"}
