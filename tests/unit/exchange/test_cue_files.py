"""Mouth shapes as Rhubarb Lip Sync writes them, each format read by a reader of its own."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from makeittalk.exchange.cue_files import WRITERS, VisemeTrack, dat, json_text, tsv, xml
from makeittalk.exchange.cues import PRESTON_BLAIR, SHAPES, Cue, closed_shape
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Cues

#: The recording of somebody saying "Hi" that Rhubarb's README shows in every format.
HI = (Cue(0.0, 0.05, "X"), Cue(0.05, 0.27, "D"), Cue(0.27, 0.31, "C"), Cue(0.31, 0.43, "B"), Cue(0.43, 0.4791, "X"))
SOUND = r"C:\Users\Daniel\Desktop\av\hi\hi.wav"
TRACK = VisemeTrack(HI, 0.4791, SOUND)
ROWS = [(0.0, 0.05, "X"), (0.05, 0.27, "D"), (0.27, 0.31, "C"), (0.31, 0.43, "B"), (0.43, 0.47, "X")]


def test_tsv_is_that_of_the_readme() -> None:
    assert tsv(TRACK) == "0.00\tX\n0.05\tD\n0.27\tC\n0.31\tB\n0.43\tX\n0.47\tX\n"


def test_xml_is_that_of_the_readme() -> None:
    expected = [
        '<?xml version="1.0" encoding="utf-8"?>\n<rhubarbResult>\n  <metadata>\n',
        f"    <soundFile>{SOUND}</soundFile>\n    <duration>0.47</duration>\n  </metadata>\n  <mouthCues>\n",
        *(f'    <mouthCue start="{start:.2f}" end="{end:.2f}">{shape}</mouthCue>\n' for start, end, shape in ROWS),
        "  </mouthCues>\n</rhubarbResult>\n",
    ]
    assert xml(TRACK) == "".join(expected)


def test_json_is_that_of_the_readme() -> None:
    escaped = SOUND.replace("\\", "\\\\")
    cues = ",\n".join(f'    {{ "start": {a:.2f}, "end": {b:.2f}, "value": "{shape}" }}' for a, b, shape in ROWS)
    metadata = f'  "metadata": {{\n    "soundFile": "{escaped}",\n    "duration": 0.47\n  }},\n'
    assert json_text(TRACK) == f'{{\n{metadata}  "mouthCues": [\n{cues}\n  ]\n}}\n'


def test_a_switch_counts_frames_from_one() -> None:
    # 0.05 s is within the second frame at 24 frames/s, 0.27 s within the seventh.
    assert dat(TRACK).splitlines() == ["MohoSwitch1", "1 X", "2 D", "7 C", "8 B", "11 X", "12 X"]
    named = VisemeTrack(HI, 0.4791, SOUND, rate=Fraction(30), preston_blair=True)
    assert dat(named).splitlines() == ["MohoSwitch1", "1 rest", "2 AI", "9 E", "10 etc", "13 rest", "15 rest"]


def test_of_two_shapes_in_a_frame_the_first_is_kept_and_the_end_comes_behind() -> None:
    cues = (Cue(0.0, 0.01, "A"), Cue(0.01, 0.03, "D"), Cue(0.03, 0.05, "B"))
    assert dat(VisemeTrack(cues, 0.05, "x")).splitlines() == ["MohoSwitch1", "1 A", "2 X"]
    assert dat(VisemeTrack((Cue(0.0, 0.02, "B"),), 0.02, "x", closed="A")).splitlines()[1:] == ["1 B", "2 A"]


@pytest.mark.parametrize("rate", [8, 11.9, 101])
def test_a_switch_that_would_lose_shapes_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match=rf"cannot have {rate:g} frames"):
        dat(VisemeTrack(HI, 0.4791, SOUND, rate=Fraction(rate)))


def read(kind: str, text: str) -> list[tuple[float, str]]:
    """When each shape begins, by what a user of the format reads it with; the end of the recording comes last."""
    if kind == ".tsv":
        return [(float(time), shape) for time, shape in (line.split("\t") for line in text.splitlines())]
    if kind == ".dat":
        head, *lines = text.splitlines()
        assert head == "MohoSwitch1"
        return [(int(frame), shape) for frame, shape in (line.split(" ") for line in lines)]
    if kind == ".xml":
        root = ET.fromstring(text.encode("utf-8"))
        assert root.tag == "rhubarbResult" and [child.tag for child in root] == ["metadata", "mouthCues"]
        cues = [(float(cue.attrib["start"]), float(cue.attrib["end"]), cue.text or "") for cue in root[1]]
        length = float(root.findtext("metadata/duration") or "nan")
    else:
        value = json.loads(text)
        assert list(value) == ["metadata", "mouthCues"]
        cues = [(cue["start"], cue["end"], cue["value"]) for cue in value["mouthCues"]]
        length = value["metadata"]["duration"]
    assert [end for _, end, _ in cues] == [*(start for start, _, _ in cues[1:]), length]
    return [(start, shape) for start, _, shape in cues] + [(length, "")]


@pytest.mark.parametrize("kind", WRITERS)
def test_readers_find_what_was_written(kind: str) -> None:
    random = np.random.default_rng(5)
    edges = np.cumsum([0, *random.integers(8, 60, 200)])
    names = [SHAPES[index] for index in np.cumsum(random.integers(1, 9, 200)) % 9]
    seconds = edges[-1] / 100 + 0.004
    times = [*(edges[:-1] / 100).tolist(), seconds]
    cues = [Cue(*cue) for cue in zip(times, times[1:], names, strict=False)]
    found = read(kind, WRITERS[kind](VisemeTrack(cues, seconds, "/a/b.wav")))
    expected = edges.astype(float) / 100
    if kind == ".dat":
        expected = np.array([1 + 24 * int(edge) // 100 for edge in edges])
    assert [time for time, _ in found] == expected.tolist()
    assert [shape for _, shape in found[:-1]] == names


@pytest.mark.parametrize("name", ["Süß & <wild> \"q\" 'a'.wav", "tab\there.wav", "b\udcffyte.wav", "口.wav"])
def test_any_name_of_a_file_can_be_read_again(name: str) -> None:
    track = VisemeTrack(HI, 0.4791, f"/sounds/{name}")
    told = json.loads(json_text(track).encode("utf-8").decode())["metadata"]["soundFile"]
    assert told == f"/sounds/{name}".replace("\udcff", "?")
    root = ET.fromstring(xml(track).encode("utf-8"))
    assert root.findtext("metadata/soundFile") == told.replace("\t", "\ufffd")


def test_every_shape_has_preston_blair_s_name() -> None:
    assert list(PRESTON_BLAIR) == list(SHAPES) and len(set(PRESTON_BLAIR.values())) == 9
    assert closed_shape() == "X" and closed_shape("GH") == "A"


@pytest.mark.parametrize("words", [(), (Cue(0.1, 0.3, "Größe"), Cue(0.3, 0.3, "1705"))])
def test_cues_come_back(tmp_path: Path, words: tuple[Cue, ...]) -> None:
    phones = [Cue(0.0, 0.1, "SIL"), Cue(0.1, 0.4791, "AY")]
    Cues.of(0.4791, phones, HI, words).save(tmp_path / "cues.npz")
    found = Cues.load(tmp_path / "cues.npz")
    assert (found.seconds, found.phones(), found.words()) == (0.4791, phones, list(words))
    assert found.shapes_shown() == list(HI)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seconds": np.float64(0.0)}, "of no recording"),
        ({"seconds": np.float64(1e5)}, "of no recording"),
        ({"word_times": np.zeros((1, 2))}, "of no recording"),
        ({"phone_times": np.array([[0.2, 0.1], [0.1, 0.4]])}, "out of order"),
        ({"phone_times": np.array([[-0.2, 0.1], [0.1, 0.4]])}, "out of order"),
        ({"shape_times": np.array([[0.0, 9.0]])}, "shape"),
        ({"phone_names": np.array([1, 2])}, "type"),
    ],
)
def test_damaged_cues_are_refused(tmp_path: Path, changes: dict, sentence: str) -> None:
    from makeittalk.exchange import storage

    arrays = Cues.of(0.4791, [Cue(0.0, 0.1, "SIL"), Cue(0.1, 0.4, "AY")], HI).arrays()
    storage.write_npz(tmp_path / "cues.npz", arrays | changes)
    with pytest.raises(InputError, match=sentence):
        Cues.load(tmp_path / "cues.npz")
