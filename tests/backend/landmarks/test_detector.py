"""Landmarks of stills: photos, drawings, paintings, small, turned and many faces, and pictures without one."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
import torch
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.landmarks import alignment3d
from makeittalk.landmarks.detector import NoFaceError, available_detectors, detect_landmarks
from makeittalk.landmarks.ibug68 import INNER_PAIRS, MIRROR
from makeittalk.landmarks.overlay import draw_overlay
from makeittalk.landmarks.pose import Canonical
from PIL import Image
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="module")
def photo(astronaut):
    return np.array(Image.open(astronaut).convert("RGB").resize((512, 512), Image.Resampling.LANCZOS))


@pytest.fixture(scope="module")
def found(photo):
    return detect_landmarks(photo)


def width(landmarks):
    return float(np.linalg.norm(landmarks[0] - landmarks[16]))


def agree(landmarks, expected, mean=0.01, most=0.03):
    """Points where they should be, in shares of the face's width."""
    error = np.linalg.norm(landmarks[:, :2] - expected[:, :2], axis=1) / width(expected)
    assert error.mean() < mean and error.max() < most


def on_ground(picture, size, corner, scale=1.0):
    """A picture pasted into a larger noisy one."""
    ground = np.random.default_rng(0).normal(120, 10, (size[1], size[0], 1)).clip(0, 255)
    ground = np.repeat(ground.astype(np.uint8), 3, axis=2)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ground[corner[1] : corner[1] + small.shape[0], corner[0] : corner[0] + small.shape[1]] = small
    return ground


class TestConvention:
    def test_answer(self, found):
        assert found.landmarks.shape == (68, 3) and found.landmarks.dtype == np.float32
        assert found.detector == "mediapipe" and 0.7 < found.confidence <= 1 and found.notices == []

    def test_depth(self, found):
        """z is 0 midway between the jaw ends and grows away from the viewer; the nose tip is nearest."""
        z = found.landmarks[:, 2]
        assert abs(z[0] + z[16]) < 1e-3
        assert z.argmin() in (29, 30) and -0.9 < z[30] / width(found.landmarks) < -0.5

    def test_sides(self, found):
        """The person's right is on the left, brows are above eyes above mouth above chin."""
        x, y = found.landmarks[:, 0], found.landmarks[:, 1]
        assert x[0] < x[36] < x[39] < x[27] < x[42] < x[45] < x[16]
        assert y[19] < y[37] < y[30] < y[33] < y[51] < y[57] < y[8]

    def test_pose_of_a_frontal_photo(self, found):
        angles = Rotation.from_matrix(Canonical.of(found.landmarks).R).as_euler("xyz", degrees=True)
        assert abs(angles[1]) < 5 and abs(angles[0]) < 12


class TestLips:
    def test_inner_lips_are_where_the_teeth_begin(self, photo, found):
        """The embedded photo's open smile: down its middle, teeth are the rows with little red."""
        upper, lower = found.landmarks[62], found.landmarks[66]
        column = slice(int(upper[0]) - 5, int(upper[0]) + 6)
        rows = np.arange(int(found.landmarks[51, 1]) + 1, int(found.landmarks[57, 1]))
        strip = photo[rows, column].astype(float)
        redness = (strip[..., 0] - strip[..., 1]).mean(1)
        teeth = rows[redness < (redness.min() + redness.max()) / 2]
        assert len(teeth) > 4
        assert abs(teeth[0] - upper[1]) < 0.02 * width(found.landmarks)
        assert abs(teeth[-1] + 1 - lower[1]) < 0.02 * width(found.landmarks)

    def test_open_and_shut(self, found, cartoon):
        def opening(landmarks):
            gaps = [np.linalg.norm(landmarks[a] - landmarks[b]) for a, b in INNER_PAIRS]
            return np.mean(gaps) / np.linalg.norm(landmarks[54] - landmarks[48])

        assert 0.12 < opening(found.landmarks) < 0.25
        assert opening(detect_landmarks(np.array(Image.open(cartoon).convert("RGB"))).landmarks) < 0.08


class TestAnyPicture:
    def test_cartoon(self, cartoon):
        picture = np.array(Image.open(cartoon).convert("RGB"))
        detection = detect_landmarks(picture)
        assert detection.confidence > 0.7
        low, high = detection.landmarks[:, :2].min(0), detection.landmarks[:, :2].max(0)
        assert (low > 0).all() and (high < picture.shape[1::-1]).all()

    @pytest.mark.data
    @pytest.mark.parametrize(
        "name, eyes", [("mona_lisa", ((75, 121), (133, 120))), ("van_gogh", ((328, 404), (497, 404)))]
    )
    def test_paintings(self, data_dir, name, eyes):
        """The eyes are where one sees them: their middles were read off the pictures by hand."""
        landmarks = detect_landmarks(np.array(Image.open(data_dir / "portraits" / f"{name}.jpg"))).landmarks
        for points, eye in zip((landmarks[36:42], landmarks[42:48]), eyes, strict=True):
            assert np.linalg.norm(points[:, :2].mean(0) - eye) < 0.05 * width(landmarks)

    @pytest.mark.parametrize("quarters", [1, 2, 3])
    def test_lying_faces(self, photo, found, quarters):
        landmarks = detect_landmarks(np.ascontiguousarray(np.rot90(photo, quarters))).landmarks
        for _ in range(quarters):  # np.rot90 turns counter-clockwise: (x, y) → (y, size − x); this is the way back
            landmarks = np.stack([512 - landmarks[:, 1], landmarks[:, 0], landmarks[:, 2]], 1)
        agree(landmarks, found.landmarks)

    @pytest.mark.parametrize("angle", [-30, 20, 45])
    def test_tilted_faces(self, photo, found, angle):
        turn = cv2.getRotationMatrix2D((256, 256), angle, 1.0)
        picture = cv2.warpAffine(photo, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
        expected = found.landmarks[:, :2] @ turn[:, :2].T + turn[:, 2]
        landmarks = detect_landmarks(picture).landmarks
        agree(landmarks, np.column_stack([expected, found.landmarks[:, 2]]))

    def test_mirrored_face(self, photo, found):
        landmarks = detect_landmarks(np.ascontiguousarray(photo[:, ::-1])).landmarks[MIRROR]
        landmarks[:, 0] = 512 - landmarks[:, 0]
        agree(landmarks, found.landmarks, 0.006, 0.02)

    @pytest.mark.parametrize(
        "size, corner, scale", [((3000, 2000), (2500, 1500), 0.5), ((20_000, 700), (15_000, 100), 1.0)]
    )
    def test_small_faces_in_large_pictures(self, photo, found, size, corner, scale):
        landmarks = detect_landmarks(on_ground(photo, size, corner, scale)).landmarks
        agree((landmarks[:, :2] - corner) / scale, found.landmarks, 0.015, 0.04)

    @pytest.mark.parametrize("quarters, scale", [(1, 0.3), (2, 0.3), (3, 0.15), (0, 0.12)])
    def test_small_lying_faces(self, photo, found, quarters, scale):
        """Rolls that the finder takes for others where the face is small."""
        lying = np.ascontiguousarray(np.rot90(photo, quarters))
        landmarks = detect_landmarks(on_ground(lying, (1600, 1100), (1100, 300), scale)).landmarks
        landmarks = np.column_stack([(landmarks[:, :2] - (1100, 300)) / scale, landmarks[:, 2] / scale])
        for _ in range(quarters):
            landmarks = np.stack([512 - landmarks[:, 1], landmarks[:, 0], landmarks[:, 2]], 1)
        agree(landmarks, found.landmarks, 0.03, 0.1)

    def test_line_drawing(self, cartoon):
        picture = np.array(Image.open(cartoon).convert("L").resize((512, 640), Image.Resampling.LANCZOS))
        edges = cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, np.ones((3, 3)))
        lines = np.repeat(np.where(edges > 24, 40, 250).astype(np.uint8)[..., None], 3, axis=2)
        expected = detect_landmarks(np.repeat(picture[..., None], 3, axis=2)).landmarks
        agree(detect_landmarks(lines).landmarks, expected, 0.03, 0.15)

    def test_face_that_fills_the_picture(self, photo, found):
        low, high = found.landmarks[:, :2].min(0), found.landmarks[:, :2].max(0)
        corner = np.maximum(0, low - 0.08 * (high - low)).astype(int)
        end = (high + 0.08 * (high - low)).astype(int)
        landmarks = detect_landmarks(np.ascontiguousarray(photo[corner[1] : end[1], corner[0] : end[0]])).landmarks
        agree(landmarks[:, :2] + corner, found.landmarks, 0.015, 0.05)

    @pytest.mark.parametrize("change", ["dark", "pale", "grey"])
    def test_light(self, photo, found, change):
        picture = {"dark": photo // 6, "pale": 210 + photo // 6, "grey": np.repeat(photo[..., 1:2], 3, axis=2)}[change]
        agree(detect_landmarks(np.ascontiguousarray(picture)).landmarks, found.landmarks, 0.015, 0.04)

    def test_transparency_is_grey(self, photo, found):
        """Colours under transparent pixels do not count, and the face is found without its background."""
        alpha = np.zeros(photo.shape[:2], np.uint8)
        hull = cv2.convexHull(found.landmarks[:, :2].astype(np.int32))
        cv2.fillPoly(alpha, [hull], 255)
        alpha = cv2.dilate(alpha, np.ones((81, 81), np.uint8))
        first = np.dstack([photo, alpha])
        second = first.copy()
        second[alpha == 0, :3] = (255, 0, 255)
        a, b = detect_landmarks(first).landmarks, detect_landmarks(second).landmarks
        np.testing.assert_array_equal(a, b)
        agree(a, found.landmarks, 0.015, 0.05)

    @pytest.mark.parametrize("quarters", [1, 2, 3])
    def test_lying_faces_are_told(self, photo, quarters):
        (notice,) = detect_landmarks(np.ascontiguousarray(np.rot90(photo, quarters)), name="bed.jpg").notices
        way = {1: "by 90° clockwise", 2: "by 180°", 3: "by 90° anticlockwise"}[quarters]
        assert "bed.jpg" in notice and notice.endswith(f"turn the picture {way}.")

    def test_a_face_of_a_few_pixels(self, photo):
        (notice,) = detect_landmarks(on_ground(photo, (600, 400), (300, 200), 0.2), name="far.jpg").notices
        pixels = int(notice.partition("only ")[2].split()[0])
        assert 25 < pixels < 35 and "far.jpg" in notice and "better" in notice

    @pytest.mark.parametrize("side", ["left", "right", "bottom"])
    def test_a_face_half_outside(self, photo, found, side):
        """What is seen is found where it is, and the user is told."""
        middle = found.landmarks[:, :2].mean(0).astype(int)
        part = {
            "left": photo[:, middle[0] - 20 :],
            "right": photo[:, : middle[0] + 20],
            "bottom": photo[: middle[1] + 30],
        }[side]
        detection = detect_landmarks(np.ascontiguousarray(part), name="half.jpg")
        assert any("half.jpg lies partly outside the picture" in notice for notice in detection.notices)
        moved = detection.landmarks[:, :2] + ((middle[0] - 20, 0) if side == "left" else (0, 0))
        eye = slice(42, 48) if side == "left" else slice(36, 42)
        error = np.linalg.norm(moved[eye] - found.landmarks[eye, :2], axis=1) / width(found.landmarks)
        assert error.mean() < 0.08


class TestSeveralFaces:
    @pytest.fixture(scope="class")
    def group(self, photo):
        """Three faces, of which the smallest shows only on a closer look: picture, corners and scales by size."""
        picture = on_ground(photo, (1600, 900), (560, 40))
        for corner, scale in (((50, 80), 0.6), ((1300, 600), 0.25)):
            small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            picture[corner[1] : corner[1] + small.shape[0], corner[0] : corner[0] + small.shape[1]] = small
        return picture, [((560, 40), 1.0), ((50, 80), 0.6), ((1300, 600), 0.25)]

    def test_the_largest_is_taken_and_said_so(self, group, found):
        picture, places = group
        detection = detect_landmarks(picture, name="group.png")
        agree(detection.landmarks[:, :2] - places[0][0], found.landmarks)
        assert len(detection.notices) == 1
        assert detection.notices[0].startswith("3 faces were found in group.png; the largest one was taken.")
        assert "--face" in detection.notices[0] and "Face in Blender's panel" in detection.notices[0]

    @pytest.mark.parametrize("face", [2, 3])
    def test_another_is_taken_by_its_number(self, group, found, face):
        picture, places = group
        detection = detect_landmarks(picture, name="group.png", face=face)
        corner, scale = places[face - 1]
        agree((detection.landmarks[:, :2] - corner) / scale, found.landmarks, 0.015, 0.05)
        assert f"; number {face} by size was taken." in detection.notices[0]

    def test_fewer_faces_than_that(self, photo):
        with pytest.raises(InputError) as caught:
            detect_landmarks(photo, name="one.png", face=2)
        assert caught.value.message == "There is no face 2 in one.png."
        assert caught.value.hint == "1 face was found, counted from the largest."
        with pytest.raises(InputError, match="no face 0"):
            detect_landmarks(photo, face=0)


class TestNoFace:
    @pytest.mark.parametrize("kind", ["blank", "noise", "gradient", "tiny", "stripes"])
    def test_refused(self, kind):
        ramp = np.linspace(0, 255, 300).astype(np.uint8)
        picture = {
            "blank": np.full((300, 300), 255, np.uint8),
            "noise": np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8),
            "gradient": np.tile(ramp, (300, 1)),
            "tiny": np.zeros((32, 32), np.uint8),
            "stripes": np.tile((np.arange(300) // 20 % 2 * 255).astype(np.uint8), (300, 1)),
        }[kind]
        with pytest.raises(InputError) as caught:
            detect_landmarks(np.repeat(picture[..., None], 3, axis=2), name="empty.png")
        assert caught.value.message == "No face was found in empty.png."
        assert "whole face visible" in caught.value.hint

    @pytest.mark.parametrize("name", ["chelsea.png", "coffee.png", "text.png", "color.png"])
    def test_photographs_without_a_face(self, name):
        """A cat, a cup, handwriting and a test card, which come with scikit-image."""
        picture = np.array(Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB"))
        with pytest.raises(NoFaceError):
            detect_landmarks(picture)

    def test_a_portrait_whose_face_is_erased(self, photo, found):
        hull = cv2.convexHull(found.landmarks[:, :2].astype(np.int32))
        face = cv2.dilate(cv2.fillConvexPoly(np.zeros((512, 512), np.uint8), hull, 255), np.ones((61, 61)))
        with pytest.raises(NoFaceError):
            detect_landmarks(cv2.inpaint(photo, face, 3, cv2.INPAINT_TELEA))


class TestFaceAlignment:
    """What can be told without its weights."""

    @pytest.fixture
    def checkpoints(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        folder = tmp_path / "hub" / "checkpoints"
        folder.mkdir(parents=True)
        return folder

    def test_unknown_detector(self, photo):
        with pytest.raises(InputError, match="no detector called dlib"):
            detect_landmarks(photo, "dlib")

    def test_no_weights(self, photo, checkpoints):
        assert available_detectors() == ["mediapipe"]
        with pytest.raises(MissingError) as caught:
            detect_landmarks(photo, "face-alignment")
        assert str(checkpoints) in caught.value.message or not alignment3d.installed()

    def test_not_installed(self, photo, checkpoints, monkeypatch):
        monkeypatch.setattr(alignment3d, "_PACKAGE", "no_such_package")
        assert available_detectors() == ["mediapipe"]
        with pytest.raises(MissingError, match="not installed"):
            detect_landmarks(photo, "face-alignment")

    def test_weights_are_checked_by_their_name(self, photo, checkpoints):
        pytest.importorskip("face_alignment")
        for name in alignment3d.weight_names():
            (checkpoints / name).write_bytes(b"not these weights")
        assert available_detectors() == ["mediapipe", "face-alignment"]
        with pytest.raises(MissingError, match="is damaged"):
            detect_landmarks(photo, "face-alignment")
        data = b"a checkpoint"
        good = checkpoints / f"net-{hashlib.sha256(data).hexdigest()[:10]}.pth"
        good.write_bytes(data)
        alignment3d._check_sum(good)

    def test_no_code_of_a_checkpoint_is_run(self, tmp_path):
        """Whatever sum is in its name: the package asks PyTorch to unpickle one of them whole."""

        class Harmful:
            def __reduce__(self):
                return Path.touch, (tmp_path / "harm",)

        torch.save({"state_dict": Harmful()}, tmp_path / "a.pth")
        with alignment3d.tensors_only(), pytest.raises(Exception, match=r"[Ww]eights_only"):
            torch.load(tmp_path / "a.pth", weights_only=False)
        assert not (tmp_path / "harm").exists() and "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ

    @pytest.mark.parametrize("quarters", [0, 1, 2, 3])
    def test_lying_faces(self, found, monkeypatch, quarters):
        """Where it sees only upright faces, the picture is turned for it, and the landmarks back."""
        upright = np.zeros((300, 500, 3), np.uint8)
        upright[0, 0] = 255

        class OnlyUpright:
            def get_landmarks_from_image(self, rgb, **_options):
                if rgb.shape != upright.shape or not rgb[0, 0].all():
                    return None, None, None
                return [found.landmarks - (0.5, 0.5, 0.0)], [np.ones(68)], [np.ones(5)]

        monkeypatch.setattr(alignment3d, "_network", lambda _download, _device: OnlyUpright())
        picture = np.ascontiguousarray(np.rot90(upright, quarters))
        ((landmarks, score),) = alignment3d.find_faces(picture)
        expected = found.landmarks
        for turn in range(quarters):
            side = (500, 300)[turn % 2]  # what was the width before this turn
            expected = np.stack([expected[:, 1], side - expected[:, 0], expected[:, 2]], 1)
        np.testing.assert_allclose(landmarks, expected, atol=1e-3)
        assert score == 1.0

    @pytest.mark.parametrize("sign", [1, -1])
    def test_conversion(self, found, sign):
        """Whichever way its depth grows and wherever it starts, the same face comes out."""
        theirs = found.landmarks.copy()
        theirs[:, :2] -= 0.5
        theirs[:, 2] = sign * theirs[:, 2] + 57
        np.testing.assert_allclose(alignment3d.to_project(theirs), found.landmarks, atol=1e-3)


def test_overlay(photo, found):
    before = photo.copy()
    drawn = draw_overlay(photo, found.landmarks)
    np.testing.assert_array_equal(photo, before)
    changed = np.argwhere((drawn != photo).any(2))[:, ::-1]
    low, high = found.landmarks[:, :2].min(0) - 6, found.landmarks[:, :2].max(0) + 6
    assert len(changed) > 1000 and (changed >= low).all() and (changed <= high).all()
    for point in found.landmarks[:, :2].astype(int):
        assert (drawn[point[1], point[0]] != photo[point[1], point[0]]).any()


def test_terminal_stays_quiet(astronaut):
    """MediaPipe and TensorFlow Lite log from C++; none of it reaches the user."""
    code = (
        "import sys, numpy as np; from PIL import Image; from makeittalk.landmarks.detector import detect_landmarks; "
        "print(detect_landmarks(np.array(Image.open(sys.argv[1]).convert('RGB'))).detector)"
    )
    path = next(p for p in sys.path if p.endswith("backend") and "tests" not in p)
    run = subprocess.run(
        [sys.executable, "-c", code, astronaut], capture_output=True, text=True, env={"PYTHONPATH": path}, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "mediapipe\n", "")
