"""The shipped part of Whisper's encoder is cut out of the whole one and standardised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from makeittalk.exchange.errors import InputError
from makeittalk.networks.whisper import WhisperConfig, WhisperEncoder
from makeittalk.networks.whisper_inference import load_whisper
from makeittalk.weights.store import load_weights
from makeittalk_lab.training import whisper
from makeittalk_lab.training.whisper import cut_encoder, standardise
from project import ASSETS
from safetensors.torch import save_file

torch.set_num_threads(1)

SMALL = WhisperConfig(width=16, heads=2, blocks=2, positions=40)


def whole_encoder(path: Path, config: WhisperConfig, lacking: str = "") -> dict[str, torch.Tensor]:
    """Tensors of a whole encoder, half precision and random: more blocks and positions, and a last norm."""
    torch.manual_seed(0)
    state = WhisperEncoder(config).state_dict()
    state["positional_embedding"] = torch.randn(config.positions, config.width)
    tensors = {name: value.half() for name, value in state.items() if name not in ("mean", "std", lacking)}
    tensors["ln_post.weight"] = torch.ones(config.width).half()
    save_file(tensors, path)
    return tensors


def test_the_first_blocks_and_positions_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "whole.safetensors"
    tensors = whole_encoder(path, WhisperConfig(width=16, heads=2, blocks=3, positions=100))
    encoder = cut_encoder(path, SMALL)
    assert not encoder.training and len(encoder.blocks) == 2
    for name, value in encoder.state_dict().items():
        if name in ("mean", "std"):
            continue
        assert value.dtype == torch.float32 and torch.equal(value, tensors[name][: len(value)].float()), name
    assert encoder.positional_embedding.shape == (40, 16)


def test_channels_are_standardised_over_many_voices(tmp_path: Path) -> None:
    path = tmp_path / "whole.safetensors"
    whole_encoder(path, SMALL)
    encoder, rng = cut_encoder(path, SMALL), np.random.default_rng(0)
    sounds = [rng.normal(0, 0.1, count).astype(np.float32) for count in (40 * 320, 95 * 320 + 7, 5 * 320)]
    standardise(encoder, sounds)
    windows = [sounds[0], sounds[1][: 40 * 320], sounds[1][40 * 320 : 80 * 320]]  # whole ones
    with torch.inference_mode():
        heard = torch.cat([encoder(torch.from_numpy(window)[None])[0] for window in windows])
    # A shorter rest of the second one counts, too; what is much shorter than a window does not.
    assert heard.mean(0).abs().max() < 0.3 and (heard.std(0) - 1.0).abs().max() < 0.3
    assert heard.mean().abs() < 0.05


@pytest.mark.parametrize("harm", ["a tensor less", "too few positions", "no tensors"])
def test_other_files_are_refused(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "other.safetensors"
    if harm == "no tensors":
        path.write_bytes(b"not tensors at all")
    elif harm == "a tensor less":
        whole_encoder(path, SMALL, lacking="blocks.1.attn.out.weight")
    else:
        whole_encoder(path, WhisperConfig(width=16, heads=2, blocks=2, positions=20))
    with pytest.raises(InputError, match=r"other\.safetensors is not the encoder of Whisper base"):
        cut_encoder(path, SMALL)


def test_the_program_writes_what_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = WhisperConfig()
    whole_encoder(tmp_path / "whole.safetensors", config)
    (tmp_path / "voices").mkdir()
    arguments = [
        "whisper",
        str(tmp_path / "whole.safetensors"),
        str(tmp_path / "voices"),
        str(tmp_path / "o.safetensors"),
    ]
    monkeypatch.setattr(whisper.sys, "argv", arguments)
    with pytest.raises(InputError, match="holds no recordings"):
        whisper.main()
    samples, rate = soundfile.read(ASSETS / "speech.flac")
    for speaker in range(3):
        soundfile.write(tmp_path / "voices" / f"{speaker}-1.flac", samples[speaker * rate :], rate)
    whisper.main()
    written = load_weights(str(tmp_path / "o.safetensors"), "whisper")
    assert written.notes == {"source": "whole.safetensors", "standardised on": "2 voices of voices"}
    assert all(value.dtype == torch.float16 for value in written.tensors.values())
    assert load_whisper(str(tmp_path / "o.safetensors")).std.min() > 0.0
    monkeypatch.setattr(whisper.sys, "argv", arguments[:2])
    with pytest.raises(InputError, match=r"makeittalk_lab\.training\.whisper ENCODER"):
        whisper.main()
