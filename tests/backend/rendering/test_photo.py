"""Photoreal frames: what a network makes of the face stands in the full picture, and nothing shows where it begins."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from makeittalk.exchange import formats
from makeittalk.images.face_crop import FaceCrop
from makeittalk.images.landmark_image import fill_mouth
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.mean_face import MEAN_FACE
from makeittalk.landmarks.measures import openness
from makeittalk.landmarks.pose import compose_pose
from makeittalk.mesh.build import build_mesh
from makeittalk.mesh.deform import landed
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.image import ImageConfig, PaperUNet
from makeittalk.networks.image_inference import ImageModel
from makeittalk.rendering import photo
from makeittalk.rendering.paste import Patch, border_window, face_zone
from makeittalk.rendering.photo import PhotoRenderer, motion_vertices
from makeittalk.rendering.portrait_mouth import PortraitMouth
from makeittalk.rendering.warp import Warper
from makeittalk_lab.evaluation.seam import box_seam, paste_seam
from memory import peak_memory
from PIL import Image

MOUTH = np.array([60, 20, 25])
NARROW = CorrectionConfig((8, 16), 0)


class MouthPainter:
    """Answers a dark mouth where the lips are open, and nothing else."""

    variant = "correction"
    mouth = None

    def translate(self, portrait: np.ndarray, warps: np.ndarray, landmarks: np.ndarray) -> tuple:
        colours = np.empty_like(warps)
        colours[:] = MOUTH
        return colours, np.stack([cv2.GaussianBlur(fill_mouth(points), (0, 0), 2.0) for points in landmarks])


class Tinter:
    """Answers all of the picture, a little blurred, in colours of its own and darker to one side."""

    variant = "paper"
    mouth = None

    def translate(self, portrait: np.ndarray, warps: np.ndarray, landmarks: np.ndarray) -> tuple:
        soft = np.stack([cv2.GaussianBlur(warp, (0, 0), 0.8) for warp in warps]).astype(np.float32)
        side = np.linspace(-10, 10, 256, dtype=np.float32)[None, None, :, None]
        tinted = soft * [0.8, 0.9, 0.85] + [28, 12, -4] + side
        return np.clip(tinted, 0, 255).astype(np.uint8), np.full(warps.shape[:3], 255, np.uint8)


class Repeater:
    """Answers what it is shown, everywhere."""

    variant = "paper"
    mouth = None

    def translate(self, portrait: np.ndarray, warps: np.ndarray, landmarks: np.ndarray) -> tuple:
        return warps.copy(), np.full(warps.shape[:3], 255, np.uint8)


def landmarks(width: int, height: int, face: float = 0.5, across: float = 0.5, down: float = 0.55) -> np.ndarray:
    """A face `face` of the picture's width wide, its middle at shares of the picture's sides."""
    points = np.array(MEAN_FACE, np.float64)
    points *= face * width / np.linalg.norm(points[16] - points[0])
    points[:, 2] -= points[[0, 16], 2].mean()
    middle = points[:, :2].mean(axis=0)
    return (points + [across * width - middle[0], down * height - middle[1], 0]).astype(np.float32)


def picture(width: int, height: int, alpha: bool = False, grain: int = 8) -> np.ndarray:
    random = np.random.default_rng(0)
    noise = random.integers(60, 200, (height // grain, width // grain, 3), dtype=np.uint8)
    colour = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    cover = np.full((height, width), 255, np.uint8)
    if alpha:
        cover[:] = 0
        cv2.ellipse(cover, (width // 2, int(0.55 * height)), (int(0.4 * width), int(0.43 * height)), 0, 0, 360, 255, -1)
        cover = cv2.GaussianBlur(cover, (0, 0), 2)
        colour[cover == 0] = (255, 0, 255)
    return np.dstack([colour, cover])


def made(points: np.ndarray, rgba: np.ndarray) -> formats.Mesh:
    return build_mesh(formats.Face(Path("portrait.png"), rgba.shape[1], rgba.shape[0], points), rgba)


def talking(mesh: formats.Mesh, points: np.ndarray, frames: int = 4, jaw: float = 1.0) -> formats.Motion:
    """The mouth opens, by so much of the key, while the head turns."""
    keys = dict(zip(mesh.key_names.tolist(), mesh.key_landmarks, strict=True))
    share = np.linspace(0, 1, frames, dtype=np.float32)[:, None, None]
    expression = share * (jaw * keys["jawOpen"] + 0.3 * keys["mouthSmileLeft"])
    rotation = share[:, 0] * np.array([0.08, -0.15, 0.05], np.float32)
    translation = share[:, 0] * np.array([3.0, -2.0, 1.0], np.float32)
    posed = compose_pose(points, expression, rotation, translation, mesh.neck_pivot)
    return formats.Motion(25.0, posed, points, expression, rotation, translation, mesh.neck_pivot)


def both(mesh: formats.Mesh, rgba: np.ndarray, motion: formats.Motion, model: object) -> tuple:
    """Frames of the warp alone and with a network, and the square."""
    vertices = list(motion_vertices(mesh, motion))
    with Warper(mesh, rgba) as warper:
        warps = np.stack([warper.draw(moved) for moved in vertices])
    with PhotoRenderer(mesh, rgba, model) as renderer:  # type: ignore[arg-type]
        return warps, np.stack(list(renderer.frames(vertices))), renderer.crop


@pytest.fixture(scope="module")
def character() -> tuple:
    rgba, points = picture(300, 360), landmarks(300, 360)
    mesh = made(points, rgba)
    return mesh, rgba, talking(mesh, points, jaw=0.5)


def test_final_vertices_are_drawn_where_they_are(character: tuple) -> None:
    mesh, rgba, motion = character
    with Warper(mesh, rgba) as warper:
        moved = [warper.draw(vertices) for vertices in motion_vertices(mesh, motion)]
        assert np.abs(np.stack(moved).astype(int) - np.stack(list(warper.frames(motion)))).max() <= 1


def test_a_network_that_knows_nothing_leaves_the_warp(character: tuple) -> None:
    model = ImageModel(CorrectionNet(NARROW), "correction", dtype=torch.float32)
    warps, frames, _ = both(*character, model)
    assert np.abs(frames.astype(int) - warps).max() <= 1


@pytest.mark.parametrize("kind", ["correction", "paper"])
def test_whatever_a_network_answers_the_rest_is_untouched(kind: str, character: tuple) -> None:
    torch.manual_seed(1)
    if kind == "correction":
        network: torch.nn.Module = CorrectionNet(NARROW)
        torch.nn.init.normal_(network.out.weight, std=0.5)
    else:
        network = PaperUNet(ImageConfig(ngf=4))
    warps, frames, crop = both(*character, ImageModel(network, kind, dtype=torch.float32))
    assert frames.shape == warps.shape and np.array_equal(frames[..., 3], warps[..., 3])
    changed = np.abs(frames.astype(int) - warps).max(axis=(0, 3))
    within = np.zeros(changed.shape, bool)
    within[max(0, crop.top) : crop.top + crop.side, max(0, crop.left) : crop.left + crop.side] = True
    assert changed[within].max() > 10  # it answers something
    assert changed[~within].max() == 0


def test_an_open_mouth_is_shown_and_shifts_no_colours() -> None:
    rgba, points = picture(220, 264), landmarks(220, 264)
    mesh = made(points, rgba)
    motion = talking(mesh, points, jaw=0.5)
    warps, frames, _ = both(mesh, rgba, motion, MouthPainter())
    inner = motion.landmarks[-1, 60:68, :2]
    x, y = np.rint(inner.mean(axis=0)).astype(int)
    assert np.abs(frames[-1, y - 2 : y + 3, x - 2 : x + 3, :3].astype(int) - MOUTH).max() <= 6
    away = np.ones(rgba.shape[:2], np.uint8)
    cv2.fillConvexPoly(away, cv2.convexHull(np.rint(inner).astype(np.int32)), 0)
    away = cv2.erode(away, np.ones((31, 31), np.uint8)) > 0
    assert np.abs(frames[-1].astype(int) - warps[-1])[away].max() <= 1


class Smoother:
    """Answers all of the picture, smoothed and a little brighter."""

    variant = "correction"
    mouth = None

    def translate(self, portrait: np.ndarray, warps: np.ndarray, landmarks: np.ndarray) -> tuple:
        smooth = np.stack([cv2.GaussianBlur(warp, (0, 0), 4.0) for warp in warps])
        return smooth, np.full(warps.shape[:3], 255, np.uint8)


def test_skin_keeps_its_detail_whatever_a_network_smooths() -> None:
    rgba, points = picture(300, 360, grain=2), landmarks(300, 360)
    mesh = made(points, rgba)
    warps, frames, _ = both(mesh, rgba, talking(mesh, points), Smoother())
    x, y = np.rint(points[[2, 31], :2].mean(axis=0)).astype(int)  # the cheek
    cheek = (slice(y - 12, y + 12), slice(x - 12, x + 12), slice(0, 3))
    detail = [
        picture[cheek] - cv2.GaussianBlur(picture[cheek], (0, 0), 3.0) for picture in (frames[0] / 1.0, warps[0] / 1.0)
    ]
    assert detail[0].std() > 0.85 * detail[1].std()


@pytest.mark.parametrize("size", [800, 200])
@pytest.mark.parametrize("teeth", [True, False])
def test_a_large_mouth_whose_teeth_show_at_rest_keeps_them(teeth: bool, size: int) -> None:
    rgba, points = picture(size, size, grain=size // 40), landmarks(size, size)
    points[[67, 66, 65, 56, 57, 58], 1] += 0.25 * np.linalg.norm(points[54] - points[48])
    inner = np.rint(points[60:68, :2]).astype(np.int32)
    cv2.fillPoly(rgba, [inner], (250, 245, 235, 255) if teeth else (30, 15, 15, 255))
    mesh = made(points, rgba)
    motion = talking(mesh, points, jaw=1.0 if size == 800 else 0.2)  # wider, a small one is the card's
    warps, frames, _ = both(mesh, rgba, motion, MouthPainter())
    x, y = np.rint(motion.landmarks[-1, 60:68, :2].mean(axis=0)).astype(int)
    inside = (-1, slice(y - 1, y + 2), slice(x - 1, x + 2), slice(0, 3))
    # Of a large mouth a network is believed the light alone; a small one shows too little to be kept.
    share = 0.0 if size == 200 else (1.0 - 0.7 * 0.2) if teeth else 1.0 - 0.7
    expected = share * warps[inside] + (1.0 - share) * np.broadcast_to(MOUTH, (3, 3, 3))
    assert np.abs(frames[inside].astype(int) - expected).max() <= 6
    assert np.abs(warps[inside].astype(int) - MOUTH).max() > 6


def test_a_dark_mouth_is_kept_until_it_opens_wider() -> None:
    rest = FaceCrop.of(landmarks(300, 360)).place(landmarks(300, 360)[:, :2])
    lower = [67, 66, 65, 56, 57, 58]
    middle = (rest[62] + rest[66]) / 2
    rest[[61, 62, 63]] = [[rest[i, 0], middle[1]] for i in (61, 62, 63)]
    rest[[67, 66, 65]] = [[rest[i, 0], middle[1]] for i in (67, 66, 65)]
    width = float(np.linalg.norm(rest[54] - rest[48]))

    def opened(share: float) -> np.ndarray:
        points = rest.copy()
        points[lower, 1] += share * width
        return points

    portrait = np.full((256, 256, 3), 160, np.uint8)
    cv2.fillPoly(portrait, [np.rint(opened(0.2)[60:68]).astype(np.int32)], (30, 15, 15))
    dark = PortraitMouth.of(portrait, opened(0.2))
    assert (dark.kept(opened(0.2)), dark.kept(opened(0.55))) == (1.0, 0.0)
    # Nothing pops: an opening that is wider by a hundredth of the mouth's width is nearly as much kept.
    kept = [dark.kept(opened(share)) for share in np.arange(0.0, 0.6, 0.01)]
    assert np.abs(np.diff(kept)).max() < 0.1 and 0 < dark.kept(opened(0.3)) < 1
    cv2.fillPoly(portrait, [np.rint(opened(0.2)[60:68]).astype(np.int32)], (230, 225, 215))
    assert PortraitMouth.of(portrait, opened(0.2)).kept(opened(0.55)) == 0.8
    assert PortraitMouth.of(portrait, rest).kept(opened(0.1)) == 0.0


def test_a_tint_is_taken_out(character: tuple) -> None:
    warps, frames, crop = both(*character, Tinter())
    middle = (slice(crop.top + crop.side // 4, crop.top + 3 * crop.side // 4),)
    middle += (slice(crop.left + crop.side // 4, crop.left + 3 * crop.side // 4), slice(0, 3))
    for warp, frame in zip(warps, frames, strict=True):
        difference = frame[middle].astype(float) - warp[middle]
        assert np.abs(difference.mean(axis=(0, 1))).max() < 1.5  # of 9 to 28 that it adds
        assert np.abs(cv2.blur(difference, (25, 25))).max() < 8.0


def test_fine_detail_stays_where_a_network_says_it_again() -> None:
    rgba, points = picture(800, 800, grain=3), landmarks(800, 800, 0.7)
    mesh = made(points, rgba)
    warps, frames, crop = both(mesh, rgba, talking(mesh, points, 2), Repeater())
    assert crop.side > 700
    difference = np.abs(frames.astype(int) - warps)
    assert difference.max() <= 2


def test_a_large_mouth_keeps_its_cards_teeth_and_takes_light_a_small_one_takes_all_until_it_opens_wide() -> None:
    left = []
    for size, jaw, wide in ((800, 0.5, False), (160, 0.5, False), (160, 1.0, True)):
        rgba, points = picture(size, size, grain=3), landmarks(size, size, 0.7)
        mesh = made(points, rgba)
        stripes = np.full((16, 16, 4), 110, np.uint8)
        stripes[:, ::2], stripes[..., 3] = 200, 255  # teeth, as it were
        mesh.mouth_image = np.repeat(np.repeat(stripes, 24, axis=0), 24, axis=1)
        motion = talking(mesh, points, 2, jaw)
        assert (openness(motion.landmarks[-1]) > 0.55) == wide
        warps, painted, _ = both(mesh, rgba, motion, MouthPainter())
        x, y = np.rint(motion.landmarks[-1, 60:68, :2].mean(axis=0)).astype(int)
        reach = size // 100
        part = np.s_[-1, y - reach : y + reach + 1, x - 4 * reach : x + 4 * reach + 1, :3]
        before, after = warps[part].astype(float), painted[part].astype(float)
        left.append(after.std() / before.std())
        if size == 800:
            middle = before.mean(axis=(0, 1))
            assert np.abs(after.mean(axis=(0, 1)) - middle - 0.7 * (MOUTH - middle)).max() < 15
    assert left[0] > 0.9 and left[1] < 0.6 and left[2] > 0.9


@pytest.mark.parametrize(("across", "down", "face"), [(0.2, 0.5, 0.4), (0.9, 0.8, 0.45)], ids=["left", "corner"])
def test_faces_at_the_border(across: float, down: float, face: float) -> None:
    rgba, points = picture(240, 240), landmarks(240, 240, face, across, down)
    mesh = made(points, rgba)
    warps, frames, crop = both(mesh, rgba, talking(mesh, points, 2), Tinter())
    assert crop.left < 0 or crop.top < 0 or max(crop.left, crop.top) + crop.side > 240
    assert frames.shape == warps.shape
    assert np.abs(frames.astype(float) - warps).mean() < 4.0


def test_the_smallest_portraits(astronaut: Path) -> None:
    with Image.open(astronaut) as photo_:
        rgba = np.asarray(photo_.convert("RGBA").resize((128, 128), Image.Resampling.LANCZOS))
    points = detect_landmarks(rgba).landmarks
    mesh = made(points, rgba)
    warps, frames, crop = both(mesh, rgba, talking(mesh, points, 3), MouthPainter())
    assert crop.side < 128 and frames.shape == (3, 128, 128, 4)
    x, y = np.rint(talking(mesh, points, 3).landmarks[-1, [62, 66], :2].mean(axis=0)).astype(int)
    assert np.abs(frames[-1, y, x, :3].astype(int) - MOUTH).max() <= 30
    assert np.abs(frames[-1].astype(int) - warps[-1]).mean() < 1.0


def test_alpha_is_the_warps_and_nothing_bleeds() -> None:
    rgba, points = picture(300, 360, alpha=True), landmarks(300, 360, 0.55)
    mesh = made(points, rgba)
    for model in (Tinter(), Repeater()):
        warps, frames, _ = both(mesh, rgba, talking(mesh, points, 3), model)
        assert (frames[..., 3] == 0).mean() > 0.2
        assert np.array_equal(frames[..., 3], warps[..., 3])
        # Magenta lies under what is transparent: none of it may come to light.
        colours = [pixels[frames[..., 3] > 40].astype(int) for pixels in (frames, warps)]
        now, before = ((np.minimum(colour[:, 0], colour[:, 2]) - colour[:, 1]).max() for colour in colours)
        assert now <= before + 12


def test_another_size_than_the_portrait(character: tuple) -> None:
    mesh, rgba, motion = character
    vertices = list(motion_vertices(mesh, motion))
    with PhotoRenderer(mesh, rgba, MouthPainter(), size=(150, 180)) as renderer:  # type: ignore[arg-type]
        frames = list(renderer.frames(vertices))
    assert frames[-1].shape == (180, 150, 4) and (renderer.width, renderer.height) == (150, 180)
    x, y = np.rint(motion.landmarks[-1, 60:68, :2].mean(axis=0) / 2).astype(int)
    assert np.abs(frames[-1][y, x, :3].astype(int) - MOUTH).max() <= 6


def test_no_more_frames_wait_than_fit(character: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, rgba, motion = character
    taken: list[int] = []

    def vertices() -> object:
        for index, moved in enumerate(motion_vertices(mesh, motion)):
            taken.append(index)
            yield moved

    for held in (1, 3):
        monkeypatch.setattr(photo, "_BATCH_BYTES", held * rgba.nbytes)
        with PhotoRenderer(mesh, rgba, Repeater()) as renderer:  # type: ignore[arg-type]
            taken.clear()
            next(renderer.frames(vertices()))  # type: ignore[arg-type]
            assert len(taken) == (1 if held == 1 else min(2 * held, motion.frames))


def test_changes_are_enlarged_in_place_and_without_steps() -> None:
    x, y = np.meshgrid(np.arange(256.0), np.arange(256.0))
    window = border_window()
    change = (window * 60 * np.exp(-((x - 150) ** 2 + (y - 90) ** 2) / 800))[..., None].repeat(3, axis=2)
    warp = np.full((256, 256, 3), 100, np.uint8)
    for side in (96, 256, 700):
        crop, shown = FaceCrop(40, 25, side), np.full((800, 800, 4), 100, np.uint8)
        Patch.of(warp, change.astype(np.float32), np.zeros((256, 256), np.float32)).onto(shown, crop)
        scale = side / 256
        bright = shown[..., 0].astype(float) - 100
        rows, columns = np.indices(bright.shape)
        centre = [(columns * bright).sum() / bright.sum() + 0.5, (rows * bright).sum() / bright.sum() + 0.5]
        assert np.allclose(centre, [40 + 150.5 * scale, 25 + 90.5 * scale], atol=0.35 * max(scale, 1))
        assert abs(bright.max() - 60) <= 2 and bright.min() >= 0
        assert np.abs(np.diff(bright, axis=1)).max() <= 3.0 / min(scale, 1) + 1
        assert (shown[..., 3] == 100).all()


def test_zone_and_window_are_smooth_and_end() -> None:
    window = border_window()
    assert window.max() == 1 and window[:, [0, -1]].max() < 0.01 and window[[0, -1]].max() < 0.01
    assert (window[26:-26, 26:-26] > 0.99).all() and np.abs(np.diff(window, axis=0)).max() < 0.07
    points = FaceCrop.of(landmarks(300, 360)).place(landmarks(300, 360)[:, :2])
    zone = face_zone(points)
    assert all(zone[min(255, int(y)), min(255, int(x))] == 1 for x, y in points)
    assert zone[[0, 0, -1, -1], [0, -1, 0, -1]].max() == 0 and np.abs(np.diff(zone, axis=0)).max() < 0.07
    far = face_zone(np.stack([points, points + [30, 0]]))
    assert (far >= zone).all() and far.sum() > 1.05 * zone.sum()


def test_landed_vertices_show_the_landmarks(character: tuple) -> None:
    mesh, _, motion = character
    vertices = np.stack(list(motion_vertices(mesh, motion)))
    wanted = motion.landmarks + np.random.default_rng(2).normal(0, 2, motion.landmarks.shape).astype(np.float32)
    moved = landed(mesh, vertices, wanted)
    assert np.abs(moved[:, mesh.landmark_vertices, :2] - wanted[..., :2]).max() < 1e-3
    assert np.array_equal(moved[..., 2], vertices[..., 2])


@pytest.mark.parametrize("name", ["astronaut", "cartoon", "mona_lisa.jpg", "van_gogh.jpg"])
def test_no_seam(name: str, request: pytest.FixtureRequest) -> None:
    if name.endswith(".jpg"):
        path = request.getfixturevalue("data_dir") / "portraits" / name
    else:
        path = request.getfixturevalue(name)
    with Image.open(path) as portrait:
        portrait.thumbnail((480, 480))
        rgba = np.asarray(portrait.convert("RGBA"))
    points = detect_landmarks(rgba).landmarks
    mesh = made(points, rgba)
    for model in (MouthPainter(), Tinter()):
        warps, frames, crop = both(mesh, rgba, talking(mesh, points, 2), model)
        box = box_seam(frames[-1], warps[-1], crop)
        assert box.across == pytest.approx(box.before, rel=0.01)  # nothing begins at the square's sides
    paste = paste_seam(frames[-1], warps[-1])  # of the one that changes the whole face
    assert paste is not None and paste.ratio < 1.05


def test_a_hard_paste_is_a_seam(character: tuple) -> None:
    mesh, rgba, motion = character
    smooth = cv2.GaussianBlur(rgba, (0, 0), 12)
    with Warper(mesh, smooth) as warper:
        warp = warper.draw(list(motion_vertices(mesh, motion))[-1])
    pasted = warp.copy()
    pasted[100:250, 60:220, :3] = np.clip(pasted[100:250, 60:220, :3] + 12.0, 0, 255)
    box = box_seam(pasted, warp, FaceCrop(60, 100, 155))
    paste = paste_seam(pasted, warp)
    assert box.ratio > 1.5 and paste is not None and paste.ratio > 1.5


@pytest.mark.slow
def test_the_largest_portraits_fit_the_memory(astronaut: Path) -> None:
    with Image.open(astronaut) as portrait:
        rgba = np.asarray(portrait.convert("RGBA").resize((8192, 8192), Image.Resampling.BICUBIC))
    points = detect_landmarks(rgba).landmarks
    mesh = made(points, rgba)
    vertices = list(motion_vertices(mesh, talking(mesh, points, 2)))
    with Warper(mesh, rgba) as warper:
        warper.draw(vertices[0])
    before = peak_memory()
    with PhotoRenderer(mesh, rgba, Tinter()) as renderer:  # type: ignore[arg-type]
        for frame in renderer.frames(vertices):
            assert frame.shape == rgba.shape
    assert peak_memory() - before < 0.9e9  # three frames' worth
