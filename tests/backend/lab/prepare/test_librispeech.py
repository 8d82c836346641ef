"""LibriSpeech voices with a filmed speaker's mouth: which voices are used, and what moves them."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_clips import talking, write_clips
from makeittalk.cli import main as cli
from makeittalk.exchange.errors import InputError
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.splits import split_voices
from makeittalk_lab.evaluation import metrics
from makeittalk_lab.prepare import librispeech as prepare_librispeech
from project import ASSETS


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A GRID folder with its prepared clips, ten recordings, and the phones of all: AA wherever the jaw is open."""
    root = tmp_path_factory.mktemp("librispeech")
    names = ("grid", "films", "audio", "dest")
    found = {name: root / name for name in names}
    for name in names:
        found[name].mkdir()
    (found["dest"] / "phones").mkdir()
    write_clips(found["grid"], 16)

    def keep(name: str, opened: np.ndarray) -> None:
        edges = [0, *(np.flatnonzero(np.diff(opened.astype(int))) + 1), len(opened)]
        phones = [(a / 62.5, b / 62.5, "AA" if opened[a] else "B") for a, b in pairwise(edges)]
        (found["dest"] / "phones" / f"{name}.json").write_text(
            json.dumps([[float(a), float(b), c] for a, b, c in phones])
        )

    for seed in range(16):
        clip = talking(seed)
        keep(clip.name, metrics.opening(clip.landmarks) > metrics.opening(clip.neutral[None]) + 3)
    samples = soundfile.read(ASSETS / "speech.flac", dtype="float32")[0][:32_000]
    for number in range(10):
        name = f"{number}-{number}-1"
        soundfile.write(found["audio"] / f"{name}.flac", samples, 16_000)
        keep(name, np.arange(125) // 10 % 2 == 1)
    return found


def test_voices_get_the_mouth_and_test_voices_are_left_alone(folders, tmp_path):
    dest = tmp_path / "dest"
    shutil.copytree(folders["dest"], dest)
    prepared = prepare_librispeech.prepare_librispeech(
        folders["audio"], dest, folders["grid"], folders["films"], steps=40
    )
    train, validation, test = split_voices(f"{n}-{n}-1" for n in range(10))
    assert (prepared.train, prepared.validation, prepared.test) == (train, validation, [])
    assert len(train) == 6 and not any((dest / f"{name}.npz").exists() for name in test)
    assert Prepared.load(dest) == prepared
    clip = prepared.clip(train[0])
    opened = metrics.opening(clip.landmarks)
    drive = np.zeros(len(opened))
    drive[:125] = (np.arange(125) // 10 % 2)[: len(opened)]
    assert np.corrcoef(opened, drive)[0, 1] > 0.7
    assert clip.embedding is not None and np.linalg.norm(clip.embedding) == pytest.approx(1, abs=1e-3)


def test_whole_recordings_are_aligned_with_their_transcripts(folders, tmp_path):
    """Of two voices whose phones are not known yet one has a transcript that is not to be relied on."""
    pytest.importorskip("pocketsphinx")
    dest, audio = tmp_path / "dest", tmp_path / "audio"
    shutil.copytree(folders["dest"], dest)
    shutil.copytree(folders["audio"], audio)
    train, _, _ = split_voices(f"{n}-{n}-1" for n in range(10))
    text = (ASSETS / "speech.txt").read_text().strip()
    rows = [f"{n}-{n}-1\t{-0.9 if f'{n}-{n}-1' == train[0] else -0.2}\t{text}" for n in range(10)]
    (audio / "transcripts.tsv").write_text("\n".join(["file\tmean_logprob\ttext", *rows]))
    whole = soundfile.read(ASSETS / "speech.flac", dtype="float32")[0]
    soundfile.write(audio / f"{train[1]}.flac", np.concatenate([np.zeros(64_000, np.float32), whole]), 16_000)
    for name in train[:2]:
        (dest / "phones" / f"{name}.json").unlink()
    prepared = prepare_librispeech.prepare_librispeech(audio, dest, folders["grid"], folders["films"], steps=1)
    assert prepared.train == train[1:] and list(prepared.skipped) == [train[0]]
    assert "unsure" in prepared.skipped[train[0]] and not (dest / "phones" / f"{train[0]}.json").exists()
    phones = json.loads((dest / "phones" / f"{train[1]}.json").read_text())
    assert phones[-1][1] == pytest.approx(4.0 + len(whole) / 16_000, abs=0.1)  # beyond ten seconds
    assert [name for _, _, name in phones if name in ("P", "B", "M")] == list("MMMBPPM")


def test_phones_that_are_none_are_refused(folders, tmp_path):
    dest = tmp_path / "dest"
    shutil.copytree(folders["dest"], dest)
    train, _, _ = split_voices(f"{n}-{n}-1" for n in range(10))
    arguments = (folders["audio"], dest, folders["grid"], folders["films"])
    (dest / "phones" / f"{train[1]}.json").write_text("[[1, 2]]")
    with pytest.raises(InputError, match="holds no phones"):
        prepare_librispeech.prepare_librispeech(*arguments, steps=1)


def test_wrong_folders_are_one_sentence(folders, tmp_path, capsys):
    command = ["prepare", "librispeech", str(folders["audio"]), str(tmp_path / "out")]
    grid = ["--grid", str(folders["grid"])]
    for more, complaint in (
        ([], "needs the mouth"),
        (grid, "needs the mouth"),
        ([*grid, "--films", str(tmp_path)], ".align holds no words"),
        (["--grid", str(tmp_path), "--films", str(tmp_path)], "not a prepared data set"),
    ):
        assert cli.main([*command, *more]) == 2
        told = capsys.readouterr().err
        assert complaint in told and told.count("\n") == 1
    assert cli.main(["prepare", "librispeech", str(tmp_path), str(tmp_path / "out"), *grid, "--films", "x"]) == 2
    assert "holds no recordings" in capsys.readouterr().err
