"""The released networks: what they answer for known tensors, in any number, and which tensors are refused."""

import json

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.networks.released import RELEASED
from makeittalk.weights.released import build
from project import REFERENCE
from released_files import FILES, known_state, random_state, released_shapes

torch.set_num_threads(1)

LANDMARK_BRANCHES = ("content_branch", "speaker_branch")
#: Parameters: 14.3 M, 1.97 M, 3.00 M and 69.9 M.
SIZES = dict(zip(FILES, (14_320_960, 1_965_677, 3_000_908, 69_860_736), strict=True))


@pytest.fixture(scope="module")
def reference():
    """Inputs and answers of the released networks with the known filling."""
    path = REFERENCE / "released_networks.npz"
    if not path.is_file():
        pytest.skip("MAKEITTALK_REFERENCE does not name the reference answers")
    with np.load(path) as values:
        return {name: torch.from_numpy(values[name]).double() for name in values.files}


def relative(found, expected):
    """The largest difference, as a share of the largest value."""
    return float((found - expected).abs().max() / expected.abs().max())


def heard(count, seed=0, size=18):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, size, 80)))


def voices(count, seed=1):
    value = np.abs(np.random.default_rng(seed).normal(size=(count, 256)))
    return torch.from_numpy(value / np.linalg.norm(value, axis=1, keepdims=True))


def test_shapes_are_the_published_ones():
    path = REFERENCE / "released_networks.json"
    if not path.is_file():
        pytest.skip("MAKEITTALK_REFERENCE does not name the reference answers")
    known = {
        name: {key: tuple(shape) for key, shape in value.items()}
        for name, value in json.loads(path.read_text()).items()
    }
    assert released_shapes() == known


@torch.inference_mode()
def test_voice_conversion_answers_as_the_reference(reference):
    voice = build("voice_conversion", known_state("voice_conversion")).double()
    steps = torch.arange(reference["vc_mel"].shape[1]) * 4 % 257  # the pitch that the answers were made with
    pitch = torch.nn.functional.one_hot(steps, 257).double()[None]
    mel, source, target = (reference[f"vc_{name}"] for name in ("mel", "source", "target"))
    assert relative(voice(mel, source, pitch, target), reference["vc_out_postnet"]) < 1e-6
    code = voice.encoder(mel, source)
    assert relative(voice.encoder.codes(mel, source).flatten(), reference["vc_codes"].flatten()) < 1e-5
    assert relative(voice.decoder(code, target, pitch)[0], reference["vc_out"]) < 1e-6


@torch.inference_mode()
def test_content_branch_answers_as_the_reference(reference):
    branch = build("content_branch", known_state("content_branch")).double()
    assert relative(branch(reference["content_windows"], reference["face"]), reference["content_out"]) < 1e-6


@torch.inference_mode()
def test_speaker_branch_answers_as_the_reference(reference):
    branch = build("speaker_branch", known_state("speaker_branch")).double()
    embedding = reference["speaker_embedding"]
    answer = branch(reference["content_windows"], embedding, reference["face"])
    assert relative(answer, reference["speaker_out"]) < 1e-6
    assert relative(branch.branch.code(embedding), reference["speaker_code"]) < 1e-6


@torch.inference_mode()
def test_image_translation_answers_as_the_reference(reference):
    network = build("image_translation", known_state("image_translation")).double()
    images = ((np.sin(0.0031 * np.arange(6 * 256 * 256)) + 1) / 2).reshape(1, 6, 256, 256)
    answer = network(torch.from_numpy(images))
    assert answer.shape == (1, 3, 256, 256)
    assert relative(answer[..., ::4, ::4], reference["image_out"]) < 1e-6


def normalised(values, weight, bias, groups):
    """Group normalisation of (C, T), in words."""
    parts = values.reshape(groups, -1)
    parts = (parts - parts.mean(1, keepdim=True)) / (parts.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    return parts.reshape(values.shape) * weight[:, None] + bias[:, None]


def lstm(values, state, name, layer, way=""):
    """One direction of one layer over (T, C): gates in the order input, forget, cell, output."""
    weights = [state[f"{name}.{part}_l{layer}{way}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    size = weights[1].shape[1]
    hidden, cell, answers = torch.zeros(size).double(), torch.zeros(size).double(), []
    for value in values.flip(0) if way else values:
        gates = weights[0] @ value + weights[2] + weights[1] @ hidden + weights[3]
        gate, forget, new, out = gates.split(size)
        cell = forget.sigmoid() * cell + gate.sigmoid() * new.tanh()
        hidden = out.sigmoid() * cell.tanh()
        answers.append(hidden)
    return torch.stack(answers[::-1] if way else answers)


@torch.inference_mode()
def test_voice_conversion_as_described():
    """Any filling, more than one recording, and a length that no block divides: each step written out."""
    state = random_state("voice_conversion", 3)
    voice = build("voice_conversion", state).double()
    state = {key: value.double() for key, value in state.items()}
    frames = 41
    mel, (source, target) = heard(2, 5, frames), voices(2)
    pitch = torch.nn.functional.one_hot(torch.arange(2 * frames).reshape(2, frames) * 5 % 257, 257).double()
    found = voice(mel, source.expand(2, -1), pitch, target.expand(2, -1))
    for index in range(2):
        values = torch.cat([mel[index], source.expand(frames, -1)], 1).T
        for place in range(3):
            key = f"encoder.convolutions.{place}"
            values = torch.nn.functional.conv1d(
                values, state[f"{key}.0.conv.weight"], state[f"{key}.0.conv.bias"], 1, 2
            )
            values = normalised(values, state[f"{key}.1.weight"], state[f"{key}.1.bias"], 32).clamp(min=0)
        values = values.T
        for layer in (0, 1):
            ways = [lstm(values, state, "encoder.lstm", layer, way) for way in ("", "_reverse")]
            values = torch.cat(ways, 1)
        code = torch.cat(
            [torch.cat([values[min(s + 15, 40), :16], values[s, 16:]]).expand(16, -1) for s in (0, 16, 32)]
        )
        values = torch.cat([code[:frames], target.expand(frames, -1), pitch[index]], 1)
        for layer in range(3):
            values = lstm(values, state, "decoder.lstm", layer)
        key = "decoder.linear_projection.linear_layer"
        rough = values @ state[f"{key}.weight"].T + state[f"{key}.bias"]
        values = rough.T
        for place in range(5):
            key = f"postnet.convolutions.{place}"
            values = torch.nn.functional.conv1d(
                values, state[f"{key}.0.conv.weight"], state[f"{key}.0.conv.bias"], 1, 2
            )
            values = normalised(values, state[f"{key}.1.weight"], state[f"{key}.1.bias"], 32 if place < 4 else 5)
            values = values.tanh() if place < 4 else values
        assert relative(found[index], rough + values.T) < 1e-9


def layer_of(state, key, values, slope=None):
    values = values @ state[f"{key}.weight"].T + state[f"{key}.bias"]
    return values if slope is None else torch.where(values > 0, values, slope * values)


def batch_norm(state, key, values):
    scale = state[f"{key}.weight"] / (state[f"{key}.running_var"] + 1e-5).sqrt()
    return (values - state[f"{key}.running_mean"]) * scale + state[f"{key}.bias"]


def leaky(values, slope):
    return torch.where(values > 0, values, slope * values)


@torch.inference_mode()
def test_content_branch_as_described():
    state = random_state("content_branch", 4)
    branch = build("content_branch", state).double()
    state = {key: value.double() for key, value in state.items()}
    windows, face = heard(3), torch.linspace(-1, 1, 204).double()[None]
    found = branch(windows, face)
    for index in range(3):
        values = leaky(batch_norm(state, "fc_prior.1", layer_of(state, "fc_prior.0", windows[index])), 0.2)
        values = layer_of(state, "fc_prior.3", values)
        for layer in range(3):
            values = lstm(values, state, "bilstm", layer)
        values = torch.cat([values[-1], face[0]])
        values = leaky(batch_norm(state, "fc.1", layer_of(state, "fc.0", values)), 0.2)
        values = leaky(batch_norm(state, "fc.4", layer_of(state, "fc.3", values)), 0.2)
        assert relative(found[index], layer_of(state, "fc.6", values)) < 1e-9


def centred(state, key, values):
    """The released norm: over the last axis, with the unbiased deviation."""
    spread = ((values - values.mean(1, keepdim=True)) ** 2).sum(1, keepdim=True) / 63
    return (
        state[f"{key}.alpha"] * (values - values.mean(1, keepdim=True)) / (spread.sqrt() + 1e-6) + state[f"{key}.bias"]
    )


@torch.inference_mode()
def test_speaker_branch_as_described():
    state = random_state("speaker_branch", 5)
    state["encoder.pe.pe"] += 0.25 * torch.rand(1, 512, 64)  # the file's own positions count
    branch = build("speaker_branch", state).double()
    state = {key: value.double() for key, value in state.items()}
    windows, embedding = heard(6), voices(6)
    found = branch(windows, embedding, torch.zeros(1, 204).double())
    states = []
    for window in windows:
        values = window
        for layer in range(3):
            values = lstm(values, state, "audio_content_encoder", layer)
        states.append(values[-1])
    voice = layer_of(state, "spk_emb_encoder.2", layer_of(state, "spk_emb_encoder.0", embedding, 0.02), 0.02)
    voice = layer_of(state, "spk_emb_encoder.4", voice)
    values = layer_of(state, "encoder.embed.embed", torch.cat([torch.stack(states), voice, torch.zeros(6, 128)], 1))
    values = 8 * values + state["encoder.pe.pe"][0, :6]
    for index in (0, 1):
        key = f"encoder.layers.{index}"
        normal = centred(state, f"{key}.norm_1", values)
        asked, known, told = (layer_of(state, f"{key}.attn.{part}_linear", normal) for part in "qkv")
        heads = [
            torch.softmax(asked[:, part] @ known[:, part].T / 32**0.5, 1) @ told[:, part]
            for part in (slice(0, 32), slice(32, 64))
        ]
        values = values + layer_of(state, f"{key}.attn.out", torch.cat(heads, 1))
        inner = layer_of(state, f"{key}.ff.linear_1", centred(state, f"{key}.norm_2", values), 0.0)
        values = values + layer_of(state, f"{key}.ff.linear_2", inner)
    values = torch.cat([centred(state, "encoder.norm", values), torch.zeros(6, 128)], 1)
    values = layer_of(state, "out.2", layer_of(state, "out.0", values, 0.02), 0.02)
    assert relative(found, layer_of(state, "out.4", values)) < 1e-9


@torch.inference_mode()
def test_more_frames_than_see_each_other():
    """Every 512 frames are a sequence of their own."""
    branch = build("speaker_branch", random_state("speaker_branch"))
    windows, embedding, face = heard(600).float(), voices(600).float(), torch.zeros(1, 204)
    found = branch(windows, embedding, face)
    parts = [branch(windows[part], embedding[part], face) for part in (slice(0, 512), slice(512, 600))]
    assert relative(found, torch.cat(parts)) < 1e-5
    assert branch(windows[:0], embedding[:0], face).shape == (0, 204)
    content = build("content_branch", random_state("content_branch"))
    assert content(windows[:0], face).shape == (0, 204)


@pytest.mark.parametrize("name", FILES)
def test_names_are_the_released_ones(name):
    with torch.device("meta"):
        network, unused = RELEASED[name](), RELEASED[name].unused()
    names = {RELEASED[name].released_name(own) for own in network.state_dict()}
    assert names | set(unused.state_dict() if unused else ()) == set(released_shapes()[name])
    modules = [network] if unused is None else [network, unused]
    assert sum(value.numel() for module in modules for value in module.parameters()) == SIZES[name]


@pytest.mark.parametrize("name", LANDMARK_BRANCHES)
@torch.inference_mode()
def test_prefixes_and_what_may_be_missing(name):
    state = random_state(name)
    answers = []
    for given in (
        state,
        {f"module.{key}": value for key, value in state.items()},
        {key: value for key, value in state.items() if not key.endswith((".pe", "num_batches_tracked"))},
        {key: value for key, value in state.items() if not key.startswith("decoder.")},
    ):
        network = build(name, given)
        assert not network.training and not [p for p in network.parameters() if p.requires_grad]
        arguments = (voices(20).float(),) if name == "speaker_branch" else ()
        answers.append(network(heard(20).float(), *arguments, torch.zeros(1, 204)))
    assert all(torch.equal(answer, answers[0]) for answer in answers)


def test_tensors_are_copied():
    state = random_state("content_branch")
    network = build("content_branch", state)
    windows, face = heard(2).float(), torch.zeros(1, 204)
    before = network(windows, face)
    for value in state.values():
        value.zero_()
    assert torch.equal(network(windows, face), before)


def test_a_variance_below_zero_is_none():
    """Its root is no number, and would be the answer."""
    state = random_state("content_branch")
    windows, face = heard(2).float(), torch.zeros(1, 204)
    state["fc.1.running_var"][:9] = 0.0
    expected = build("content_branch", state)(windows, face)
    state["fc.1.running_var"][:9] = -0.3
    assert torch.equal(build("content_branch", state)(windows, face), expected) and expected.isfinite().all()


def wrong(key, make):
    def change(state):
        state[key] = make(state[key])

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("bilstm.weight_hh_l1"), "lack the tensor 'bilstm.weight_hh_l1'"),
        (lambda state: state.update({"fc.9.weight": torch.zeros(3)}), "does not have: 'fc.9.weight'"),
        (lambda state: state.update({"module.fc.0.bias": torch.zeros(512)}), "twice"),
        (lambda state: state.update({7: torch.zeros(3)}), "no tensors with names"),
        (wrong("fc.0.bias", lambda v: v[:-1]), r"has the shape \(511,\), not \(512,\)"),
        (wrong("fc.0.weight", lambda v: v.T), r"not \(512, 460\)"),
        (wrong("fc.0.bias", lambda v: v.long()), "but int64"),
        (wrong("fc.0.bias", lambda v: v.to(torch.complex64)), "but complex64"),
        (wrong("fc.0.bias", lambda v: v / 0), "what is no number"),
        (wrong("fc.0.bias", lambda v: v.double() * 1e300), "what is no number"),
        (wrong("fc.1.running_var", lambda v: v * float("nan")), "what is no number"),
        (wrong("fc.0.bias", lambda v: v.to("meta")), "no array of numbers"),
        (wrong("fc.0.bias", lambda v: v.to_sparse()), "no array of numbers"),
        (wrong("fc.0.bias", lambda v: v.numpy()), "no array of numbers"),
        (wrong("fc.0.bias", lambda _: None), "no array of numbers"),
        (wrong("fc.1.num_batches_tracked", lambda v: v.bool()), "but bool"),
    ],
)
def test_other_tensors_are_refused(change, said):
    state = random_state("content_branch")
    change(state)
    with pytest.raises(InputError, match=said) as caught:
        build("content_branch", state)
    assert "\n" not in str(caught.value)


def test_unused_tensors_are_looked_at_too():
    state = random_state("speaker_branch")
    state["decoder.norm.bias"][3] = float("inf")
    with pytest.raises(InputError, match=r"decoder\.norm\.bias"):
        build("speaker_branch", state)
    state["decoder.norm.bias"] = torch.zeros(10**6).expand(10**6)
    with pytest.raises(InputError, match=r"decoder\.norm\.bias"):
        build("speaker_branch", state)


@pytest.mark.parametrize("given", [None, [], torch.zeros(3), {}])
def test_what_is_no_state_dictionary(given):
    with pytest.raises(InputError, match="content_branch"):
        build("content_branch", given)


def test_no_other_network():
    with pytest.raises(InputError, match="no released network called 'vae'"):
        build("vae", {})
