"""Keys of other characters, as artists make them: visemes mixed by eye from the expressions of one head."""

from __future__ import annotations

import numpy as np

_SIDED = ("mouthSmile", "mouthStretch", "mouthLowerDown", "mouthUpperUp", "mouthPress", "mouthFrown", "mouthDimple")


def mixed(expressions: dict[str, np.ndarray], **parts: float) -> np.ndarray:
    """A shape made of expressions by their ARKit names; a name without its side stands for both."""
    found = np.zeros_like(next(iter(expressions.values())), dtype=np.float64)
    for name, value in parts.items():
        for key in (f"{name}Left", f"{name}Right") if name in _SIDED else (name,):
            found += value * expressions[key]
    return found


def visemes(expressions: dict[str, np.ndarray], vocabulary: str) -> dict[str, np.ndarray]:
    """The keys of a character: `arkit`, `vrm`, `oculus` or `rhubarb`, by the names that exporters give them."""

    def mix(**parts: float) -> np.ndarray:
        return mixed(expressions, **parts)

    if vocabulary == "arkit":
        return dict(expressions)
    if vocabulary == "vrm":  # wide, few and simple, as in drawn films
        return {
            "Face.M_F00_000_00_Fcl_MTH_A": mix(jawOpen=0.9, mouthStretch=0.1, mouthLowerDown=0.2),
            "Face.M_F00_000_00_Fcl_MTH_I": mix(jawOpen=0.12, mouthStretch=0.5, mouthLowerDown=0.5, mouthUpperUp=0.3),
            "Face.M_F00_000_00_Fcl_MTH_U": mix(jawOpen=0.2, mouthPucker=0.9, mouthFunnel=0.1),
            "Face.M_F00_000_00_Fcl_MTH_E": mix(jawOpen=0.35, mouthSmile=0.4, mouthLowerDown=0.2),
            "Face.M_F00_000_00_Fcl_MTH_O": mix(jawOpen=0.55, mouthFunnel=0.6, mouthPucker=0.4),
        }
    if vocabulary == "oculus":  # lips that its PP leaves a little open
        return {
            "viseme_sil": mix(),
            "viseme_PP": mix(jawOpen=0.04, mouthPress=0.3, mouthPucker=0.1),
            "viseme_FF": mix(jawOpen=0.06, mouthRollLower=0.7, mouthUpperUp=0.35),
            "viseme_TH": mix(jawOpen=0.2, mouthLowerDown=0.1),
            "viseme_DD": mix(jawOpen=0.14, mouthLowerDown=0.3, mouthUpperUp=0.15),
            "viseme_kk": mix(jawOpen=0.18, mouthStretch=0.15),
            "viseme_CH": mix(jawOpen=0.1, mouthFunnel=0.7),
            "viseme_SS": mix(jawOpen=0.05, mouthStretch=0.4, mouthLowerDown=0.35, mouthUpperUp=0.2),
            "viseme_nn": mix(jawOpen=0.1, mouthLowerDown=0.15),
            "viseme_RR": mix(jawOpen=0.12, mouthFunnel=0.35, mouthPucker=0.2),
            "viseme_aa": mix(jawOpen=0.8, mouthLowerDown=0.15),
            "viseme_E": mix(jawOpen=0.3, mouthStretch=0.3, mouthUpperUp=0.1),
            "viseme_I": mix(jawOpen=0.15, mouthSmile=0.5, mouthLowerDown=0.2),
            "viseme_O": mix(jawOpen=0.4, mouthFunnel=0.6),
            "viseme_U": mix(jawOpen=0.15, mouthPucker=0.8),
        }
    return {  # Rhubarb
        "A": mix(mouthPress=0.2, mouthRollLower=0.2, mouthRollUpper=0.2),
        "B": mix(jawOpen=0.05, mouthStretch=0.3, mouthLowerDown=0.4, mouthUpperUp=0.25),
        "C": mix(jawOpen=0.3, mouthLowerDown=0.2, mouthUpperUp=0.1),
        "D": mix(jawOpen=0.75, mouthUpperUp=0.1),
        "E": mix(jawOpen=0.35, mouthFunnel=0.5),
        "F": mix(jawOpen=0.12, mouthPucker=1.0),
        "G": mix(jawOpen=0.05, mouthRollLower=0.8, mouthUpperUp=0.3),
        "H": mix(jawOpen=0.35),
        "X": mix(),
    }
