"""Photoreal frames: the warp at full resolution, its face repaired by a network in a square of 256 px."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..exchange import formats
from ..images.colour_match import ColourMatch
from ..images.face_crop import FaceCrop
from ..images.mouth_crop import MouthCrop, place_mouth, take_mouth
from ..images.mouth_image import is_shut, mouth_zone
from ..images.textures import premultiplied
from ..landmarks import ibug68
from ..landmarks.measures import mouth_width, openness
from ..landmarks.smoothstep import smoothstep
from ..mesh.deform import deform
from .mouth_change import MouthChange
from .paste import Patch, border_window, face_zone, hollow_zone
from .portrait_mouth import PortraitMouth
from .warp import Warper

if TYPE_CHECKING:
    from ..networks.image_inference import ImageModel

_LARGEST_BATCH = 8  # frames
_BATCH_BYTES = 128 * 2**20  # of full-resolution frames in a batch; two batches are in work
_PASTERS = 4  # threads
_MOVED = 64  # frames whose vertices are moved together
_AROUND = 19  # px of the square: what is left out around lips and lids, which are drawn anew, comparing colours
_LIGHT = 0.7  # of the network's coarse light in the mouth that a large one takes
_TOOTH = 0.08  # widths of the mouth: finer than this a large mouth keeps the teeth of its card
_SMALL = (48.0, 64.0)  # px of the frames: a mouth up to so wide is the network's, one from so wide on the card's
_WIDE = (0.4, 0.55)  # opening in widths of the mouth: from so wide on a small mouth is the card's as well
_SHADING = 3.0  # px of the square: finer than this, all else keeps the portrait's own detail


@dataclass
class _Batch:
    """Frames drawn by the mesh alone: the pictures, their alpha in the square, what the network sees, landmarks.

    Of mouths: the index of each frame that shows one open, the maps to their squares, the squares, landmarks in them.
    """

    pictures: list[np.ndarray] = field(default_factory=list)
    covers: list[np.ndarray] = field(default_factory=list)
    seen: np.ndarray = field(default_factory=lambda: np.empty(0))
    places: np.ndarray = field(default_factory=lambda: np.empty(0))
    open: list[int] = field(default_factory=list)
    maps: np.ndarray = field(default_factory=lambda: np.empty(0))
    mouths: np.ndarray = field(default_factory=lambda: np.empty(0))
    lips: np.ndarray = field(default_factory=lambda: np.empty(0))


def motion_vertices(mesh: formats.Mesh, motion: formats.Motion) -> Iterator[np.ndarray]:
    """The vertices (V, 3) px of every frame of a motion, expression and head in them.

    Args:
        mesh: the character's. motion: of its portrait.
    """
    mesh = replace(mesh, neck_pivot=motion.neck_pivot)
    for first in range(0, motion.frames, _MOVED):
        part = slice(first, first + _MOVED)
        gaze = None if motion.gaze is None else motion.gaze[part]
        yield from deform(
            mesh, motion.expression[part], motion.head_rotation[part], motion.head_translation[part], gaze
        )


class PhotoRenderer:
    """Draws photoreal frames of one character; use it in a `with` block, in one thread.

    Attributes:
        width, height: size of the frames, px. crop: the square of the frames that the network sees.
    """

    def __init__(
        self,
        mesh: formats.Mesh,
        rgba: np.ndarray,
        model: ImageModel,
        size: tuple[int, int] | None = None,
    ) -> None:
        """
        Args:
            mesh: the character's mesh. rgba: (H, W, 4) uint8, its portrait.
            model: the network, and that of the mouth's inside with it.
            size: width, height of the frames, those of the portrait by default.

        Raises:
            InputError: the mesh belongs to a portrait of another size.
        """
        self._model = model
        self._landmarks = mesh.landmark_vertices
        self._warper = Warper(mesh, rgba, size)
        self.width, self.height = self._warper.width, self._warper.height
        self._scale = np.array([self.width, self.height]) / np.asarray(mesh.image_size, np.float64)
        rest = mesh.vertices[self._landmarks, :2] * self._scale
        self.crop = FaceCrop.of(rest)
        self._rest = self.crop.place(rest)
        if (self.width, self.height) != (rgba.shape[1], rgba.shape[0]):
            shrinks = self.width < rgba.shape[1]
            rgba = cv2.resize(
                rgba, (self.width, self.height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            )
        self._ground = np.full(3, 128.0, np.float32)
        self._ground = _mean_colour(*self._seen(rgba))
        self._portrait = self._seen(rgba)[0]
        self._window = border_window()
        frame_bytes = 4 * self.width * self.height
        self._batch = int(np.clip(_BATCH_BYTES // frame_bytes, 1, _LARGEST_BATCH))
        self._match = self._matched()
        self._own_mouth = PortraitMouth.of(self._portrait, self._rest)
        self._tooth = _TOOTH * float(mouth_width(self._rest))
        self._small = 1.0 - float(smoothstep((mouth_width(rest) - _SMALL[0]) / (_SMALL[1] - _SMALL[0])))
        self._mouth = model.mouth
        if self._mouth is not None:
            landmarks = self._shown(mesh.vertices[self._landmarks])
            self._mouth_crop = MouthCrop.of(landmarks)
            still = self._mouth_crop.maps(landmarks[None])
            self._rest_mouth = take_mouth(rgba[..., :3], still[0])
            self._rest_lips = place_mouth(landmarks[None], still)[0]

    def frames(self, vertices: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The pictures of a moving mesh, one at a time.

        Args:
            vertices: (V, 3) px each, where the vertices shall be seen: after expression and head.

        Yields:
            (height, width, 4) uint8, straight alpha.
        """
        waiting = iter(vertices)
        ahead = self._batch > 1  # the next batch is drawn while the network works on this one
        with ThreadPoolExecutor(1) as network, ThreadPoolExecutor(_PASTERS) as pasters:
            batch = self._drawn(waiting)
            while batch.pictures:
                answer = network.submit(self._answered, batch)
                following = self._drawn(waiting) if ahead else None
                colours, masks, mouths = answer.result()
                pasted = [
                    pasters.submit(
                        self._paste, picture, batch.seen[i], batch.covers[i], batch.places[i], answered, mouths.get(i)
                    )
                    for i, (picture, *answered) in enumerate(zip(batch.pictures, colours, masks, strict=True))
                ]
                batch.pictures.clear()  # not held longer than it takes
                while pasted:
                    yield pasted.pop(0).result()
                batch = following or self._drawn(waiting)

    def _drawn(self, vertices: Iterator[np.ndarray]) -> _Batch:
        """The warp of the next frames, none at the end."""
        batch = _Batch()
        seen, places, landmarks = [], [], []
        for moved in islice(vertices, self._batch):
            picture = self._warper.draw(moved)
            shown, cover = self._seen(picture)
            batch.pictures.append(picture)
            batch.covers.append(cover)
            seen.append(shown)
            landmarks.append(self._shown(moved[self._landmarks]))
            places.append(self.crop.place(landmarks[-1][:, :2]))
        if seen:
            batch.seen, batch.places = np.stack(seen), np.stack(places)
            if self._mouth is not None:
                self._take_mouths(batch, np.stack(landmarks))
        return batch

    def _take_mouths(self, batch: _Batch, landmarks: np.ndarray) -> None:
        """Cuts the squares of the mouths that are open, of landmarks (B, 68, 3) px of the pictures."""
        maps = self._mouth_crop.maps(landmarks)
        lips = place_mouth(landmarks, maps)
        batch.open = [index for index, points in enumerate(lips) if not is_shut(points)]
        if batch.open:
            batch.maps, batch.lips = maps[batch.open], lips[batch.open]
            squares = [take_mouth(batch.pictures[index][..., :3], maps[index]) for index in batch.open]
            batch.mouths = np.stack(squares)

    def _shown(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3) px of the portrait in px of the frames."""
        return np.asarray(points * np.append(self._scale, self._scale.mean()))

    def _answered(self, batch: _Batch) -> tuple[np.ndarray, np.ndarray, dict[int, MouthChange]]:
        """What the networks say of a batch: colours and masks of the face, and by frame the change of its mouth."""
        colours, masks = self._model.translate(self._portrait, batch.seen, batch.places)
        if self._mouth is None or not batch.open:
            return colours, masks, {}
        changes = self._mouth.changes(self._rest_mouth, self._rest_lips, batch.mouths, batch.lips)
        return (
            colours,
            masks,
            {
                index: MouthChange(change, mouth_zone(lips) * (1.0 - self._kept(lips)), affine)
                for index, change, lips, affine in zip(batch.open, changes, batch.lips, batch.maps, strict=True)
            },
        )

    def _paste(
        self,
        picture: np.ndarray,
        seen: np.ndarray,
        cover: np.ndarray,
        place: np.ndarray,
        answer: Sequence[np.ndarray],
        mouth: MouthChange | None,
    ) -> np.ndarray:
        """A picture with the colours and the mask that are the answer to its crop `seen`, whose alpha is `cover`."""
        zone = self._window * face_zone(np.stack([self._rest, place]))
        share = answer[1].astype(np.float32) / 255.0
        change = self._match.change(seen, answer[0], share)
        if self._model.variant == "correction":
            # A new mouth where the portrait has none to show; everywhere else no more than light and shade.
            hollow = hollow_zone(place)
            own = 0.0 if self._mouth is not None else 1.0 - self._kept(place)
            light = _coarse(change, hollow, self._tooth)
            network = self._small * (1.0 - float(smoothstep((openness(place) - _WIDE[0]) / (_WIDE[1] - _WIDE[0]))))
            inside = light + network * (change - light)
            change = own * hollow[..., None] * inside + _shading(change, 1.0 - hollow)
            share = own * network * hollow * share
        change = zone[..., None] * change
        # What lies under a translucent pixel is the ground that the network was shown, not the picture's detail.
        Patch.of(seen, change, zone * share * (cover == 255)).onto(picture, self.crop)
        if mouth is not None:
            mouth.onto(picture)
        return picture

    def _kept(self, lips: np.ndarray) -> float:
        """How far the portrait's own mouth stays at landmarks (68, 2): as a small one shows little, not at all."""
        return (1.0 - self._small) * self._own_mouth.kept(lips)

    def _matched(self) -> ColourMatch:
        """The network's cast, from what it makes of the portrait at rest."""
        colours, masks = self._model.translate(self._portrait, self._portrait[None], self._rest[None])
        drawn = np.zeros(masks.shape[1:], np.uint8)
        for part in (ibug68.EYE_RIGHT, ibug68.EYE_LEFT, ibug68.LIP_OUTER):
            cv2.fillPoly(drawn, [np.rint(np.clip(self._rest[part] - 0.5, -4096, 4096)).astype(np.int32)], 255)
        around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_AROUND, _AROUND))
        plain = (cv2.dilate(drawn, around) == 0).astype(np.float32)
        weight = plain * self._window * face_zone(self._rest)
        return ColourMatch.of(self._portrait, colours[0], masks[0].astype(np.float32) / 255.0, weight)

    def _seen(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The crop (256, 256, 3) uint8 of a picture on the ground, and its alpha (256, 256) uint8."""
        height, width = picture.shape[:2]
        crop = self.crop
        left, top = np.clip([crop.left, crop.top], 0, [width - 1, height - 1])
        right, bottom = np.clip([crop.left + crop.side, crop.top + crop.side], [left + 1, top + 1], [width, height])
        part = premultiplied(picture[top:bottom, left:right])
        taken = FaceCrop(crop.left - int(left), crop.top - int(top), crop.side).take(part)
        alpha = taken[..., 3]
        if alpha.min() == 255:
            return np.ascontiguousarray(taken[..., :3]), alpha
        ground = (255.0 - alpha[..., None]) / 255.0 * self._ground
        return np.rint(np.minimum(taken[..., :3] + ground, 255.0)).astype(np.uint8), alpha

    def close(self) -> None:
        """Frees what the drawing holds; the network stays loaded."""
        self._warper.close()

    def __enter__(self) -> PhotoRenderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _coarse(change: np.ndarray, where: np.ndarray, sigma: float) -> np.ndarray:
    """The part of a change (256, 256, 3) that is coarser than `sigma` px, of what lies where `where` is 1."""
    known = cv2.GaussianBlur(where, (0, 0), sigma)[..., None]
    coarse = cv2.GaussianBlur(change * where[..., None], (0, 0), sigma) / np.maximum(known, 1e-3)
    return np.asarray(_LIGHT * coarse, np.float32)


def _shading(change: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The coarse part of a change (256, 256, 3) where `where` (256, 256) is 1, apart from what is beyond."""
    known = cv2.GaussianBlur(where, (0, 0), _SHADING)[..., None]
    coarse = cv2.GaussianBlur(change * where[..., None], (0, 0), _SHADING) / np.maximum(known, 1e-3)
    return np.asarray(coarse * where[..., None], np.float32)


def _mean_colour(seen: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The mean colour (3,) of what is opaque in a crop: a ground that it does not stand out from."""
    weight = alpha.astype(np.float64) ** 2
    if weight.sum() < 1.0:
        return np.full(3, 128.0, np.float32)
    return np.asarray((seen * weight[..., None]).sum(axis=(0, 1)) / weight.sum(), np.float32)
