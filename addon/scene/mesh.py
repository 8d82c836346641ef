"""The portrait as a mesh datablock."""

from __future__ import annotations

import bpy
import numpy as np

from ...backend.makeittalk.exchange.formats import Mesh
from ..core.coordinates import points_to_blender


def new_mesh(name: str, arrays: Mesh) -> bpy.types.Mesh:
    """Makes the mesh with its UV layer and the material index of every triangle.

    Args:
        name: the datablock's name.
        arrays: the mesh in portrait pixels.

    Returns:
        A mesh of V vertices and F triangles, one unit high, in the XZ plane with its face towards −Y.
    """
    mesh = bpy.data.meshes.new(name)
    _fill(mesh, arrays)
    return mesh


def rewrite(mesh: bpy.types.Mesh, arrays: Mesh) -> None:
    """Gives a mesh other vertices and triangles in place; materials, names of vertex groups and the shape-key datablock
    stay.

    The shape keys still have as many points as before: `shape_keys.rewrite` comes next.
    """
    mesh.clear_geometry()
    _fill(mesh, arrays)


def _fill(mesh: bpy.types.Mesh, arrays: Mesh) -> None:
    triangles = np.ascontiguousarray(arrays.triangles, np.int32)
    points = points_to_blender(arrays.vertices, arrays.image_size)
    loops = triangles.reshape(-1)

    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", points.astype(np.float32).reshape(-1))
    mesh.loops.add(len(loops))
    mesh.loops.foreach_set("vertex_index", loops)
    mesh.polygons.add(len(triangles))
    mesh.polygons.foreach_set("loop_start", np.arange(0, len(loops), 3, dtype=np.int32))
    mesh.polygons.foreach_set("material_index", arrays.material.astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(triangles), bool))
    layer = mesh.uv_layers.new(name="UVMap", do_init=False)
    layer.uv.foreach_set("vector", arrays.uv.astype(np.float32)[loops].reshape(-1))
    mesh.update(calc_edges=True)
    mesh.validate()
