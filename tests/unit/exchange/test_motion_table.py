"""A face in motion as tables: what is written as Live Link Face does is read again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import motion_table
from makeittalk.exchange.formats.motion_table import HEADER, MotionTable, read_live_link, write_json, write_live_link

#: The first row of a recording of the app.
APP = (
    "Timecode,BlendshapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)
NAMES = ["jawOpen", "mouthSmileLeft", "eyeBlinkRight", "residual 1"]


@pytest.fixture
def table() -> MotionTable:
    random = np.random.default_rng(2)
    head = 0.2 * random.normal(size=(2, 90, 3))
    return MotionTable(30000 / 1001, NAMES, random.random((90, 4)), head[0], head[1], first=25)


def test_columns_are_the_app_s_in_its_order() -> None:
    assert ",".join(HEADER) == APP and len(HEADER) == 63


def test_what_was_written_is_read(table: MotionTable, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write_live_link(path, table)
    found = read_live_link(path, table.fps)
    assert (found.frames, found.first, len(found.names)) == (90, 25, 52)
    np.testing.assert_allclose(found.head_rotation, table.head_rotation, atol=1e-6)
    for column, name in enumerate(NAMES[:3]):
        np.testing.assert_allclose(found.values[:, found.names.index(name)], table.values[:, column], atol=1e-6)
    assert "residual 1" not in found.names and found.values[:, found.names.index("cheekPuff")].max() == 0.0


def test_a_row_is_a_frame_with_its_timecode(table: MotionTable, tmp_path: Path) -> None:
    write_live_link(tmp_path / "x.csv", table)
    with (tmp_path / "x.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [rows[row]["Timecode"] for row in (0, 4, 5, 89)] == [
        *("00:00:00:25.000", "00:00:00:29.000", "00:00:01:00.000", "00:00:03:24.000"),
    ]
    assert {row["BlendshapeCount"] for row in rows} == {"61"}
    # A nod down is positive; a turn to the picture's left is negative about an axis that points up.
    np.testing.assert_allclose([float(row["HeadPitch"]) for row in rows], table.head_rotation[:, 0], atol=1e-6)
    np.testing.assert_allclose([float(row["HeadYaw"]) for row in rows], -table.head_rotation[:, 1], atol=1e-6)
    np.testing.assert_allclose([float(row["HeadRoll"]) for row in rows], -table.head_rotation[:, 2], atol=1e-6)


def test_an_hour_on_the_clock(table: MotionTable, tmp_path: Path) -> None:
    table.first, table.fps = 3600 * 24 + 61 * 24 + 5, 23.976
    write_live_link(tmp_path / "x.csv", table)
    assert (tmp_path / "x.csv").read_text().splitlines()[1].startswith("01:01:01:05.000,61,")
    assert read_live_link(tmp_path / "x.csv", 23.976).first == table.first


def test_a_recording_of_the_app_is_read(tmp_path: Path) -> None:
    """Its clock is the time of day with parts of frames, and lines end as on Windows."""
    frames = (57, 58, 59, 62, 63)  # two of them were lost; the second ends at 59
    stamps = [f"14:44:{17 + frame // 60}:{frame % 60:02d}.500" for frame in frames]
    rows = [
        f"{stamp},61," + ",".join([f"{0.01 * frame:.4f}"] * 61) for stamp, frame in zip(stamps, frames, strict=True)
    ]
    path = tmp_path / "take.csv"
    path.write_bytes(("\ufeff" + "\r\n".join([APP.replace("BlendshapeCount", "BlendShapeCount"), *rows])).encode())
    found = read_live_link(path)
    assert found.fps == 60.0 and found.first == round((14 * 3600 + 44 * 60 + 17) * 60 + 57.5)
    inside = found.first + np.arange(found.frames) - (14 * 3600 + 44 * 60 + 17) * 60 - 0.5
    np.testing.assert_allclose(found.values[:, 0], 0.01 * np.clip(inside, 57, 63))
    assert found.frames == 7 and read_live_link(path, 59.94).fps == 59.94 and read_live_link(path, 24.0).fps == 60.0


def test_a_take_may_go_past_midnight(tmp_path: Path) -> None:
    stamps = ("23:59:59:28.000", "23:59:59:29.000", "00:00:00:00.000", "00:00:00:01.000")
    rows = [f"{stamp},61," + ",".join([f"{row}"] * 61) for row, stamp in enumerate(stamps)]
    (tmp_path / "take.csv").write_text("\n".join([APP, *rows]))
    found = read_live_link(tmp_path / "take.csv")
    assert found.fps == 30.0 and found.values[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_json_has_every_column(table: MotionTable, tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", table, {"more": 1})
    value = json.loads((tmp_path / "x.json").read_text())
    frames = value["frames"]
    assert value["more"] == 1 and list(frames)[:7] == [
        *("seconds", "headPitch", "headYaw", "headRoll", "headX", "headY", "headZ"),
    ]
    np.testing.assert_allclose(np.column_stack([frames[name] for name in NAMES]), table.values, atol=1e-5)
    np.testing.assert_allclose(np.radians(frames["headYaw"]), table.head_rotation[:, 1], atol=1e-5)
    np.testing.assert_allclose(frames["seconds"], (25 + np.arange(90)) / table.fps, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seconds,jawOpen\n0,1\n", "no table of Live Link Face"),
        ("", "is empty"),
        (APP + "\n", "no table of Live Link Face"),
        (APP + "\nnoon,61," + "0," * 61 + "\n", "a row that is none"),
        (APP + "\n00:00:00:00,61,0\n", "a row that is none"),
        (APP + "\ninf:00:00:00,61," + "0," * 61 + "\n", "a number that is none"),
        (APP + "\n00:00:00:00,61," + "nan," * 61 + "\n", "a number that is none"),
        (APP + "\n00:00:00,61," + "0," * 61 + "\n", "a row that is none"),
        (APP + "\n00:00:00:59,61," + "0," * 61 + "\n03:59:59:239,61," + "0," * 61, "longer than"),
        (APP + "\n00:00:00:00,61," + "0," * 61 + "\n" + "x" * 70_000, "no table of Live Link Face"),
        (APP + "\n00:00:09:00,61," + "0," * 61 + "\n00:00:08:00,61," + "0," * 61, "do not follow"),
        (APP + "\n00:00:09:00,61," + "0," * 61 + "\n06:00:08:00,61," + "0," * 61, "do not follow"),
        ('"' + "x" * 200_000, "no table of Live Link Face"),
    ],
)
def test_what_is_no_such_table_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_live_link(path, 30.0)


def test_a_take_of_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion_table, "_MOST_FRAMES", 20)
    path = tmp_path / "x.csv"
    path.write_text(f"{APP}\n" + f"00:00:00:00,61,{'0,' * 61}\n" * 21)
    with pytest.raises(InputError, match="longer than 20 frames"):
        read_live_link(path)
