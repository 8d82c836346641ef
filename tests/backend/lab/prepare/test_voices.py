"""Recordings of speakers become parts with phones and embeddings."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from makeittalk.exchange.constants import SAMPLE_RATE
from makeittalk.exchange.errors import InputError
from makeittalk_lab.data.clips import Prepared
from makeittalk_lab.data.recordings import UNLABELLED, Recording
from makeittalk_lab.prepare.voices import (
    cut_parts,
    find_recordings,
    prepare_voices,
)

torch.set_num_threads(1)


def test_parts_cover_a_recording() -> None:
    parts = cut_parts(10 * SAMPLE_RATE)
    assert parts[0][0] == 0 and parts[-1][1] == 10 * SAMPLE_RATE
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert all(2.0 < (end - start) / SAMPLE_RATE < 4.5 for start, end in parts)


def test_prepared_recordings_hold_voice_and_phones(prepared_voices: Prepared) -> None:
    assert (len(prepared_voices.train), len(prepared_voices.validation), len(prepared_voices.test)) == (3, 1, 1)
    recording = Recording.load(prepared_voices.folder / f"{prepared_voices.train[0]}.npz")
    assert recording.speaker == recording.name[0]
    assert len(recording.parts) >= 2 and np.allclose(np.linalg.norm(recording.embeddings, axis=1), 1.0, atol=1e-4)
    assert {1, UNLABELLED}.issubset(recording.phones.tolist()) and (recording.phones[126:] == UNLABELLED).all()


def test_words_that_are_known_are_aligned(speech_wav: Path, tmp_path: Path) -> None:
    """Phones are made where a transcript can be relied on, kept where they lie already, and no others are guessed."""
    pytest.importorskip("pocketsphinx")
    source, phones = tmp_path / "audio", tmp_path / "phones"
    source.mkdir()
    text = speech_wav.with_name("speech.txt").read_text().strip()
    rows = ["file\tmean_logprob\ttext"]
    for number, logprob in enumerate((-0.2, -0.2, -0.2, -0.2, -0.5)):
        (source / f"{number}-1.flac").write_bytes(speech_wav.read_bytes())
        rows.append(f"{number}-1\t{logprob}\t{text}")
    phones.mkdir()
    (phones / "0-1.json").write_text('[[0.0, 1.0, "AA"]]')
    unlabelled = prepare_voices(source, tmp_path / "without", phones)
    assert [path.name for path in phones.iterdir()] == ["0-1.json"] and not unlabelled.skipped
    (source / "transcripts.tsv").write_text("\n".join(rows))
    prepared = prepare_voices(source, tmp_path / "with", phones)
    assert list(prepared.skipped) == ["4-1"] and "unsure" in prepared.skipped["4-1"]
    assert sorted(path.name for path in phones.iterdir()) == [f"{number}-1.json" for number in range(4)]
    labels = [Recording.load(tmp_path / "with" / f"{number}-1.npz").phones for number in range(4)]
    assert set(labels[0].tolist()) == {1, UNLABELLED} and len(set(labels[1].tolist())) > 20
    assert (labels[1] == labels[2]).all()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no recordings"):
        prepare_voices(tmp_path, tmp_path / "out")
    np.savez(tmp_path / "x.npz", format=1)
    with pytest.raises(InputError, match="not a prepared recording"):
        Recording.load(tmp_path / "x.npz")


def test_folders_of_speakers_are_found(tmp_path: Path) -> None:
    """VCTK's own tree, from which `makeittalk prepare vctk` splits by speaker."""
    for speaker in ("p225", "p226"):
        (tmp_path / "wav48" / speaker).mkdir(parents=True)
        for number in (1, 2):
            (tmp_path / "wav48" / speaker / f"{speaker}_00{number}_mic1.flac").touch()
    names = find_recordings(tmp_path)
    assert next(iter(names)) == "p225-p225_001_mic1" and len(names) == 4
    assert {name.partition("-")[0] for name in names} == {"p225", "p226"}


def test_labels_that_are_none_are_refused(prepared_voices: Prepared, speech_wav: Path, tmp_path: Path) -> None:
    source = tmp_path / "audio"
    source.mkdir()
    (source / "1-1-1.flac").write_bytes(speech_wav.read_bytes())
    (tmp_path / "1-1-1.json").write_text('[[0, 1, "XX"]]')
    with pytest.raises(InputError, match="holds no phones"):
        prepare_voices(source, tmp_path / "out", tmp_path)
