"""Materials that show a picture exactly as it is: emission, its transparency kept."""

from __future__ import annotations

import bpy

from .. import compat


def picture_material(name: str, image: bpy.types.Image, transparent: bool) -> bpy.types.Material:
    """Makes a material that emits the image's colours, so that lights and shadows leave the portrait alone.

    Args:
        name: the datablock's name.
        image: an sRGB picture with straight alpha.
        transparent: whether the alpha matters; an opaque material renders faster and sorts without doubt.
    """
    material = bpy.data.materials.new(name)
    compat.use_nodes(material)
    tree = material.node_tree
    tree.nodes.clear()
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    texture.extension = "EXTEND"  # a plane that reaches beyond the picture goes on with its border
    texture.location = (-300, 0)
    emission = tree.nodes.new("ShaderNodeEmission")
    emission.location = (0, 0)
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    output.location = (400, 0)
    tree.links.new(texture.outputs["Color"], emission.inputs["Color"])
    surface = emission.outputs["Emission"]
    if transparent:
        clear = tree.nodes.new("ShaderNodeBsdfTransparent")
        clear.location = (0, 120)
        mix = tree.nodes.new("ShaderNodeMixShader")
        mix.location = (200, 60)
        tree.links.new(texture.outputs["Alpha"], mix.inputs[0])
        tree.links.new(clear.outputs[0], mix.inputs[1])
        tree.links.new(surface, mix.inputs[2])
        surface = mix.outputs[0]
        compat.dithered_transparency(material)
    tree.links.new(surface, output.inputs["Surface"])
    tree.nodes.active = texture  # what the viewport's texture mode shows
    compat.no_light_sampling(material)
    return material
