"""Words and phones: markers of what is heard, and mouth shapes as a file, with the real backend behind them."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET

import bpy
import pytest
from extension import part
from project import ASSETS
from sounding import SOUND, needs_sound

TEXT = (ASSETS / "speech.txt").read_text(encoding="utf-8").strip()
#: The first phones of the embedded recording by the alignment that ships beside it, and seconds on which words begin.
BEGINNING = ("M", "S", "JH", "AA")
SAID = {"And": 0.20, "Mister": 0.37, "John": 0.63, "leisure": 2.25}


@pytest.fixture
def talking(make, scene, backend, tmp_path):
    """A character that says the embedded recording from frame 11 on, in a scene of 24 frames/s with a marker in it."""
    scene.render.fps, scene.render.fps_base = 24, 1.0
    character = make(start=11)
    shutil.copy(ASSETS / "speech.flac", tmp_path / "said.flac")
    settings = character.makeittalk
    settings.speech = str(tmp_path / "said.flac")
    settings.frames = 171  # as long as the recording, at 24 frames/s
    if SOUND:
        part("addon.scene.speech").replace(scene, settings.current, tmp_path / "said.flac", pack=False)
    scene.timeline_markers.new("mine", frame=30)
    return character


def marked() -> dict[str, int]:
    """The frame of the first marker with each name."""
    found: dict[str, int] = {}
    for marker in sorted(bpy.context.scene.timeline_markers, key=lambda marker: marker.frame):
        found.setdefault(marker.name, marker.frame)
    return found


def ours() -> list[bpy.types.TimelineMarker]:
    character = part("addon.scene.character").active(bpy.context)
    return part("addon.scene.markers").of(bpy.context.scene, character.makeittalk.current)


def others() -> list[tuple[str, int]]:
    known = {marker.as_pointer() for marker in ours()}
    return [(item.name, item.frame) for item in bpy.context.scene.timeline_markers if item.as_pointer() not in known]


def test_words_are_marked_where_they_are_said(talking):
    assert bpy.ops.makeittalk.mark_words(text=TEXT) == {"FINISHED"}
    found = marked()
    for word, seconds in SAID.items():
        assert abs(found[word] - (11 + 24 * seconds)) < 2.0, word
    assert "prudently" in found and others() == [("mine", 30)]
    assert not any(marker.select for marker in ours())
    assert "markers tell the words" in bpy.context.window_manager.makeittalk.message


def test_what_is_said_is_taken_from_the_speech_or_a_text(talking):
    with pytest.raises(RuntimeError, match="Nobody has said which words are spoken"):
        bpy.ops.makeittalk.mark_words()
    current = talking.makeittalk.current
    current.words = TEXT
    assert bpy.ops.makeittalk.mark_words() == {"FINISHED"}
    first = marked()
    text = bpy.data.texts.new("said")
    text.write(TEXT.upper().replace(" ", "\n"))
    current.words_text = text
    assert bpy.ops.makeittalk.mark_words() == {"FINISHED"}
    assert {name.upper(): frame for name, frame in first.items()} == {n.upper(): f for n, f in marked().items()}
    assert "DASHWOOD" in marked() and "Dashwood" not in marked()


def test_phones_words_and_shapes_are_marked_apart_and_taken_away_alone(talking, scene):
    assert bpy.ops.makeittalk.mark_phones() == {"FINISHED"}
    phones = marked()
    assert set(BEGINNING) <= set(" ".join(phones).split())
    count = len(scene.timeline_markers)
    assert bpy.ops.makeittalk.mark_phones() == {"FINISHED"} and len(scene.timeline_markers) == count
    assert bpy.ops.makeittalk.mark_words(text=TEXT) == {"FINISHED"}
    assert bpy.ops.makeittalk.mark_phones(shapes=True) == {"FINISHED"}
    assert len(scene.timeline_markers) > count + 40
    current = talking.makeittalk.current
    names = {marker.name for marker in part("addon.scene.markers").of(scene, current, "SHAPES")}
    assert {"A", "B", "C", "F", "X"} < names <= set("ABCDEFGHX")
    assert bpy.ops.makeittalk.remove_markers() == {"FINISHED"}
    assert [marker.name for marker in scene.timeline_markers] == ["mine"]
    with pytest.raises(RuntimeError, match="It has no markers"):
        bpy.ops.makeittalk.remove_markers()
    for damaged in ("{", "[1]", '{"WORDS": 3}', '{"WORDS": [[1]]}'):
        talking.makeittalk.current.markers = damaged
        assert ours() == []


def test_markers_go_with_their_speech(talking, scene, job):
    bpy.ops.makeittalk.mark_words(text=TEXT)
    before = marked()
    talking.makeittalk.start = 51
    assert {name: frame + 40 for name, frame in before.items() if name != "mine"} == {
        name: frame for name, frame in marked().items() if name != "mine"
    }
    assert marked()["mine"] == 30
    camera = next(item for item in scene.objects if item.type == "CAMERA")
    bound = next(marker for marker in scene.timeline_markers if marker.name == "John")
    bound.camera = camera  # a cut to another camera: the animator's now
    part("addon.scene.character").say_more(talking, job / "motion.npz", job / "bake.npz", 400)
    bpy.ops.makeittalk.remove_speech()  # the second: markers of the first stay
    assert len(marked()) == len(before)
    cut = bound.frame
    bpy.ops.makeittalk.remove_character("EXEC_DEFAULT")
    assert sorted(marked().items()) == [("John", cut), ("mine", 30)]


def test_what_the_animator_took_over_stays(talking, scene):
    bpy.ops.makeittalk.mark_words(text=TEXT)
    named = {marker.name: marker for marker in scene.timeline_markers}
    named["John"].name, named["leisure"].frame = "cut here", 300
    scene.timeline_markers.new("And", frame=5)
    bpy.ops.makeittalk.mark_words(text=TEXT)
    assert others() == [("mine", 30), ("cut here", 26), ("leisure", 300), ("And", 5)]
    bpy.ops.makeittalk.remove_markers()
    assert sorted(marked()) == ["And", "cut here", "leisure", "mine"]


def test_a_copy_has_no_markers_yet(talking, scene):
    bpy.ops.makeittalk.mark_words(text=TEXT)
    before = marked()
    settings = talking.makeittalk
    for item in (settings.rig, settings.body):
        item.select_set(True)
    bpy.context.view_layer.objects.active = settings.rig
    bpy.ops.object.duplicate()
    part("addon.scene.copies").settle(scene)
    copy = part("addon.scene.character").active(bpy.context)
    assert copy != talking and copy.makeittalk.current.markers == "" and ours() == []
    bpy.ops.makeittalk.remove_character("EXEC_DEFAULT")
    assert marked() == before


def test_markers_are_kept_in_the_file_and_undone(talking, scene, tmp_path):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.makeittalk.mark_words(text=TEXT)
    bpy.ops.ed.undo_push(message="marked")
    before = marked()
    bpy.ops.ed.undo()
    assert marked() == {"mine": 30}
    bpy.ops.ed.redo()
    assert marked() == before
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    assert marked() == before
    assert bpy.ops.makeittalk.remove_markers() == {"FINISHED"}
    assert marked() == {"mine": 30}


def test_what_a_strip_hides_is_not_marked(talking, scene):
    talking.makeittalk.current.strip = ""
    talking.makeittalk.current.cut_before, talking.makeittalk.current.cut_behind = 20, 60
    bpy.ops.makeittalk.mark_words(text=TEXT)
    frames = [marker.frame for marker in ours()]
    assert min(frames) >= 31 and max(frames) <= 11 + 170 - 60 and "And" not in marked() and "leisure" in marked()


@pytest.mark.parametrize("kind", ["TSV", "XML", "JSON", "DAT"])
def test_shapes_are_written_as_rhubarb_does(talking, scene, kind, tmp_path):
    scene.render.fps, scene.render.fps_base = 30, 1.001
    path = tmp_path / f"shapes.{kind.lower()}"
    assert bpy.ops.makeittalk.export_visemes(filepath=str(tmp_path / "shapes"), format=kind) == {"FINISHED"}
    text = path.read_text(encoding="utf-8")
    if kind == "TSV":
        names = [line.split("\t")[1] for line in text.splitlines()]
    elif kind == "XML":
        root = ET.fromstring(text)
        names = [cue.text for cue in root.iter("mouthCue")]
        assert root.findtext("metadata/soundFile") == str(tmp_path / "said.flac")
    elif kind == "JSON":
        names = [cue["value"] for cue in json.loads(text)["mouthCues"]]
    else:
        lines = text.splitlines()
        assert lines[0] == "MohoSwitch1" and int(lines[-1].split()[0]) == 1 + int(30 / 1.001 * 7.1)
        names = [line.split()[1] for line in lines[1:]]
    assert names[0] == names[-1] == "X" and {"A", "C", "F", "G"} < set(names) <= set("ABCDEFGHX")
    assert "mouth shapes" in bpy.context.window_manager.makeittalk.message


def test_six_shapes_with_moho_s_names(talking, tmp_path):
    path = tmp_path / "shapes.dat"
    arguments = {"format": "DAT", "extended": set(), "preston_blair": True}
    assert bpy.ops.makeittalk.export_visemes(filepath=str(path), **arguments) == {"FINISHED"}
    assert {line.split()[1] for line in path.read_text().splitlines()[1:]} <= {"MBP", "etc", "E", "AI", "O", "U"}


def test_what_cannot_be_written_is_a_sentence(talking, scene, tmp_path):
    with pytest.raises(RuntimeError, match=r"The folder of .* does not exist"):
        bpy.ops.makeittalk.export_visemes(filepath=str(tmp_path / "nowhere" / "shapes.tsv"))
    scene.render.fps = 8
    with pytest.raises(RuntimeError, match="cannot have 8 frames a second"):
        bpy.ops.makeittalk.export_visemes(filepath=str(tmp_path / "shapes.dat"), format="DAT")
    assert not list(tmp_path.glob("shapes*"))
    (tmp_path / "said.flac").unlink()
    kept = talking.makeittalk.sound
    if kept is not None:
        kept.filepath = str(tmp_path / "gone.wav")
    with pytest.raises(RuntimeError, match=r"said\.flac does not exist\. Point Speech"):
        bpy.ops.makeittalk.mark_phones()


@needs_sound
def test_a_packed_recording_is_heard_where_its_file_has_gone(talking, tmp_path):
    talking.makeittalk.sound.pack()
    (tmp_path / "said.flac").unlink()
    assert bpy.ops.makeittalk.mark_phones() == {"FINISHED"}
    assert len(bpy.context.scene.timeline_markers) > 1


def test_another_recording_has_neither_its_markers_nor_its_words(scene, backend, tmp_path):
    for name in ("first", "second"):
        shutil.copy(ASSETS / "speech.flac", tmp_path / f"{name}.flac")
    settings = scene.makeittalk
    settings.portrait, settings.speech = str(ASSETS / "portrait_cartoon.png"), str(tmp_path / "first.flac")
    assert bpy.ops.makeittalk.make_it_talk() == {"FINISHED"}
    character = part("addon.scene.character").active(bpy.context)
    character.makeittalk.current.words = TEXT
    assert bpy.ops.makeittalk.mark_words() == {"FINISHED"} and len(ours()) == len(scene.timeline_markers) == 22
    assert bpy.ops.makeittalk.replace_speech(filepath=str(tmp_path / "second.flac")) == {"FINISHED"}
    assert character.makeittalk.current.said == "" and not scene.timeline_markers
