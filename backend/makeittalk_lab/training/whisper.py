"""Cuts the shipped part out of Whisper's encoder and standardises it; nothing of it is trained.

python -m makeittalk_lab.training.whisper ENCODER.safetensors RECORDINGS OUT.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.exchange import storage
from makeittalk.exchange.errors import InputError
from makeittalk.networks.whisper import STRIDE, WhisperConfig, WhisperEncoder
from makeittalk.networks.whisper_inference import save_whisper
from makeittalk.weights.files import MAX_BYTES
from makeittalk.weights.store import tensors_in
from safetensors import SafetensorError

from ..data.splits import split_voices
from ..tool import exit_status

_VOICES = 60  # whose sound the channels are standardised on


def cut_encoder(source: str | Path, config: WhisperConfig | None = None) -> WhisperEncoder:
    """The first blocks and positions of a whole encoder, float32 in eval mode, not standardised.

    Args:
        source: safetensors file named as `whisper.model.AudioEncoder`. config: how much of it.

    Raises:
        InputError: the file cannot be read, or holds less.
    """
    config = config or WhisperConfig()
    encoder = WhisperEncoder(config)
    own = encoder.state_dict()
    try:
        _, tensors = tensors_in(storage.read_bytes(source, MAX_BYTES))
        for name, value in own.items():
            if name in tensors:
                value.copy_(tensors[name][: len(value)])
            elif name not in ("mean", "std"):
                raise KeyError(name)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(f"{source} is not the encoder of Whisper base.", "Name its safetensors file.") from error
    return encoder.eval()


def standardise(encoder: WhisperEncoder, sounds: list[np.ndarray]) -> None:
    """Sets the mean and deviation of each channel over recordings (n,) at 16 kHz, window by window."""
    window = encoder.config.positions * STRIDE
    heard = []
    with torch.inference_mode():
        for sound in sounds:
            for start in range(0, len(sound) - window // 4, window):
                piece = sound[start : start + window]
                padded = np.pad(piece, (0, -len(piece) % STRIDE))[None]
                heard.append(encoder(torch.from_numpy(padded))[0])
    frames = torch.cat(heard)
    encoder.mean.copy_(frames.mean(0))
    encoder.std.copy_(frames.std(0))


def main() -> None:
    """Reads the voices that networks learn from, cuts the encoder and writes it."""
    if len(sys.argv) != 4:
        raise InputError(str(__doc__).splitlines()[2])
    source, folder, out = map(Path, sys.argv[1:])
    paths = {path.stem: path for path in sorted(folder.glob("*.flac"))}
    names = split_voices(paths)[0][:_VOICES] if paths else []
    if not names:
        raise InputError(f"{folder} holds no recordings.", "Name a folder of .flac files.")
    encoder = cut_encoder(source)
    standardise(encoder, [normalise_loudness(load_audio(paths[name]).samples) for name in names])
    save_whisper(out, encoder, {"source": source.name, "standardised on": f"{len(names)} voices of {folder.name}"})


if __name__ == "__main__":
    sys.exit(exit_status(main))
