"""Materials of a rendered head, from the numbers of a job: skin, teeth, tongue, eyes, lashes and hair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy


def build(settings: dict[str, Any], folder: Path) -> Any:
    """A material of the kind that its settings name."""
    material = bpy.data.materials.new(settings["kind"])
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    return {"skin": _skin, "wet": _wet, "eye": _eye, "hair": _hair}[settings["kind"]](_Tree(material), settings, folder)


class _Tree:
    """Shader nodes of a material, made and linked in one call."""

    def __init__(self, material: Any) -> None:
        self.material, self.nodes, self.links = material, material.node_tree.nodes, material.node_tree.links
        self.principled = self.nodes.get("Principled BSDF")
        self.principled.subsurface_method = "BURLEY"  # half the time of the random walk, alike at this size

    def node(self, kind: str, values: dict[Any, Any] | None = None, **fields: Any) -> Any:
        """A node; a value that is an output is linked to the input, any other one set."""
        made = self.nodes.new(f"ShaderNode{kind}")
        for name, value in fields.items():
            setattr(made, name, value)
        for name, value in (values or {}).items():
            self.set(made.inputs[name], value)
        return made

    def set(self, entry: Any, value: Any) -> None:
        """Links or sets an input."""
        if isinstance(value, bpy.types.NodeSocket):
            self.links.new(value, entry)
        elif isinstance(value, (list, tuple)) and entry.type == "RGBA" and len(value) == 3:
            entry.default_value = (*value, 1.0)
        else:
            entry.default_value = value

    def surface(self, **values: Any) -> None:
        """Inputs of the principled shader; underscores stand for spaces."""
        for name, value in values.items():
            self.set(self.principled.inputs[name.replace("_", " ")], value)

    def maths(self, operation: str, first: Any, second: Any = 0.0, clamp: bool = False) -> Any:
        """A number."""
        return self.node("Math", {0: first, 1: second}, operation=operation, use_clamp=clamp).outputs[0]

    def mix(self, factor: Any, first: Any, second: Any, blend: str = "MIX") -> Any:
        """A colour."""
        made = self.node("Mix", data_type="RGBA", blend_type=blend)
        for index, value in ((0, factor), (6, first), (7, second)):
            self.set(made.inputs[index], value)
        return made.outputs[2]

    def ramp(self, value: Any, low: float, high: float, to: tuple[float, float] = (0.0, 1.0)) -> Any:
        """A smooth step between two numbers."""
        made = self.node("MapRange", {0: value, 1: low, 2: high, 3: to[0], 4: to[1]}, interpolation_type="SMOOTHSTEP")
        return made.outputs[0]

    def attribute(self, name: str, vector: bool = False) -> Any:
        """What the mesh carries."""
        return self.node("Attribute", attribute_name=name).outputs["Vector" if vector else "Fac"]

    def scaled(self, vector: Any, scale: tuple[float, float, float]) -> Any:
        """A stretched place."""
        return self.node("VectorMath", {0: vector, 1: scale}, operation="MULTIPLY").outputs[0]

    def noise(self, place: Any, scale: float, detail: float = 2.0) -> Any:
        """Noise about 0.5."""
        return self.node("TexNoise", {"Vector": place, "Scale": scale, "Detail": detail}).outputs[0]

    def cells(self, place: Any, scale: float, jitter: float = 1.0) -> Any:
        """The distance to the nearest of scattered points, in units of their spacing; and a random colour of each."""
        made = self.node("TexVoronoi", {"Vector": place, "Scale": scale, "Randomness": jitter})
        return made.outputs["Distance"], made.outputs["Color"]

    def picture(self, path: Path) -> Any:
        """A texture by the UV map, with alpha of its own."""
        image = bpy.data.images.load(str(path), check_existing=True)
        image.alpha_mode = "CHANNEL_PACKED"
        return self.node("TexImage", image=image)


def _skin(tree: _Tree, s: dict[str, Any], folder: Path) -> Any:
    """Skin with pores, mottling, freckles, stubble and creased lips; the inside of the mouth is wet.

    The pattern lies in the place that a vertex has at rest (`rest`, metres), so it moves with the skin.
    """
    place, lip, inside = tree.attribute("rest", True), tree.attribute("lip"), tree.attribute("inside")
    beard = tree.attribute("beard")
    colour = tree.picture(folder / s["texture"]).outputs[0]
    adjust = tree.node("HueSaturation", {"Hue": 0.5, "Saturation": s["saturation"], "Value": s["value"], "Color": colour})
    colour = adjust.outputs[0]
    # Blood and melanin vary from the size of a hand down to that of a pore.
    for scale, strength, shade in ((45.0, s["mottle"], s["red"]), (260.0, s["mottle"], s["brown"]), (900.0, 0.6 * s["mottle"], s["red"])):
        blotch = tree.ramp(tree.noise(place, scale, 3.0), 0.42, 0.68)
        colour = tree.mix(tree.maths("MULTIPLY", blotch, strength), colour, tree.mix(1.0, colour, shade, "MULTIPLY"))
    if s["freckles"]:
        dot, tone = tree.cells(place, 330.0)
        size = tree.maths("MULTIPLY", tree.node("SeparateColor", {0: tone}).outputs[0], 0.34)
        spot = tree.maths("MULTIPLY", tree.ramp(tree.maths("SUBTRACT", size, dot), 0.0, 0.1), tree.ramp(tree.noise(place, 40.0), 0.42, 0.6))
        colour = tree.mix(tree.maths("MULTIPLY", spot, s["freckles"]), colour, tree.mix(1.0, colour, s["freckle"], "MULTIPLY"))
    edge = tree.ramp(tree.maths("ADD", lip, tree.maths("MULTIPLY", tree.maths("SUBTRACT", tree.noise(place, 700.0, 2.0), 0.5), 0.35)), 0.25, 0.75)
    # Creases of the lips run across them, from in to out.
    creases = tree.noise(tree.scaled(place, (1.0, 0.3, 0.3)), s["creases"], 4.0)
    lips = tree.mix(tree.ramp(creases, 0.35, 0.62), s["lip_dark"], s["lip"])
    lips = tree.mix(tree.ramp(tree.noise(place, 300.0, 3.0), 0.35, 0.7), lips, tree.mix(1.0, lips, s["lip_blotch"], "MULTIPLY"))
    colour = tree.mix(tree.maths("MULTIPLY", edge, s["lip_share"]), colour, lips)
    pore, _ = tree.cells(place, s["pores"], 0.9)
    pit = tree.ramp(pore, 0.0, 0.42)
    colour = tree.mix(tree.maths("MULTIPLY", tree.maths("SUBTRACT", 1.0, pit), s["pore_shade"]), colour, tree.mix(1.0, colour, s["brown"], "MULTIPLY"))
    height = tree.maths("MULTIPLY", pit, 0.00007)
    if s["stubble"]:
        hair, kind = tree.cells(tree.scaled(place, (1.0, 0.55, 0.8)), s["stubble_scale"])
        dot = tree.maths("SUBTRACT", 1.0, tree.ramp(hair, 0.1, s["stubble_size"]))
        grows = tree.maths("GREATER_THAN", tree.maths("MULTIPLY", beard, 1.25), tree.node("SeparateColor", {0: kind}).outputs[0])
        bare = tree.maths("SUBTRACT", 1.0, edge)
        dot = tree.maths("MULTIPLY", tree.maths("MULTIPLY", tree.maths("MULTIPLY", dot, grows), bare), s["stubble"])
        shadow = tree.maths("MULTIPLY", tree.maths("MULTIPLY", beard, bare), s["stubble_shadow"])
        colour = tree.mix(shadow, colour, tree.mix(1.0, colour, s["stubble_tint"], "MULTIPLY"))
        colour = tree.mix(dot, colour, s["stubble_colour"])
        height = tree.maths("ADD", height, tree.maths("MULTIPLY", dot, 0.00009))
    colour = tree.mix(inside, colour, s["cavity"])
    fine = tree.maths("MULTIPLY", tree.maths("SUBTRACT", tree.noise(place, 420.0, 4.0), 0.5), s["wrinkle"])
    height = tree.maths("ADD", tree.maths("MULTIPLY", height, s["pore_depth"]), fine)
    across = tree.maths("MULTIPLY", tree.maths("MULTIPLY", creases, edge), s["crease_depth"])
    height = tree.maths("ADD", tree.maths("MULTIPLY", height, tree.maths("SUBTRACT", 1.0, tree.maths("MULTIPLY", edge, 0.8))), across)
    bump = tree.node("Bump", {"Height": height, "Strength": 1.0, "Distance": 1.0})
    rough = tree.ramp(tree.noise(place, 60.0, 3.0), 0.3, 0.7, (s["rough"] - 0.07, s["rough"] + 0.07))
    rough = _blend(tree, edge, rough, s["lip_rough"])
    rough = _blend(tree, inside, rough, 0.2)
    tree.surface(Base_Color=colour, Roughness=rough, Normal=bump.outputs[0], Specular_IOR_Level=s["specular"])
    tree.surface(Subsurface_Weight=s["subsurface"], Subsurface_Radius=s["radius"], Subsurface_Scale=s["depth"])
    tree.surface(Coat_Weight=_blend(tree, tree.maths("MAXIMUM", tree.maths("MULTIPLY", edge, s["lip_gloss"]), inside), s["oil"], 0.7), Coat_Roughness=0.3)
    return tree.material


def _blend(tree: _Tree, factor: Any, first: Any, second: Any) -> Any:
    """A number between two."""
    made = tree.node("Mix", data_type="FLOAT")
    for index, value in ((0, factor), (2, first), (3, second)):
        tree.set(made.inputs[index], value)
    return made.outputs[0]


def _wet(tree: _Tree, s: dict[str, Any], folder: Path) -> Any:
    """Teeth, gums and tongue under a film of saliva."""
    place = tree.attribute("rest", True)
    colour = tree.picture(folder / s["texture"]).outputs[0]
    colour = tree.mix(1.0, colour, s["tint"], "MULTIPLY")
    bump = tree.node("Bump", {"Height": tree.noise(place, s["bump_scale"], 3.0), "Strength": 1.0, "Distance": s["bump"]})
    tree.surface(Base_Color=colour, Roughness=s["rough"], Specular_IOR_Level=0.5, Normal=bump.outputs[0])
    tree.surface(Subsurface_Weight=s["subsurface"], Subsurface_Radius=s["radius"], Subsurface_Scale=s["depth"])
    tree.surface(Coat_Weight=s["wet"], Coat_Roughness=0.06)
    return tree.material


def _eye(tree: _Tree, s: dict[str, Any], folder: Path) -> Any:
    """The ball with its iris; the clear shell before it has no colour in the texture."""
    picture = tree.picture(folder / s["texture"])
    tree.surface(Base_Color=tree.mix(1.0, picture.outputs[0], s["tint"], "MULTIPLY"), Roughness=0.12, Specular_IOR_Level=0.5)
    tree.surface(Coat_Weight=1.0, Coat_Roughness=0.02, Subsurface_Weight=0.1, Subsurface_Scale=0.001)
    # What the texture leaves out is the cornea: light goes through, its reflection stays.
    clear = tree.node("BsdfTransparent")
    gloss = tree.node("BsdfGlossy", {"Roughness": 0.02})
    film = tree.node("MixShader", {0: tree.maths("MULTIPLY", tree.node("Fresnel", {"IOR": 1.38}).outputs[0], 1.0), 1: clear.outputs[0], 2: gloss.outputs[0]})
    both = tree.node("MixShader", {0: picture.outputs[1], 1: film.outputs[0], 2: tree.principled.outputs[0]})
    tree.links.new(both.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    return tree.material


def _hair(tree: _Tree, s: dict[str, Any], folder: Path) -> Any:
    """Cards of hair, brows or lashes."""
    picture = tree.picture(folder / s["texture"])
    tree.surface(Base_Color=tree.mix(1.0, picture.outputs[0], s["tint"], "MULTIPLY"), Roughness=s["rough"], Specular_IOR_Level=s["specular"])
    tree.surface(Alpha=tree.maths("MULTIPLY", picture.outputs[1], s["alpha"], clamp=True))
    return tree.material
