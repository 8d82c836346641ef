"""Renders one head's pictures with Cycles: `BLENDER -b -P render_heads.py -- FOLDER`, or the bpy module's Python.

FOLDER holds `head.json` and `head.npz`, which `makeittalk_lab.synthetic.human_job` writes: meshes with a set of
vertices for every moment, materials as numbers, lights, cameras. Nothing here knows what a head is. A picture is
written beside its place and renamed, and one that is there is kept, so that a killed process goes on where it was.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import head_materials


def render(folder: Path) -> int:
    """Renders what is missing in a folder and returns how many pictures that were."""
    job = json.loads((folder / "head.json").read_text(encoding="utf-8"))
    with np.load(folder / "head.npz", allow_pickle=False) as file:
        arrays = dict(file)
    missing = [i for i, view in enumerate(job["views"]) if not (folder / view["file"]).is_file()]
    if not missing:
        return 0
    scene = _scene(job, folder)
    objects = [_object(scene, part, arrays, folder) for part in job["parts"]]
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    parent = os.getppid()
    for index in missing:
        if os.getppid() != parent:
            break  # who asked is gone, and may ask another process when it comes back
        view = job["views"][index]
        for part, thing in zip(job["parts"], objects, strict=True):
            _place(thing, arrays[f"{part['name']}.vertices"][view["moment"]])
        _aim(camera, view)
        target = folder / view["file"]
        beside = target.with_name(f"{target.stem}.{os.getpid()}.png")
        scene.render.filepath = str(beside)
        started = time.monotonic()
        bpy.ops.render.render(write_still=True)
        os.replace(beside, target)
        print(f"rendered {view['file']} {time.monotonic() - started:.2f} s", flush=True)
    return len(missing)


def _scene(job: dict[str, Any], folder: Path) -> Any:
    """An empty scene with Cycles' settings, the light image and the lamps."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = job["size"]
    scene.render.resolution_percentage = 100
    scene.render.threads_mode, scene.render.threads = "FIXED", job["threads"]
    scene.render.use_persistent_data = True
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_depth = "16"
    scene.render.image_settings.compression = 15
    scene.view_settings.view_transform = job["transform"]
    scene.view_settings.exposure = job["exposure"]
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", job["samples"], job["seed"]
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, job["threshold"]
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 12
    cycles.sample_clamp_indirect = 4.0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.blur_glossy = 0.5
    _denoise(cycles, job["denoise"])
    _world(scene, job["world"], folder)
    for lamp in job["lamps"]:
        data = bpy.data.lights.new("lamp", "AREA")
        data.energy, data.color = lamp["watts"], lamp["colour"]
        data.shape, data.size, data.size_y = "RECTANGLE", *lamp["size"]
        thing = bpy.data.objects.new("lamp", data)
        thing.matrix_world = [*zip(*lamp["matrix"], strict=True)]
        scene.collection.objects.link(thing)
    return scene


def _denoise(cycles: Any, wanted: bool) -> None:
    """Takes noise out with Open Image Denoise, where this Blender was built with it."""
    try:
        cycles.denoiser = "OPENIMAGEDENOISE"
    except TypeError:
        wanted = False
    cycles.use_denoising = wanted
    if wanted:
        cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"


def _world(scene: Any, settings: dict[str, Any], folder: Path) -> None:
    """The light image all around."""
    world = bpy.data.worlds.new("world")
    scene.world = world
    if bpy.app.version < (5, 0):
        world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    picture = nodes.new("ShaderNodeTexEnvironment")
    picture.image = bpy.data.images.load(str(folder / settings["image"]))
    background = nodes.get("Background") or nodes.new("ShaderNodeBackground")
    background.inputs["Strength"].default_value = settings["strength"]
    links.new(picture.outputs["Color"], background.inputs["Color"])


def _object(scene: Any, part: dict[str, Any], arrays: dict[str, np.ndarray], folder: Path) -> Any:
    """A mesh with its UV map, attributes and material."""
    name = part["name"]
    vertices, faces = arrays[f"{name}.vertices"][0], arrays[f"{name}.faces"]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], [[int(v) for v in face if v >= 0] for face in faces])
    if f"{name}.uv" in arrays:
        mesh.uv_layers.new(name="uv").data.foreach_set("uv", arrays[f"{name}.uv"].astype(np.float32).ravel())
    for key, values in arrays.items():
        if not key.startswith(f"{name}.attribute."):
            continue
        kind, field = ("FLOAT", "value") if values.ndim == 1 else ("FLOAT_VECTOR", "vector")
        attribute = mesh.attributes.new(key.rsplit(".", 1)[1], kind, "POINT")
        attribute.data.foreach_set(field, values.astype(np.float32).ravel())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    mesh.materials.append(head_materials.build(part["material"], folder))
    mesh.update()
    thing = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(thing)
    if part["subdivision"]:
        modifier = thing.modifiers.new("subdivision", "SUBSURF")
        modifier.levels = modifier.render_levels = part["subdivision"]
    return thing


def _place(thing: Any, vertices: np.ndarray) -> None:
    """Moves the vertices."""
    thing.data.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    thing.data.update()


def _aim(camera: Any, view: dict[str, Any]) -> None:
    """The camera of a picture."""
    camera.matrix_world = [*zip(*view["matrix"], strict=True)]
    camera.data.sensor_width = 36.0
    camera.data.lens, camera.data.clip_start = view["lens"], 0.05
    camera.data.shift_x, camera.data.shift_y = view["shift"]


if __name__ == "__main__":
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    count = render(Path(arguments[0]).resolve())
    print(f"pictures {count}", flush=True)
    sys.stderr.flush()
    os._exit(0)  # the bpy module may hang when the interpreter ends
