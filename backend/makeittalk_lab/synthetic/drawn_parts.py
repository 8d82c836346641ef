"""The parts of a drawn head from the back to the front: hair, neck, ears, face, eyes, mouth, nose, brows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from makeittalk.landmarks import ibug68

from .drawn_shapes import SIDE, ellipse, fill, smooth

_EYES = ((90, 60, 35), (60, 110, 160), (70, 130, 80), (40, 30, 30), (150, 90, 40))
CLOTHES = ((60, 90, 150), (170, 60, 60), (80, 120, 90), (230, 225, 215), (50, 50, 60), (225, 170, 60))


@dataclass
class Layer:
    """One part of a drawn head: what it is, where, (SIDE, SIDE) float32 0–1, its colour, and how many strokes lie
    behind it."""

    name: str
    mask: np.ndarray
    colour: np.ndarray
    strokes: int = 0


class HeadParts:
    """Collects layers and strokes from the back to the front."""

    def __init__(self, points: np.ndarray, rng: np.random.Generator, skin: np.ndarray, hair: np.ndarray) -> None:
        self.points, self.rng, self.tone, self.hair = points, rng, skin, hair
        self.layers: list[Layer] = []
        self.strokes: list[tuple[np.ndarray, float]] = []
        self.width = float(points[16, 0] - points[0, 0])
        self.tall = float(points[8, 1] - points[27, 1])
        self.outline = self._head_outline()
        self.oval = fill(self.outline)
        self.skin = np.zeros((SIDE, SIDE), np.float32)
        self.bumps: list[tuple[np.ndarray, float, float]] = []  # place, radius, height in px
        self.pen = rng.uniform(1.6, 4.8)

    def put(self, name: str, mask: np.ndarray, colour: np.ndarray | tuple[int, int, int]) -> None:
        self.layers.append(Layer(name, mask, np.asarray(colour, float), len(self.strokes)))

    def ink(self, line: np.ndarray, width: float = 1.0, closed: bool = False) -> None:
        self.strokes.append((np.concatenate([line, line[:1]]) if closed else line, self.pen * width))

    def _head_outline(self) -> np.ndarray:
        jaw = self.points[:17]
        angle = np.linspace(0, np.pi, 9)[1:-1]
        middle, half = (jaw[0] + jaw[16]) / 2, (jaw[16] - jaw[0]) / 2
        rise = self.rng.uniform(0.68, 0.9) * self.tall
        top = middle + np.cos(angle)[:, None] * half * 1.02 - np.sin(angle)[:, None] * [0, rise]
        return smooth(np.concatenate([jaw, top]))

    def behind(self) -> None:
        """Hair behind the head, neck, clothes, ears."""
        p, rng, w = self.points, self.rng, self.width
        self.kind = rng.choice(["short", "long", "bald", "fringe", "bun"])
        top = p[27] - [0, 0.75 * self.tall]
        if self.kind in ("long", "fringe") and rng.random() < 0.7:
            lock = ellipse(p[30] - [0, 0.1 * w], 0.72 * w, rng.uniform(0.85, 1.1) * w)
            self.put("hair", fill(lock), self.hair * 0.8)
            self.ink(lock, closed=True)
        if self.kind == "bun":
            ball = ellipse(top - [0, 0.45 * w], 0.22 * w, 0.2 * w)
            self.put("hair", fill(ball), self.hair)
            self.ink(ball, closed=True)
        neck = np.array([p[4] + [0.16 * w, 0], p[12] - [0.16 * w, 0], p[12] + [-0.12 * w, w], p[4] + [0.12 * w, w]])
        self.put("neck", fill(neck), self.tone * 0.9)
        self.ink(neck[[0, 3]])
        self.ink(neck[[1, 2]])
        shoulder = smooth(np.array([[p[8, 0] - 1.1 * w, SIDE + 60], p[8] + [-0.75 * w, 0.55 * w], p[8] + [0, 0.62 * w],
                                    p[8] + [0.75 * w, 0.55 * w], [p[8, 0] + 1.1 * w, SIDE + 60]]))  # fmt: skip
        self.put("cloth", fill(shoulder), CLOTHES[rng.integers(len(CLOTHES))])
        self.ink(shoulder, closed=True)
        for end, side in ((p[1], -1), (p[15], 1)):
            ear = ellipse(end + [side * 0.04 * w, -0.02 * w], 0.075 * w, 0.14 * w, side * 0.15)
            self.put("ear", fill(ear), self.tone * 0.96)
            self.ink(ear, closed=True)

    def face(self) -> None:
        """The head itself and the hair on it."""
        p, rng, w = self.points, self.rng, self.width
        self.put("face", self.oval, self.tone)
        self.skin = self.oval.copy()
        self.ink(self.outline, 1.1, closed=True)
        if self.kind == "bald":
            return
        middle = (p[0] + p[16]) / 2
        crown = ellipse(middle - [0, 0.35 * w], 0.58 * w, rng.uniform(0.62, 0.75) * w)
        cap = fill(crown)
        edge = np.linspace(p[0] - [0.06 * w, 0], p[16] + [0.06 * w, 0], 9)
        height = rng.uniform(0.42, 0.6) * self.tall
        arch = np.sin(np.linspace(0, np.pi, 9)) ** 0.7
        line = edge - np.stack([np.zeros(9), arch * (height + abs(p[19, 1] - middle[1]))], 1)
        if self.kind == "fringe":
            line[2:-2, 1] = p[19, 1] - 0.05 * w + rng.normal(0, 0.03 * w, 5)
        elif rng.random() < 0.5:
            line[:, 1] += rng.normal(0, 0.05 * w, 9)
        below = fill(
            np.concatenate(
                [
                    smooth(line, closed=False),
                    [[SIDE + 99, p[16, 1]], [SIDE + 99, SIDE * 2], [-99, SIDE * 2], [-99, p[0, 1]]],
                ]
            )
        )
        mask = cap * (1 - below)
        self.put("hair", mask, self.hair)
        self.ink(smooth(line, closed=False))
        self.ink(crown[np.r_[22:48, 0:3]])
        for _ in range(rng.integers(0, 7)):
            start = middle + [rng.uniform(-0.45, 0.45) * w, -rng.uniform(0.6, 0.85) * w]
            self.ink(
                smooth(np.array([start, start + [rng.normal(0, 20), 30], start + [rng.normal(0, 40), 60]]), False), 0.5
            )
        self.skin *= 1 - mask

    def eyes(self) -> None:
        rng, w = self.rng, self.width
        simple = rng.random() < 0.15
        iris = _EYES[rng.integers(len(_EYES))]
        gaze = rng.normal(0, 0.05, 2)
        big = rng.uniform(0.5, 0.75)
        for which, side in ((ibug68.EYE_RIGHT, -1), (ibug68.EYE_LEFT, 1)):
            eye = self.points[which]
            centre, wide = eye.mean(0), float(np.ptp(eye[:, 0]))
            high = float(np.ptp(eye[:, 1]))
            self.bumps.append((centre, 0.8 * wide, -0.035 * w))
            if simple:
                dot = fill(ellipse(centre, 0.16 * wide, 0.24 * wide))
                self.put("pupil", dot, (25, 20, 25))
                self.skin *= 1 - dot
                continue
            shape = smooth(eye)
            white = fill(shape)
            self.put("white", white, (250, 248, 245))
            radius = max(0.6 * high, big * wide / 2)
            middle = centre + gaze * wide
            self.put("iris", fill(ellipse(middle, radius, radius)) * white, iris)
            self.put("pupil", fill(ellipse(middle, 0.5 * radius, 0.5 * radius)) * white, (20, 18, 20))
            for _ in range(rng.integers(1, 3)):
                spot = middle + rng.uniform(-0.5, 0.1, 2) * radius
                size = radius * rng.uniform(0.12, 0.3)
                self.put("glint", fill(ellipse(spot, size, size)) * white, (255, 255, 255))
            self.ink(smooth(eye[:4], closed=False), rng.uniform(1.0, 2.2))
            if rng.random() < 0.7:
                self.ink(smooth(eye[[3, 4, 5, 0]], closed=False), 0.6)
            if rng.random() < 0.5:
                self.ink(smooth(eye[:4] - [0, 0.35 * high], closed=False), 0.5)
            lash = eye[0] if side < 0 else eye[3]
            if rng.random() < 0.4:
                self.ink(np.array([lash, lash + [side * 0.25 * wide, -0.2 * wide]]), 1.0)
            self.skin *= 1 - white

    def brows(self) -> None:
        thick = self.rng.uniform(0.012, 0.04) * self.width
        for which in (ibug68.BROW_RIGHT, ibug68.BROW_LEFT):
            line = self.points[which]
            taper = thick * np.array([0.5, 1.0, 1.1, 1.0, 0.6])[:, None] * [0, 1]
            shape = smooth(np.concatenate([line - taper, (line + taper)[::-1]]))
            self.put("brow", fill(shape), self.hair * 0.7)
            self.skin *= 1 - fill(shape)

    def mouth(self) -> None:
        rng = self.rng
        outer, inner = smooth(self.points[ibug68.LIP_OUTER]), smooth(self.points[ibug68.LIP_INNER])
        hole = fill(inner)
        opening = float(self.points[66, 1] - self.points[62, 1])
        full = rng.random() < 0.6
        if full:
            red = self.tone * [0.85, 0.6, 0.6] if rng.random() < 0.6 else np.array((190, 50, 70))
            self.put("lips", fill(outer), red)
            self.skin *= 1 - fill(outer)
            if rng.random() < 0.5:
                self.ink(outer, 0.5, closed=True)
        else:
            self.ink(smooth(self.points[[58, 57, 56]] + [0, 6], closed=False), 0.6)
        if opening > 0.02 * self.width:
            self.put("hole", hole, (90, 30, 40))
            teeth = fill(inner - [0, 0.55 * opening]) * hole
            if rng.random() < 0.7:
                self.put("teeth", teeth, (250, 250, 245))
            self.ink(inner, 0.8, closed=True)
        else:
            self.ink(smooth(self.points[[60, 61, 62, 63, 64]], closed=False), 0.9)
        self.skin *= 1 - hole
        self.bumps.append((self.points[48:60].mean(0), 0.3 * self.width, 0.025 * self.width))

    def nose(self) -> None:
        p, rng, w = self.points, self.rng, self.width
        for k, share in zip((28, 29, 30), (0.4, 0.7, 1.0), strict=True):
            self.bumps.append((p[k], 0.09 * w * (0.6 + share), 0.06 * w * share))
        for side in (31, 35):
            self.bumps.append((p[side], 0.06 * w, 0.03 * w))
        for cheek in (p[[2, 31, 41]].mean(0), p[[14, 35, 46]].mean(0)):
            self.bumps.append((cheek, 0.22 * w, 0.03 * w))
        self.bumps.append((p[8] - [0, 0.08 * w], 0.16 * w, 0.03 * w))
        way = rng.integers(4)
        if way == 0:
            self.ink(smooth(p[[31, 32, 33, 34, 35]], closed=False), 0.8)
        elif way == 1:
            side = rng.choice([31, 35])
            self.ink(smooth(np.array([p[28], p[29] + [8, 0], p[30] + [14, 0], p[side], p[33]]), closed=False), 0.8)
        elif way == 2:
            for spot in (p[32], p[34]):
                dot = fill(ellipse(spot, 0.022 * w, 0.014 * w))
                self.put("nostril", dot, self.tone * 0.4)
                self.skin *= 1 - dot
        else:
            ball = ellipse(p[30] + [0, 3], 0.1 * w, 0.075 * w)
            self.put("face", fill(ball), self.tone * [1.0, 0.9, 0.88])
            self.ink(ball[2:24], 0.7)
