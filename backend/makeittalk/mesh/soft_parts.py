"""What shape keys move between the landmarks: cheeks that puff or lift, and the tongue in the drawn mouth."""

from __future__ import annotations

import numpy as np

from ..exchange import formats
from ..landmarks.face_frame import FaceFrame
from ..landmarks.smoothstep import smoothstep

TONGUE = "tongueOut"
#: Each side's mouth corner, wing of the nose, lower lid and jaw points; right first.
_SIDES = {"Right": (48, 31, (40, 41), (3, 4, 5)), "Left": (54, 35, (46, 47), (11, 12, 13))}
# Shares of the face's width, jaw end to jaw end.
_PUFF, _PUFF_REACH = 0.045, 0.20
_LIFT, _LIFT_REACH = 0.030, 0.15
# Widths of the mouth: how far down the tongue's tip and the edge of the lower teeth go, which it hides then.
_TIP, _EDGE = 0.20, 0.195
_TIP_ROW, _EDGE_ROW = 4, 5  # of the mouth's card
_HALF_TONGUE = 0.5  # share of the card's half width that the tongue takes up


def add_soft_parts(mesh: formats.Mesh, card: np.ndarray, landmarks: np.ndarray, frame: FaceFrame) -> None:
    """Adds to the keys of that name, at value 1, what no landmark says.

    Args:
        mesh: with its keys. card: (rows, columns) vertices of the mouth's inside. landmarks: (68, 3) px.
        frame: the face's.
    """
    names = mesh.key_names.tolist()
    face = np.ones(len(mesh.vertices), bool)
    face[card] = False
    places = mesh.vertices[:, :2]
    for name in set(names) & {"cheekPuff", "cheekSquintLeft", "cheekSquintRight"}:
        moved = _puff if name == "cheekPuff" else _lift
        key = names.index(name)
        sides = [side for side in _SIDES if name in ("cheekPuff", f"cheekSquint{side}")]
        for side in sides:
            mesh.keys[key, face] += moved(places[face], landmarks, frame, side) * (1.0, 1.0, mesh.depth_scale)
            mesh.key_landmarks[key] += moved(landmarks[:, :2], landmarks, frame, side).astype(np.float32)
    if TONGUE in names:
        width = float(np.linalg.norm(landmarks[54, :2] - landmarks[48, :2]))
        across = np.abs(np.linspace(-1.0, 1.0, card.shape[1]))
        share = smoothstep(2.0 * (1.0 - across / _HALF_TONGUE))[:, None] * width * frame.down
        mesh.keys[names.index(TONGUE), card[_TIP_ROW], :2] += _TIP * share
        mesh.keys[names.index(TONGUE), card[_EDGE_ROW], :2] += _EDGE * share


def _puff(places: np.ndarray, landmarks: np.ndarray, frame: FaceFrame, side: str) -> np.ndarray:
    """A cheek blown up, (n, 3) px: outwards and towards the viewer around the middle between mouth and jaw."""
    corner, _, _, jaw = _SIDES[side]
    edge = landmarks[list(jaw), :2].mean(axis=0)
    outwards = frame.right if (edge - landmarks[corner, :2]) @ frame.right > 0 else -frame.right
    share = _bump(places, 0.5 * (landmarks[corner, :2] + edge), _PUFF_REACH * frame.width)
    return share[:, None] * _PUFF * frame.width * np.array([*outwards, -1.0])


def _lift(places: np.ndarray, landmarks: np.ndarray, frame: FaceFrame, side: str) -> np.ndarray:
    """A cheek lifted towards the eye, (n, 3) px."""
    corner, wing, lid, _ = _SIDES[side]
    below = landmarks[list(lid), :2].mean(axis=0)
    middle = 0.5 * below + 0.25 * (landmarks[corner, :2] + landmarks[wing, :2])
    share = _bump(places, middle, _LIFT_REACH * frame.width)
    return share[:, None] * _LIFT * frame.width * np.array([*-frame.down, -0.5])


def _bump(places: np.ndarray, middle: np.ndarray, reach: float) -> np.ndarray:
    """1 in the middle, smoothly 0 from `reach` px on, (n,)."""
    return np.asarray(smoothstep(1.0 - np.linalg.norm(places - middle, axis=1) / reach))
