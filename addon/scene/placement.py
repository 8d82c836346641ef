"""Where a new character stands in a scene with work in it: at the 3D cursor, never inside another object."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..core import free_place
from . import view

_SOLID = {"MESH", "CURVE", "CURVES", "SURFACE", "META", "FONT", "VOLUME", "POINTCLOUD", "GPENCIL", "GREASEPENCIL"}
_SEEN_THROUGH = {"BOUNDS", "WIRE"}  # what is drawn so is a helper: a domain, a boolean's cutter
_GAP = 0.1  # Blender units beside a neighbour
_LIFT = 1e-3  # Blender units above a floor
_WIDE = 3.0  # times the character: a floor is wider than that to either side
_LEVEL = 0.7  # cosine of the steepest floor
_TURNS_FROM = math.radians(75)  # how far aside a viewer stands before the character turns towards them


@dataclass
class Obstacle:
    """A visible object (or an instance of one) and its box in the world, (2, 3)."""

    item: bpy.types.Object
    box: np.ndarray


def stand(scene: bpy.types.Scene, points: np.ndarray) -> Matrix:
    """Where a character goes that is not in the scene yet: the transformation of its rig.

    Its middle goes to the 3D cursor, upright. It faces the front (−Y), or, seen by a viewport from further aside than
    75°, the side that is nearest to the viewer. Where it would cut a floor, it stands on it. Where it would
    touch an object's box, it moves to its left or right, whichever is nearer. A box that holds all of it and does not
    hide it from the viewport (a room, a sky) is no obstacle.

    Args:
        scene: the current scene of the context.
        points: (N, 3) the character's vertices at rest, Blender units.
    """
    area = view.area_of(bpy.context)
    looking = view.looking(scene, area) if area is not None else None
    turn = _turn(looking)
    matrix = Matrix.Translation(scene.cursor.location) @ Matrix.Rotation(turn, 4, "Z")
    box = free_place.box_of(points, np.array(matrix))
    floor, lift = _floor(scene, box)
    matrix = Matrix.Translation((0.0, 0.0, lift)) @ matrix
    box = free_place.box_of(points, np.array(matrix))
    near = [
        other
        for other in _obstacles(bpy.context.evaluated_depsgraph_get())
        if other.item != floor and not (looking is not None and _surrounds(scene, other, box, looking))
    ]
    boxes = np.array([other.box for other in near]).reshape(-1, 2, 3)
    axis = 0 if abs(math.cos(turn)) > 0.5 else 1
    sign = 1.0 if math.cos(turn) + math.sin(turn) > 0.0 else -1.0  # its right, which is the viewer's
    mirrored = boxes if sign > 0.0 else -boxes[:, ::-1]
    way = sign * free_place.slide(box if sign > 0.0 else -box[::-1], mirrored, axis, _GAP)
    return Matrix.Translation([way if index == axis else 0.0 for index in range(3)]) @ matrix


def front_of(matrix: Matrix) -> Vector:
    """Where a character with that rig looks, length 1."""
    return (matrix.to_3x3() @ Vector((0.0, -1.0, 0.0))).normalized()


def _obstacles(graph: bpy.types.Depsgraph) -> Iterator[Obstacle]:
    """What the current view layer shows."""
    for instance in graph.object_instances:
        item = instance.object
        owner = (instance.parent if instance.is_instance else item).original
        if not instance.show_self or item.type not in _SOLID or item.display_type in _SEEN_THROUGH:
            continue
        if not owner.visible_get() or (item.type == "MESH" and not len(item.data.vertices)):
            continue
        yield Obstacle(item.original, free_place.box_of(np.array(item.bound_box), np.array(instance.matrix_world)))


def _turn(looking: view.Looking | None) -> float:
    """How far the character turns about Z, radians: a quarter turn or several, 0 where it faces the viewer anyway."""
    if looking is None:
        return 0.0
    towards = looking.towards_viewer
    if math.hypot(towards.x, towards.y) < 0.2:  # from above or below there is no side
        return 0.0
    aside = math.atan2(towards.x, -towards.y)  # from the front, counter-clockwise seen from above
    return 0.0 if abs(aside) <= _TURNS_FROM else round(aside / (math.pi / 2)) * (math.pi / 2)


def _floor(scene: bpy.types.Scene, box: np.ndarray) -> tuple[bpy.types.Object | None, float]:
    """The floor that a character's box cuts, and how far it has to rise to stand on it."""
    middle, height = box.mean(axis=0), box[1, 2] - box[0, 2]
    start = Vector((middle[0], middle[1], box[1, 2]))
    graph = bpy.context.evaluated_depsgraph_get()
    hit, place, normal, _index, item, _matrix = scene.ray_cast(graph, start, Vector((0, 0, -1)), distance=height)
    if not hit or abs(normal.z) < _LEVEL or item is None:
        return None, 0.0
    own = free_place.box_of(np.array(item.bound_box), np.array(item.matrix_world))
    reach = _WIDE * (box[1] - box[0]).max()
    if (own[0, :2] > middle[:2] - reach).any() or (own[1, :2] < middle[:2] + reach).any():
        return None, 0.0
    return item.original, place.z - box[0, 2] + _LIFT


def _surrounds(scene: bpy.types.Scene, other: Obstacle, box: np.ndarray, looking: view.Looking) -> bool:
    """Whether a box holds the whole character and the viewer sees it all the same."""
    if not free_place.encloses(box, other.box[None])[0]:
        return False
    middle = Vector(box.mean(axis=0))
    eye = looking.eye_for(middle)
    way = middle - eye
    if way.length < 1e-6:
        return True
    graph = bpy.context.evaluated_depsgraph_get()
    hit, _place, _normal, _index, item, _matrix = scene.ray_cast(graph, eye, way.normalized(), distance=way.length)
    return not (hit and item is not None and item.original == other.item)
