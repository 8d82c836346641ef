"""What a hostile .blend says in the add-on's properties, of a type or size that the add-on would never write, and in
the scene around a character. Runs inside Blender.
"""

from __future__ import annotations

import json
import math
from typing import Any

import bpy
from extension import part
from hostile_datablocks import VARIANTS, variant
from hostile_kept import FILES, TEXTS
from retarget_targets import mouth_modifiers


def raw(group: Any) -> Any:
    """What a file holds of a property group, which takes values of any type."""
    if bpy.app.version < (5, 0, 0):
        return group
    return group.bl_system_properties_get(do_create=True)


def write(group: Any, name: str, value: Any) -> None:
    """Has a file hold a value of whatever type under a property's name."""
    stored = raw(group)
    if name in stored:
        del stored[name]
    stored[name] = value


def _kept(name: str, kind: str):
    def spoil(character, places):
        settings = character.makeittalk
        setattr(settings, name, FILES[kind](getattr(settings, name), places.ran))

    return spoil


def _said(name: str, kind: str):
    def spoil(character, _places):
        settings = character.makeittalk
        owner = settings if name in settings.bl_rna.properties else settings.current
        setattr(owner, name, TEXTS[kind])
        if name == "baked":
            settings.bake_data = ""

    return spoil


for _name in ("mesh_data", "motion_data", "bake_data"):
    VARIANTS.update({f"{_name}_{kind}": _kept(_name, kind) for kind in FILES})
for _name in ("landmarks", "markers", "merged", "own_curves", "baked"):
    VARIANTS.update({f"{_name}_{kind}": _said(_name, kind) for kind in TEXTS})


@variant
def fingerprints(character, _places):
    layers = part("addon.scene.layers")
    owners = part("addon.scene.bakes").owners_of(character)
    found = [layer for owner in owners for layer in layers.layers(owner)]
    for layer, text in zip(found, list(TEXTS.values()) * 3, strict=False):
        layer.strip.action[layers.BAKED] = text


_VALUES = {
    "texts": "x",
    "numbers": 7,
    "fractions": math.nan,
    "arrays": [1, 2, 3],
    "groups": {"a": {"b": [1.0]}},
    "bytes": b"\xff\xfe\x00x",
}
_OF_CHARACTER = (
    *("serial", "rig_pointer", "body_pointer", "camera_pointer", "plane_pointer", "portrait", "face", "style"),
    *("weights_set", "image_size", "face_width", "mesh_data", "landmarks", "placed", "own_curves", "merged"),
    *("every_frame", "smooth", "lit", "photo_strip", "photo_range", "photo_folder", "photo_film", "show_photoreal"),
    *("active_speech", "retarget"),
)
_OF_SPEECH = (
    *("uid", "recording", "strip", "shares_strip", "strip_offset", "cut_before", "cut_behind", "sound", "fps"),
    *("frames", "residual", "motion_data", "bake_data", "baked", "placed", "start", "notices", "seed", "voice"),
    *("markers", "words", "words_text"),
)


def _written(names: tuple[str, ...], value: Any, of_speech: bool):
    def spoil(character, _places):
        group = character.makeittalk.current if of_speech else character.makeittalk
        for name in names:
            write(group, name, value)

    return spoil


for _kind, _value in _VALUES.items():
    VARIANTS[f"character_of_{_kind}"] = _written(_OF_CHARACTER, _value, False)
    VARIANTS[f"speech_of_{_kind}"] = _written(_OF_SPEECH, _value, True)
    VARIANTS[f"speeches_of_{_kind}"] = _written(("speeches",), _value, False)


def _numbers(**values: Any):
    def spoil(character, _places):
        settings = character.makeittalk
        for name, value in values.items():
            group = settings if name in settings.bl_rna.properties else settings.current
            write(group, name, value)

    return spoil


_MOST = 2**31 - 1
VARIANTS |= {
    "rate_nothing": _numbers(fps=0.0),
    "rate_nan": _numbers(fps=math.nan),
    "rate_negative": _numbers(fps=-24.0),
    "rate_enormous": _numbers(fps=3e38),
    "frames_most": _numbers(frames=_MOST),
    "frames_negative": _numbers(frames=-5),
    "start_most": _numbers(start=_MOST, placed=_MOST),
    "start_least": _numbers(start=-_MOST, placed=_MOST),
    "picture_most": _numbers(image_size=[_MOST, _MOST]),
    "picture_nothing": _numbers(image_size=[0, 0]),
    "picture_negative": _numbers(image_size=[-5, 7]),
    "face_without_width": _numbers(face_width=0.0),
    "face_width_nan": _numbers(face_width=math.nan),
    "smoothing_nan": _numbers(smooth=math.nan),
    "smoothing_enormous": _numbers(smooth=3e38),
    "cuts_most": _numbers(cut_before=_MOST, cut_behind=-_MOST, strip_offset=_MOST),
    "choices_out_of_range": _numbers(photo_range=99, style=-3),
    "speech_out_of_range": _numbers(active_speech=-7),
    "seed_negative": _numbers(seed=-1, face=-1),
    "serial_most": _numbers(serial=_MOST),
    "residual_nan": _numbers(residual=math.nan),
    "weights_elsewhere": _numbers(weights_set="../../../outside"),
    "weights_long": _numbers(weights_set="w" * 5000),
}


@variant
def amounts_nan(character, _places):
    for name in ("lip", "head", "nod", "turn", "tilt", "sway", "blink", "still", "eyes_open", "gaze"):
        raw(character.makeittalk.rig.makeittalk)[name] = math.nan


@variant
def no_speeches(character, _places):
    character.makeittalk.speeches.clear()


@variant
def speeches_alike(character, _places):
    settings = character.makeittalk
    for _time in range(3):
        item = settings.speeches.add()
        item.uid, item.strip = settings.speeches[0].uid, settings.speeches[0].strip
        item.motion_data, item.bake_data = settings.speeches[0].motion_data, settings.speeches[0].bake_data


@variant
def speeches_many(character, _places):
    for number in range(500):
        item = raw(character.makeittalk.speeches.add())
        item["uid"], item["start"] = f"u{number}", number  # raw: nothing is moved by it, a hundred thousand frames away


@variant
def retarget_rows(character, _places):
    rows = character.makeittalk.retarget.rows
    for number, target in enumerate(("jawOpen", '"]', "", "x" * 5000, "nobody", "jawOpen")):
        row = rows.add()
        row.target, row.meaning = target, ("arkit:jawOpen", "none", "", "x" * 5000, "a:b:c", "arkit:")[number]
        raw(row)["gain"], raw(row)["offset"] = math.nan, math.inf


@variant
def retarget_onto_itself(character, _places):
    settings = character.makeittalk
    raw(settings.retarget)["target"] = settings.body
    raw(settings.retarget)["head_target"] = settings.rig
    settings.retarget.head_bone = settings.rig.data.bones[0].name


@variant
def retarget_of_other_kinds(character, _places):
    raw(character.makeittalk.retarget)["target"] = bpy.data.objects.new("Light", bpy.data.lights.new("L", "POINT"))
    raw(character.makeittalk.retarget)["head_target"] = character.makeittalk.body
    character.makeittalk.retarget.head_bone = "x"


@variant
def retarget_marks(character, _places):
    """What Bake and Drive leave on a target, made up."""
    target = bpy.data.objects["Target"]
    for owner in (target, target.data, target.data.shape_keys, bpy.data.objects["Target Rig"]):
        for name in ("makeittalk_retarget", "makeittalk_before", "makeittalk_part", "makeittalk_driven"):
            owner[name] = TEXTS["numbers"]
    character.makeittalk.retarget.target = target
    for text in ("x", '{"a": 1}', "[" * 9000):
        for name in ("makeittalk_retarget", "makeittalk_drives", "makeittalk_before"):
            target.data.shape_keys[name] = text


@variant
def mouths_of_nothing(_character, _places):
    """Drawn mouths without layers."""
    layers = bpy.data.objects["Mouth"].data.layers
    for layer in list(layers):
        layers.remove(layer)


@variant
def mouths_of_odd_names(_character, _places):
    """Quotes in the names of layers, some that mean the same shape, and drawings far away."""
    data = bpy.data.objects["Mouth"].data
    attribute = "info" if hasattr(data.layers[0], "info") else "name"
    for number, layer in enumerate(list(data.layers)):
        setattr(layer, attribute, ('"] ', "' ", "\\ ", "\n ")[number % 4] + getattr(layer, attribute))
        layer.frames.new(1_000_000 + number)
        data.layers.new('"] a')


@variant
def mouths_with_a_modifier_of_another(_character, _places):
    """Noise by the name of what chooses the drawings."""
    item = bpy.data.objects["Mouth"]
    mouth_modifiers(item).new("MakeItTalk Mouth", "GP_NOISE" if item.type == "GPENCIL" else "GREASE_PENCIL_NOISE")


@variant
def mouths_moved_already(_character, _places):
    """Curves, drivers and marks of others on what the mouths are shown by."""
    data = bpy.data.objects["Mouth"].data
    for layer in data.layers:
        path = layer.path_from_id("opacity")
        data.keyframe_insert(path, frame=3)
        data.driver_add(path).driver.expression = "1 / 0"
    data["makeittalk_retarget"] = TEXTS["numbers"]


@variant
def landmark_mesh_of_many_faces(_character, _places):
    """More faces than the file holds, and a picture of them that is gone."""
    bpy.ops.makeittalk.edit_character_landmarks()
    mesh = part("addon.scene.landmark_mesh")
    points = mesh.active(bpy.context)
    points[mesh._FOUND] = 2**31 - 1
    bpy.data.objects.remove(mesh.picture(points))


@variant
def landmark_mesh_of_spoilt_faces(_character, _places):
    """Two faces, of which the second is none."""
    bpy.ops.makeittalk.edit_character_landmarks()
    mesh = part("addon.scene.landmark_mesh")
    points = mesh.active(bpy.context)
    points[mesh._FOUND] = 2
    points[mesh._MARK] = json.dumps([*json.loads(points[mesh._MARK]), '{"landmarks": [[NaN]]}'])


@variant
def twins(character, _places):
    """Two characters of one rig and one body."""
    other = character.copy()
    bpy.context.scene.collection.children.link(other)


@variant
def names_of_folders(character, _places):
    character.name = "../../outside/x"
    for item in character.objects:
        item.name = "../../../outside/y"
    for slot in character.makeittalk.body.material_slots:
        slot.material.name = "../../outside/z"
    for image in bpy.data.images:
        image.name = "../../../outside/picture"


@variant
def name_of_dots(character, _places):
    character.name = ".."


@variant
def name_long(character, _places):
    character.name = "n" * 255


@variant
def scene_far(character, _places):
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.frame_current = 0, 1_048_574, 900_000
    scene.render.fps, scene.render.fps_base = 1, 1e-5
    scene.frame_step = 100


@variant
def scene_slow(character, _places):
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 1, 1e6


@variant
def scene_settings(character, places):
    settings = bpy.context.scene.makeittalk
    settings.landmarks, settings.landmarks_of = TEXTS["numbers"], ""
    settings.landmarks_image = bpy.data.images[0]
    settings.strip = "x" * 5000
    group = raw(settings)
    group["start"], group["seed"], group["strip_frames"], group["style"] = -_MOST, -5, math.nan, 99
    group["weights_name"], group["lip"] = 7, math.nan


def _scene_landmarks(kind: str):
    def spoil(_character, _places):
        settings = bpy.context.scene.makeittalk
        settings.landmarks, settings.landmarks_of = TEXTS[kind], settings.portrait
        settings.landmarks_image = bpy.data.images[0]

    return spoil


VARIANTS.update({f"placed_landmarks_{kind}": _scene_landmarks(kind) for kind in TEXTS})


@variant
def landmark_mesh_spoilt(character, _places):
    bpy.ops.makeittalk.edit_character_landmarks()
    points = part("addon.scene.landmark_mesh").active(bpy.context)
    for name in list(points.keys()):
        points[name] = TEXTS["numbers"]
    points.data.clear_geometry()


@variant
def landmark_mesh_marks(character, _places):
    bpy.ops.makeittalk.edit_character_landmarks()
    points = part("addon.scene.landmark_mesh").active(bpy.context)
    for name, value in zip(list(points.keys()), (7, 2.5, [1, 2], {"a": 1}, "x") * 5, strict=False):
        points[name] = value


@variant
def landmark_mesh_nan(character, _places):
    bpy.ops.makeittalk.edit_character_landmarks()
    points = part("addon.scene.landmark_mesh").active(bpy.context).data
    points.vertices.foreach_set("co", [math.nan] * 3 * len(points.vertices))


@variant
def custom_properties(character, _places):
    """Every mark of the add-on's on everything, as a number."""
    names = {name for item in bpy.data.objects for name in item.keys()}  # noqa: SIM118 - no dictionary
    strips = part("addon.compat").sequencer_strips(bpy.context.scene) or ()
    for item in [*bpy.data.objects, *bpy.data.meshes, *bpy.data.actions, *bpy.data.materials, *bpy.data.armatures]:
        for name in {*names, *item.keys()}:
            if name.startswith("makeittalk_"):
                item[name] = 7
    for strip in strips:
        strip["makeittalk_speech"] = 7
