"""Image networks as they are run: folded, in the device's numbers, in batches; weights files of any kind."""

import json

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk.images.face_crop import SIZE
from makeittalk.images.landmark_image import draw_landmarks, fill_mouth
from makeittalk.networks import device
from makeittalk.networks.content import ContentBranch, ContentConfig
from makeittalk.networks.content_inference import ContentModel, save_content
from makeittalk.networks.correction import CorrectionConfig, CorrectionNet
from makeittalk.networks.folding import fast_dtype, fold_norms
from makeittalk.networks.image import ImageConfig, PaperUNet
from makeittalk.networks.image_inference import DEFAULT_IMAGE, ImageModel, load_image, read_image, save_image
from makeittalk.networks.normalised_mel import VoiceAverage
from makeittalk.weights import files
from safetensors.torch import load_file, save_file

torch.set_num_threads(1)

NARROW = CorrectionConfig(widths=(8, 12, 16), blocks=1)
SLIM = ImageConfig(ngf=4, multiples=(1, 2, 2))


def experienced(network):
    """A network as if it had been trained: its norms have seen pictures, its last layer is not zero."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.normal_(layer.bias, 0, 0.3)
    if isinstance(network, CorrectionNet):
        torch.nn.init.normal_(network.out.weight, 0, 0.1)
    return network.eval()


@pytest.fixture(scope="module")
def networks():
    return {"correction": experienced(CorrectionNet(NARROW)), "paper": experienced(PaperUNet(SLIM))}


@pytest.fixture(scope="module")
def scene(astronaut_crop):
    """A portrait and eleven frames: the picture shifted a little, and landmarks that move with it."""
    rng = np.random.default_rng(0)
    warps = np.stack([np.roll(astronaut_crop, shift, axis=1) for shift in range(11)])
    places = rng.uniform(60, 200, (68, 2))
    landmarks = np.stack([places + [shift, 0.0] for shift in range(11)])
    return astronaut_crop, warps, landmarks


@pytest.fixture(scope="module")
def astronaut_crop(astronaut):
    from PIL import Image

    with Image.open(astronaut) as picture:
        return np.asarray(picture.convert("RGB").resize((SIZE, SIZE)))


def plainly(kind, network, portrait, warp, points):
    """What the network says of one frame, without anything that makes it fast: (256, 256, 3 or 4), 0–1."""
    if kind == "paper":
        pictures = [draw_landmarks(points), portrait[..., ::-1]]
    else:
        pictures = [portrait, warp, draw_landmarks(points), fill_mouth(points)[..., None]]
    x = torch.from_numpy(np.concatenate(pictures, axis=2)).permute(2, 0, 1)[None] / 255.0
    with torch.inference_mode():
        answer = network(x)[0].permute(1, 2, 0).clamp(0, 1).numpy()
    return answer[..., ::-1] if kind == "paper" else answer


@pytest.mark.parametrize("kind", ["correction", "paper"])
@pytest.mark.parametrize(("dtype", "mean", "most"), [(torch.float32, 0.3, 0.51), (torch.bfloat16, 2.0, 30.0)])
def test_fast_pictures_are_those_of_the_network(networks, scene, kind, dtype, mean, most):
    portrait, warps, landmarks = scene
    colours, masks = ImageModel(networks[kind], kind, dtype=dtype).translate(portrait, warps, landmarks)
    assert colours.shape == (11, SIZE, SIZE, 3) and colours.dtype == np.uint8
    assert masks.shape == (11, SIZE, SIZE) and masks.dtype == np.uint8
    for frame in (0, 7, 10):
        expected = 255 * plainly(kind, networks[kind], portrait, warps[frame], landmarks[frame])
        assert expected[..., :3].std() > 10  # or anything would do
        found = colours[frame] if kind == "paper" else np.dstack([colours[frame], masks[frame]])
        off = np.abs(found - expected)
        assert off.mean() < mean and off.max() < most
    if kind == "paper":
        assert masks.min() == 255


def test_shipped_weights_look_the_same_in_bfloat16(scene):
    if DEFAULT_IMAGE not in [file.name for file in files.list_weights()]:
        pytest.skip("no image weights are shipped")
    portrait, warps, landmarks = (part[:2] if part.shape[0] == 11 else part for part in scene)
    network, kind, _ = read_image()
    half, single = (ImageModel(network, kind, dtype=dtype) for dtype in (torch.bfloat16, torch.float32))
    pairs = zip(half.translate(portrait, warps, landmarks), single.translate(portrait, warps, landmarks), strict=True)
    assert all(np.abs(a.astype(int) - b).mean() < 2 for a, b in pairs)


def test_batches_do_not_show(networks, scene):
    portrait, warps, landmarks = scene
    model = ImageModel(networks["correction"], "correction")
    whole = model.translate(portrait, warps, landmarks)
    again = model.translate(portrait, warps, landmarks)
    single = [model.translate(portrait, warps[i : i + 1], landmarks[i : i + 1]) for i in range(len(warps))]
    for part in (0, 1):
        assert np.array_equal(whole[part], again[part])
        off = np.abs(whole[part].astype(int) - np.concatenate([frame[part] for frame in single]))
        assert off.max() <= 1  # a library may add up in another order for another number of frames


class Crowded(torch.nn.Module):
    """A network on a device that holds so many frames at once."""

    def __init__(self, network, room):
        super().__init__()
        self.network, self.room, self.asked = network, room, []

    def forward(self, x):
        self.asked.append(len(x))
        assert torch.backends.cudnn.enabled and torch.backends.cudnn.deterministic
        if len(x) > self.room:
            raise torch.OutOfMemoryError("no room")
        return self.network(x)


def test_memory_that_runs_out_halves_the_batches(networks, scene):
    portrait, warps, landmarks = scene
    model = ImageModel(networks["correction"], "correction")
    expected = model.translate(portrait, warps, landmarks)
    model._network = crowded = Crowded(model._network, 3)
    found = model.translate(portrait, warps, landmarks)
    assert crowded.asked == [8, 4, 2, 2, 2, 2, 2, 1]
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(found, expected, strict=True))
    crowded.room = 0
    with pytest.raises(MissingError, match="too little free memory"):
        model.translate(portrait, warps, landmarks)


def test_no_frames_no_pictures(networks):
    colours, masks = ImageModel(networks["correction"], "correction").translate(
        np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((0, SIZE, SIZE, 3), np.uint8), np.zeros((0, 68, 2))
    )
    assert colours.shape == (0, SIZE, SIZE, 3) and masks.shape == (0, SIZE, SIZE)


@pytest.mark.parametrize("kind", ["correction", "paper"])
def test_folding_leaves_no_norm_and_the_caller_his_network(networks, kind):
    before = {name: value.clone() for name, value in networks[kind].state_dict().items()}
    model = ImageModel(networks[kind], kind)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in model._network.modules())
    after = networks[kind].state_dict()
    assert before.keys() == after.keys() and all(torch.equal(after[name], before[name]) for name in before)


def test_norms_apart_from_convolutions_stay():
    block = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU(), torch.nn.BatchNorm2d(4)).eval()
    x = torch.rand(1, 3, 4, 4)
    expected = block(x)
    assert torch.equal(fold_norms(block)(x), expected)


def test_numbers_beyond_half_precision_are_noticed(scene):
    network = experienced(CorrectionNet(NARROW))
    with torch.no_grad():
        network.stem[0].weight *= 3e5  # what comes out of here is beyond 65504
        for layer in list(network.down) + list(network.join):
            layer[0].weight *= 1e-4
    portrait, warps, landmarks = scene
    model = ImageModel(network, "correction", dtype=torch.float16)
    colours, _ = model.translate(portrait, warps[:1], landmarks[:1])
    assert model.dtype == torch.float32
    expected = 255 * plainly("correction", network, portrait, warps[0], landmarks[0])
    assert np.abs(colours[0] - expected[..., :3]).mean() < 1


def test_a_cpu_without_bfloat16_is_given_single_precision(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    assert fast_dtype("cpu") == torch.float32
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert fast_dtype("cpu") == torch.float32


@pytest.mark.parametrize("kind", ["correction", "paper"])
def test_what_was_saved_is_loaded_and_kept_until_forgotten(tmp_path, networks, scene, kind):
    path = tmp_path / "own.safetensors"
    save_image(path, networks[kind], kind, {"steps": 7})
    model = load_image(str(path))
    assert model.variant == kind and model.notes == {"steps": 7} and model.device == "cpu"
    portrait, warps, landmarks = (part[:2] if part.ndim > 3 or part.shape[-1] == 2 else part for part in scene)
    halved = type(networks[kind])(networks[kind].config)
    halved.load_state_dict({name: value.half().float() for name, value in networks[kind].state_dict().items()})
    expected = ImageModel(halved, kind).translate(portrait, warps, landmarks)
    found = model.translate(portrait, warps, landmarks)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    assert load_image(str(path), "auto" if device.available_devices() == ["cpu"] else "cpu") is model
    device.release()
    assert load_image(str(path)) is not model


def test_weights_that_are_not_there_and_no_such_device(tmp_path):
    with pytest.raises(MissingError, match="no weights called 'other'"):
        load_image("other")
    with pytest.raises(InputError, match="none"):
        load_image(str(tmp_path / "none.safetensors"))
    with pytest.raises(InputError, match="no device 'toaster'"):
        load_image(None, "toaster")


def hostile(change):
    """A weights file with its tensors and its description changed."""

    def write(path, network):
        save_image(path, network, "correction", {})
        tensors, data = load_file(path), {"kind": "correction", "config": network.config.to_dict(), "notes": {}}
        tensors, data = change(tensors, data)
        save_file(tensors, path, {"format": "1", "kind": "image", "data": json.dumps(data)})

    return write


def cut(path, network):
    save_image(path, network, "correction", {})
    path.write_bytes(path.read_bytes()[:-100])


def another(path, network):
    average = VoiceAverage(np.zeros(80, np.float32), np.ones(80, np.float32))
    branch = ContentBranch(ContentConfig(inputs=80, hidden=4, layers=1, mlp=(4,)))
    save_content(path, ContentModel(branch, average, "mel"), {})


NOT_A_NUMBER = {"out.bias": torch.full((16,), float("nan"), dtype=torch.float16)}
FILES = {
    "cut": cut,
    "another branch": another,
    "text": lambda path, network: path.write_text("not weights at all"),
    "other kind": hostile(lambda tensors, data: (tensors, {**data, "kind": "paper"})),
    "unknown kind": hostile(lambda tensors, data: (tensors, {**data, "kind": "oracle"})),
    "no kind": hostile(lambda tensors, data: (tensors, {"config": data["config"]})),
    "no table": hostile(lambda tensors, data: (tensors, [])),
    "config no table": hostile(lambda tensors, data: (tensors, {**data, "config": 3})),
    "notes no table": hostile(lambda tensors, data: (tensors, {**data, "notes": 3})),
    "huge": hostile(lambda tensors, data: (tensors, {**data, "config": {"widths": [1024] * 7, "blocks": 8}})),
    "endless": hostile(lambda tensors, data: (tensors, {**data, "config": {"widths": [10**12], "blocks": 1}})),
    "other width": hostile(lambda tensors, data: (tensors, {**data, "config": {"widths": [8, 12, 20], "blocks": 1}})),
    "tensor missing": hostile(lambda tensors, data: ({k: v for k, v in tensors.items() if k != "out.bias"}, data)),
    "tensor too many": hostile(lambda tensors, data: ({**tensors, "extra": torch.zeros(3)}, data)),
    "not numbers": hostile(lambda tensors, data: ({**tensors, **NOT_A_NUMBER}, data)),
}


@pytest.mark.parametrize("case", FILES)
def test_hostile_weights_are_refused_in_one_sentence(tmp_path, case):
    path = tmp_path / "hostile.safetensors"
    FILES[case](path, CorrectionNet(NARROW))
    with pytest.raises(InputError, match=r"hostile\.safetensors does not hold") as caught:
        load_image(str(path))
    assert "\n" not in str(caught.value)


def test_paper_weights_of_impossible_size(tmp_path):
    path = tmp_path / "wide.safetensors"
    for config in ({"ngf": 10**9}, {"ngf": 4, "multiples": [1]}, {"ngf": "many"}, {"ngf": 4, "multiples": 3}):
        data = {"kind": "paper", "config": config, "notes": {}}
        meta = {"format": "1", "kind": "image", "data": json.dumps(data)}
        save_file({"a": torch.zeros(1)}, path, meta)
        with pytest.raises(InputError, match="does not hold"):
            load_image(str(path))
