"""Draws the warp on the processor: what `gl.py` does, for machines without OpenGL. NumPy."""

from __future__ import annotations

import numpy as np

from ..exchange import formats

#: Places of the four samples in a pixel, a rotated grid as graphics hardware has it.
_SAMPLES = np.array([[0.375, 0.125], [0.875, 0.375], [0.125, 0.625], [0.625, 0.875]])
_EYES = 2  # the texture of cards behind the lids
_TRANSLUCENT = 3  # the material that lies over others
_ROUNDING = 1e-15  # of the numbers that shares of a pixel are summed from: slivers would leave cracks
_CHUNK = 2_000_000  # pixel–triangle pairs looked at together


class CpuRenderer:
    """Draws moved vertices of one mesh into one size of picture; the arguments are those of `gl.GlRenderer`."""

    def __init__(self, mesh: formats.Mesh, textures: tuple[np.ndarray, ...], width: int, height: int) -> None:
        self._triangles = mesh.triangles
        self._weight = mesh.head_weights.astype(np.float64)[:, None]
        self._material = mesh.material
        self._layer = np.minimum(mesh.material, 2)  # the texture of each triangle
        self._uv = mesh.uv.astype(np.float64)
        self._size = (width, height)
        self._scale = np.array([width, height]) / np.asarray(mesh.image_size, np.float64)
        self._textures = textures

    def draw(self, positions: np.ndarray, head: np.ndarray) -> np.ndarray:
        """One picture (height, width, 4) uint8, premultiplied, from `positions` (V, 3) px and `head` (4, 4)."""
        positions = positions.astype(np.float64)
        turned = positions @ head[:3, :3].T + head[:3, 3]
        moved = positions + self._weight * (turned - positions)
        places = moved[:, :2] * self._scale
        width, height = self._size
        # Barycentric coordinates of a pixel are linear in its place: one 3 × 3 matrix a triangle.
        corners = np.concatenate([places[self._triangles], np.ones((len(self._triangles), 3, 1))], axis=2)
        sound = np.abs(np.linalg.det(corners)) > 1e-9
        corners[~sound] = np.eye(3)
        inverse = np.linalg.inv(corners)
        depth = np.einsum("fij,fj->fi", inverse, moved[self._triangles, 2])
        uv = np.einsum("fij,fjk->fik", inverse, self._uv[self._triangles])
        opaque = self._material < _TRANSLUCENT
        found = [self._cover(places, inverse, depth, sound & opaque, sample) for sample in _SAMPLES]
        over = [np.full_like(item, -1) for item in found]
        if not opaque.all():
            nearest = [self._cover(places, inverse, depth, sound, sample) for sample in _SAMPLES]
            over = [np.where(opaque[np.maximum(item, 0)], -1, item) for item in nearest]
        y, x = np.mgrid[0:height, 0:width] + 0.5
        centre = np.stack([x.ravel(), y.ravel(), np.ones(width * height)], axis=1)
        first = self._seen(found[0], over[0], uv, centre)
        total = first * len(found)
        for other, above in zip(found[1:], over[1:], strict=True):
            # Inside a triangle all samples take the colour of the pixel's middle: only edges are drawn again.
            edge = np.nonzero((other != found[0]) | (above != over[0]))[0]
            if len(edge):
                total[edge] += self._seen(other[edge], above[edge], uv, centre[edge]) - first[edge]
        return np.rint(total / len(found)).astype(np.uint8).reshape(height, width, 4)

    def _seen(self, found: np.ndarray, over: np.ndarray, uv: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """Colours (n, 4) of triangles `found` with the translucent ones `over` them, (n,) each, −1 for none."""
        colours = self._shade(found, uv, centre)
        covered = np.nonzero(over >= 0)[0]
        if len(covered):
            above = self._shade(over[covered], uv, centre[covered])
            below = colours[covered]  # which keeps its alpha, to the last bit
            colours[covered, :3] = above[:, :3] + below[:, :3] * (1.0 - above[:, 3:] / 255.0)
        return colours

    def release(self) -> None:
        """Nothing is held."""

    def _cover(
        self, places: np.ndarray, inverse: np.ndarray, depth: np.ndarray, sound: np.ndarray, sample: np.ndarray
    ) -> np.ndarray:
        """The nearest triangle at one sample of every pixel, (height · width,), −1 where there is none."""
        width, height = self._size
        nearest = np.full(width * height, np.inf)
        found = np.full(width * height, -1, np.int64)
        corners = places[self._triangles]
        slack = 1e-9 + _ROUNDING * max(width, height) * np.abs(inverse).max(axis=(1, 2))
        low = np.clip(np.ceil(corners.min(axis=1) - sample), 0, [width, height]).astype(np.int64)
        high = np.clip(np.floor(corners.max(axis=1) - sample) + 1, 0, [width, height]).astype(np.int64)
        extent = np.maximum(high - low, 0)
        extent[~sound] = 0
        counts = extent[:, 0] * extent[:, 1]
        ends = np.cumsum(counts)
        start = 0
        while start < len(counts):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + _CHUNK, side="right")))
            which = np.repeat(np.arange(start, stop), counts[start:stop])
            index = np.arange(len(which)) - np.repeat(
                ends[start:stop] - counts[start:stop] - before, counts[start:stop]
            )
            start = stop
            if not len(which):
                continue
            column = low[which, 0] + index % extent[which, 0]
            row = low[which, 1] + index // extent[which, 0]
            place = np.stack([column + sample[0], row + sample[1], np.ones(len(which))], axis=1)
            share = np.einsum("ni,nij->nj", place, inverse[which])
            inside = (share >= -slack[which, None]).all(axis=1)
            which, place = which[inside], place[inside]
            pixel = row[inside] * width + column[inside]
            z = np.einsum("ni,ni->n", place, depth[which])
            # Later triangles win ties, as with the depth test "less or equal".
            order = np.lexsort((which, -z, pixel))
            last = np.nonzero(np.diff(pixel[order], append=-1))[0]
            pixel, z, which = pixel[order][last], z[order][last], which[order][last]
            nearer = z <= nearest[pixel]
            nearest[pixel[nearer]] = z[nearer]
            found[pixel[nearer]] = which[nearer]
        return found

    def _shade(self, found: np.ndarray, uv: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """Colours (n, 4) float32 of triangles `found` (n,) at the places `centre` (n, 3)."""
        covered = np.maximum(found, 0)
        place = np.einsum("ni,nik->nk", centre, uv[covered])
        # A sliver's colours change so fast that the pixel's middle, beside it, would be read anywhere.
        behind = np.nonzero(self._layer[covered] == _EYES)[0]
        ends = self._uv[self._triangles[covered[behind]]]
        place[behind] = np.clip(place[behind], ends.min(axis=1), ends.max(axis=1))
        colours = np.zeros((len(found), 4), np.float32)
        for layer, texture in enumerate(self._textures):
            chosen = np.nonzero((found >= 0) & (self._layer[covered] == layer))[0]
            if len(chosen):
                colours[chosen] = _sample(texture, place[chosen])
        return colours


def _sample(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear colours (n, 4) float32 at `uv` (n, 2), v up, edges extended."""
    height, width = texture.shape[:2]
    x = np.clip(uv[:, 0] * width - 0.5, 0, width - 1)
    y = np.clip((1 - uv[:, 1]) * height - 0.5, 0, height - 1)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, along = (x - left).astype(np.float32)[:, None], (y - top).astype(np.float32)[:, None]
    above = texture[top, left] * (1 - across) + texture[top, right] * across
    below = texture[bottom, left] * (1 - across) + texture[bottom, right] * across
    return np.asarray(above * (1 - along) + below * along, np.float32)
