"""The image networks learn to make photographs move; short, real trainings."""

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.images.face_crop import SIZE
from makeittalk.images.landmark_image import draw_landmarks
from makeittalk.landmarks.ibug68 import LIPS
from makeittalk.networks.image_inference import load_image
from makeittalk_lab.data.image_clips import ImageClip
from makeittalk_lab.losses.image_loss import ImageLossWeights
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


def test_an_example_is_the_take_itself_when_nothing_varies(prepared_frames):
    clip = ImageClip.load(prepared_frames, "one")
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
def test_a_short_training_learns_and_its_weights_load(prepared_frames, tmp_path, kind):
    path = tmp_path / "image.toml"
    path.write_text(CONFIG.format(data=prepared_frames, out=tmp_path / "out", kind=kind, steps=60))
    log = Log(train("image", path)).read()
    first, last = (np.mean([entry["l1"] for entry in part]) for part in (log[:10], log[-10:]))
    assert last < (0.97 if kind == "correction" else 0.7) * first  # the warp is nearly right from the start
    assert log[-1]["validation"] == {} or all(np.isfinite(list(log[-1]["validation"].values())))
    model = load_image(str(tmp_path / "out" / "image.safetensors"))
    clip = ImageClip.load(prepared_frames, "three")
    colours, masks = model.translate(np.asarray(clip.portrait), np.asarray(clip.warps[:2]), clip.landmarks[:2])
    assert colours.shape == (2, SIZE, SIZE, 3) and masks.shape == (2, SIZE, SIZE)


def test_configurations_that_cannot_be_used_say_why(prepared_frames, tmp_path):
    text = CONFIG.format(data=prepared_frames, out=tmp_path / "out", kind="correction", steps=3)
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
