"""Where a hostile .blend points, and what it would have run. Runs inside Blender.

Everything that could be written lies in `Places.outside`, which the campaign has made: nothing here names a folder of
anybody's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import bpy
from extension import part
from hostile_datablocks import VARIANTS, variant
from hostile_settings import raw


@dataclass
class Places:
    """The folders of a case.

    Attributes:
        case: where the .blend lies. outside: what nobody has said anything may be written to.
    """

    case: Path
    outside: Path

    @property
    def ran(self) -> Path:
        """A file that code would leave behind."""
        return self.outside / "ran"


def _folder(find):
    def spoil(character, places):
        raw(character.makeittalk)["photo_folder"] = find(places)  # set as a property this user would have chosen it
        character.makeittalk.photo_film = True

    return spoil


def _linked(places: Places) -> str:
    (places.case / "frames").symlink_to(places.outside / "frames", target_is_directory=True)
    return "//frames"


def _occupied(places: Places) -> str:
    (places.case / "file").write_text("x")
    return "//file"


FOLDERS = {
    "outside": lambda places: str(places.outside / "frames"),
    "outside_new": lambda places: str(places.outside / "new" / "frames"),
    "relative": lambda places: f"//../../{places.outside.name}/frames",
    "linked": _linked,
    "a_file": _occupied,
    "device": lambda _places: "/dev/null",
    "processes": lambda _places: "/proc/self/fd",
    "unc": lambda _places: "\\\\server\\share\\frames",
    "unc_slashes": lambda _places: "//server/share/frames",
    "long": lambda _places: "//" + "f" * 900,
    "longest": lambda places: str(places.outside) + "/f" * 500,
    "home": lambda _places: "~/frames",
    "newline": lambda _places: "//a\nb",
    "variable": lambda _places: "$HOME/frames",
}
VARIANTS.update({f"photo_folder_{name}": _folder(find) for name, find in FOLDERS.items()})


@variant
def photoreal_linked(_character, places):
    """The default folder is a link, as an archive may hold one."""
    (places.case / "photoreal").symlink_to(places.outside / "frames", target_is_directory=True)


@variant
def photoreal_of_others(character, places):
    """What lies where frames go was there before."""
    folder = places.case / "photoreal" / (bpy.path.clean_name(character.name))
    folder.mkdir(parents=True)
    for number in range(1, 30):
        (folder / f"photoreal_{number:05d}.png").write_bytes(b"somebody's")
    (folder / "frames.jsonl").write_text('{"frame": 1e400}\n' * 3)


def _files(places: Places) -> dict[str, str]:
    pipe = places.case / "pipe.png"
    if not pipe.exists():
        os.mkfifo(pipe)
    return {
        "missing": str(places.outside / "nothing.png"),
        "zero": "/dev/zero",
        "pipe": str(pipe),
        "up": f"//../../{places.outside.name}/secret.txt",
        "unc": "\\\\server\\share\\x.png",
        "long": "/" + "x" * 1000,
        "folder": str(places.outside),
        "text": str(places.outside / "secret.txt"),
    }


_FILES = ("missing", "zero", "pipe", "up", "unc", "long", "folder", "text")


def _material(name: str):
    def spoil(character, places):
        path, settings = _files(places)[name], character.makeittalk
        settings.portrait = settings.voice = settings.speech = path
        scene = bpy.context.scene.makeittalk
        scene.portrait = scene.speech = scene.voice = path

    return spoil


def _image(name: str):
    def spoil(character, places):
        image = part("addon.scene.textures").portrait_of(character)
        if image.packed_file is not None:
            image.unpack(method="REMOVE")
        image.filepath_raw = _files(places)[name]
        character.makeittalk.portrait = image.filepath_raw

    return spoil


def _sound(name: str):
    def spoil(character, places):
        for sound in bpy.data.sounds:
            if sound.packed_file is not None:
                sound.unpack(method="REMOVE")
            sound.filepath = _files(places)[name]
        character.makeittalk.speech = _files(places)[name]

    return spoil


for _name in _FILES:
    VARIANTS[f"material_{_name}"] = _material(_name)
    VARIANTS[f"portrait_image_{_name}"] = _image(_name)
    VARIANTS[f"sound_{_name}"] = _sound(_name)


@variant
def packed_rubbish(character, places):
    image = bpy.data.images.new("Rubbish", 4, 4)
    rubbish = b"\x89PNG\r\n\x1a\n" + bytes(200)
    image.pack(data=rubbish, data_len=len(rubbish))
    image.filepath_raw = f"//../../{places.outside.name}/unpacked.png"
    for slot in character.makeittalk.body.material_slots:
        for node in slot.material.node_tree.nodes:
            if node.type == "TEX_IMAGE":
                node.image = image


@variant
def generated_picture(character, places):
    image = bpy.data.images.new("Tiny", 1, 1, float_buffer=True)
    for slot in character.makeittalk.body.material_slots:
        for node in slot.material.node_tree.nodes:
            if node.type == "TEX_IMAGE":
                node.image = image


def _plane(find):
    """A plane of frames that were drawn nowhere."""

    def spoil(character, places):
        picture = places.case / "photoreal_00001.png"
        image = part("addon.scene.textures").portrait_of(character)
        picture.write_bytes(bytes(image.packed_file.data))
        part("addon.scene.photo_plane").show(character, picture, 1, 3)
        texture = part("addon.scene.photo_plane")._texture(character.makeittalk.plane)
        texture.image.filepath = find(places)
        texture.image_user.frame_duration = 1_000_000
        texture.image_user.frame_offset = -5

    return spoil


VARIANTS |= {
    "frames_without_digits": _plane(lambda places: str(places.outside / "secret.txt")),
    "frames_of_a_device": _plane(lambda _places: "/dev/zero"),
    "frames_nowhere": _plane(lambda places: str(places.outside / "x_99999999999999999999.png")),
    "frames_empty": _plane(lambda _places: ""),
}

# What would run


def _code(places: Places) -> str:
    return f"__import__('pathlib').Path({str(places.ran)!r}).write_text('x') or 0.5"


@variant
def scripted_drivers(character, places):
    settings = character.makeittalk
    owners = [
        (settings.rig, "location", 0),
        (settings.rig, "makeittalk.lip", -1),
        (settings.rig, "makeittalk.still", -1),
    ]
    owners += [(block, "value", -1) for block in settings.body.data.shape_keys.key_blocks[1:4]]
    for owner, path, index in owners:
        driver = owner.driver_add(path, index).driver if index >= 0 else owner.driver_add(path).driver
        driver.type, driver.expression = "SCRIPTED", _code(places)


@variant
def registered_text(_character, places):
    text = bpy.data.texts.new("startup.py")
    text.write(f"import bpy\nopen({str(places.ran)!r}, 'w')\n")
    text.use_module = True


@variant
def words_of_a_script(character, places):
    text = bpy.data.texts.new("words.py")
    text.write(f"open({str(places.ran)!r}, 'w')\n" * 20)
    text.use_module = True
    character.makeittalk.current.words_text = text


@variant
def words_long(character, _places):
    text = bpy.data.texts.new("words")
    text.from_string(("word " * 20 + "\n") * 50_000)  # of one line Blender takes minutes
    character.makeittalk.current.words_text = text


@variant
def script_nodes(character, places):
    for slot in character.makeittalk.body.material_slots:
        node = slot.material.node_tree.nodes.new("ShaderNodeScript")
        node.mode, node.filepath = "EXTERNAL", str(places.outside / "shader.osl")


@variant
def python_in_properties(character, places):
    code = _code(places)
    settings = character.makeittalk
    settings.current.words = settings.current.notices = code
    character["_RNA_UI"] = code
    for item in character.objects:
        item["makeittalk_code"] = code
    row = settings.retarget.rows.add()
    row.target, row.meaning = code, code
    for bone in settings.rig.pose.bones:
        bone["code"] = code


@variant
def a_library_that_is_gone(character, places):
    bpy.data.images[0].filepath_raw = "//../gone.png"
    other = places.case / "library.blend"
    bpy.data.libraries.write(str(other), {character})
    with bpy.data.libraries.load(str(other), link=True) as (there, here):
        here.collections = list(there.collections)
    for item in here.collections:
        bpy.context.scene.collection.children.link(item)
    other.unlink()


@variant
def an_override(character, places):
    other = places.case / "library.blend"
    character.makeittalk.mesh_data = "%%%"
    bpy.data.libraries.write(str(other), {character})
    with bpy.data.libraries.load(str(other), link=True) as (there, here):
        here.collections = list(there.collections)
    linked = here.collections[0]
    bpy.context.scene.collection.children.link(linked)
    made = linked.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
    made.makeittalk.motion_data = "x"
