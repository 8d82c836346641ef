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
    triangles = np.ascontiguousarray(arrays.triangles, np.int32)
    points = points_to_blender(arrays.vertices, arrays.image_size)
    loops = triangles.reshape(-1)

    mesh = bpy.data.meshes.new(name)
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
    return mesh
