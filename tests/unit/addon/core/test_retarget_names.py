"""Names as programs export them are told apart, whole; a mesh with other keys means nothing."""

from __future__ import annotations

import pytest
from extension import part_outside

names = part_outside("addon.core.retarget_names")
parts = part_outside("addon.core.landmark_parts")
shapes = part_outside("addon.core.retarget_shapes")

ARKIT = (
    "eyeBlinkLeft eyeLookDownLeft eyeLookInLeft eyeLookOutLeft eyeLookUpLeft eyeSquintLeft eyeWideLeft eyeBlinkRight "
    "eyeLookDownRight eyeLookInRight eyeLookOutRight eyeLookUpRight eyeSquintRight eyeWideRight jawForward jawLeft "
    "jawRight jawOpen mouthClose mouthFunnel mouthPucker mouthLeft mouthRight mouthSmileLeft mouthSmileRight "
    "mouthFrownLeft mouthFrownRight mouthDimpleLeft mouthDimpleRight mouthStretchLeft mouthStretchRight mouthRollLower "
    "mouthRollUpper mouthShrugLower mouthShrugUpper mouthPressLeft mouthPressRight mouthLowerDownLeft "
    "mouthLowerDownRight mouthUpperUpLeft mouthUpperUpRight browDownLeft browDownRight browInnerUp browOuterUpLeft "
    "browOuterUpRight cheekPuff cheekSquintLeft cheekSquintRight noseSneerLeft noseSneerRight tongueOut"
).split()
VISEMES = "sil PP FF TH DD kk CH SS nn RR aa E I O U".split()
VROID = (
    "ALL_Neutral ALL_Angry ALL_Fun ALL_Joy ALL_Sorrow ALL_Surprised BRW_Angry BRW_Fun BRW_Joy BRW_Sorrow BRW_Surprised "
    "EYE_Natural EYE_Angry EYE_Close EYE_Close_R EYE_Close_L EYE_Fun EYE_Joy EYE_Joy_R EYE_Joy_L EYE_Sorrow "
    "EYE_Surprised EYE_Spread EYE_Iris_Hide EYE_Highlight_Hide MTH_Close MTH_Up MTH_Down MTH_Angry MTH_Small MTH_Large "
    "MTH_Neutral MTH_Fun MTH_Joy MTH_Sorrow MTH_Surprised MTH_SkinFung MTH_SkinFung_R MTH_SkinFung_L MTH_A MTH_I MTH_U "
    "MTH_E MTH_O HA_Hide HA_Fung1 HA_Fung1_Low HA_Fung1_Up HA_Fung2 HA_Fung2_Low HA_Fung2_Up HA_Fung3 HA_Fung3_Up "
    "HA_Fung3_Low HA_Short HA_Short_Up HA_Short_Low"
).split()
MICROSOFT = (
    "sil_00 aa_ah_ax_01 aa_02 ao_03 ey_eh_uh_04 er_05 y_iy_ih_ix_06 w_uw_07 ow_08 aw_09 oy_10 ay_11 h_12 r_13 l_14 "
    "s_z_15 sh_ch_jh_zh_16 th_dh_17 f_v_18 d_t_n_19 k_g_ng_20 p_b_m_21"
).split()
UNITS = (
    "eye-left-closure eye-left-opened-up eye-left-slit eye-right-closure eye-right-opened-up eye-right-slit "
    "eyebrows-left-down eyebrows-left-extern-up eyebrows-left-inner-up eyebrows-left-up eyebrows-right-down "
    "eyebrows-right-extern-up eyebrows-right-inner-up eyebrows-right-up mouth-compression mouth-corner-puller "
    "mouth-depression-retraction mouth-depression mouth-elevation mouth-eversion mouth-open mouth-parling "
    "mouth-part-later mouth-protusion mouth-pursing mouth-retraction mouth-upward-retraction neck-platysma "
    "nose-compression nose-depression nose-left-dilatation nose-left-elevation nose-right-dilatation "
    "nose-right-elevation"
).split()


def sides_short(name: str) -> str:
    return name.removesuffix("Left") + "_L" if name.endswith("Left") else name.replace("Right", "_R")


CASES = {
    "plain": ("arkit", ARKIT),
    "a mesh before": ("arkit", [f"Wolf3D_Head.{name}" for name in ARKIT]),
    "a node before": ("arkit", [f"blendShape1.{name}" for name in ARKIT]),
    "capital": ("arkit", [name[0].upper() + name[1:] for name in ARKIT]),
    "snakes": ("arkit", ["".join("_" + c.lower() if c.isupper() else c for c in name) for name in ARKIT]),
    "short sides": ("arkit", [sides_short(name) for name in ARKIT if name not in ("mouthRight", "jawRight")]),
    "Oculus": ("oculus", [f"viseme_{name}" for name in VISEMES]),
    "VRChat": ("oculus", [f"vrc.v_{name}" for name in "sil pp ff th dd kk ch ss nn rr aa e ih oh ou".split()]),
    "bare visemes": ("oculus", "sil PP FF TH DD kk CH SS nn RR aa E ih oh ou".split()),
    "VRoid": ("vrm", [f"Face.M_F00_000_00_Fcl_{name}" for name in VROID]),
    "VRoid, later": ("vrm", [f"Fcl_{name}" for name in VROID]),
    "VRM 0": ("vrm", "A I U E O Blink Blink_L Blink_R Joy Angry Sorrow Fun LookUp LookDown LookLeft LookRight".split()),
    "VRM 1": ("vrm", "aa ih ou ee oh blink blinkLeft blinkRight happy angry sad relaxed surprised lookUp".split()),
    "Japanese": ("vrm", ["あ", "い", "う", "え", "お", "まばたき"]),
    "Rhubarb": ("rhubarb", list("ABCDEFGHX")),
    "Rhubarb, six": ("rhubarb", [f"mouth_{letter}" for letter in "ABCDEF"]),
    "Preston Blair": ("preston", "AI E O U etc FV L MBP rest WQ".split()),
    "ids": ("microsoft", [f"viseme_{number}" for number in range(22)]),
    "MPFB's Microsoft": ("microsoft", MICROSOFT),
    "MPFB's units": ("mpfb", UNITS),
}


@pytest.mark.parametrize("case", CASES)
def test_exported_names_are_known(case: str) -> None:
    vocabulary, exported = CASES[case]
    found = names.match(["Basis", *exported])
    assert found.vocabulary == vocabulary
    assert set(found.known) == set(exported)
    assert all(meanings[0].startswith(f"{vocabulary}:") for meanings in found.known.values())
    assert len({found.known[name][0] for name in exported}) == len(exported)


def test_a_mesh_with_other_keys_means_nothing() -> None:
    bodies = [
        "Basis",
        "Fat",
        "Thin",
        "Key 1",
        "bulge.L",
        "bulge.R",
        "Muscle",
        "L",
        "door_open",
        "leg_A",
        "Squash",
        "$md",
    ]
    assert names.match(bodies) == names.Matches()
    assert names.match([]) == names.Matches()
    assert names.match(["spine", "thigh.L", "thigh.R", "hand.L", "Bone", "Bone.001"], bones=True) == names.Matches()


def test_one_mouth_is_driven_and_eyes_once() -> None:
    mixed = [*ARKIT, *(f"viseme_{name}" for name in VISEMES), "mouthOpen", "mouthSmile", "eyesClosed"]
    found = names.match(mixed)
    assert found.vocabulary == "arkit"
    assert all(meaning.startswith("arkit:") for meaning in found.meanings.values())
    assert found.known["viseme_PP"][0] == "oculus:PP"  # offered all the same
    visemes = [f"viseme_{name}" for name in VISEMES]
    assert names.match([*visemes, "eyeBlinkLeft", "eyeBlinkRight", "jawOpen"]).meanings == {
        **dict(zip(visemes, names.match(visemes).meanings.values(), strict=True)),
        **{"eyeBlinkLeft": "arkit:eyeBlinkLeft", "eyeBlinkRight": "arkit:eyeBlinkRight"},
    }
    vrm = names.match([f"Fcl_{name}" for name in VROID]).meanings
    assert "Fcl_EYE_Close" not in vrm and vrm["Fcl_EYE_Close_L"] == "vrm:blinkLeft"
    assert not any(names.MEANINGS[meaning].part == "emotion" for meaning in vrm.values())


def test_bones_of_rigify() -> None:
    face = ["jaw_master", "chin", "lip.T", "lip.B", "lip.T.L", "lip.T.L.001", "lip.B.R.001", "lips.L", "brow.T.R.002"]
    found = names.match([*face, "spine.001", "hand_ik.L"], bones=True)
    assert found.vocabulary == "rigify"
    assert found.meanings == {name: f"rigify:{name}" for name in face}


def test_every_viseme_has_a_shape() -> None:
    for identifier, meaning in names.MEANINGS.items():
        if meaning.part == "mouth" and meaning.vocabulary != "rigify":
            assert shapes.shape_of(identifier) is not None, identifier
    assert set(shapes.RECIPES) | set(shapes.FOLLOWED) | set(shapes.BONE_LANDMARKS) <= set(names.MEANINGS)
    for bone, landmarks in shapes.BONE_LANDMARKS.items():
        if ".L" in bone:  # the other side's bone lies on the mirrored landmarks
            other = shapes.BONE_LANDMARKS[bone.replace(".L", ".R")]
            assert sorted(parts.MIRROR[list(landmarks)]) == sorted(other)
