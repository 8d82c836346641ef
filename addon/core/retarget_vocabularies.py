"""The names that other characters' keys and bones go by, as tables. No bpy here.

ARKit: Apple's `ARFaceAnchor.BlendShapeLocation`. VRM: the presets of 0.x and 1.0 and VRoid Studio's own keys. Oculus:
the fifteen visemes of Meta's lip sync, which VRChat and Ready Player Me use. Rhubarb: its shapes A to H and X. Preston
Blair: his chart, as Papagayo and Moho name it. Microsoft: the viseme ids of its speech service, and their names in
MPFB. MPFB: MakeHuman's expression units. Rigify: the face bones of its human rig.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: The parts of a face that are moved by themselves. Emotions move several: recognised, and left to the animator.
PARTS = ("mouth", "eyes", "brows", "gaze", "cheeks", "tongue", "emotion")
#: What is written before a name, normalised.
PREFIXES = (
    *("mouth", "mth", "lip", "lips", "lipsync", "phoneme", "viseme", "visemes", "vis", "rhubarb", "shape", "vrcv", "v"),
    *("fclmth", "fcl", "face", "blendshape", "vrm"),
)


@dataclass(frozen=True)
class Meaning:
    """What a key does.

    Attributes:
        vocabulary, name: whose word it is, and which. part: what it moves, of `PARTS`.
        variants: other spellings. halves: identifiers of the meanings that together are this one, left and right.
    """

    vocabulary: str
    name: str
    part: str
    variants: tuple[str, ...] = ()
    halves: tuple[str, ...] = ()

    @property
    def identifier(self) -> str:
        """As presets hold it."""
        return f"{self.vocabulary}:{self.name}"


@dataclass(frozen=True)
class Vocabulary:
    """The words of one maker.

    Attributes:
        label: for the user. meanings: all of them. essential: the names without most of which nothing is said with it.
        bones: whether its words are bones'.
    """

    label: str
    meanings: tuple[Meaning, ...]
    essential: frozenset[str]
    bones: bool = False


def _table(word: str, part: str, rows: dict[str, Iterable[str]]) -> list[Meaning]:
    return [Meaning(word, name, part, tuple(variants)) for name, variants in rows.items()]


def _both(*names: str) -> list[str]:
    return [name + side for name in names for side in ("Left", "Right")]


def _plain(names: Iterable[str]) -> dict[str, Iterable[str]]:
    return dict.fromkeys(names, ())


_ARKIT_MOUTH = [
    *("jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft"),
    *("mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *_both("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "mouthPress", "mouthLowerDown", "mouthUpperUp"),
]
_GAZE = _both("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut")
_ARKIT = [
    *_table("arkit", "mouth", _plain(_ARKIT_MOUTH)),
    *_table("arkit", "eyes", _plain(_both("eyeBlink", "eyeSquint", "eyeWide"))),
    *_table("arkit", "brows", _plain(_both("browDown", "browOuterUp"))),
    *_table(
        "arkit", "brows", {"browInnerUp": ("browInnerUp_L", "browInnerUp_R", "browInnerUpLeft", "browInnerUpRight")}
    ),
    *_table("arkit", "gaze", _plain(_GAZE)),
    *_table("arkit", "cheeks", _plain(_both("cheekSquint", "noseSneer"))),
    *_table("arkit", "cheeks", {"cheekPuff": ("cheekPuff_L", "cheekPuff_R", "cheekPuffLeft", "cheekPuffRight")}),
    *_table("arkit", "tongue", _plain(["tongueOut"])),
]

#: VRoid Studio's other keys, a part of the face each: moods, and fangs.
_VROID = {
    "BRW": "Fun Joy Sorrow".split(),
    "EYE": "Natural Angry Fun Joy Joy_L Joy_R Sorrow Surprised Iris_Hide Highlight_Hide".split(),
    "MTH": "Up Down Angry Neutral Fun Joy Sorrow Surprised SkinFung SkinFung_L SkinFung_R".split(),
    "HA": "Hide Fung1 Fung1_Low Fung1_Up Fung2 Fung2_Low Fung2_Up Fung3 Fung3_Up Fung3_Low Short Short_Up".split()
    + ["Short_Low"],
}
_VRM = [
    *_table(
        "vrm",
        "mouth",
        {
            "aa": ("A", "Fcl_MTH_A", "MTH_A", "あ"),
            "ih": ("I", "Fcl_MTH_I", "MTH_I", "い"),
            "ou": ("U", "Fcl_MTH_U", "MTH_U", "う"),
            "ee": ("E", "Fcl_MTH_E", "MTH_E", "え"),
            "oh": ("O", "Fcl_MTH_O", "MTH_O", "お"),
            "mouthClose": ("Fcl_MTH_Close", "MTH_Close"),
            "mouthSmall": ("Fcl_MTH_Small", "MTH_Small"),
            "mouthLarge": ("Fcl_MTH_Large", "MTH_Large"),
        },
    ),
    Meaning(
        "vrm",
        "blink",
        "eyes",
        ("Fcl_EYE_Close", "EYE_Close", "まばたき", "eyesClosed"),
        ("vrm:blinkLeft", "vrm:blinkRight"),
    ),
    *_table(
        "vrm",
        "eyes",
        {
            "blinkLeft": ("Fcl_EYE_Close_L", "EYE_Close_L", "blink_L", "ウィンク2", "ウィンク"),
            "blinkRight": ("Fcl_EYE_Close_R", "EYE_Close_R", "blink_R", "ウィンク2右", "ウィンク右", "ウィンク2"),
            "wide": ("Fcl_EYE_Spread", "EYE_Spread"),
        },
    ),
    *_table(
        "vrm",
        "brows",
        {"browUp": ("Fcl_BRW_Surprised", "BRW_Surprised", "上"), "browDown": ("Fcl_BRW_Angry", "BRW_Angry")},
    ),
    *_table("vrm", "gaze", _plain(["lookUp", "lookDown", "lookLeft", "lookRight"])),
    *_table(
        "vrm",
        "emotion",
        {
            "neutral": ("Fcl_ALL_Neutral", "ALL_Neutral"),
            "happy": ("joy", "Fcl_ALL_Joy", "ALL_Joy"),
            "angry": ("Fcl_ALL_Angry", "ALL_Angry"),
            "sad": ("sorrow", "Fcl_ALL_Sorrow", "ALL_Sorrow"),
            "relaxed": ("fun", "Fcl_ALL_Fun", "ALL_Fun"),
            "surprised": ("Fcl_ALL_Surprised", "ALL_Surprised"),
            **{f"{part}{how}": (f"Fcl_{part}_{how}", f"{part}_{how}") for part, ways in _VROID.items() for how in ways},
        },
    ),
]

_OCULUS = _table(
    "oculus",
    "mouth",
    {
        "sil": ("viseme_sil", "vrc.v_sil"),
        "PP": ("viseme_PP", "vrc.v_pp"),
        "FF": ("viseme_FF", "vrc.v_ff"),
        "TH": ("viseme_TH", "vrc.v_th"),
        "DD": ("viseme_DD", "vrc.v_dd"),
        "kk": ("viseme_kk", "vrc.v_kk"),
        "CH": ("viseme_CH", "vrc.v_ch"),
        "SS": ("viseme_SS", "vrc.v_ss"),
        "nn": ("viseme_nn", "vrc.v_nn"),
        "RR": ("viseme_RR", "vrc.v_rr"),
        "aa": ("viseme_aa", "vrc.v_aa"),
        "E": ("viseme_E", "viseme_ee", "vrc.v_e", "vrc.v_ee", "ee"),
        "ih": ("viseme_I", "viseme_ih", "vrc.v_ih", "I"),
        "oh": ("viseme_O", "viseme_oh", "vrc.v_oh", "O"),
        "ou": ("viseme_U", "viseme_ou", "vrc.v_ou", "U"),
    },
)

_RHUBARB = _table("rhubarb", "mouth", _plain("ABCDEFGHX"))
_PRESTON = _table(
    "preston",
    "mouth",
    {
        "AI": ("A_I", "A"),
        "E": (),
        "O": (),
        "U": (),
        "etc": ("CDGKNRSThYZ", "CDGKNRSYZ", "consonants"),
        "FV": ("F_V",),
        "L": (),
        "MBP": ("M_B_P", "BMP", "MPB"),
        "rest": (),
        "WQ": ("W_Q", "OOQ"),
    },
)

#: The ids of Microsoft's visemes and what is said with them.
_IDS = (
    *("sil", "aa_ah_ax", "aa", "ao", "ey_eh_uh", "er", "y_iy_ih_ix", "w_uw", "ow", "aw", "oy", "ay", "h", "r", "l"),
    *("s_z", "sh_ch_jh_zh", "th_dh", "f_v", "d_t_n", "k_g_ng", "p_b_m"),
)
_MICROSOFT = _table(
    "microsoft",
    "mouth",
    {
        str(number): (
            *(f"viseme_{number}", f"viseme_{number:02}", f"viseme_id_{number}", f"visemeID{number:02}", f"v_{number}"),
            *(f"{said}_{number:02}", f"{number:02}_{said}", f"viseme_{said}_{number:02}"),
            *(("ae_ax_ah_01", "ah_ax_ae_01") if number == 1 else ()),
        )
        for number, said in enumerate(_IDS)
    },
)

_MPFB_MOUTH = "compression corner-puller depression depression-retraction elevation eversion open parling part-later"
_MPFB = [
    *_table(
        "mpfb",
        "mouth",
        _plain(f"mouth-{how}" for how in f"{_MPFB_MOUTH} protusion pursing retraction upward-retraction".split()),
    ),
    *_table(
        "mpfb",
        "eyes",
        _plain(f"eye-{side}-{how}" for side in ("left", "right") for how in ("closure", "opened-up", "slit")),
    ),
    *_table(
        "mpfb",
        "brows",
        _plain(
            f"eyebrows-{side}-{how}" for side in ("left", "right") for how in ("down", "extern-up", "inner-up", "up")
        ),
    ),
    *_table(
        "mpfb",
        "cheeks",
        _plain(
            [
                *("neck-platysma", "nose-compression", "nose-depression"),
                *(f"nose-{side}-{how}" for side in ("left", "right") for how in ("dilatation", "elevation")),
            ]
        ),
    ),
]


def _bones(*names: str) -> list[str]:
    return [f"{name}.{side}{number}" for name, number in (item.partition("+")[::2] for item in names) for side in "LR"]


_RIGIFY = [
    Meaning("rigify", "jaw_master", "mouth"),
    *_table("rigify", "mouth", _plain(["lip.T", "lip.B", "chin", "jaw"])),
    Meaning("rigify", "lips.L", "mouth", ("lip_end.L", "lip_end.L.001", "lips.L.001")),
    Meaning("rigify", "lips.R", "mouth", ("lip_end.R", "lip_end.R.001", "lips.R.001")),
    *_table("rigify", "mouth", _plain(_bones("lip.T+", "lip.B+", "lip.T+.001", "lip.B+.001"))),
    *_table("rigify", "brows", _plain(_bones("brow.T+", "brow.T+.001", "brow.T+.002", "brow.T+.003"))),
    *_table("rigify", "eyes", _plain(_bones("lid.T+", "lid.T+.001", "lid.T+.002", "lid.T+.003"))),
    *_table("rigify", "eyes", _plain(_bones("lid.B+", "lid.B+.001", "lid.B+.002", "lid.B+.003"))),
    *_table("rigify", "gaze", _plain(["eyes"])),
]

#: By their names, in the order in which they are preferred where two fit alike.
VOCABULARIES: dict[str, Vocabulary] = {
    "arkit": Vocabulary(
        "ARKit",
        tuple(_ARKIT),
        frozenset(("jawOpen", "mouthFunnel", "mouthPucker", *_both("mouthSmile", "mouthLowerDown", "mouthUpperUp"))),
    ),
    "oculus": Vocabulary("Oculus / Meta visemes", tuple(_OCULUS), frozenset(row.name for row in _OCULUS) - {"sil"}),
    "vrm": Vocabulary("VRM", tuple(_VRM), frozenset(("aa", "ih", "ou", "ee", "oh"))),
    "microsoft": Vocabulary("Microsoft visemes", tuple(_MICROSOFT), frozenset(row.name for row in _MICROSOFT) - {"0"}),
    "preston": Vocabulary("Preston Blair", tuple(_PRESTON), frozenset(("AI", "E", "O", "U", "etc", "FV", "MBP"))),
    "rhubarb": Vocabulary("Rhubarb", tuple(_RHUBARB), frozenset("ABCDEF")),
    "mpfb": Vocabulary(
        "MPFB / MakeHuman units",
        tuple(_MPFB),
        frozenset(("mouth-open", "mouth-protusion", "mouth-compression", "mouth-retraction")),
    ),
    "rigify": Vocabulary(
        "Rigify face",
        tuple(_RIGIFY),
        frozenset(("lip.T", "lip.B")),
        bones=True,
    ),
}
