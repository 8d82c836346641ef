"""Landmarks in the viewport: a mesh that says where they are, whatever Blender's own tools do to it."""

from __future__ import annotations

import math

import bpy
import numpy as np
import pytest
from extension import part
from mathutils import Matrix

SIZE = (480, 640)


def portrait_face(shift: float = 0.0, **values):
    formats, parts = part("backend.makeittalk.exchange.formats"), part("addon.core.landmark_parts")
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.column_stack([220 + shift + 90 * np.cos(angle), 300 + 120 * np.sin(angle), 30 * np.cos(2 * angle)])
    points = (points + points[parts.MIRROR] * (-1, 1, 1) + (440 + 2 * shift, 0, 0)) / 2  # symmetric
    return formats.Face(part("addon.core.placed_face").Path("p.png"), *SIZE, points.astype(np.float32), **values)


@pytest.fixture
def image(scene):
    return part("addon.scene.textures").array_image("Portrait", np.full((SIZE[1], SIZE[0], 4), 200, np.uint8))


@pytest.fixture
def landmark_mesh():
    return part("addon.scene.landmark_mesh")


def test_points_come_back_as_they_were_and_as_they_were_moved(scene, image, landmark_mesh):
    face = portrait_face(detector="mediapipe")
    points = landmark_mesh.show(scene, image, [face], portrait="/p.png")
    assert points.mode == "EDIT" and bpy.context.view_layer.objects.active == points
    np.testing.assert_allclose(landmark_mesh.read(points), face.landmarks, atol=1e-3)
    assert landmark_mesh.face_of(points).detector == "mediapipe"
    assert len(points.data.edges) == 63 and landmark_mesh.portrait(points) == "/p.png"
    labels = [item.label for item in part("addon.core.landmark_parts").PARTS.values()]
    assert [group.name for group in points.vertex_groups] == labels
    # In Edit Mode, by Blender's own operators: one unit is the picture's height, up is up.
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.transform.translate(value=(0.05, 0.0, 0.1))
    moved = landmark_mesh.read(points)
    np.testing.assert_allclose(moved, face.landmarks + (0.05 * 640, -0.1 * 640, 0.0), atol=1e-2)
    assert landmark_mesh.face_of(points).detector == "hand"
    bpy.ops.object.mode_set(mode="OBJECT")
    points.scale = (2.0, 2.0, 2.0)  # and by what is done to the object
    middle = moved[part("addon.core.landmark_parts").MIDDLE, :2].mean(axis=0)
    about = np.array([middle[0] - 0.05 * 640, middle[1] + 0.1 * 640])
    np.testing.assert_allclose(landmark_mesh.read(points)[:, :2], about + 2 * (moved[:, :2] - about), atol=1e-2)
    landmark_mesh.write(points, face.landmarks)
    np.testing.assert_allclose(landmark_mesh.read(points), face.landmarks, atol=1e-3)


def test_points_lie_on_the_picture_that_stands_before_the_viewer(scene, image, landmark_mesh):
    face = portrait_face()
    place = Matrix.Translation((3.0, 2.0, 1.0)) @ Matrix.Rotation(math.pi / 2, 4, "Z")
    points = landmark_mesh.show(scene, image, [face], place=place)
    bpy.context.view_layer.update()
    coordinates = part("addon.core.coordinates")
    world = np.array([points.matrix_world @ vertex.co for vertex in points.data.vertices])
    stood = coordinates.points_to_blender(face.landmarks, np.array(SIZE))
    stood[:, 1] -= stood[:, 1].max() + (points["makeittalk_behind"] - face.landmarks[:, 2].max() / SIZE[1])
    assert stood[:, 1].max() < -0.005  # all of them before the picture
    np.testing.assert_allclose(world, stood @ np.array(place)[:3, :3].T + np.array(place)[:3, 3], atol=1e-4)
    picture = points.parent
    assert picture.data == image and picture.hide_select and picture.empty_display_size == 1.0
    bpy.ops.object.mode_set(mode="OBJECT")
    evaluated = points.evaluated_get(bpy.context.evaluated_depsgraph_get())
    assert len(evaluated.data.polygons) >= 63 * 6  # lines that are thick enough to be seen


def test_one_of_several_faces_is_chosen(scene, image, landmark_mesh):
    faces = [portrait_face(), portrait_face(60.0)]
    place = Matrix.Translation((3.0, 2.0, 1.0)) @ Matrix.Rotation(math.pi / 2, 4, "Z")
    points = landmark_mesh.show(scene, image, faces, 1, found=2, place=place)
    np.testing.assert_allclose(landmark_mesh.read(points), faces[1].landmarks, atol=1e-3)
    stood = points.parent.matrix_basis.copy()
    assert bpy.ops.makeittalk.choose_face(number=1) == {"FINISHED"}
    points = landmark_mesh.active(bpy.context)
    np.testing.assert_allclose(points.parent.matrix_basis, stood, atol=1e-6)
    np.testing.assert_allclose(landmark_mesh.read(points), faces[0].landmarks, atol=1e-3)
    assert points.mode == "EDIT" and scene.makeittalk.face == 1
    with pytest.raises(RuntimeError, match="There is no face 3"):
        bpy.ops.makeittalk.choose_face(number=3)


def test_contours_are_as_thick_as_suits_the_face(scene, image, landmark_mesh):
    def radius() -> float:
        tree = part("addon.scene.contour_lines").tree_of(points)
        return tree.nodes["Curve Circle"].inputs["Radius"].default_value

    face = portrait_face()
    small = portrait_face()
    small.landmarks = small.landmarks.mean(axis=0) + (small.landmarks - small.landmarks.mean(axis=0)) / 3
    points = landmark_mesh.show(scene, image, [small])
    thin = radius()
    landmark_mesh.replace(points, face)
    assert radius() == pytest.approx(3 * thin, rel=1e-3)
    assert radius() > 0.006 * np.ptp(face.landmarks[:, 0]) / SIZE[1]
    points.modifiers.clear()
    landmark_mesh.replace(points, small)  # somebody took them away


def test_parts_are_put_back_and_halves_mirrored(scene, image, landmark_mesh):
    face = portrait_face()
    points = landmark_mesh.show(scene, image, [face])
    crooked = face.landmarks.copy()
    crooked[36:48] += (7.0, 5.0, 0.0)
    crooked[22:27] += (0.0, -20.0, 0.0)
    landmark_mesh.write(points, crooked)
    assert bpy.ops.makeittalk.reset_landmarks(part="EYE_LEFT") == {"FINISHED"}
    now = landmark_mesh.read(points)
    np.testing.assert_allclose(now[42:48], face.landmarks[42:48], atol=1e-3)
    np.testing.assert_allclose(now[36:42], crooked[36:42], atol=1e-3)
    assert bpy.ops.makeittalk.mirror_landmarks(keep="LEFT") == {"FINISHED"}
    now = landmark_mesh.read(points)
    np.testing.assert_allclose(now[36:42], face.landmarks[36:42], atol=0.1)
    np.testing.assert_allclose(now[17:22, 1], face.landmarks[17:22, 1] - 20.0, atol=0.1)
    assert bpy.ops.makeittalk.reset_landmarks(part="ALL") == {"FINISHED"}
    np.testing.assert_allclose(landmark_mesh.read(points), face.landmarks, atol=1e-3)


def test_applied_landmarks_are_the_portraits_and_leave_nothing_behind(scene, image, landmark_mesh):
    settings = scene.makeittalk
    settings.portrait = "/p.png"
    before = {kind: len(getattr(bpy.data, kind)) for kind in ("objects", "meshes", "materials", "node_groups")}
    points = landmark_mesh.show(scene, image, [portrait_face()], portrait="/p.png")
    landmark_mesh.write(points, portrait_face(5.0).landmarks)
    assert bpy.ops.makeittalk.apply_landmarks() == {"FINISHED"}
    assert settings.is_placed and settings.landmarks_image == image
    kept = part("addon.core.placed_face").from_text(settings.landmarks)
    np.testing.assert_allclose(kept.landmarks, portrait_face(5.0).landmarks, atol=1e-2)
    assert {kind: len(getattr(bpy.data, kind)) for kind in before} == before
    assert part("addon.scene.setup").is_untouched(scene)
    # They are edited on without the backend; another portrait has none.
    assert bpy.ops.makeittalk.edit_landmarks() == {"FINISHED"}
    np.testing.assert_allclose(landmark_mesh.read(landmark_mesh.active(bpy.context)), kept.landmarks, atol=1e-2)
    assert bpy.ops.makeittalk.cancel_landmarks() == {"FINISHED"} and settings.is_placed
    settings.portrait = "/other.png"
    assert not settings.is_placed
    settings.portrait = "/p.png"
    assert bpy.ops.makeittalk.drop_landmarks() == {"FINISHED"} and not settings.is_placed


def test_what_is_no_face_any_more_is_a_sentence(scene, image, landmark_mesh):
    points = landmark_mesh.show(scene, image, [portrait_face()], portrait="/p.png")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.transform.resize(value=(0.0, 1.0, 1.0))
    with pytest.raises(RuntimeError, match="lie on one line"):
        bpy.ops.makeittalk.apply_landmarks()
    bpy.ops.mesh.select_all(action="DESELECT")
    bpy.ops.object.mode_set(mode="OBJECT")
    points.data.vertices[3].select = True
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.delete(type="VERT")
    with pytest.raises(RuntimeError, match="67 points instead of 68"):
        bpy.ops.makeittalk.apply_landmarks()
    assert bpy.ops.makeittalk.cancel_landmarks() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="Press Edit Landmarks first"):
        bpy.ops.makeittalk.apply_landmarks()


def test_editing_goes_on_after_save_and_reopen(scene, image, landmark_mesh, tmp_path):
    points = landmark_mesh.show(scene, image, [portrait_face()], portrait="/p.png")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.transform.translate(value=(0.05, 0.0, 0.0))
    moved = landmark_mesh.read(points)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "half.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "half.blend"))
    points = landmark_mesh.active(bpy.context)
    np.testing.assert_allclose(landmark_mesh.read(points), moved, atol=1e-2)
    np.testing.assert_allclose(landmark_mesh.begun(points), portrait_face().landmarks, atol=1e-3)
    assert bpy.ops.makeittalk.apply_landmarks() == {"FINISHED"}
    assert bpy.context.scene.makeittalk.landmarks_image is not None


def test_landmarks_go_into_a_file_and_come_back(scene, image, landmark_mesh, tmp_path):
    points = landmark_mesh.show(scene, image, [portrait_face()], portrait="/p.png")
    landmark_mesh.write(points, portrait_face(9.0).landmarks)
    assert bpy.ops.makeittalk.save_landmarks(filepath=str(tmp_path / "mine.json")) == {"FINISHED"}
    face = part("backend.makeittalk.exchange.formats").Face.load(tmp_path / "mine.json")
    np.testing.assert_allclose(face.landmarks, portrait_face(9.0).landmarks, atol=1e-2)
    assert face.image == tmp_path / "mine.png" and face.image.is_file() and (face.width, face.height) == SIZE
    assert bpy.ops.makeittalk.reset_landmarks(part="ALL") == {"FINISHED"}
    assert bpy.ops.makeittalk.load_landmarks(filepath=str(tmp_path / "mine.json")) == {"FINISHED"}
    np.testing.assert_allclose(landmark_mesh.read(points), face.landmarks, atol=1e-2)
    face.width = 500
    face.save(tmp_path / "other.json")
    with pytest.raises(RuntimeError, match=r"500 × 640 px, this one has 480 × 640"):
        bpy.ops.makeittalk.load_landmarks(filepath=str(tmp_path / "other.json"))
    with pytest.raises(RuntimeError, match=r"nothing\.json"):
        bpy.ops.makeittalk.load_landmarks(filepath=str(tmp_path / "nothing.json"))
