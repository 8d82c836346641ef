"""Materials that show a picture: exactly as it is, by emission, or lit by the scene's lamps; transparency kept."""

from __future__ import annotations

import bpy

from .. import compat

_ROUGHNESS = 0.6  # of skin and paint alike: a soft sheen, no highlights that the picture does not have
_LIT = "Lit"


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


def set_lit(material: bpy.types.Material, lit: bool) -> None:
    """Lets lamps and shadows act on a picture's material, or shows the picture as it is again.

    What feeds the emission feeds the lit shader, so that nodes that somebody put in between count for both. A material
    that is not one of `picture_material` is left alone. The shader that is not shown stays, with its settings.
    """
    nodes = material.node_tree.nodes
    emission, mix, output = _emission(nodes), _mix(nodes), _output(nodes)
    if emission is None or output is None:
        return
    links = material.node_tree.links
    if not lit:
        links.new((mix or emission).outputs[0], output.inputs["Surface"])
        return
    shader = nodes.get(_LIT)
    if shader is None or shader.type != "BSDF_PRINCIPLED":
        shader = nodes.new("ShaderNodeBsdfPrincipled")
        shader.name = shader.label = _LIT
        shader.location = (0, -120)
        shader.inputs["Roughness"].default_value = _ROUGHNESS
    sources = ((emission.inputs["Color"], "Base Color"), (mix.inputs[0] if mix is not None else None, "Alpha"))
    for source, name in sources:
        feeding = source.links if source is not None else None
        if feeding:
            links.new(feeding[0].from_socket, shader.inputs[name])
    links.new(shader.outputs[0], output.inputs["Surface"])


def own(data: bpy.types.Mesh, slot: int) -> bpy.types.Material | None:
    """The material of a mesh's slot, made its own where another mesh, as that of a copied character, shows it too."""
    material = data.materials[slot]
    if material is not None and material.users > 1 + material.use_fake_user:
        material = data.materials[slot] = material.copy()
    return material


def make_unlit(material: bpy.types.Material) -> None:
    """Builds a picture's material as the glTF exporter knows one that no light changes (KHR_materials_unlit).

    It looks for an emission that only the camera sees, inside of the mix with transparency if there is one.
    """
    set_lit(material, False)
    nodes, links = material.node_tree.nodes, material.node_tree.links
    emission, mix, output = _emission(nodes), _mix(nodes), _output(nodes)
    if emission is None or output is None:
        return
    ray, clear, seen = (
        nodes.new(kind) for kind in ("ShaderNodeLightPath", "ShaderNodeBsdfTransparent", "ShaderNodeMixShader")
    )
    links.new(ray.outputs["Is Camera Ray"], seen.inputs[0])
    links.new(clear.outputs[0], seen.inputs[1])
    links.new(emission.outputs[0], seen.inputs[2])
    links.new(seen.outputs[0], mix.inputs[2] if mix is not None else output.inputs["Surface"])


def _emission(nodes: bpy.types.Nodes) -> bpy.types.Node | None:
    return next((node for node in nodes if node.type == "EMISSION"), None)


def _mix(nodes: bpy.types.Nodes) -> bpy.types.Node | None:
    return next((node for node in nodes if node.type == "MIX_SHADER"), None)


def _output(nodes: bpy.types.Nodes) -> bpy.types.Node | None:
    return next((node for node in nodes if node.type == "OUTPUT_MATERIAL" and node.is_active_output), None)
