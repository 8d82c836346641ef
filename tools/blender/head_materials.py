"""Materials of a rendered head, from the numbers of a job: skin, teeth, tongue, eyes, lashes and hair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from shader_tree import ShaderTree

_PORE, _HAIR = 0.00007, 0.00009  # m: how deep a pore is, how far stubble stands out


def build(settings: dict[str, Any], folder: Path) -> Any:
    """A material of the kind that its settings name.

    Args:
        folder: the job's, where textures lie that have no place of their own.
    """
    tree = ShaderTree(bpy.data.materials.new(settings["kind"]))
    {"skin": _skin, "wet": _wet, "eye": _eye, "hair": _hair}[settings["kind"]](tree, settings, folder)
    return tree.material


def _skin(tree: ShaderTree, s: dict[str, Any], folder: Path) -> None:
    """Skin with pores, mottling, freckles, stubble and creased lips; the inside of the mouth is wet.

    The pattern lies in the place that a vertex has at rest (`rest`, metres), so it moves with the skin.
    """
    place, inside = tree.attribute("rest", True), tree.attribute("inside")
    ragged = tree.product(tree.less(tree.noise(place, 700.0), 0.5), 0.35)
    lip = tree.ramp(tree.sum(tree.attribute("lip"), ragged), 0.25, 0.75)
    # Creases of the lips run across them, from in to out.
    creases = tree.noise(tree.scaled(place, (1.0, 0.3, 0.3)), s["creases"], 4.0)
    distance, _ = tree.cells(place, s["pores"], 0.9)
    pore = tree.less(1.0, tree.ramp(distance, 0.0, 0.42))
    colour = tree.picture(folder / s["texture"]).outputs[0]
    adjusted = {"Hue": 0.5, "Saturation": s["saturation"], "Value": s["value"], "Color": colour}
    colour = _mottled(tree, s, place, tree.node("HueSaturation", adjusted).outputs[0])
    colour = tree.mix(tree.product(lip, s["lip_share"]), colour, _lips(tree, s, place, creases))
    colour = tree.shaded(tree.product(pore, s["pore_shade"]), colour, s["brown"])
    height = tree.product(pore, -_PORE)
    if s["stubble"]:
        colour, height = _stubble(tree, s, place, lip, colour, height)
    colour = tree.mix(inside, colour, s["cavity"])
    # Lips have no pores.
    height = tree.product(height, s["pore_depth"], tree.less(1.0, tree.product(lip, 0.8)))
    wrinkles = tree.product(tree.less(tree.noise(place, 420.0, 4.0), 0.5), s["wrinkle"])
    height = tree.sum(height, wrinkles, tree.product(creases, lip, s["crease_depth"]))
    bump = tree.node("Bump", {"Height": height, "Strength": 1.0, "Distance": 1.0})
    rough = tree.ramp(tree.noise(place, 60.0, 3.0), 0.3, 0.7, (s["rough"] - 0.07, s["rough"] + 0.07))
    rough = tree.blend(inside, tree.blend(lip, rough, s["lip_rough"]), 0.2)
    wet = tree.maths("MAXIMUM", tree.product(lip, s["lip_gloss"]), inside)
    tree.surface(Base_Color=colour, Roughness=rough, Normal=bump.outputs[0], Specular_IOR_Level=s["specular"])
    tree.surface(Subsurface_Weight=s["subsurface"], Subsurface_Radius=s["radius"], Subsurface_Scale=s["depth"])
    tree.surface(Coat_Weight=tree.blend(wet, s["oil"], 0.7), Coat_Roughness=0.3)


def _mottled(tree: ShaderTree, s: dict[str, Any], place: Any, colour: Any) -> Any:
    """Blood and melanin, which vary from the size of a hand down to that of a pore, and freckles."""
    for scale, share, shade in ((45.0, 1.0, s["red"]), (260.0, 1.0, s["brown"]), (900.0, 0.6, s["red"])):
        blotch = tree.ramp(tree.noise(place, scale, 3.0), 0.42, 0.68)
        colour = tree.shaded(tree.product(blotch, share * s["mottle"]), colour, shade)
    if s["freckles"]:
        distance, size = tree.cells(place, 330.0)
        spot = tree.ramp(tree.less(tree.product(size, 0.34), distance), 0.0, 0.1)
        where = tree.ramp(tree.noise(place, 40.0), 0.42, 0.6)
        colour = tree.shaded(tree.product(spot, where, s["freckles"]), colour, s["freckle"])
    return colour


def _lips(tree: ShaderTree, s: dict[str, Any], place: Any, creases: Any) -> Any:
    """The colour of lips."""
    lips = tree.mix(tree.ramp(creases, 0.35, 0.62), s["lip_dark"], s["lip"])
    return tree.shaded(tree.ramp(tree.noise(place, 300.0, 3.0), 0.35, 0.7), lips, s["lip_blotch"])


def _stubble(tree: ShaderTree, s: dict[str, Any], place: Any, lip: Any, colour: Any, height: Any) -> tuple[Any, Any]:
    """Hairs of a shaved beard, and the shadow of those under the skin."""
    beard = tree.product(tree.attribute("beard"), tree.less(1.0, lip))
    distance, number = tree.cells(tree.scaled(place, (1.0, 0.55, 0.8)), s["stubble_scale"])
    hair = tree.less(1.0, tree.ramp(distance, 0.1, s["stubble_size"]))
    hair = tree.product(hair, tree.maths("GREATER_THAN", tree.product(beard, 1.25), number), s["stubble"])
    colour = tree.shaded(tree.product(beard, s["stubble_shadow"]), colour, s["stubble_tint"])
    return tree.mix(hair, colour, s["stubble_colour"]), tree.sum(height, tree.product(hair, _HAIR))


def _wet(tree: ShaderTree, s: dict[str, Any], folder: Path) -> None:
    """Teeth, gums and tongue under a film of saliva."""
    place = tree.attribute("rest", True)
    colour = tree.shaded(1.0, tree.picture(folder / s["texture"]).outputs[0], s["tint"])
    rises = {"Height": tree.noise(place, s["bump_scale"], 3.0), "Strength": 1.0, "Distance": s["bump"]}
    tree.surface(Base_Color=colour, Roughness=s["rough"], Normal=tree.node("Bump", rises).outputs[0])
    tree.surface(Subsurface_Weight=s["subsurface"], Subsurface_Radius=s["radius"], Subsurface_Scale=s["depth"])
    tree.surface(Coat_Weight=s["wet"], Coat_Roughness=0.06)


def _eye(tree: ShaderTree, s: dict[str, Any], folder: Path) -> None:
    """The ball with its iris; the clear shell before it has no colour in the texture."""
    picture = tree.picture(folder / s["texture"])
    tree.surface(Base_Color=tree.shaded(1.0, picture.outputs[0], s["tint"]), Roughness=0.12)
    tree.surface(Coat_Weight=1.0, Coat_Roughness=0.02, Subsurface_Weight=0.1, Subsurface_Scale=0.001)
    # What the texture leaves out is the cornea: light goes through, its reflection stays.
    seen = tree.node("Fresnel", {"IOR": 1.38}).outputs[0]
    clear, gloss = tree.node("BsdfTransparent"), tree.node("BsdfGlossy", {"Roughness": 0.02})
    film = tree.node("MixShader", {0: seen, 1: clear.outputs[0], 2: gloss.outputs[0]})
    both = tree.node("MixShader", {0: picture.outputs[1], 1: film.outputs[0], 2: tree.principled.outputs[0]})
    tree.links.new(both.outputs[0], tree.nodes["Material Output"].inputs["Surface"])


def _hair(tree: ShaderTree, s: dict[str, Any], folder: Path) -> None:
    """Cards of hair, brows or lashes."""
    picture = tree.picture(folder / s["texture"])
    tree.surface(Base_Color=tree.shaded(1.0, picture.outputs[0], s["tint"]), Roughness=s["rough"])
    tree.surface(Specular_IOR_Level=s["specular"], Alpha=tree.maths("MULTIPLY", picture.outputs[1], s["alpha"], True))
