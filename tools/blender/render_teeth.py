"""Renders rows of teeth and a tongue with Cycles, each alone on nothing, as light falls on them between parted lips.

`PYTHONPATH=backend PYTHON tools/blender/render_teeth.py KIT FOLDER [SET …]`, PYTHON one that has the bpy module, KIT
the folder of MakeHuman's heads. FOLDER gets `upperN.png`, `lowerN.png` and `tongue.png`: straight alpha, 16 bit,
`WIDE` × `HIGH` m. `tools/pack_teeth.py` makes the asset of them.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from makeittalk.landmarks.smoothstep import smoothstep
from makeittalk_lab.synthetic.human_kit import HumanKit
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

sys.path.insert(0, str(Path(__file__).resolve().parent))
from shader_tree import ShaderTree

WIDE, HIGH = 0.066, 0.026  # m, what a picture shows
_PIXELS = 512  # of its width
_SAMPLES = 20
_OPENING = (0.0255, 0.012)  # m, half axes of the parted lips that light comes through
_LIPS = 0.006  # m before the incisors
_WIDER = 1.05
_TONGUE = 0.0155  # m, how much of it is seen, from its back down
_BACK = 0.03  # m behind the incisors, where gums end that no lips uncover
_LONGER = {True: 1.26, False: 1.18}  # upper and lower front teeth


@dataclass(frozen=True)
class Row:
    """One person's teeth.

    Attributes:
        asset: MakeHuman's. seed: of what tells the teeth apart. enamel, root: colours of the crown and next to the
            gum, linear. gum: colour of the gum. clear: how much of the edge light goes through. crooked: m and rad that
            teeth stand off. long: height of the front teeth to MakeHuman's. broad: width of the row.
    """

    asset: str
    seed: int
    enamel: tuple[float, float, float]
    root: tuple[float, float, float]
    gum: tuple[float, float, float]
    clear: float
    crooked: float
    long: float
    broad: float


ROWS = (
    Row("teeth_base", 1, (0.78, 0.70, 0.56), (0.66, 0.53, 0.35), (0.50, 0.17, 0.15), 0.5, 0.5, 1.0, 1.0),
    Row("teeth_shape01", 2, (0.72, 0.62, 0.46), (0.57, 0.42, 0.25), (0.44, 0.15, 0.14), 0.7, 0.6, 0.95, 1.02),
    Row("teeth_base", 3, (0.81, 0.75, 0.63), (0.70, 0.59, 0.43), (0.53, 0.19, 0.17), 0.4, 0.3, 1.06, 0.96),
    Row("teeth_shape04", 4, (0.75, 0.66, 0.51), (0.60, 0.46, 0.29), (0.46, 0.16, 0.15), 0.6, 0.6, 1.06, 1.0),
    Row("teeth_base", 5, (0.70, 0.60, 0.45), (0.55, 0.41, 0.25), (0.42, 0.14, 0.13), 0.8, 1.3, 0.94, 1.03),
)


def render(kit_folder: Path, folder: Path, wanted: list[str]) -> None:
    """Renders what is wanted: numbers of `ROWS`, "tongue"."""
    kit = HumanKit.load(kit_folder)
    head = kit.person({"young": 1.0}, 0.5, dict.fromkeys(("african", "asian", "caucasian"), 1 / 3), 0.0, 0.0, {})
    if "tongue" in wanted:
        _tongue(kit, head, folder)
    for number, row in enumerate(ROWS):
        if str(number) not in wanted:
            continue
        for upper in (True, False):
            vertices, faces, values = _teeth(kit, head, row, upper)
            edge = _edge(vertices, values, upper)
            scene = _scene(edge, upper)
            thing = _object(scene, "teeth", vertices, faces, values, 2)
            thing.data.materials.append(_enamel(row))
            _shoot(scene, folder / f"{'upper' if upper else 'lower'}{number}.png", edge, upper)


def _edge(vertices: np.ndarray, values: dict[str, np.ndarray], upper: bool) -> float:
    """Height of the central incisors' edges."""
    central = (values["tooth"] > 0) & (np.abs(vertices[:, 0]) < 0.004)
    return float(vertices[central, 2].min() if upper else vertices[central, 2].max())


def _teeth(
    kit: HumanKit, head: np.ndarray, row: Row, upper: bool
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Vertices (n, 3) in Blender's axes, faces (m, 4), and by vertex: which tooth, 0 the gum; how far to its edge."""
    placed = kit.fit(row.asset, head)
    faces, _ = kit.mesh(row.asset)
    refs = kit.values[f"{row.asset}__ref"]
    kept = np.isin(refs, kit.group("upper-teeth")).all(1) == upper
    faces = faces[kept[faces[:, :3]].all(1)]
    pairs = np.concatenate([faces[:, [i, (i + 1) % 4]] for i in range(4)])
    pairs = pairs[(pairs >= 0).all(1)]
    ones = np.ones(len(pairs))
    _, part = connected_components(coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(placed),) * 2))
    used = np.unique(faces[faces >= 0])
    sizes = np.bincount(part[used], minlength=part.max() + 1)
    teeth = [p for p in np.flatnonzero(sizes) if sizes[p] < 200]
    rng = np.random.default_rng(row.seed * 2 + upper)
    tooth = np.zeros(len(placed))
    along, tone = np.zeros(len(placed)), np.ones(len(placed))
    placed = placed.copy()
    for number, p in enumerate(teeth, 1):
        mine = (part == p) & kept
        shape = placed[mine]
        low, high = shape[:, 1].min(), shape[:, 1].max()
        share = (shape[:, 1] - low) / (high - low)
        along[mine] = 1.0 - share if upper else share
        tooth[mine] = number
        middle = shape.mean(0)
        side = abs(middle[0])
        # Canines are darker, and no tooth has quite the colour of the next.
        canine = np.exp(-(((side - 0.0165) / 0.002) ** 2)) if upper else np.exp(-(((side - 0.0135) / 0.002) ** 2))
        tone[mine] = (1.0 - 0.12 * canine) * rng.normal(1.0, 0.035)
        turn, tilt = rng.normal(0.0, 0.06, 2) * row.crooked
        shape = (shape - middle) @ _turned(turn, tilt).T + middle
        shape[:, 0] = middle[0] + _WIDER * (shape[:, 0] - middle[0])  # so that neighbours touch
        shape[:, 2] += rng.normal(0.0, 0.00035) * row.crooked
        rise = rng.normal(0.0, 0.00022) * row.crooked
        root = high if upper else low
        # MakeHuman's front teeth are worn down to two thirds of their height.
        longer = 1.0 + (row.long * _LONGER[upper] - 1.0) * (1.0 - smoothstep((side - 0.012) / 0.012))
        shape[:, 1] = root + (shape[:, 1] - root) * longer + rise
        placed[mine] = shape
    placed[:, 0] *= row.broad
    far = (tooth == 0) & (placed[:, 2] < placed[:, 2].max() - _BACK)
    faces = faces[~far[faces[:, :3]].all(1)]
    used = np.unique(faces[faces >= 0])
    renumber = np.full(len(placed), -1)
    renumber[used] = np.arange(len(used))
    faces = np.where(faces >= 0, renumber[faces], -1)
    vertices = np.column_stack([placed[:, 0], -placed[:, 2], placed[:, 1]])[used]
    return vertices, faces, {"tooth": tooth[used], "along": along[used], "tone": tone[used], "rest": vertices}


def _turned(turn: float, tilt: float) -> np.ndarray:
    """A turn about the upright axis, then one about the axis that looks ahead."""
    a, b = np.cos([turn, tilt]), np.sin([turn, tilt])
    upright = np.array([[a[0], 0, b[0]], [0, 1, 0], [-b[0], 0, a[0]]])
    return np.array([[a[1], -b[1], 0], [b[1], a[1], 0], [0, 0, 1]]) @ upright


def _scene(edge: float, upper: bool) -> Any:
    """An empty scene, lit through lips parted at a height."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = _PIXELS, round(_PIXELS * HIGH / WIDE)
    scene.render.resolution_percentage = 100
    scene.render.film_transparent = True
    scene.render.threads_mode, scene.render.threads = "FIXED", 2
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.render.image_settings.color_depth = "16"
    scene.view_settings.view_transform = "Standard"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", _SAMPLES, 1
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 6, 4, 2
    cycles.sample_clamp_indirect = 3.0
    try:
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.use_denoising = True
    except TypeError:
        cycles.use_denoising = False
    world = bpy.data.worlds.new("world")
    scene.world = world
    if bpy.app.version < (5, 0):
        world.use_nodes = True
    background = world.node_tree.nodes.get("Background") or world.node_tree.nodes.new("ShaderNodeBackground")
    background.inputs["Color"].default_value = (0.9, 0.95, 1.0, 1.0)
    background.inputs["Strength"].default_value = 0.3
    ahead = -_FRONT
    _lamp(scene, (0.05, ahead - 0.45, edge + 0.22), (0.4, 0.3), 2.6, edge, ahead)
    _lamp(scene, (-0.3, ahead - 0.35, edge + 0.1), (0.25, 0.3), 0.7, edge, ahead)
    _around(scene, edge, ahead, upper)
    return scene


_FRONT = 0.1415  # m, how far ahead the incisors stand


def _lamp(
    scene: Any, at: tuple[float, float, float], size: tuple[float, float], watts: float, edge: float, ahead: float
) -> None:
    """A soft light that looks at the teeth."""
    data = bpy.data.lights.new("lamp", "AREA")
    data.energy, data.shape, data.size, data.size_y = watts, "RECTANGLE", *size
    thing = bpy.data.objects.new("lamp", data)
    thing.location = at
    way = np.array([0.0, ahead, edge]) - at
    pitch = np.arctan2(np.hypot(way[0], way[1]), -way[2])
    thing.rotation_euler = (pitch, 0.0, np.arctan2(-way[0], way[1]))
    scene.collection.objects.link(thing)


def _around(scene: Any, edge: float, ahead: float, upper: bool) -> None:
    """Lips, cheeks and throat that no picture shows: light is dim behind them."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    middle = edge + (0.001 if upper else -0.001)
    curve = 0.35 * (_OPENING[0] * ring[:, 0]) ** 2 / _OPENING[0]  # lips lie around the arch
    loops = [
        np.column_stack(
            [5 * _OPENING[0] * ring[:, 0], 8 * curve + ahead - _LIPS, middle + 6 * _OPENING[1] * ring[:, 1]]
        ),
        np.column_stack([_OPENING[0] * ring[:, 0], curve + ahead - _LIPS, middle + _OPENING[1] * ring[:, 1]]),
        np.column_stack([0.036 * ring[:, 0], np.full(64, ahead + 0.02), middle + 0.024 * ring[:, 1]]),
        np.column_stack([0.032 * ring[:, 0], np.full(64, ahead + 0.06), middle + 0.022 * ring[:, 1]]),
        np.column_stack([0.001 * ring[:, 0], np.full(64, ahead + 0.075), middle + 0.001 * ring[:, 1]]),
    ]
    faces = [
        [64 * i + j, 64 * i + (j + 1) % 64, 64 * (i + 1) + (j + 1) % 64, 64 * (i + 1) + j]
        for i in range(len(loops) - 1)
        for j in range(64)
    ]
    mesh = bpy.data.meshes.new("around")
    mesh.from_pydata(np.concatenate(loops).tolist(), [], faces)
    tree = ShaderTree(bpy.data.materials.new("around"))
    tree.surface(Base_Color=(0.30, 0.09, 0.075), Roughness=0.5)
    mesh.materials.append(tree.material)
    thing = bpy.data.objects.new("around", mesh)
    thing.visible_camera = False
    scene.collection.objects.link(thing)


def _object(
    scene: Any, name: str, vertices: np.ndarray, faces: np.ndarray, values: dict[str, np.ndarray], subdivision: int
) -> Any:
    """A smooth mesh with attributes."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], [[int(v) for v in face if v >= 0] for face in faces])
    for key, found in values.items():
        kind, field = ("FLOAT", "value") if found.ndim == 1 else ("FLOAT_VECTOR", "vector")
        attribute = mesh.attributes.new(key, kind, "POINT")
        attribute.data.foreach_set(field, found.astype(np.float32).ravel())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    mesh.update()
    thing = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(thing)
    modifier = thing.modifiers.new("subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = subdivision
    return thing


def _enamel(row: Row) -> Any:
    """Teeth and gum of one mesh, told apart by `tooth`."""
    tree = ShaderTree(bpy.data.materials.new("teeth"))
    place = tree.attribute("rest", True)
    along, tone = tree.attribute("along"), tree.attribute("tone")
    crown = tree.ramp(tree.sum(along, tree.product(tree.less(tree.noise(place, 260.0), 0.5), 0.25)), 0.25, 0.62)
    colour = tree.mix(crown, row.root, row.enamel)
    # Where there is no dentine behind the enamel, the dark of the mouth shines through, a little blue.
    edge = tree.ramp(tree.sum(along, tree.product(tree.less(tree.noise(place, 500.0), 0.5), 0.12)), 0.80, 1.0)
    colour = tree.mix(tree.product(edge, row.clear), colour, (0.50, 0.47, 0.43))
    streaks = tree.noise(tree.scaled(place, (1.0, 0.4, 0.16)), 1500.0, 3.0)
    colour = tree.shaded(tree.ramp(streaks, 0.35, 0.75), colour, (0.965, 0.95, 0.92))
    stains = tree.ramp(tree.noise(place, 330.0, 4.0), 0.5, 0.75)
    colour = tree.shaded(tree.product(stains, 0.6), colour, (0.93, 0.87, 0.77))
    dim = tree.node("CombineColor", {0: tone, 1: tone, 2: tree.product(tone, tone)}).outputs[0]
    colour = tree.shaded(1.0, colour, dim)
    flesh = tree.mix(tree.ramp(tree.noise(place, 420.0, 4.0), 0.35, 0.7), row.gum, [0.72 * v for v in row.gum])
    is_tooth = tree.maths("GREATER_THAN", tree.attribute("tooth"), 0.5)
    colour = tree.mix(is_tooth, flesh, colour)
    lines = tree.product(tree.noise(tree.scaled(place, (1.0, 0.6, 0.3)), 700.0, 3.0), 0.00012)
    stipple = tree.product(tree.noise(place, 1300.0, 3.0), 0.0002)
    bump = tree.node(
        "Bump", {"Height": tree.blend(is_tooth, stipple, lines), "Strength": 1.0, "Distance": 1.0}
    ).outputs[0]
    tree.surface(Base_Color=colour, Normal=bump, Roughness=tree.blend(is_tooth, 0.4, 0.26))
    tree.surface(Subsurface_Weight=0.35, Subsurface_Radius=(1.0, 0.7, 0.45), Subsurface_Scale=0.0011)
    tree.surface(Coat_Weight=tree.blend(is_tooth, 0.55, 0.8), Coat_Roughness=0.07)
    return tree.material


def _tongue(kit: HumanKit, head: np.ndarray, folder: Path) -> None:
    """The tongue, lying in the lower jaw, its back raised towards the throat."""
    placed = kit.fit("tongue", head)
    faces, uv = kit.mesh("tongue")
    vertices = np.column_stack([placed[:, 0], -placed[:, 2], placed[:, 1]])
    top = float(vertices[:, 2].max())
    kept = vertices[faces[:, :3], 2].max(1) > top - _TONGUE
    corners = np.cumsum((faces >= 0).ravel()).reshape(faces.shape) - 1
    uv = uv[corners[kept][faces[kept] >= 0]]
    faces = faces[kept]
    scene = _scene(top, False)
    thing = _object(scene, "tongue", vertices, faces, {"rest": vertices}, 2)
    thing.data.uv_layers.new(name="uv").data.foreach_set("uv", uv.ravel())
    tree = ShaderTree(bpy.data.materials.new("tongue"))
    place = tree.attribute("rest", True)
    picture = tree.picture(kit.folder / "textures" / "tongue.jpg").outputs[0]
    colour = tree.shaded(1.0, picture, (0.95, 0.80, 0.78))
    distance, _ = tree.cells(place, 2600.0)
    height = tree.sum(tree.product(distance, -0.00008), tree.product(tree.noise(place, 260.0, 3.0), 0.0006))
    bump = tree.node("Bump", {"Height": height, "Strength": 0.8, "Distance": 1.0}).outputs[0]
    tree.surface(Base_Color=colour, Normal=bump, Roughness=0.42)
    tree.surface(Subsurface_Weight=0.4, Subsurface_Radius=(1.0, 0.4, 0.3), Subsurface_Scale=0.002)
    tree.surface(Coat_Weight=0.6, Coat_Roughness=0.12)
    thing.data.materials.append(tree.material)
    _shoot(scene, folder / "tongue.png", top - 0.006, False)


def _shoot(scene: Any, target: Path, edge: float, upper: bool) -> None:
    """Renders a picture; the edge lies a fifth from its end that it points to."""
    data = bpy.data.cameras.new("camera")
    data.type, data.ortho_scale, data.clip_start = "ORTHO", WIDE, 0.001
    camera = bpy.data.objects.new("camera", data)
    camera.location = (0.0, -0.5, edge + (0.3 if upper else -0.3) * HIGH)
    camera.rotation_euler = (np.pi / 2, 0.0, 0.0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    beside = target.with_name(f"{target.stem}.part.png")
    scene.render.filepath = str(beside)
    bpy.ops.render.render(write_still=True)
    os.replace(beside, target)
    print(target, flush=True)


if __name__ == "__main__":
    kit_folder, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    render(kit_folder, folder, sys.argv[3:] or ["tongue", *map(str, range(len(ROWS)))])
    sys.stdout.flush()
    os._exit(0)  # the bpy module may hang when the interpreter ends
