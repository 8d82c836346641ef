"""Where a character appears in a scene with work in it."""

from __future__ import annotations

import math

import bpy
import numpy as np
import pytest
import samples
from bpy_extras.object_utils import world_to_camera_view
from extension import part
from mathutils import Euler, Vector

HALF_WIDTH = 0.5 * samples.WIDTH / samples.HEIGHT


@pytest.fixture
def worked(scene):
    """A scene with work in it and nothing in the way."""
    bpy.data.objects.remove(scene.objects["Cube"])
    scene.frame_end = 40
    look(Euler((math.radians(65), 0, math.radians(40))))
    return scene


def region():
    area = part("addon.scene.view").area_of(bpy.context)
    return area.spaces.active.region_3d


def look(rotation: Euler, perspective: str = "PERSP", at=(0, 0, 0), distance=20.0) -> None:
    found = region()
    found.view_perspective, found.view_rotation = perspective, rotation.to_quaternion()
    found.view_location, found.view_distance = at, distance


def box_of(item) -> np.ndarray:
    bpy.context.view_layer.update()
    points = np.array([item.matrix_world @ Vector(corner) for corner in item.bound_box])
    return np.stack([points.min(axis=0), points.max(axis=0)])


def body_box(character) -> np.ndarray:
    return box_of(character.makeittalk.body)


def add(kind: str, **how):
    getattr(bpy.ops.mesh, f"primitive_{kind}_add")(**how)
    item = bpy.context.object
    bpy.ops.object.select_all(action="DESELECT")
    return item


def meet(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(((a[0] < b[1]) & (b[0] < a[1])).all())


def test_it_stands_at_the_cursor(worked, make):
    worked.cursor.location = (3.0, -2.0, 1.0)
    root = make().makeittalk.rig
    assert tuple(root.location) == (3.0, -2.0, 1.0) and tuple(root.rotation_euler) == (0, 0, 0)


def test_an_object_at_the_cursor_is_kept_out_of(worked, make):
    cube = add("cube", size=2.0, location=(0.3, 0, 0))
    character = make()
    assert not meet(body_box(character), box_of(cube))
    assert character.makeittalk.rig.location.x == pytest.approx(-0.7 - 0.1 - HALF_WIDTH, abs=1e-4)


def test_hidden_objects_and_helpers_are_no_obstacle(worked, make):
    hidden, cutter, off = (add("cube", size=2.0) for _ in range(3))
    hidden.hide_set(True)
    cutter.display_type = "WIRE"
    off.hide_viewport = True
    assert make().makeittalk.rig.location.length == 0.0


def test_instances_of_a_collection_are_obstacles(worked, make):
    cube = add("cube", size=1.0, location=(40, 0, 0))
    source = bpy.data.collections.new("Source")
    source.objects.link(cube)
    source.instance_offset = (40, 0, 0)
    empty = bpy.data.objects.new("Instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", source
    worked.collection.objects.link(empty)
    assert abs(make().makeittalk.rig.location.x) == pytest.approx(0.5 + 0.1 + HALF_WIDTH, abs=1e-4)


def test_a_big_solid_does_not_swallow_it(worked, make):
    cube = add("cube", size=10.0)
    look(Euler((math.radians(65), 0, math.radians(40))), distance=40.0)
    assert not meet(body_box(make()), box_of(cube))


def test_in_a_room_it_stays_with_the_viewer(worked, make):
    add("cube", size=10.0)
    look(Euler((math.radians(85), 0, 0)), at=(0, 0, 0), distance=3.0)  # the viewer is in the room, too
    assert make().makeittalk.rig.location.length == 0.0


@pytest.mark.parametrize("wavy", [False, True])
def test_it_stands_on_a_floor(worked, make, wavy):
    floor = add("grid", size=60.0, x_subdivisions=11, y_subdivisions=11)
    if wavy:
        floor.data.vertices[0].co.z = 4.0
    character = make()
    assert tuple(character.makeittalk.rig.location)[:2] == (0.0, 0.0)
    hit = worked.ray_cast(bpy.context.evaluated_depsgraph_get(), Vector((0, 0.3, 9)), Vector((0, 0, -1)))[1]
    assert body_box(character)[0, 2] == pytest.approx(hit.z, abs=0.05)


def test_several_stand_side_by_side(worked, make):
    made = [make(start=1 + 10 * number) for number in range(4)]
    boxes = [body_box(item) for item in made]
    for number, box in enumerate(boxes):
        assert not any(meet(box, other) for other in boxes[:number])
    assert {round(item.makeittalk.rig.location.y, 6) for item in made} == {0.0}


@pytest.mark.parametrize(("azimuth", "turn"), [(0, 0), (50, 0), (-50, 0), (80, 90), (-80, -90), (170, 180)])
def test_it_faces_a_viewer_at_its_side(worked, make, azimuth, turn):
    look(Euler((math.radians(75), 0, math.radians(azimuth))))
    cube = add("cube", size=0.8, location=(0, 0, 0))
    character = make()
    root = character.makeittalk.rig
    assert math.degrees(root.rotation_euler.z) % 360 == pytest.approx(turn % 360, abs=1e-3)
    assert not meet(body_box(character), box_of(cube))
    moved = root.rotation_euler.to_matrix().inverted() @ root.location
    assert moved.x == pytest.approx(0.4 + 0.1 + HALF_WIDTH, abs=1e-4)  # to the viewer's right
    assert Vector((moved.y, moved.z)).length < 1e-5


def test_the_view_frames_it(worked, make):
    worked.cursor.location = (7.0, 5.0, 2.0)
    before = region().view_rotation.copy()
    box = body_box(make())
    found = region()
    np.testing.assert_allclose(found.view_location, box.mean(axis=0), atol=0.02)
    assert 0.6 < found.view_distance < 4.0
    assert found.view_rotation.rotation_difference(before).angle < 1e-5 and found.view_perspective == "PERSP"


def test_a_view_from_above_turns_to_the_front(worked, make):
    look(Euler((0, 0, 0)), "ORTHO")
    make()
    towards = region().view_rotation @ Vector((0, 0, 1))
    np.testing.assert_allclose(towards, (0, -1, 0), atol=1e-5)


def test_the_users_camera_and_settings_stay(worked, make):
    def kept():
        scene = worked
        render = scene.render
        return (
            scene.camera,
            scene.camera.matrix_world.copy(),
            (render.resolution_x, render.resolution_y, scene.view_settings.view_transform, scene.sync_mode),
            (scene.frame_start, scene.frame_end, scene.frame_current),
        )

    before = kept()
    region().view_perspective = "CAMERA"
    worked.cursor.location = (300.0, 0.0, 0.0)  # where the camera does not look
    make()
    assert kept() == before
    assert region().view_perspective == "PERSP"


def test_a_camera_view_that_shows_it_stays(worked, make):
    bpy.context.view_layer.update()
    region().view_perspective = "CAMERA"
    make()
    assert region().view_perspective == "CAMERA"


def move(character) -> None:
    root = character.makeittalk.rig
    root.location, root.rotation_euler, root.scale = (4.0, -3.0, 1.5), (0.2, -0.3, 2.0), (2.0, 2.0, 2.0)
    bpy.context.view_layer.update()


def test_a_moved_turned_and_scaled_character_moves_its_face_alike(worked, make):
    character = make()

    def moves() -> np.ndarray:
        frames = range(1, 20)
        vertices = np.empty((len(frames), len(character.makeittalk.body.data.vertices), 3), np.float32)
        for _ in part("addon.scene.evaluation").read_moves(lambda: (worked, character), frames, vertices):
            pass
        return vertices

    before = moves()
    move(character)
    np.testing.assert_allclose(moves(), before, atol=2e-3)  # px


def test_set_up_scene_frames_a_moved_character(worked, make):
    character = make()
    move(character)
    assert bpy.ops.makeittalk.set_up_scene() == {"FINISHED"}
    bpy.context.view_layer.update()
    corners = [Vector((x * HALF_WIDTH, 0.0, z * 0.5)) for x in (-1, 1) for z in (-1, 1)]
    matrix = character.makeittalk.rig.matrix_world
    seen = [world_to_camera_view(worked, worked.camera, matrix @ corner) for corner in corners]
    expected = [(0, 0), (0, 1), (1, 0), (1, 1)]
    np.testing.assert_allclose([tuple(at)[:2] for at in seen], expected, atol=1e-4)
    assert all(at.z > worked.camera.data.clip_start for at in seen)


def test_the_photo_plane_stands_where_the_character_does(worked, make, job):
    character = make()
    move(character)
    plane = part("addon.scene.photo_plane").show(character, job / "portrait.png", 1, 1)
    body = body_box(character)
    np.testing.assert_allclose(box_of(plane).mean(axis=0)[:2], body.mean(axis=0)[:2], atol=0.3)
    assert plane.parent == character.makeittalk.rig


def test_a_rebake_leaves_it_where_it_is(worked, make, job):
    character = make()
    move(character)
    before = character.makeittalk.rig.matrix_world.copy()
    part("addon.scene.performance").write(character, job / "bake.npz")
    bpy.context.view_layer.update()
    assert character.makeittalk.rig.matrix_world == before


def test_solid_shading_is_asked_about_once(worked, make):
    view = part("addon.scene.view")
    space = view.area_of(bpy.context).spaces.active
    space.shading.type, space.shading.color_type = "SOLID", "MATERIAL"
    session = bpy.context.window_manager.makeittalk
    session.texture = "ASK"
    make()
    assert space.shading.color_type == "MATERIAL" and view.hides_texture(space)
    assert bpy.ops.makeittalk.show_texture(show=False) == {"FINISHED"}
    assert space.shading.color_type == "MATERIAL" and session.texture == "LEAVE"
    assert bpy.ops.makeittalk.show_texture() == {"FINISHED"}
    assert not view.hides_texture(space) and session.texture == "SHOW"
    session.texture = "ASK"
