"""`makeittalk voice-convert` with weights that were trained a moment ago, and with the shipped ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from makeittalk.audio.embedding import speaker_embedding
from makeittalk.audio.loading import load_audio, normalise_loudness
from makeittalk.cli.main import main
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk_lab.data.splits import split_voices

torch.set_num_threads(1)


def test_voice_convert_keeps_duration(trained_voice: tuple[Path, Path], speech_wav: Path, tmp_path: Path) -> None:
    weights = str(trained_voice[1] / "voice.safetensors")
    output = tmp_path / "said.wav"
    assert (
        main(["voice-convert", str(speech_wav), "--to", str(speech_wav), "-o", str(output), "--weights", weights]) == 0
    )
    sound, rate = soundfile.read(output)
    assert rate == SAMPLE_RATE and abs(len(sound) - len(load_audio(speech_wav).samples)) <= 1
    assert np.isfinite(sound).all() and np.abs(sound).max() > 0.01


@pytest.mark.parametrize("case", ["suffix", "silence", "missing"])
def test_voice_convert_complains_in_one_sentence(
    case: str, trained_voice: tuple[Path, Path], speech_wav: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    other = {"suffix": speech_wav, "silence": silence, "missing": tmp_path / "nobody.wav"}[case]
    output = tmp_path / ("said.mp3" if case == "suffix" else "said.wav")
    weights = str(trained_voice[1] / "voice.safetensors")
    assert main(["voice-convert", str(speech_wav), "--to", str(other), "-o", str(output), "--weights", weights]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Traceback" not in said
    assert not output.exists()


@pytest.fixture(scope="module")
def shipped() -> str:
    from makeittalk.weights.files import list_weights

    if "voice" not in {file.name for file in list_weights()}:
        pytest.skip("the weights of voice conversion are not among the listed ones")
    return "voice"


def test_the_voice_moves_to_the_other(shipped: str, data_dir: Path, tmp_path: Path) -> None:
    """Two voices never trained on, a woman's and a man's: it sounds more like the other than before."""
    paths = {path.stem: path for path in (data_dir / "librispeech").glob("*.flac")}
    test = split_voices(paths)[2]
    voices = {name: speaker_embedding(load_audio(paths[name]).samples) for name in test[:12]}
    source = test[0]
    other = min(voices, key=lambda name: float(voices[source] @ voices[name]))
    output = tmp_path / "said.wav"
    assert main(["voice-convert", str(paths[source]), "--to", str(paths[other]), "-o", str(output)]) == 0
    sound, _ = soundfile.read(output)
    said = speaker_embedding(sound.astype(np.float32))
    original = load_audio(paths[source]).samples
    assert abs(len(sound) - len(original)) <= 1
    assert said @ voices[other] > said @ voices[source]
    level = np.abs(normalise_loudness(sound.astype(np.float32))).max() / np.abs(sound).max()
    assert abs(20 * np.log10(level)) < 1.0  # speech at -20 dBFS
