"""What docs/scripting.md says is so, and its example makes characters in the background."""

from __future__ import annotations

import csv
import importlib.util
import re

import bpy
import pytest
from extension import part
from project import ASSETS, ROOT

BASE = bpy.types.Operator.bl_rna.properties.keys()
PAGE = (ROOT / "docs" / "scripting.md").read_text(encoding="utf-8")


def operators() -> list[type[bpy.types.Operator]]:
    return [kind for kind in part("addon.operators").CLASSES if issubclass(kind, bpy.types.Operator)]


def name_of(kind: type[bpy.types.Operator]) -> str:
    """An operator's name in `bpy.ops.makeittalk`; Blender gives a registered class another `bl_idname`."""
    return kind.bl_rna.identifier.partition("_OT_")[2]


def row_of(name: str) -> str:
    """The row of the page's table that tells of an operator."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `makeittalk.")]
    return next((line for line in rows if re.search(rf"[`.]{name}`", line.split("|")[1])), "")


def test_every_operator_is_told_of_with_its_arguments(extension):
    for kind in operators():
        row = row_of(name_of(kind))
        assert row, f"docs/scripting.md does not tell of {name_of(kind)}"
        for item in kind.bl_rna.properties:
            if item.identifier not in ("rna_type", *BASE) and not item.is_hidden:
                assert f"`{item.identifier}`" in row, f"docs/scripting.md: {item.identifier} of {name_of(kind)}"


def test_nothing_is_told_of_that_is_not_there(extension):
    known = {name_of(kind) for kind in operators()}
    told = {
        name.removeprefix("makeittalk.")
        for line in PAGE.splitlines()
        if line.startswith("| `makeittalk.")
        for name in re.findall(r"`([\w.]+)`", line.split("|")[1])
    }
    assert told == known


def test_every_operator_can_be_called_and_explains_itself(extension):
    for kind in operators():
        assert callable(getattr(kind, "execute", None)), kind.bl_idname
        assert (kind.__doc__ or "").strip() or hasattr(kind, "description"), kind.bl_idname
        assert {"REGISTER", "UNDO", "INTERNAL"} & set(kind.bl_options), kind.bl_idname


@pytest.mark.parametrize("owner", ["character", "scene"])
def test_every_property_that_is_named_is_there(make, owner):
    character = make()
    heading = {"scene": "`scene.makeittalk`", "character": "`collection.makeittalk`"}[owner]
    text = PAGE[PAGE.index(heading) :].split("\n\n`", 1)[0]
    if owner == "character":
        named = [name for line in text.splitlines() if line.startswith("| `") for name in line.split("|")[1].split(",")]
        names = [name.strip(" `") for name in named]
    else:
        names = re.findall(r"`(\w+)`", text)
    group = character.makeittalk if owner == "character" else bpy.context.scene.makeittalk
    assert len(names) > 8
    for name in names:
        getattr(group, name)


def test_the_example_makes_a_file_of_every_line(scene, backend, tmp_path, capfd):
    spec = importlib.util.spec_from_file_location("hundred_characters", ROOT / "docs" / "hundred_characters.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    (tmp_path / "empty.wav").touch()
    lines = [
        (ASSETS / "portrait_cartoon.png", ASSETS / "speech.flac", "ada", "7"),
        (ASSETS / "portrait_cartoon.png", tmp_path / "empty.wav"),
        (ASSETS / "portrait_photo.jpg", ASSETS / "speech.flac"),
    ]
    with open(tmp_path / "table.csv", "w", newline="") as file:
        csv.writer(file).writerows(lines)
    assert example.main(tmp_path / "table.csv", tmp_path / "out") == 1
    assert "portrait_cartoon.png: " in capfd.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["003_portrait_photo.blend", "ada.blend"]
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "out" / "ada.blend"))
    (character,) = part("addon.scene.character").characters(bpy.context.scene)
    assert character.makeittalk.seed == 7 and character.makeittalk.frames > 50
    assert example.main(tmp_path / "table.csv", tmp_path / "out") == 1  # what is there is left as it is
