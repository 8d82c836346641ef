"""The eyes behind their lids: the strips between the lids become holes, with a card of the eye behind each.

At rest all of it shows the portrait's very pixels.
"""

from __future__ import annotations

import numpy as np

from ..exchange import formats
from ..exchange.constants import GAZE_KEYS
from .contours import Contours
from .eye_card import EyeCard
from .eye_texture import eye_pictures, joined
from .eyelids import Eyelids
from .irises import find_iris


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
        eye = Eyelids.of(mesh, contours, side)
        iris = find_iris(rgba, mesh.vertices[eye.loop, :2], None if irises is None else np.asarray(irises)[side])
        if iris is not None and set(eye.keys) <= set(mesh.key_names.tolist()):
            eye.fit(mesh, rgba, iris)
            cards.append(EyeCard.of(mesh, eye, iris))
        else:
            mesh.key_landmarks[np.isin(mesh.key_names, eye.keys)] = 0.0
    if not cards:
        return {}
    pictures = [eye_pictures(rgba, *card.box, card.eye.opening(mesh), card.iris, card.eye.clear) for card in cards]
    mesh.eye_image, places = joined([picture for pair in pictures for picture in pair])
    reach = dict.fromkeys(GAZE_KEYS, 0.0)
    moved: dict[str, tuple[int, np.ndarray]] = {}
    for card, spans in zip(cards, places.reshape(-1, 2, 2, 2), strict=True):
        low, high = card.box
        share = (card.places - low) / (high - low)
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
