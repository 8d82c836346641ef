"""Sets of weights: imported from a folder, chosen in a menu, remembered by characters, sent to the backend."""

from __future__ import annotations

import shutil
import subprocess

import bpy
import pytest
from extension import part
from project import BACKEND, SUPPORT

CLONE = """
import sys
from pathlib import Path
from makeittalk.weights.released_layout import released_layout
import released_clone
released_clone.write_clone(Path(sys.argv[1]), released_layout(), optimizer=False)
"""


@pytest.fixture
def home(extension, monkeypatch, tmp_path):
    """A folder of the user's data without any set."""
    monkeypatch.setenv("MAKEITTALK_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "weights"


@pytest.fixture
def preferences(extension, monkeypatch):
    """The add-on's preferences, as an enabled extension has them."""
    package = part("addon.package")
    entry = bpy.context.preferences.addons.new()
    entry.module = package.PACKAGE
    yield entry.preferences
    bpy.context.preferences.addons.remove(entry)


def add_set(home, name):
    (home / name).mkdir(parents=True)
    (home / name / "SHA256SUMS").touch()


def choices(owner):
    return [item[0] for item in part("addon.properties.weight_sets")._items(owner, None)]


def test_the_menu_holds_what_is_imported(scene, home):
    settings = scene.makeittalk
    assert choices(settings) == ["SHIPPED"] and settings.weights == "SHIPPED" and settings.weights_set == ""
    with pytest.raises(TypeError):
        settings.weights = "released"
    add_set(home, "released")
    (home / ".new-0123").mkdir()
    (home / "half").mkdir()
    settings.weights = "released"
    assert settings.weights_set == "released"
    for name in ("another", "zebra", "mine"):  # the numbers of the entries change with each
        add_set(home, name)
        assert settings.weights == "released"
    assert choices(settings) == ["SHIPPED", "another", "mine", "released", "zebra"]
    shutil.rmtree(home)
    assert settings.weights == "released" and choices(settings) == ["SHIPPED", "released"]
    label = part("addon.properties.weight_sets")._items(settings, None)[1][1]
    assert label == "released: not here"
    settings.weights = "SHIPPED"
    assert settings.weights_set == "" and choices(settings) == ["SHIPPED"]


def test_new_characters_get_the_set_of_the_preferences_unless_another_is_chosen(scene, home, preferences):
    add_set(home, "released")
    settings = scene.makeittalk
    assert settings.weights == "SHIPPED"
    preferences.weights = "released"
    assert preferences.weights_set == "released"
    assert settings.weights == "released" and settings.weights_set == "released"
    settings.weights = "SHIPPED"
    assert settings.weights == "SHIPPED" and settings.weights_set == ""
    preferences.weights = "SHIPPED"
    assert preferences.weights_set == ""


def test_the_choice_is_asked_of_the_backend_and_remembered(scene, home, make, tmp_path):
    add_set(home, "mine")
    recipe = part("addon.jobs.recipe")
    settings = scene.makeittalk
    settings.portrait, settings.speech = "/a.png", "/a.wav"
    assert recipe.read(scene).request.weights == ""
    settings.weights = "mine"
    asked = recipe.read(scene)
    assert asked.request.weights == "mine" and asked.remembered["weights_set"] == "mine"

    character = make(settings={"weights_set": "mine"})
    assert character.makeittalk.weights == "mine"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "x.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "x.blend"))
    (character,) = part("addon.scene.character").characters(bpy.context.scene)
    assert character.makeittalk.weights == "mine" and bpy.context.scene.makeittalk.weights == "mine"
    remembered = part("addon.jobs.make")._remembered(character)
    assert recipe.request_of(remembered, 24.0).weights == "mine"
    bpy.context.view_layer.objects.active = character.makeittalk.rig
    copied = part("addon.scene.copies")
    target = bpy.data.collections.new("copy").makeittalk
    copied._copy_settings(character.makeittalk, target)
    assert target.weights == "mine"
    character.makeittalk.weights = "SHIPPED"
    assert recipe.request_of(part("addon.jobs.make")._remembered(character), 24.0).weights == ""


def test_a_set_that_is_not_here_greys_the_buttons(scene, home, make, job):
    add_set(home, "mine")
    settings = scene.makeittalk
    settings.portrait = settings.speech = str(job / "speech.wav")
    settings.weights = "mine"
    character = make(settings={"weights_set": "mine", "portrait": settings.portrait, "speech": settings.speech})
    bpy.context.view_layer.objects.active = character.makeittalk.rig
    operators = part("addon.operators.make"), part("addon.operators.photoreal"), part("addon.operators.speech")
    kinds = [
        operators[0].MAKEITTALK_OT_make_it_talk,
        operators[0].MAKEITTALK_OT_new_take,
        operators[1].MAKEITTALK_OT_photoreal_frames,
        operators[2].MAKEITTALK_OT_add_speech,
    ]
    shutil.rmtree(home)
    for kind in kinds:
        assert "mine are not on this machine" in kind.disabled_reason(bpy.context), kind
    settings.weights = character.makeittalk.weights = "SHIPPED"
    for kind in kinds:
        assert "not on this machine" not in kind.disabled_reason(bpy.context), kind


def test_a_preview_begins_anew_with_another_set(scene, home):
    add_set(home, "mine")
    preview = part("addon.jobs.preview").Preview
    asked = preview._asked(_Asking(), scene)
    scene.makeittalk.weights = "mine"
    assert preview._asked(_Asking(), scene) != asked


class _Asking:
    _seed = 1


@pytest.fixture
def connection(home, backend_python, monkeypatch):
    """A backend of its own, which has the same folder of the user's data."""
    monkeypatch.setenv("MAKEITTALK_PYTHON", backend_python)
    found = part("addon.jobs.connection")
    found.close()
    yield found
    found.close()


@pytest.fixture(scope="module")
def clone(tmp_path_factory, backend_python):
    """Synthetic checkpoints of the real sizes."""
    folder = tmp_path_factory.mktemp("clone")
    code = f"import sys; sys.path[:0] = [{str(BACKEND)!r}, {str(SUPPORT)!r}]\n{CLONE}"
    subprocess.run([backend_python, "-c", code, str(folder)], check=True)
    yield folder
    shutil.rmtree(folder)


def test_a_set_is_imported_by_the_operator(scene, home, connection, clone):
    assert bpy.ops.makeittalk.import_weights(directory=str(clone)) == {"FINISHED"}
    session = bpy.context.window_manager.makeittalk
    assert "The set released is imported" in session.message and "not for commerce" in session.message
    assert choices(scene.makeittalk) == ["SHIPPED", "released"]
    assert len(list((home / "released").glob("*.safetensors"))) == 5
    assert bpy.ops.makeittalk.import_weights(directory=str(clone / "examples" / "ckpt"), name="mine") == {"FINISHED"}
    assert choices(scene.makeittalk) == ["SHIPPED", "mine", "released"]


def test_a_set_is_removed_by_the_operator(scene, home, preferences):
    for name in ("mine", "released"):
        add_set(home, name)
    scene.makeittalk.weights, preferences.weights = "mine", "released"
    assert bpy.ops.makeittalk.remove_weights(name="mine") == {"FINISHED"}
    assert scene.makeittalk.weights == "SHIPPED" and preferences.weights == "released"
    assert choices(scene.makeittalk) == ["SHIPPED", "released"]
    assert "mine is removed" in bpy.context.window_manager.makeittalk.message
    with pytest.raises(RuntimeError, match="mine are not on this machine"):
        bpy.ops.makeittalk.remove_weights(name="mine")
    with pytest.raises(RuntimeError, match="cannot be called"):
        bpy.ops.makeittalk.remove_weights(name="../weights")
    assert bpy.ops.makeittalk.remove_weights(name="released") == {"FINISHED"}
    assert preferences.weights == "SHIPPED" and [path.name for path in home.iterdir()] == [".lock"]


def test_an_import_that_is_cancelled_leaves_nothing(scene, home, connection, clone):
    task = part("addon.jobs.import_weights").start(bpy.context, str(clone), "released")
    stages = set()
    while not task.poll():
        stages.add(bpy.context.window_manager.makeittalk.stage)
        if bpy.context.window_manager.makeittalk.stage.startswith("Converting"):
            task.cancel()
    assert task.cancelled and {"Converting ckpt_autovc.pth", "Cancelling"} <= stages
    task.close()
    assert choices(scene.makeittalk) == ["SHIPPED"] and [path.name for path in home.iterdir()] == [".lock"]


def test_what_cannot_be_imported_is_said(scene, home, connection, tmp_path):
    with pytest.raises(RuntimeError, match="none of the original checkpoints"):
        bpy.ops.makeittalk.import_weights(directory=str(tmp_path))
    with pytest.raises(RuntimeError, match="cannot be called"):
        bpy.ops.makeittalk.import_weights(directory=str(tmp_path), name="../x")
    with pytest.raises(RuntimeError, match="No folder is named"):
        bpy.ops.makeittalk.import_weights()
    assert not home.exists()
