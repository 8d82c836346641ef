"""What drawn heads wear: glasses, hats, beards, moustaches, freckles, blush, earrings."""

from __future__ import annotations

import numpy as np
from makeittalk.landmarks import ibug68

from .drawn_parts import CLOTHES, HeadParts
from .drawn_shapes import SIDE, blurred, ellipse, fill, smooth, stroke

ACCESSORIES = ("glasses", "hat", "beard", "moustache", "freckles", "blush", "earrings")
HAIRS = ((40, 28, 25), (95, 55, 35), (190, 140, 70), (170, 60, 30), (150, 150, 155), (60, 80, 160), (220, 90, 140))


def put_on(parts: HeadParts, worn: frozenset[str]) -> None:
    """What the head has on, over everything else."""
    p, rng, w = parts.points, parts.rng, parts.width
    if "blush" in worn:
        for cheek in (p[[2, 31, 41]].mean(0), p[[14, 35, 46]].mean(0)):
            spot = fill(ellipse(cheek, 0.11 * w, 0.08 * w))
            soft = blurred(spot, 0.05 * w) if rng.random() < 0.6 else spot
            parts.put("blush", 0.5 * soft, (235, 110, 110))
    if "freckles" in worn:
        spots = np.zeros((SIDE, SIDE), np.float32)
        for _ in range(40):
            place = p[[2, 31, 41]].mean(0) if rng.random() < 0.5 else p[[14, 35, 46]].mean(0)
            size = rng.uniform(1.2, 3.5)
            spots = np.maximum(spots, fill(ellipse(place + rng.normal(0, 0.06 * w, 2), size, size)))
        parts.put("freckle", 0.7 * spots, parts.tone * 0.6)
    if "beard" in worn:
        rim = np.concatenate([p[2:15], p[[14]] - [0.08 * w, 0], p[[35]] + [0.12 * w, 0.08 * w], p[[33]] + [0, 0.08 * w],
                              p[[31]] + [-0.12 * w, 0.08 * w], p[[2]] + [0.08 * w, 0]])  # fmt: skip
        rim[1:13] += [0, 0.04 * w]
        mask = fill(smooth(rim)) * (1 - fill(smooth(p[ibug68.LIP_OUTER])))
        parts.put("hair", mask, parts.hair * 0.95)
        parts.ink(smooth(rim), 0.7, closed=True)
        parts.skin *= 1 - mask
    if "moustache" in worn:
        curve = np.array(
            [p[48] + [-10, 0], p[31] + [0, 10], p[33] + [0, 10], p[35] + [0, 10], p[54] + [10, 0], p[51] - [0, 2]]
        )
        mask = fill(smooth(curve))
        parts.put("hair", mask, parts.hair)
        parts.skin *= 1 - mask
    if "earrings" in worn:
        for end, side in ((p[2], -1), (p[14], 1)):
            parts.put("gold", fill(ellipse(end + [side * 0.06 * w, 0.04 * w], 0.03 * w, 0.03 * w)), (235, 190, 60))
    if "glasses" in worn:
        _glasses(parts)
    if "hat" in worn:
        middle = (p[19] + p[24]) / 2 - [0, rng.uniform(0.2, 0.3) * w]
        crown = np.concatenate([ellipse(middle, 0.62 * w, 0.6 * w)[24:], [middle + [0.62 * w, 0]]])
        colour = np.array(CLOTHES[rng.integers(len(CLOTHES))], float)
        parts.put("cloth", fill(crown), colour)
        parts.ink(crown, closed=True)
        brim = ellipse(middle, rng.choice([0.66, 0.95]) * w, 0.09 * w)
        parts.put("cloth", fill(brim), colour * 0.75)
        parts.ink(brim, closed=True)
        parts.skin *= 1 - np.maximum(fill(crown), fill(brim))


def _glasses(parts: HeadParts) -> None:
    p, rng, w = parts.points, parts.rng, parts.width
    dark, square = rng.random() < 0.3, rng.random() < 0.5
    colour = np.array(HAIRS[rng.integers(len(HAIRS))], float)
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    thick = int(rng.integers(3, 13))
    for which in (ibug68.EYE_RIGHT, ibug68.EYE_LEFT):
        radius = 0.75 * float(np.ptp(p[which, 0]))
        rim = ellipse(p[which].mean(0), radius, 0.85 * radius)
        if square:
            rim = p[which].mean(0) + np.clip(rim - p[which].mean(0), -0.85 * radius, 0.85 * radius)
        if dark:
            parts.put("glass", fill(rim) * 0.95, (30, 30, 40))
        elif rng.random() < 0.4:
            parts.put("glass", fill(rim) * 0.2, (220, 235, 255))
        stroke(canvas, rim, thick, closed=True)
    bridge = np.array([p[39], p[27], p[42]]) - [0, 4]
    for line in (bridge, np.array([p[36] - [0.08 * w, 4], p[0]]), np.array([p[45] + [0.08 * w, -4], p[16]])):
        stroke(canvas, line, thick)
    frame = canvas.astype(np.float32) / 255
    parts.put("frame", frame, colour)
    parts.skin *= 1 - frame
