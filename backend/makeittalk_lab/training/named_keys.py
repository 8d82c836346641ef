"""The named shape keys: a sculpted head's expressions at the landmarks, changed as little as lets them carry speech."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from makeittalk.animation.brows import RAISED
from makeittalk.animation.key_fit import fit_named_keys
from makeittalk.exchange import storage
from makeittalk.exchange.constants import CANONICAL_JAW
from makeittalk.landmarks.ibug68 import MIRROR

_PAIRED_TO_ONE = {"browInnerUp": ("browInnerUp_L", "browInnerUp_R"), "cheekPuff": ("cheekPuff_L", "cheekPuff_R")}
_LEFT_OUT = ("eyeBlink", "eyeLook")  # blinks fit the portrait; no landmark says where an eye looks
_ACROSS = np.array([-1.0, 1.0, 1.0])  # what mirroring does to a displacement

_JAW = "jawOpen"
_SPOKEN = 0.5  # share of the way from the sculpted jaw to how people who speak open their mouths
_STIFFNESS = 3e-5  # canonical units²: how dearly a key leaves what was sculpted …
_FLOOR = 0.03  # … canonical units: the more so, the less it was to move a landmark there
_DEPTH = 0.1  # of that in depth, which a picture hardly shows
_ROUNDS = 8
_SPEAKING = ("jaw", "mouth")  # what the names of the keys that speech may change begin with
_BROWS = ("browInnerUp", "browOuterUp")


def sculpted_keys(path: str | Path) -> tuple[list[str], np.ndarray]:
    """The expressions of an ICT-FaceKit head by ARKit's names: sorted names, (N, 68, 3) canonical displacements at 1.

    Raises:
        InputError: the file cannot be read.
    """
    data = storage.read_npz(path)
    points = data["landmarks68"]
    flip = np.array([1.0, -1.0, -1.0])
    head = data["neutral"][points].astype(np.float64) * flip
    scale = CANONICAL_JAW / np.linalg.norm(head[16] - head[0])
    deltas = data["expressions"][:, points].astype(np.float64) * flip * scale
    found = {str(name): delta for name, delta in zip(data["expression_names"], deltas, strict=True)}
    for name, parts in _PAIRED_TO_ONE.items():
        found[name] = sum(found.pop(part) for part in parts)
    keys = {
        name.replace("_L", "Left").replace("_R", "Right"): delta
        for name, delta in found.items()
        if not name.startswith(_LEFT_OUT)
    }
    names = sorted(keys)
    return names, np.stack([keys[name] for name in names])


def spoken_keys(names: Sequence[str], sculpted: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """The keys (N, 68, 3) changed so that few of them say what is predicted; each stays what its name says.

    By turns the values are fitted to the speech and the keys to the values, each held to its sculpted shape (Li, Weise
    and Pauly, "Example-based facial rigging", 2010). How far a key parts the middle of the lips is not changed, so that
    curves that shut these lips shut those of any head with the same keys.

    Args:
        names: of the keys. sculpted: (N, 68, 3). speech: (T, 68, 3) canonical displacements from the shut mouth.
    """
    both = np.concatenate([speech, speech[:, MIRROR] * _ACROSS])
    sculpted = _symmetric(names, sculpted)
    keys = prior = _with_spoken_jaw(names, sculpted, both)
    may = np.array([name.startswith(_SPEAKING) for name in names])
    size = np.linalg.norm(sculpted, axis=2)
    for _ in range(_ROUNDS):
        values = fit_named_keys(both, keys, names)
        keys = _symmetric(names, prior + _change(values, both, prior, size, may))
    return _with_raised_brows(names, keys)


def likeness(keys: np.ndarray, sculpted: np.ndarray) -> np.ndarray:
    """How alike keys (N, 68, 3) are to what was sculpted as seen from the front: cosines (N,)."""
    seen, meant = (part[..., :2].reshape(len(part), -1) for part in (keys, sculpted))
    size = np.linalg.norm(seen, axis=1) * np.linalg.norm(meant, axis=1)
    return np.asarray((seen * meant).sum(axis=1) / np.maximum(size, 1e-12))


def _change(values: np.ndarray, speech: np.ndarray, prior: np.ndarray, size: np.ndarray, may: np.ndarray) -> np.ndarray:
    """What keys that `may` change (N,) gain (N, 68, 3) by least squares, for values (T, N) of theirs."""
    count = len(values)
    left = speech.reshape(count, -1) - values @ prior.reshape(len(prior), -1)
    normal = values.T @ values / count
    towards = _to_gaps((values.T @ left / count).reshape(-1, 68, 3))
    change = np.zeros_like(towards)
    for point in range(68):
        stiffness = _STIFFNESS / (size[:, point] + _FLOOR) ** 2
        for axis in range(3):
            matrix = normal + np.diag(stiffness * (_DEPTH if axis == 2 else 1.0))
            change[may, point, axis] = np.linalg.solve(matrix[np.ix_(may, may)], towards[may, point, axis])
    change[:, 66, 1] = 0.0  # in `_to_gaps`, how far the middle of the lips is parted
    return _to_gaps(change)


def _to_gaps(keys: np.ndarray) -> np.ndarray:
    """Swaps the heights of the middle inner lips, 62 and 66, for their sum and difference and back: its own inverse."""
    swapped = keys.copy()
    swapped[:, 62, 1] = (keys[:, 62, 1] + keys[:, 66, 1]) / np.sqrt(2.0)
    swapped[:, 66, 1] = (keys[:, 62, 1] - keys[:, 66, 1]) / np.sqrt(2.0)
    return swapped


def _with_spoken_jaw(names: Sequence[str], keys: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """The keys, the jaw's part of the way to what goes with an opening mouth in speech: it lifts the upper lip, too."""
    keys = keys.copy()
    jaw = keys[list(names).index(_JAW)]
    gap = speech[:, 66, 1] - speech[:, 62, 1]
    spoken = np.tensordot(gap, speech, 1) / float(gap @ gap) * (jaw[66, 1] - jaw[62, 1])
    jaw += _SPOKEN * (spoken - jaw)
    return _symmetric(names, keys)


def _with_raised_brows(names: Sequence[str], keys: np.ndarray) -> np.ndarray:
    """The keys with the inner and outer brows so changed that together they raise brows as predictions do."""
    keys = keys.copy()
    chosen = np.array([name.startswith(_BROWS) for name in names])
    parts = keys[chosen].reshape(int(chosen.sum()), -1)
    values = np.clip(np.linalg.lstsq(parts.T, RAISED.ravel(), rcond=None)[0], 0.0, None)
    left = RAISED - np.tensordot(values, keys[chosen], 1)  # what sculpted brows drag along beside them, too
    keys[chosen] += values[:, None, None] / float(values @ values) * left
    return _symmetric(names, keys)


def _symmetric(names: Sequence[str], keys: np.ndarray) -> np.ndarray:
    """The mean of the keys and the mirrored keys of the other side."""
    order = [list(names).index(_mirrored(name)) for name in names]
    return 0.5 * (keys + keys[order][:, MIRROR] * _ACROSS)


def _mirrored(name: str) -> str:
    """The key of the other side: "jawLeft" → "jawRight", any other name itself."""
    for one, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(one):
            return name.removesuffix(one) + other
    return name
