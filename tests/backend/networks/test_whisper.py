"""Whisper's encoder: OpenAI's own blocks and front end, and recordings of any length."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import Cancelled, InputError
from makeittalk.networks import whisper_inference
from makeittalk.networks.whisper import WhisperConfig, WhisperEncoder
from makeittalk.networks.whisper_inference import WIDTH, hear_whisper, load_whisper, save_whisper
from project import ASSETS, DATA
from safetensors.torch import load_file
from torch.nn import functional

torch.set_num_threads(1)

PARTS = {  # of a block, with the sides of each tensor in channels
    "attn.query.weight": (1, 1),
    "attn.query.bias": (1,),
    "attn.key.weight": (1, 1),  # which has no bias
    "attn.value.weight": (1, 1),
    "attn.value.bias": (1,),
    "attn.out.weight": (1, 1),
    "attn.out.bias": (1,),
    "attn_ln.weight": (1,),
    "attn_ln.bias": (1,),
    "mlp.0.weight": (4, 1),
    "mlp.0.bias": (4,),
    "mlp.2.weight": (1, 4),
    "mlp.2.bias": (1,),
    "mlp_ln.weight": (1,),
    "mlp_ln.bias": (1,),
}


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """7.1 s of a voice, at the loudness that networks hear."""
    return normalise_loudness(load_audio(ASSETS / "speech.flac").samples)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An encoder of one block, which answers sooner: what is asked of windows does not depend on what is heard."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("whisper") / "small.safetensors"
    save_whisper(path, WhisperEncoder(WhisperConfig(blocks=1)), {})
    return str(path)


def test_tensors_are_named_and_shaped_as_openais() -> None:
    width = 512
    wanted = {
        "conv1.weight": (width, 80, 3),
        "conv1.bias": (width,),
        "conv2.weight": (width, width, 3),
        "conv2.bias": (width,),
        "positional_embedding": (300, width),  # of 1500: windows of 6 s instead of 30 s
        "mean": (width,),  # of this project
        "std": (width,),
    }
    for block in range(3):  # of 6
        wanted |= {f"blocks.{block}.{name}": tuple(width * n for n in sides) for name, sides in PARTS.items()}
    found = {name: tuple(value.shape) for name, value in load_whisper().state_dict().items()}
    assert found == wanted


def test_the_front_end_is_librosas(speech: np.ndarray) -> None:
    """The filters, and the spectrum that Whisper takes: centred, the last frame dropped, 80 dB under the loudest."""
    encoder = WhisperEncoder(WhisperConfig(width=8, heads=1, blocks=1))
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=400, n_mels=80)
    np.testing.assert_allclose(encoder.filters.numpy(), filters, atol=1e-7)
    piece = speech[: 3 * SAMPLE_RATE]
    power = librosa.feature.melspectrogram(
        y=piece, sr=SAMPLE_RATE, n_fft=400, hop_length=160, n_mels=80, pad_mode="reflect"
    )
    decades = np.log10(np.maximum(power[:, :-1], 1e-10))
    wanted = (np.maximum(decades, decades.max() - 8.0) + 4.0) / 4.0
    found = encoder.mel(torch.from_numpy(piece)[None])[0].numpy()
    assert found.shape == (80, 300)
    np.testing.assert_allclose(found, wanted, atol=2e-4)


def test_a_pause_is_not_blown_up() -> None:
    """By Whisper's own rule the loudest band of hiss alone would be heard as speech is."""
    encoder = WhisperEncoder(WhisperConfig(width=8, heads=1, blocks=1))
    hiss = 1e-5 * np.random.default_rng(0).standard_normal((1, SAMPLE_RATE)).astype(np.float32)
    silence = encoder.mel(torch.zeros(1, SAMPLE_RATE))
    assert torch.equal(encoder.mel(torch.from_numpy(hiss)), silence) and silence.unique().numel() == 1


def second_opinion(tensors: dict[str, torch.Tensor], mel: torch.Tensor, blocks: int) -> torch.Tensor:
    """What so many blocks answer, written anew from OpenAI's: tensors of the file, mel (1, 80, T) → (T / 2, 512)."""

    def linear(name: str, values: torch.Tensor) -> torch.Tensor:
        return values @ tensors[f"{name}.weight"].T + tensors.get(f"{name}.bias", torch.zeros(()))

    def norm(name: str, values: torch.Tensor) -> torch.Tensor:
        spread = values.var(-1, unbiased=False, keepdim=True) + 1e-5
        scaled = (values - values.mean(-1, keepdim=True)) / spread.sqrt()
        return scaled * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def gelu(values: torch.Tensor) -> torch.Tensor:
        return 0.5 * values * (1.0 + torch.erf(values / 2.0**0.5))

    heard = gelu(functional.conv1d(mel, tensors["conv1.weight"], tensors["conv1.bias"], padding=1))
    heard = gelu(functional.conv1d(heard, tensors["conv2.weight"], tensors["conv2.bias"], stride=2, padding=1))
    frames = heard[0].T + tensors["positional_embedding"][: heard.shape[2]]
    for block in range(blocks):
        name = f"blocks.{block}"
        read = norm(f"{name}.attn_ln", frames)
        query, key, value = (linear(f"{name}.attn.{part}", read) for part in ("query", "key", "value"))
        heads = []
        for head in range(8):
            part = slice(64 * head, 64 * head + 64)
            heads.append(torch.softmax(query[:, part] @ key[:, part].T / 8.0, -1) @ value[:, part])
        frames = frames + linear(f"{name}.attn.out", torch.cat(heads, -1))
        frames = frames + linear(f"{name}.mlp.2", gelu(linear(f"{name}.mlp.0", norm(f"{name}.mlp_ln", frames))))
    return frames


def test_the_shipped_part_answers_as_the_whole_encoder(speech: np.ndarray) -> None:
    source = DATA / "models" / "whisper_base_encoder.safetensors"
    if not source.is_file():
        pytest.skip("the whole encoder is missing")
    whole, shipped = load_file(source), load_whisper()
    for name, value in shipped.state_dict().items():
        if name not in ("mean", "std"):
            assert torch.equal(value, whole[name][: len(value)].float()), name
    samples = torch.from_numpy(speech[: 4 * SAMPLE_RATE])[None].double()
    with torch.inference_mode():
        doubled = WhisperEncoder(shipped.config).double().eval()
        doubled.load_state_dict(shipped.state_dict())
        tensors = {name: value.double() for name, value in whole.items()}
        wanted = second_opinion(tensors, doubled.mel(samples), 3)
        assert (doubled.blocks_of(samples)[-1][0] - wanted).abs().max() < 1e-9 * wanted.abs().max()
        wanted = (wanted - doubled.mean) / doubled.std
        assert (shipped(samples.float())[0] - wanted).abs().max() < 1e-3
        assert wanted.std() == pytest.approx(1.0, abs=0.35) and wanted.mean().abs() < 0.1


@pytest.mark.parametrize("seconds", [8.0, 9.7, 12.1, 14.0])
def test_what_comes_later_changes_nothing(speech: np.ndarray, seconds: float) -> None:
    """A recording that is cut off is heard as the whole one up to the window in which it ends, blending into it or not.

    Windows of 6 s begin every 5 s, so that is never more than 6 s from the end.
    """
    whole = np.resize(speech, 15 * SAMPLE_RATE)
    cut = whole[: int(seconds * SAMPLE_RATE)]
    alike = 5.0 * ((seconds - 1.0) // 5.0) * SAMPLE_RATE / 256  # frames
    full, part = hear_whisper(whole), hear_whisper(cut)
    assert np.abs(full[: int(alike)].astype(np.float32) - part[: int(alike)]).max() < 0.02  # half precision
    # What is heard in the middle of either is much the same wherever a window begins.
    rest = slice(int(alike) + 40, len(part) - 40)
    likeness = [np.corrcoef(a, b)[0, 1] for a, b in zip(full[rest].T[::16], part[rest].T[::16], strict=True)]
    assert np.median(likeness) > 0.9


def test_minutes_in_batches_are_heard_as_at_once(
    speech: np.ndarray, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = np.resize(speech, 40 * SAMPLE_RATE)  # eight windows
    monkeypatch.setattr(whisper_inference, "_WINDOWS", 64)
    whole = hear_whisper(sound, weights=small).astype(np.float32)
    assert whole.shape == (2501, WIDTH) and np.isfinite(whole).all()
    for count in (1, 3, 7, 8):
        monkeypatch.setattr(whisper_inference, "_WINDOWS", count)
        assert np.abs(hear_whisper(sound, weights=small) - whole).max() < 0.02, count


def test_a_place_in_the_recording_is_a_place_in_the_answer(small: str) -> None:
    """A click is heard when it comes, at 62.5 frames/s, far behind the first window too."""
    for second in (1.0, 4.0, 13.0):
        sound = np.zeros(15 * SAMPLE_RATE, np.float32)
        sound[int(second * SAMPLE_RATE) :][:80] = 0.5
        heard, still = (hear_whisper(samples, weights=small) for samples in (sound, np.zeros_like(sound)))
        change = np.abs(heard.astype(np.float32) - still).mean(1)
        assert abs(change.argmax() / 62.5 - second) <= 0.03


@pytest.mark.parametrize("count", [0, 1, 100, 255, 256, 319, 320, 321, 16_000, 96_000, 96_001, 100_000])
def test_however_short(speech: np.ndarray, small: str, count: int) -> None:
    heard = hear_whisper(speech[:count], weights=small)
    assert heard.shape == (1 + count // 256, WIDTH) and heard.dtype == np.float16
    assert np.isfinite(heard).all()


def test_memory_does_not_grow_with_the_recording(small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the encoder is given at once is bounded, and numpy keeps little more than the answer."""
    frames, batch = 30, 8
    monkeypatch.setattr(whisper_inference, "_WINDOW", frames)
    monkeypatch.setattr(whisper_inference, "_SEAM", 5)
    given: list[tuple[int, ...]] = []
    handle = load_whisper(small, "cpu").register_forward_pre_hook(lambda _module, inputs: given.append(inputs[0].shape))

    def room(seconds: int) -> int:
        """Bytes at the peak beside the answer."""
        sound = np.random.default_rng(0).normal(0, 0.1, seconds * SAMPLE_RATE).astype(np.float32)
        tracemalloc.start()
        heard = hear_whisper(sound, weights=small)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak - heard.nbytes

    try:
        room(1)  # what is loaded once
        first, second = room(20), room(60)
    finally:
        handle.remove()
    assert second < 1.2 * first
    assert max(shape[0] for shape in given) <= batch and max(shape[1] for shape in given) <= frames * 320


def test_listening_can_be_cancelled(speech: np.ndarray, small: str) -> None:
    told = []

    def stop(fraction: float, stage: str) -> None:
        told.append((fraction, stage))
        raise Cancelled

    with pytest.raises(Cancelled):
        hear_whisper(np.resize(speech, 100 * SAMPLE_RATE), progress=stop, weights=small)
    [(fraction, stage)] = told
    assert 0.0 < fraction < 1.0 and stage == "Listening"


def test_encoders_of_another_size_are_refused(tmp_path: Path) -> None:
    for config in (WhisperConfig(width=64, heads=2), WhisperConfig(positions=200, blocks=1)):
        path = tmp_path / "other.safetensors"
        save_whisper(path, WhisperEncoder(config), {})
        with pytest.raises(InputError, match="does not hold weights of a Whisper encoder"):
            load_whisper(str(path))
