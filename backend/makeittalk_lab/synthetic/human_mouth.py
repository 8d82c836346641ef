"""A mouth that speaks on MakeHuman's mesh: expression units, lips that really meet, teeth and tongue that move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from makeittalk.landmarks.smoothstep import smoothstep

from .human_kit import HumanKit
from .human_points import lip_rings

_LIP_REACH = 0.0055  # m: how far from the lips' edge it is moved with them
_OVERBITE, _FURTHER = 0.0015, 0.22  # m, and the share of the jaw's drop, that the lower teeth are lower
_TOUCH, _LIP_DEPTH = 0.0004, 0.002  # m that the lower lip reaches over the upper teeth's edge, and before it
_NARROW = 0.22  # share of its width by which the mouth's inside is narrower
_OVERLAP = 0.0004  # m that shut lips are pressed into each other


@dataclass(frozen=True)
class Moment:
    """What a mouth does.

    Attributes:
        name: the sound or expression. units: amounts of MakeHuman's expression units. shut: 0–1, how far the lips are
            brought together from where the units leave them. tuck: 0–1, how far the lower lip is drawn to the edge
            of the upper teeth. tongue_up, tongue_out: metres of the tip.
    """

    name: str
    units: dict[str, float] = field(default_factory=dict)
    shut: float = 0.0
    tuck: float = 0.0
    tongue_up: float = 0.0
    tongue_out: float = 0.0


class HumanMouth:
    """The mouth of one person.

    Attributes:
        rest: (V, 3) the head without expression. upper, lower: vertices of the lips' edges, from the right corner.
    """

    def __init__(self, kit: HumanKit, rest: np.ndarray, teeth: str, bite: float) -> None:
        """Args: teeth: the asset. bite: metres that the upper teeth's edge hangs below where the lips meet."""
        self.kit, self.rest, self.teeth = kit, rest, teeth
        base = kit.person({"young": 1.0}, 0.5, dict.fromkeys(("african", "asian", "caucasian"), 1 / 3), 0, 0, {})
        self.upper, self.lower = lip_rings(base[: kit.skin])
        # The jaw carries what the unit that opens it carries.
        self._low = smoothstep(-kit.offset("expr", {"mouth-open": 1.0})[:, 1] / 0.02)
        refs = kit.values[f"{teeth}__ref"]
        self._upper_teeth = np.isin(refs, kit.group("upper-teeth")).all(1)
        placed = kit.fit(teeth, rest)
        front = self._upper_teeth & (np.abs(placed[:, 0]) < 0.006)
        meet = (rest[self.upper[len(self.upper) // 2], 1] + rest[self.lower[len(self.lower) // 2], 1]) / 2
        self._drop = meet - bite - placed[front, 1].min()
        self._edge = placed[front][placed[front, 1].argmin()] + [0.0, self._drop, 0.0]
        self._bag = np.zeros(len(rest))
        self._bag[kit.mouth_inside()] = 1.0

    def head(self, moment: Moment, lean: float = 0.0) -> np.ndarray:
        """The head's vertices (V, 3). lean: how much more the left side does than the right, about ±0.3."""
        moved = self.kit.offset("expr", moment.units)
        moved *= 1.0 + lean * np.tanh(self.rest[:, :1] / 0.02) * (1.0 - self._low[:, None])
        head = self.rest + moved
        if moment.shut:
            head = self._close(head, moment.shut)
        if moment.tuck:
            head = self._tuck(head, moment.tuck)
        return self._narrow(head)

    def teeth_vertices(self, head: np.ndarray) -> np.ndarray:
        """Both rows of teeth (n, 3); the upper ones stay with the skull."""
        placed = self.kit.fit(self.teeth, head)
        placed[self._upper_teeth] = self.kit.fit(self.teeth, self.rest)[self._upper_teeth]
        placed[:, 1] += self._drop
        # Lower lips of people who speak hide most of the lower row; the units show all of it.
        placed[~self._upper_teeth, 1] -= _OVERBITE + _FURTHER * max(0.0, self.jaw_drop(head))
        return placed

    def tongue_vertices(self, head: np.ndarray, moment: Moment) -> np.ndarray:
        """The tongue (n, 3), carried by the jaw and bent at its tip."""
        row = self.kit.group("lower-teeth")
        turn, old, new = _rigid(self.rest[row], head[row])
        tongue = self.kit.fit("tongue", self.rest)
        along = (tongue[:, 2] - tongue[:, 2].min()) / np.ptp(tongue[:, 2])
        carried = tongue + np.clip(1.6 * along, 0.0, 1.0)[:, None] * ((tongue - old) @ turn + new - tongue)
        tip = smoothstep((along - 0.35) / 0.65)[:, None]
        return np.asarray(
            carried + [0.0, self._drop, 0.0] + tip * [0.0, moment.tongue_up, 0.0] + tip * [0.0, 0.0, moment.tongue_out]
        )

    def jaw_drop(self, head: np.ndarray) -> float:
        """Metres by which the lower teeth are down."""
        row = self.kit.group("lower-teeth")
        return float((self.rest[row, 1] - head[row, 1]).mean())

    def _close(self, head: np.ndarray, share: float) -> np.ndarray:
        """Brings the edges of the lips together, and the lips with them."""
        for _ in range(2):  # the second brings in what the fall-off left
            upper, lower = head[self.upper], head[self.lower]
            across = head[:, 0]
            top = np.interp(across, upper[:, 0], upper[:, 1])
            low = np.interp(across, lower[:, 0], lower[:, 1])
            gap = np.maximum(top - low + _OVERLAP, 0.0)
            inside = smoothstep((np.minimum(upper[-1, 0] - across, across - upper[0, 0]) + 0.004) / 0.006)
            ring = np.where(self._low > 0.5, low, top)
            away = (head[:, 1] - ring) / _LIP_REACH
            front = np.interp(across, upper[:, 0], upper[:, 2])
            deep = (head[:, 2] - front) / 0.02
            near = np.exp(-(away**2) - deep**2) * inside
            head = head.copy()
            head[:, 1] += share * near * gap * (self._low - 0.4)
        return head

    def _tuck(self, head: np.ndarray, share: float) -> np.ndarray:
        """Draws the lower lip up and back until its edge touches the upper front teeth."""
        edge = head[self.lower]
        middle = edge[len(edge) // 2]
        way = self._edge + [0.0, _TOUCH, _LIP_DEPTH] - middle
        way = np.clip(way, [0.0, -0.001, -0.009], [0.0, 0.008, 0.0])
        far = (head - middle) / [0.018, 0.009, 0.02]
        near = np.exp(-(far**2).sum(1)) * self._low
        return np.asarray(head + share * near[:, None] * way)

    def _narrow(self, head: np.ndarray) -> np.ndarray:
        """Draws the inside of the cheeks in, which wide smiles would push through the skin."""
        behind = self.rest[self.upper, 2].max() - self.rest[:, 2]
        share = self._bag * smoothstep((behind - 0.016) / 0.01)
        head = head.copy()
        head[:, 0] *= 1.0 - _NARROW * share
        return head


def _rigid(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The turn (3, 3), and both means, that take points to points."""
    old, new = before.mean(0), after.mean(0)
    u, _, vt = np.linalg.svd((before - old).T @ (after - new))
    return u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt, old, new


def speech_moments(rng: np.random.Generator) -> list[Moment]:
    """The shut mouth, then one of each sound and expression, drawn at random."""

    def r(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    return [Moment("rest", {"mouth-compression": r(0.0, 0.15)}, shut=1.0), *(make(r) for make in _MOMENTS)]


_Draw = Callable[[float, float], float]
_MOMENTS: tuple[Callable[[_Draw], Moment], ...] = (
    lambda r: Moment("B", {"mouth-open": r(0.0, 0.1), "mouth-compression": r(0.1, 0.6)}, shut=1.0),
    lambda r: Moment("AA", {"mouth-open": r(0.3, 0.6), "mouth-upward-retraction": r(0.0, 0.4),
                            "mouth-retraction": r(0.0, 0.3)}, tongue_up=r(-0.001, 0.006)),
    lambda r: Moment("EH", {"mouth-open": r(0.15, 0.3), "mouth-upward-retraction": r(0.0, 0.4),
                            "mouth-retraction": r(0.0, 0.5)}, tongue_up=r(0.0, 0.004)),
    lambda r: Moment("EE", {"mouth-open": r(0.04, 0.12), "mouth-retraction": r(0.3, 0.8),
                            "mouth-upward-retraction": r(0.25, 0.6), "mouth-depression": r(0.1, 0.5)},
                     tongue_up=r(0.002, 0.006)),
    lambda r: Moment("OH", {"mouth-open": r(0.15, 0.35), "mouth-protusion": r(0.15, 0.4), "mouth-pursing": r(0.3, 0.6)},
                     tongue_up=r(0.0, 0.004)),
    lambda r: Moment("UW", {"mouth-open": r(0.03, 0.12), "mouth-pursing": r(0.7, 1.2), "mouth-eversion": r(0.1, 0.35),
                            "mouth-protusion": r(0.0, 0.25)}),
    lambda r: Moment("F", {"mouth-open": r(0.02, 0.1), "mouth-upward-retraction": r(0.3, 0.6)}, tuck=r(0.85, 1.0)),
    lambda r: Moment("TH", {"mouth-open": r(0.14, 0.24), "mouth-upward-retraction": r(0.0, 0.3),
                            "mouth-depression": r(0.1, 0.4)}, tongue_up=r(0.002, 0.004), tongue_out=r(0.010, 0.016)),
    lambda r: Moment("L", {"mouth-open": r(0.15, 0.28), "mouth-upward-retraction": r(0.1, 0.4)},
                     tongue_up=r(0.010, 0.015), tongue_out=r(0.002, 0.005)),
    lambda r: Moment("S", {"mouth-open": r(0.02, 0.07), "mouth-depression": r(0.3, 0.7),
                           "mouth-upward-retraction": r(0.2, 0.6)}, tongue_up=r(0.001, 0.003)),
    lambda r: Moment("CH", {"mouth-open": r(0.03, 0.1), "mouth-eversion": r(0.3, 0.7), "mouth-pursing": r(0.1, 0.4),
                            "mouth-depression": r(0.1, 0.4)}),
    lambda r: Moment("smile", {"mouth-corner-puller": r(0.5, 1.0), "mouth-upward-retraction": r(0.3, 0.7),
                               "mouth-open": r(0.0, 0.08)}),
    lambda r: Moment("laugh", {"mouth-corner-puller": r(0.6, 1.0), "mouth-upward-retraction": r(0.3, 0.6),
                               "mouth-open": r(0.2, 0.4)}),
    lambda r: Moment("smile-shut", {"mouth-corner-puller": r(0.3, 0.9), "mouth-compression": r(0.0, 0.3)}, shut=1.0),
)  # fmt: skip
