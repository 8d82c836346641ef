"""`makeittalk visemes`: the mouth shapes of a recording as files."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command_line import refused, sentences
from makeittalk.cli.main import main
from project import ASSETS

SPEECH = ASSETS / "speech.flac"


def test_every_format_says_the_same(tmp_path: Path) -> None:
    outputs = [tmp_path / f"shapes.{kind}" for kind in ("tsv", "xml", "json", "dat")]
    command = ["visemes", str(SPEECH), *(part for path in outputs for part in ("-o", str(path))), "--fps", "30"]
    assert main(command) == 0
    lines = [line.split("\t") for line in outputs[0].read_text().splitlines()]
    times, names = [float(time) for time, _ in lines], [name for _, name in lines]
    assert times[-1] == pytest.approx(soundfile.info(SPEECH).duration, abs=0.01)
    assert names[0] == names[-2] == names[-1] == "X" and {"A", "C", "F", "G"} < set(names) <= set("ABCDEFGHX")
    assert np.diff(times[:-1]).min() > 0.079
    cues = [(a, b, name) for a, b, name in zip(times, times[1:], names, strict=False)]
    root = ET.parse(outputs[1]).getroot()
    assert [(float(cue.attrib["start"]), float(cue.attrib["end"]), cue.text) for cue in root[1]] == cues
    value = json.loads(outputs[2].read_text())
    assert [(cue["start"], cue["end"], cue["value"]) for cue in value["mouthCues"]] == cues
    assert value["metadata"]["soundFile"] == root.findtext("metadata/soundFile") == str(SPEECH)
    rows = [line.split() for line in outputs[3].read_text().splitlines()[1:]]
    assert [name for _, name in rows] == names
    assert [int(frame) for frame, _ in rows[:-1]] == [
        1 + int(30 * round(100 * time) / 100 + 1e-9) for time in times[:-1]
    ]


def test_six_shapes_are_enough_and_moho_has_names_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "shapes.dat"
    assert main(["visemes", str(SPEECH), "-o", str(out), "--extended", "", "--preston-blair"]) == 0
    head, *rows = out.read_text().splitlines()
    assert head == "MohoSwitch1"
    assert {row.split()[1] for row in rows} <= {"MBP", "etc", "E", "AI", "O", "U"}
    assert rows[0] == "1 MBP" and rows[-1].endswith(" MBP")


def test_where_nobody_speaks_the_mouth_rests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "hiss.wav", 1e-4 * np.random.default_rng(0).standard_normal(32_000), 16_000)
    assert main(["visemes", str(tmp_path / "hiss.wav"), "-o", str(tmp_path / "out.tsv")]) == 0
    assert (tmp_path / "out.tsv").read_text() == "0.00\tX\n2.00\tX\n"
    assert any("No voice is heard" in line for line in sentences(capsys))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "out.csv"], ("out.csv", ".tsv .xml .json .dat")),
        (["-o", "out.dat", "--fps", "8"], ("8 frames", "12 to 100")),
        (["-o", "out.tsv", "--extended", "GQ"], ("GQ", "GHX")),
        (["-o", "out.tsv", "-o", "out.tsv"], ("asked for twice",)),
        (["-o", "nowhere/out.tsv"], ("folder", "does not exist")),
    ],
)
def test_what_cannot_be_written_is_refused(
    arguments: list[str], words: tuple[str, ...], tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(capsys, ["visemes", SPEECH, *arguments], *words)
    assert list(tmp_path.iterdir()) == []
