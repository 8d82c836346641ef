"""Rendered teeth, gums and tongues, put together as the inside of a mouth in even light.

The layers are pictures of MakeHuman's teeth (`tools/blender/render_teeth.py`), at the card's own scale for a mouth
50 mm wide.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..images.portrait import read_picture
from ..landmarks.smoothstep import smoothstep
from ..weights.cache import kept_loaded

SETS = 5  # of teeth
SIZE = 512  # px of the card, and of a layer's width
SPAN = 1.32  # width of the card in widths of the mouth
_FILE = Path(__file__).resolve().parents[1] / "assets" / "teeth.webp"
_UPPER_EDGE, _LOWER_EDGE, _TONGUE_EDGE = 0.8, 0.2, 0.6  # of a layer's height: what lies on the card's row
_WITHIN = 2.0  # px from a row of the card that the teeth end before
_DARK = np.array([0.115, 0.045, 0.040])
_LOWER_LIGHT = (0.92, 0.90, 0.89, 1.0)  # the lower row stands further back, under the upper one
_TIP = 0.60  # of the tongue's layer, where the tip turns under
_WET = (0.84, 0.76, 0.76)  # of its light that reaches the tongue
_FLESH = np.array([0.20, 0.075, 0.07])  # beyond the gums, behind the lips
_CORNERS, _DIM = (0.26, 0.58), 0.85  # widths of the mouth from its middle: where it grows dark, and is; how dark


def inside(number: int, scale: float, edges: np.ndarray) -> np.ndarray:
    """A mouth's inside, (SIZE, SIZE, 3) 0–1.

    Args:
        number: which set of teeth. scale: size of the teeth to those of a mouth 50 mm wide.
        edges: rows of the card, as `mouth_texture.EDGES`.
    """
    upper, lower, tongue = _layers()[2 * number], _layers()[2 * number + 1], _layers()[-1]
    v = ((np.arange(SIZE) + 0.5) / SIZE)[:, None]
    picture = np.empty((SIZE, SIZE, 3))
    # Up and down the flesh behind the lips, between them the throat.
    throat = np.clip((v - edges[1]) / (edges[2] - edges[1]), 0, 1) * np.clip(
        (edges[6] - v) / (edges[6] - edges[5]), 0, 1
    )
    picture[:] = _FLESH + throat[..., None] * (_DARK - _FLESH)
    _lay(picture, tongue * _on_tongue(len(tongue)), _TONGUE_EDGE, edges[5] * SIZE, scale)
    _lay(picture, lower * _LOWER_LIGHT, _LOWER_EDGE, edges[5] * SIZE, scale, above=edges[4] * SIZE + _WITHIN)
    _lay(picture, upper, _UPPER_EDGE, edges[2] * SIZE, scale, below=edges[3] * SIZE - _WITHIN)
    side = np.abs(np.linspace(-1, 1, SIZE)) * SPAN / 2
    near, far = _CORNERS
    picture *= (1 - _DIM * smoothstep((side - near) / (far - near)))[None, :, None]
    return picture


def _on_tongue(rows: int) -> np.ndarray:
    """Light on the tongue's layer, and what is seen of it, (rows, SIZE, 4): less light the further back."""
    down = (np.arange(rows) + 0.5) / rows
    light = 0.42 + 0.58 * np.clip(down / _TIP, 0, 1)
    side = np.abs(np.linspace(-1, 1, SIZE)) / 2
    seen = smoothstep((_TIP - down) / 0.08)[:, None] * smoothstep((0.31 - side) / 0.06)
    return seen[..., None] * np.stack([*(light * colour for colour in _WET), np.ones(rows)], axis=1)[:, None]


def _lay(
    picture: np.ndarray,
    layer: np.ndarray,
    edge: float,
    row: float,
    scale: float,
    above: float = -np.inf,
    below: float = np.inf,
) -> None:
    """Lays a layer on the picture, its height `edge` on a row of it, nothing above and below two others."""
    height, width = layer.shape[:2]
    middle = SIZE / 2 - scale * width / 2
    placing = np.array([[scale, 0.0, middle + 0.5 * (scale - 1)], [0.0, scale, row - scale * edge * height - 0.5]])
    placed = cv2.warpAffine(layer, placing, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
    at = np.arange(SIZE) + 0.5
    placed *= (np.clip((at - above) / 6, 0, 1) * np.clip((below - at) / 3, 0, 1))[:, None, None]
    picture *= 1 - placed[..., 3:]
    picture += placed[..., :3]


@kept_loaded
def _layers() -> np.ndarray:
    """Upper and lower row of each set, then the tongue: (2 × SETS + 1, height, SIZE, 4) 0–1, colour × alpha."""
    picture, _ = read_picture(_FILE)
    pixels = np.asarray(picture, np.float32) / 255
    return pixels.reshape(2 * SETS + 1, -1, SIZE, 4)
