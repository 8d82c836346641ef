"""The contours of a face's landmarks as lines that are thick enough to be seen before a picture, with a dot on each."""

from __future__ import annotations

import bpy

from .. import compat

_NAME = "MakeItTalk Contours"
_COLOUR = (1.0, 0.16, 0.5, 1.0)
#: Radii of lines and dots, in widths of the face.
_RADII = {"GeometryNodeCurvePrimitiveCircle": 0.007, "GeometryNodeMeshIcoSphere": 0.014}


def add(points: bpy.types.Object, width: float) -> None:
    """Draws the edges of an object as tubes and its vertices as balls, by a modifier.

    Args:
        points: the landmarks. width: of their face, Blender units.
    """
    material = _material()
    points.data.materials.append(material)
    points.color = _COLOUR
    tree = bpy.data.node_groups.new(_NAME, "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    names = (
        *("NodeGroupInput", "GeometryNodeMeshToCurve", "GeometryNodeCurvePrimitiveCircle", "GeometryNodeCurveToMesh"),
        *("GeometryNodeMeshIcoSphere", "GeometryNodeInstanceOnPoints", "GeometryNodeJoinGeometry"),
        *("GeometryNodeSetMaterial", "NodeGroupOutput"),
    )
    given, lines, circle, tubes, ball, dots, joined, coloured, result = (tree.nodes.new(name) for name in names)
    circle.inputs["Resolution"].default_value = 6
    _size(tree, width)
    coloured.inputs["Material"].default_value = material
    for source, target, name in (
        (given, lines, "Mesh"),
        (lines, tubes, "Curve"),
        (circle, tubes, "Profile Curve"),
        (given, dots, "Points"),
        (ball, dots, "Instance"),
        (tubes, joined, "Geometry"),
        (dots, joined, "Geometry"),
        (joined, coloured, "Geometry"),
        (coloured, result, "Geometry"),
    ):
        tree.links.new(source.outputs[0], target.inputs[name])
    modifier = points.modifiers.new(_NAME, "NODES")
    modifier.node_group = tree
    modifier.show_in_editmode, modifier.show_on_cage, modifier.show_render = True, False, False


def resize(points: bpy.types.Object, width: float) -> None:
    """Suits the lines to a face of another width, Blender units; does nothing where somebody took them away."""
    tree = tree_of(points)
    if tree is not None:
        _size(tree, width)


def _size(tree: bpy.types.NodeTree, width: float) -> None:
    for node in tree.nodes:
        if node.bl_idname in _RADII:
            node.inputs["Radius"].default_value = _RADII[node.bl_idname] * width


def _material() -> bpy.types.Material:
    """One that shows its colour in every shading, whatever the lights."""
    material = bpy.data.materials.new(_NAME)
    material.diffuse_color = _COLOUR
    compat.use_nodes(material)
    nodes = material.node_tree.nodes
    nodes.clear()
    emission, output = nodes.new("ShaderNodeEmission"), nodes.new("ShaderNodeOutputMaterial")
    emission.inputs["Color"].default_value = _COLOUR
    material.node_tree.links.new(emission.outputs[0], output.inputs["Surface"])
    compat.no_light_sampling(material)
    return material


def tree_of(points: bpy.types.Object) -> bpy.types.NodeTree | None:
    """The nodes that draw the contours."""
    return next((item.node_group for item in points.modifiers if item.type == "NODES"), None)
