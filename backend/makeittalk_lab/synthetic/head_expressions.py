"""Random expressions of a speaking face, as curves of the head model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class ExpressionStyle:
    """Speech-like expressions of one person: an own rest, habits and asymmetry."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._rest = {"mouthSmile": max(0.0, rng.normal(0.02, 0.12)), "mouthFrown": max(0.0, rng.normal(-0.05, 0.12))}
        self._lean = rng.normal(0.0, 0.12)
        self._lids = {"eyeSquint": max(0.0, rng.normal(0.1, 0.25)), "eyeWide": max(0.0, rng.normal(-0.1, 0.25))}

    def portrait(self) -> dict[str, float]:
        """The portrait: mostly shut, else a little open or smiling."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.6:
            values: dict[str, float] = {"mouthPress": rng.uniform(0.0, 0.15), "shut": 1.0}
        elif kind < 0.8:
            values = {"jawOpen": rng.uniform(0.03, 0.25), "mouthLowerDown": rng.uniform(0.0, 0.3)}
        else:
            wide = rng.uniform(0.3, 0.9)
            values = {"mouthSmile": wide, "cheekSquint": 0.5 * wide, "jawOpen": rng.uniform(0.0, 0.18)}
            values |= {"mouthUpperUp": rng.uniform(0.0, 0.45), "mouthLowerDown": rng.uniform(0.0, 0.35)}
        return self._finish(values)

    def frame(self) -> dict[str, float]:
        """One moment of speech."""
        rng = self._rng
        share = [_VISEMES[rng.choice(len(_VISEMES), p=_VISEME_SHARES)](rng) for _ in range(2)]
        blend = rng.uniform(0.0, 1.0) if rng.random() < 0.4 else 0.0  # between two sounds
        values = {k: (1 - blend) * share[0].get(k, 0.0) + blend * share[1].get(k, 0.0) for k in share[0] | share[1]}
        if rng.random() < 0.3:
            values |= {"browInnerUp": rng.uniform(0.0, 0.9), "browOuterUp": rng.uniform(0.0, 0.7)}
        elif rng.random() < 0.2:
            values |= {"browDown": rng.uniform(0.0, 0.7), "noseSneer": rng.uniform(0.0, 0.3)}
        if rng.random() < 0.2:
            values["eyeBlink"] = rng.uniform(0.2, 1.0)
        if rng.random() < 0.25:
            way, amount = rng.choice(["Up", "Down"]), rng.uniform(0.0, 0.5)
            values[f"eyeLook{way}"] = amount
        values["jawLeft"], values["jawRight"] = np.maximum(0.0, rng.normal(-0.1, 0.12, 2))
        return self._finish(values)

    def _finish(self, values: dict[str, float]) -> dict[str, float]:
        """The head's own names (and `shut`), with the person's rest and a lean to one side."""
        for name, value in (*self._rest.items(), *self._lids.items()):
            values[name] = values.get(name, 0.0) + value
        curves: dict[str, float] = {}
        for name, value in values.items():
            if name in _UNPAIRED:
                curves[name] = float(np.clip(value, 0.0, 1.0))
                continue
            lean = self._lean + self._rng.normal(0.0, 0.05) if name.startswith(("mouth", "brow", "cheek")) else 0.0
            for side, factor in (("L", 1.0 + lean), ("R", 1.0 - lean)):
                curves[f"{name}_{side}"] = float(np.clip(value * factor, 0.0, 1.0))
        if (blink := max(curves.get("eyeBlink_L", 0.0), curves.get("eyeBlink_R", 0.0))) > 0:
            for name in ("eyeSquint_L", "eyeSquint_R", "eyeWide_L", "eyeWide_R"):
                curves[name] = curves.get(name, 0.0) * (1.0 - blink)
        if self._rng.random() < 0.2:  # a glance aside: one eye turns in, the other out
            aside = self._rng.uniform(-0.5, 0.5)
            way = ("eyeLookOut_L", "eyeLookIn_R") if aside > 0 else ("eyeLookIn_L", "eyeLookOut_R")
            curves |= dict.fromkeys(way, abs(float(aside)))
        return curves


_UNPAIRED = frozenset((
    "jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft mouthPucker mouthRight mouthRollLower "
    "mouthRollUpper mouthShrugLower mouthShrugUpper shut"
).split())  # fmt: skip


def _bilabial(rng: np.random.Generator) -> dict[str, float]:
    """m, b, p, and silence: the jaw may hang a little behind shut lips."""
    jaw = rng.uniform(0.0, 0.2)
    press = rng.uniform(0.0, 0.5)
    return {"jawOpen": jaw, "mouthPress": press, "mouthRollLower": 0.3 * press * rng.random(), "shut": 1.0}


def _open_vowel(rng: np.random.Generator) -> dict[str, float]:
    """Vowels."""
    wide = rng.uniform(-0.4, 0.6)
    values = {"jawOpen": rng.uniform(0.1, 0.7), "mouthLowerDown": rng.uniform(0.0, 0.4)}
    values |= {"mouthUpperUp": rng.uniform(0.0, 0.4), "mouthStretch": max(0.0, wide) * 0.6}
    return values | {"mouthSmile": max(0.0, wide) * 0.5, "mouthFunnel": max(0.0, -wide)}


def _rounded(rng: np.random.Generator) -> dict[str, float]:
    """o, u, w, sh."""
    return {
        "mouthPucker": rng.uniform(0.1, 0.8),
        "mouthFunnel": rng.uniform(0.1, 0.8),
        "jawOpen": rng.uniform(0.02, 0.35),
    }


def _spread_lips(rng: np.random.Generator) -> dict[str, float]:
    """e, s, t: lips apart, jaw nearly shut."""
    return {
        "jawOpen": rng.uniform(0.02, 0.18),
        "mouthLowerDown": rng.uniform(0.2, 0.7),
        "mouthUpperUp": rng.uniform(0.1, 0.6),
        "mouthStretch": rng.uniform(0.0, 0.4),
        "mouthSmile": rng.uniform(0.0, 0.4),
    }


def _labiodental(rng: np.random.Generator) -> dict[str, float]:
    """f and v."""
    return {
        "jawOpen": rng.uniform(0.02, 0.08),
        "mouthRollLower": rng.uniform(0.3, 0.7),
        "mouthUpperUp": rng.uniform(0.1, 0.4),
    }


def _smiling(rng: np.random.Generator) -> dict[str, float]:
    wide = rng.uniform(0.3, 1.0)
    return {"mouthSmile": wide, "cheekSquint": 0.5 * wide, "jawOpen": rng.uniform(0.0, 0.3),
            "mouthUpperUp": rng.uniform(0.0, 0.4)}  # fmt: skip


_VISEMES: tuple[Callable[[np.random.Generator], dict[str, float]], ...] = (
    _bilabial,
    _open_vowel,
    _rounded,
    _spread_lips,
    _labiodental,
    _smiling,
)
_VISEME_SHARES = (0.2, 0.32, 0.18, 0.17, 0.05, 0.08)  # shares of these
