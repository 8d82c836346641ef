"""Landmarks of the faces in a picture with MediaPipe: photos, paintings and drawings.

The picture is searched in square views (whole, parts of it, tilted, with more contrast) until a face turns up. A face
must show again in a view of its own; then it is cut out upright and measured several times. Coordinates are continuous:
a pixel's middle is at .5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from .face_landmarker import find_boxes, still_landmarker
from .few_points import few_points
from .ibug68 import EYE_LEFT, EYE_RIGHT, MIRROR
from .quiet import quiet_stderr

_VIEW = 192  # px, side of a searched view; the finder shrinks it to 128 and needs a face of a tenth of that
_OWN_VIEW = 2.2  # side of the view in which what was found is looked at again, in face boxes
_CROP = 512  # px, side of a measured crop
_FIRST_CROP = 1.9  # side of the first crop, in face boxes
_CROPS = (1.35, 1.5, 1.65)  # sides of the measured crops, in extents of the landmarks
_MOST_FACES = 12
_MOST_SPREAD = 0.08  # of the face's extent: crops that disagree so much saw no face
_TURN_GAIN = 0.1  # by which a face must look better turned by a quarter to be taken as lying on its side
_HALF = 0.5  # of the picture's longer side: views in which smaller faces are looked for, besides the whole
_ALONE = 0.2  # of the longer side: a face as large as that leaves little room for others
_CLOSER = 0.3  # of the longer side: views in which the others are looked for
_PARTS = (3, 6, 9)  # of the shorter side: views for faces that are tiny in their picture
_SMALLEST_PART = 120  # px: smaller ones hold no face that would be of any use
_SURE = 0.6  # score of a face that need not be found better
#: Least scores of a face where the search is likely to meet one, and where it is so thorough that it meets many things
#: that are none. Nothing in 79 pictures without a face lies above them; of 60 faces that were made dark, pale, noisy,
#: blurred, negative or into lines, 49 do.
_LEAST_SCORE, _LEAST_SCORE_FAR = 0.3, 0.45
_NEAR = 0.12  # of the face's extent: how far a face may lie in the mean from where it was placed
#: Sides in extents of what was placed, and tilts beside the line of its eyes, of the crops that are looked at there.
_NEAR_VIEWS = [(side, np.radians(tilt)) for tilt in (0.0, -15.0, 15.0) for side in (1.5, 1.9, 1.2, 2.6)]


@dataclass
class FoundFace:
    """One face. landmarks: (68, 3) px, z = 0 midway between the jaw ends. score: 0–1.

    irises: (2, 3) px, right and left: middle x, y and radius.
    """

    landmarks: np.ndarray
    score: float
    irises: np.ndarray

    @property
    def extent(self) -> float:
        """Side of the square that has the face's area, px."""
        width, height = np.ptp(self.landmarks[:, :2], axis=0)
        return float(np.sqrt(width * height))

    def holds(self, point: np.ndarray) -> bool:
        """Whether a point (2,) lies within the face."""
        return bool(np.linalg.norm(self.landmarks[:, :2].mean(0) - point) <= 0.5 * self.extent)


@dataclass
class _Box:
    """Where a face may be: middle (2,) and side in px, roll in radians, score 0–1."""

    centre: np.ndarray
    side: float
    roll: float
    score: float


def find_faces(rgb: np.ndarray, enough: int = 1, thorough: bool = True) -> list[FoundFace]:
    """Faces of a picture, the largest first; none if there are none.

    Args:
        rgb: (H, W, 3) uint8. enough: so many end the search; those that are small beside the others come last.
        thorough: whether to search on where a glance at the whole picture shows none.
    """
    height, width = rgb.shape[:2]
    found: list[FoundFace] = []
    with quiet_stderr():
        pyramid = _Pyramid(rgb)

        def look(views: list[np.ndarray], treatment: _Treatment, least: float) -> None:
            boxes = _distinct([box for view in views for box in _search(pyramid, view, treatment)])
            sure = [face for face in found if face.score > _SURE]
            boxes = [box for box in boxes if not any(face.holds(box.centre) for face in sure)]
            faces = [_measure(pyramid, box, treatment, least) for box in boxes]
            found[:] = _with_others(found, [face for face in faces if face is not None])

        long = max(width, height)
        for treatment in (_PLAIN, _CONTRAST):
            for stage, views in enumerate(_searches(width, height, treatment.parts)):
                sure = treatment is _PLAIN and stage < 2
                look(views, treatment, _LEAST_SCORE if sure else _LEAST_SCORE_FAR)
                if stage == 0:
                    look(_tiles(width, height, _HALF * long), treatment, _LEAST_SCORE_FAR)
                if not thorough:
                    return found
                if stage == 0 and found and found[0].extent < _ALONE * long:
                    look(_tiles(width, height, _CLOSER * long), treatment, _LEAST_SCORE_FAR)
                if len(found) >= enough:
                    return found
    return found


def find_face_near(rgb: np.ndarray, placed: np.ndarray) -> FoundFace | None:
    """The face that shows where somebody has placed landmarks; None where nothing like one does.

    Who has placed them knows better than the finder of faces where to look: crops around them, upright by their eyes,
    go straight to the network that measures. What lies beyond the picture is grey.

    Args:
        rgb: (H, W, 3) uint8. placed: (68, ≥2) px.
    """
    placed = np.asarray(placed, np.float64)
    low, high = placed[:, :2].min(0), placed[:, :2].max(0)
    extent, wanted = float((high - low).max()), few_points(placed)
    found: list[tuple[float, FoundFace]] = []
    with quiet_stderr():
        pyramid = _Pyramid(rgb)
        for treatment in (_PLAIN, _CONTRAST):
            for factor, tilt in _NEAR_VIEWS:
                view = _view((low + high) / 2, factor * extent, _roll(placed) + tilt, _CROP)
                first = _mesh_in_view(pyramid, view, treatment, mirrored=False)
                if first is None or _apart(first[0], wanted, extent) > _NEAR:
                    continue
                face = _agreed(pyramid, first[0], treatment, sure=1.0, least=_LEAST_SCORE)
                if face is not None and (apart := _apart(face.landmarks, wanted, extent)) <= _NEAR:
                    found.append((apart, face))
            if found:
                return min(found, key=lambda item: item[0])[1]
    return None


def measure_face(rgb: np.ndarray, placed: np.ndarray) -> np.ndarray | None:
    """The landmarks (68, 3) px of a face that is known to be where others lie, from one crop and its mirror image.

    None where neither shows one. Quicker than `find_faces`, and noisier.

    Args:
        rgb: (H, W, 3) uint8. placed: (68, ≥2) px.
    """
    placed = np.asarray(placed, np.float64)
    low, high = placed[:, :2].min(0), placed[:, :2].max(0)
    view = _view((low + high) / 2, _CROPS[1] * float((high - low).max()), _roll(placed), _CROP)
    with quiet_stderr():
        pyramid = _Pyramid(rgb)
        tries = [_mesh_in_view(pyramid, view, _PLAIN, mirrored) for mirrored in (False, True)]
    seen = [found[0] for found in tries if found is not None]
    return centre_depth(np.mean(seen, axis=0)) if seen else None


def _apart(points: np.ndarray, wanted: np.ndarray, extent: float) -> float:
    """How far a face's seven points lie from those wanted (7, 2), in the mean, as a share of the face's extent."""
    return float(np.linalg.norm(few_points(points) - wanted, axis=1).mean()) / extent


def centre_depth(landmarks: np.ndarray) -> np.ndarray:
    """The same (…, 68, 3) points with z = 0 midway between the jaw ends."""
    landmarks = np.array(landmarks, np.float32)
    landmarks[..., 2] -= (landmarks[..., 0, 2] + landmarks[..., 16, 2])[..., None] / 2
    return landmarks


class _Pyramid:
    """A picture at full, half, quarter … size, so that a shrunken view of it has no aliasing."""

    def __init__(self, rgb: np.ndarray) -> None:
        self.levels = [rgb]

    def cut(self, view: np.ndarray, side: int, way: int = cv2.INTER_CUBIC) -> np.ndarray:
        """The square picture (side, side, 3) under a (2, 3) map from its pixels to the whole picture's.

        Args:
            way: how cv2 interpolates.
        """
        scale = float(np.hypot(*view[:, 0]))
        level = max(0, int(np.floor(np.log2(max(scale, 1.0)))))
        while len(self.levels) <= level and min(self.levels[-1].shape[:2]) > 1:
            height, width = self.levels[-1].shape[:2]
            half = cv2.resize(self.levels[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
            self.levels.append(half)
        source = self.levels[min(level, len(self.levels) - 1)]
        shrink = np.array([source.shape[1] / self.levels[0].shape[1], source.shape[0] / self.levels[0].shape[0]])
        matrix = view * shrink[:, None]
        matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # cv2 counts from the middle of the first pixel
        return _warp(source, matrix, side, way)


def _warp(source: np.ndarray, matrix: np.ndarray, side: int, way: int) -> np.ndarray:
    """`cv2.warpAffine` on the part of the picture that is seen: it refuses more than 32,767 px a side."""
    corners = np.array([(0, 0, 1), (side, 0, 1), (0, side, 1), (side, side, 1)]) @ matrix.T
    low = np.clip(np.floor(corners.min(0)).astype(int) - 4, 0, np.array(source.shape[1::-1]) - 1)
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 4, low + 1, source.shape[1::-1])
    part = np.ascontiguousarray(source[low[1] : high[1], low[0] : high[0]])
    matrix = matrix - np.array([[0, 0, low[0]], [0, 0, low[1]]])
    return cv2.warpAffine(
        part,
        matrix,
        (side, side),
        flags=way | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(128,) * 3,
    )


def _view(centre: np.ndarray, side: float, roll: float, pixels: int) -> np.ndarray:
    """The (2, 3) map from a square view's pixels to the picture's."""
    scale = side / pixels
    turn = scale * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    return np.column_stack([turn, centre - turn @ (pixels / 2, pixels / 2)])


def _searches(width: int, height: int, parts: tuple[int, ...]) -> Iterator[list[np.ndarray]]:
    """Sets of views, from the likely to the far-fetched; the first set that holds a face ends the search."""
    middle, long, short = np.array([width, height]) / 2, max(width, height), min(width, height)
    whole = [_view(middle, long, 0.0, _VIEW)]
    strip = _tiles(width, height, short) if long > 1.4 * short else []
    yield whole + (strip if long > 2.5 * short else [])
    yield [_view(middle, 1.7 * long, 0.0, _VIEW), *strip]
    yield [_view(middle, 1.2 * long, np.radians(angle), _VIEW) for angle in (-30, 30)]
    yield [_view(middle, 1.4 * long, np.radians(angle), _VIEW) for angle in (-60, 60, -90, 90, -120, 120, 180)]
    for part in parts:
        if short / part > _SMALLEST_PART:
            yield _tiles(width, height, short / part)


def _tiles(width: int, height: int, side: float, most: int = 300) -> list[np.ndarray]:
    """Views of squares that cover the picture, overlapping by a third."""
    counts = [max(1, int(np.ceil(1.5 * length / side - 0.5))) for length in (width, height)]
    if counts[0] * counts[1] > most:
        return []
    columns, rows = (
        np.linspace(side / 2, max(side / 2, n - side / 2), c) for n, c in zip((width, height), counts, strict=True)
    )
    return [_view(np.array([x, y]), side, 0.0, _VIEW) for y in rows for x in columns]


def _plain(rgb: np.ndarray) -> np.ndarray:
    return rgb


def _contrast(rgb: np.ndarray) -> np.ndarray:
    """Grey with local contrast evened out: finds faces in dark paintings and pale drawings."""
    grey = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(4, 4)).apply(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)


@dataclass(frozen=True)
class _Treatment:
    """How views are shown to the networks.

    Attributes:
        change: what is done to the pixels. lowest: least score of a box. parts: see `_searches`.
    """

    change: Callable[[np.ndarray], np.ndarray]
    lowest: float
    parts: tuple[int, ...]


_PLAIN, _CONTRAST = _Treatment(_plain, 0.5, _PARTS), _Treatment(_contrast, 0.4, _PARTS[:-1])


def _search(pyramid: _Pyramid, view: np.ndarray, treatment: _Treatment) -> list[_Box]:
    """Boxes of the faces in one view."""
    picture = treatment.change(pyramid.cut(view, _VIEW, cv2.INTER_LINEAR))
    scale = float(np.hypot(*view[:, 0]))
    boxes = []
    for found in find_boxes(picture, treatment.lowest):
        axis = view[:, :2] @ (found.eyes[1] - found.eyes[0])
        centre = view[:, :2] @ found.centre + view[:, 2]
        boxes.append(_Box(centre, scale * found.side, float(np.arctan2(axis[1], axis[0])), found.score))
    return boxes


def _distinct(boxes: list[_Box]) -> list[_Box]:
    """The boxes of different faces, the best of each, largest first."""
    kept: list[_Box] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if all(np.linalg.norm(box.centre - other.centre) > 0.4 * max(box.side, other.side) for other in kept):
            kept.append(box)
    return sorted(kept, key=lambda box: -box.side)[:_MOST_FACES]


def _measure(pyramid: _Pyramid, seen: _Box, treatment: _Treatment, least: float) -> FoundFace | None:
    """The face in a box as the mean of several upright crops and their mirror images; None if they disagree."""
    box = _closer(pyramid, seen, treatment)
    if box is None:
        return None
    points = None
    for factor in (_FIRST_CROP, 2.6, 1.4):
        view = _view(box.centre, factor * box.side, box.roll, _CROP)
        first = _mesh_in_view(pyramid, view, treatment, mirrored=False)
        if first is not None:
            points = first[0]
            break
    if points is None:
        return None
    return _agreed(pyramid, points, treatment, box.score, least)


def _agreed(
    pyramid: _Pyramid, points: np.ndarray, treatment: _Treatment, sure: float, least: float
) -> FoundFace | None:
    """The face that was seen at some points, as the mean of several crops; None where they disagree.

    Args:
        points: (68, 3) px, of a first crop. sure: score 0–1 of what has been found there. least: of the face.
    """
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    roll, extent = _roll(points), float((high - low).max())
    tries = []
    for factor in _CROPS:
        view = _view((low + high) / 2, factor * extent, roll, _CROP)
        for mirrored in (False, True):
            again = _mesh_in_view(pyramid, view, treatment, mirrored)
            if again is not None:
                tries.append(again)
    if len(tries) < 4:
        return None
    stack = np.stack([again[0] for again in tries])
    irises = np.stack([again[1] for again in tries]).mean(0)
    spread = float(np.linalg.norm(stack[..., :2] - stack[..., :2].mean(0), axis=2).mean()) / extent
    score = sure * (1.0 - spread / _MOST_SPREAD)
    return FoundFace(centre_depth(stack.mean(0)), score, irises) if score >= least else None


def _roll(points: np.ndarray) -> float:
    """How far the line of the eyes is turned clockwise, radians."""
    eyes = points[EYE_LEFT, :2].mean(0) - points[EYE_RIGHT, :2].mean(0)
    return float(np.arctan2(eyes[1], eyes[0]))


def _closer(pyramid: _Pyramid, box: _Box, treatment: _Treatment) -> _Box | None:
    """The box as it shows in a view of its own, turned by quarters to where its face looks most like one.

    The finder sees lying faces too, but takes them for upright ones, and from afar it takes other things for faces.
    """
    best: _Box | None = None
    best_score = 0.0
    for quarters in range(4):
        roll = box.roll + quarters * np.pi / 2
        for found in _search(pyramid, _view(box.centre, _OWN_VIEW * box.side, roll, _VIEW), treatment):
            near = np.linalg.norm(found.centre - box.centre) < 0.5 * box.side
            upright = abs((found.roll - roll + np.pi) % (2 * np.pi) - np.pi) < np.pi / 4
            score = found.score - (_TURN_GAIN if quarters else 0.0)
            if near and upright and score > best_score:
                best, best_score = found, score
    return best


def _mesh_in_view(
    pyramid: _Pyramid, view: np.ndarray, treatment: _Treatment, mirrored: bool
) -> tuple[np.ndarray, np.ndarray] | None:
    """The points (68, 3) and the irises (2, 3) of the face in the middle of a view, in the picture's pixels."""
    picture = treatment.change(pyramid.cut(view, _CROP))
    faces = still_landmarker().points_and_irises(picture[:, ::-1] if mirrored else picture)
    if not faces:
        return None
    middle = [np.abs(face[:, :2].mean(0) - _CROP / 2).max() for face, _ in faces]
    points, irises = faces[int(np.argmin(middle))]
    if min(middle) > 0.25 * _CROP:
        return None
    if mirrored:
        points = (points * (-1.0, 1.0, 1.0) + (_CROP, 0.0, 0.0))[MIRROR]
        irises = (irises * (-1.0, 1.0, 1.0) + (_CROP, 0.0, 0.0))[::-1]
    scale = np.hypot(*view[:, 0])

    def placed(found: np.ndarray) -> np.ndarray:
        return np.column_stack([found[:, :2] @ view[:, :2].T + view[:, 2], found[:, 2:] * scale])

    return placed(points), placed(irises)


def _with_others(found: list[FoundFace], more: list[FoundFace]) -> list[FoundFace]:
    """Each face once, as it was measured best, the largest first."""
    kept: list[FoundFace] = []
    for face in sorted([*found, *more], key=lambda face: -face.score):
        if not any(other.holds(face.landmarks[:, :2].mean(0)) for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.extent)
