"""The 2.5D plane of a portrait: the one mesh that Blender, the offline warp and the photoreal frames share."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..exchange import formats
from ..exchange.errors import InputError
from ..images.picture import fingerprint
from ..images.style import resolve_style
from ..landmarks.face_frame import FaceFrame
from ..landmarks.polygon import inside_polygon
from ..landmarks.pose import neck_pivot
from . import eyes, mouth
from .contours import Contours, Sampling, build_contours
from .deform import displacements, signed_areas
from .depth import flatten, relief
from .depth_restore import around
from .drawn_mouth import EXTRA_COLUMNS, DrawnMouth
from .fold_removal import pull_apart, turn_edges
from .landmark_repair import repair_landmarks
from .lip_edge import LipEdge
from .soft_parts import add_soft_parts
from .support_points import support_points
from .teeth import SETS
from .triangulation import crossing_edges, missing_edges, open_pockets, triangulate
from .turning import Turning
from .vertex_weights import head_weights, landmark_weights, still_vertices

Keys = tuple[np.ndarray, np.ndarray, np.ndarray]

_VERTICES = (620, 860)  # of the portrait's part
_DEPTH_SCALES = (1.0, 0.75, 0.5, 0.25, 0.0)
_PULLED = 0.35  # widths of the mouth that lips pull the cheeks by


def build_mesh(
    face: formats.Face, rgba: np.ndarray, own_mouth: bool = True, keys: Keys | None = None, style: str = "auto"
) -> formats.Mesh:
    """The mesh of a portrait.

    Args:
        face: the portrait's landmarks. rgba: (H, W, 4) uint8, the prepared portrait.
        own_mouth: whether an open-mouthed portrait shows its own pixels between the lips.
        keys: names (K,), key_landmarks (K, 68, 3) px and key_range (K, 2) of the shape keys; the shipped basis if None.
        style: one of `STYLES`. Photographs have rendered teeth, the same whenever they are used; drawings painted ones.

    Raises:
        InputError: the landmarks fold over one another.
    """
    landmarks = np.asarray(face.landmarks, np.float64)
    if keys is None:
        from ..animation.basis import character_keys

        keys = character_keys(face.landmarks)
    names, key_landmarks, key_range = keys
    frame = FaceFrame.of(landmarks, face.width, face.height)
    landmarks = repair_landmarks(landmarks, frame)
    contours, points, triangles = _plane(
        landmarks, frame, DrawnMouth.find(rgba, landmarks) or LipEdge.find(rgba, landmarks)
    )
    triangles, weights = _weighted(points, triangles, contours, frame, *_moves(names, key_landmarks, key_range))
    head = head_weights(points, triangles, len(contours.rows), frame)
    pivot = neck_pivot(np.asarray(face.landmarks)).astype(np.float64)
    ground = float(landmarks[[0, 16], 2].mean())  # the depth of the border: 0 by the landmarks' convention
    heights = landmarks - [0.0, 0.0, ground]
    vertices = np.column_stack([points, relief(points, triangles, contours.rows, heights, frame)])
    picture = fingerprint(rgba)
    mesh = formats.Mesh(
        vertices=vertices,
        triangles=triangles.astype(np.int32),
        uv=np.column_stack([points[:, 0] / face.width, 1 - points[:, 1] / face.height]),
        material=np.zeros(len(triangles), np.int32),
        W=weights,
        head_weights=head,
        landmark_vertices=contours.landmark_vertices.astype(np.int32),
        key_names=np.asarray(names, dtype="U64"),
        keys=np.zeros((0, len(points), 3)),
        key_landmarks=np.array(key_landmarks, np.float32),
        key_range=np.asarray(key_range, np.float32),
        neck_pivot=pivot.astype(np.float32),
        image_size=face.size,
        mouth_image=np.zeros((1, 1, 4), np.uint8),
        picture=picture,
    )
    whole = mesh.vertices[:, 2].copy()
    _flatten(mesh, contours, points, ground)
    lost = whole - mesh.vertices[:, 2]
    photo = resolve_style(style, rgba, face.landmarks)[0] == "photo"
    card = mouth.add_mouth(mesh, contours, landmarks, rgba, own_mouth, int(picture[0]) % SETS if photo else None)
    mesh.lost_depth = around(points, lost, mesh.vertices[:, :2]).astype(np.float32)
    mesh.lost_depth[card] = _deepest(points, lost, mesh.vertices[card, :2], landmarks)
    turns = eyes.add_eyes(mesh, contours, rgba, face.irises)
    mesh.keys = displacements(mesh, mesh.key_landmarks)
    for name, turn in turns.items():
        mesh.keys[mesh.key_names == name] += turn
    add_soft_parts(mesh, card, landmarks, frame)
    for name in ("vertices", "uv", "W", "head_weights", "keys"):
        setattr(mesh, name, np.ascontiguousarray(getattr(mesh, name), np.float32))
    return mesh


def _plane(
    landmarks: np.ndarray, frame: FaceFrame, edge: DrawnMouth | LipEdge | None = None
) -> tuple[Contours, np.ndarray, np.ndarray]:
    """The plane's vertices (V, 2), those of the contours first, and its triangles."""
    density = 1.0
    contours, points, triangles = _conforming(landmarks, frame, density, edge)
    for _ in range(4):
        low, high = _VERTICES
        if low <= len(points) <= high:
            break
        fixed = len(contours.rows)
        density *= np.sqrt(max((low + high) / 2 - fixed, 120) / max(len(points) - fixed, 60))
        contours, points, triangles = _conforming(landmarks, frame, density, edge)
    if not (signed_areas(points, triangles) > 0).all():
        raise InputError("The landmarks fold over one another.", "Correct the landmarks, or choose another picture.")
    return contours, points, triangles


def _conforming(
    landmarks: np.ndarray, frame: FaceFrame, density: float, edge: DrawnMouth | LipEdge | None
) -> tuple[Contours, np.ndarray, np.ndarray]:
    """One triangulation that holds the contours' edges, split where they were missing."""
    sampling = Sampling.of(landmarks)
    if isinstance(edge, DrawnMouth):
        left, right = sampling.knots["seats"]
        sampling.split("lips", np.concatenate([left + EXTRA_COLUMNS, right - EXTRA_COLUMNS]))
    support: np.ndarray | None = None
    for _ in range(12):
        contours = build_contours(sampling)
        if edge is not None:
            contours = edge.follow(contours, landmarks)
        flat = contours.places(landmarks)
        loops = [flat[loop] for loop in contours.loops]
        if support is None:
            around = flat[~contours.inside]
            support = support_points(frame, around, flat[contours.edges], loops, density)
        points = np.concatenate([flat, support])
        outer = np.concatenate([np.nonzero(~contours.inside)[0], np.arange(len(flat), len(points))])
        around_loops = outer[triangulate(points[outer])]
        missing = missing_edges(around_loops, contours.edges, len(points))
        missing[crossing_edges(flat, contours.edges).ravel()] = False  # lines that cross cannot both be followed
        if not missing.any():
            break
        for curve in sorted({contours.edge_curves[i] for i in np.nonzero(missing)[0]}):
            of_curve = np.array([name == curve for name in contours.edge_curves])
            sampling.split(curve, contours.edge_middles[missing & of_curve])
    centres = points[around_loops].mean(axis=1)
    within = np.any([inside_polygon(centres, loop) for loop in loops], axis=0)
    around_loops = open_pockets(points, around_loops[~within], contours.loops)
    return contours, points, np.concatenate([around_loops, contours.strips])


def _weighted(
    points: np.ndarray,
    triangles: np.ndarray,
    contours: Contours,
    frame: FaceFrame,
    named: np.ndarray,
    moves: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The triangles, some of their edges turned, and what each vertex follows, (V, 68), so that no move folds them."""
    held = still_vertices(points, frame)
    held[: len(contours.rows)] = True
    weights = landmark_weights(points, triangles, contours.weights, held, named)
    around, strips = np.split(triangles, [len(triangles) - len(contours.strips)])
    turned = turn_edges(points, around, weights, moves, contours.edges)
    if (turned != around).any():
        triangles = np.concatenate([turned, strips])
        weights = landmark_weights(points, triangles, contours.weights, held, named)
    return triangles, pull_apart(points, triangles, weights, moves, ~held)


def _moves(names: np.ndarray, key_landmarks: np.ndarray, key_range: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Displacements of the keys that mean something at 1, those with the narrow sliders, and what must fold nothing.

    Returns:
        (n, 68, 3) and (m, 68, 3).
    """
    named = np.asarray(key_landmarks, np.float64)[np.asarray(key_range)[:, 1] <= 2.0]
    kept = np.asarray(names)[np.asarray(key_range)[:, 1] <= 2.0]
    whole = named.copy()
    if {"jawOpen", "mouthClose"} <= set(kept.tolist()):  # which shuts what the jaw opens, and folds lips alone
        whole[kept == "mouthClose"] += named[kept == "jawOpen"]
    # A triangle's area is quadratic along a move and may be least halfway.
    return named, np.concatenate([whole, 0.5 * whole])


def _flatten(mesh: formats.Mesh, contours: Contours, points: np.ndarray, ground: float) -> None:
    """Lowers the mesh's relief over `ground`, and the depth of its displacements, until it can be turned."""
    lowered = relieved = mesh.vertices[:, 2].copy()
    for scale in _DEPTH_SCALES:
        mesh.depth_scale = scale
        turning = Turning.of(mesh, ground, contours.meeting)
        lowered, steady = flatten(relieved, points, contours, scale, turning)
        mesh.vertices[:, 2] = lowered + ground
        if steady:
            return
    # A face that turns away so far keeps little relief, the same share everywhere.
    turning = Turning.of(mesh, ground, contours.meeting)
    while np.abs(lowered).max() > 1e-3 * np.abs(relieved).max() and turning.flips(lowered):
        lowered = 0.7 * lowered
    mesh.vertices[:, 2] = lowered + ground


def _deepest(points: np.ndarray, lost: np.ndarray, places: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The most depth that the plane around each place (…, 2) has lost.

    Lips and cheeks carry what they lost to where they move, and the mouth's card stays behind them.
    """
    reach = _PULLED * float(np.linalg.norm(landmarks[54, :2] - landmarks[48, :2]))
    tree = cKDTree(points)
    near = tree.query_ball_point(places.reshape(-1, 2), reach)
    nearest = tree.query(places.reshape(-1, 2))[1]
    deepest = [lost[found].max() if found else lost[index] for found, index in zip(near, nearest, strict=True)]
    return np.reshape(deepest, places.shape[:-1])
