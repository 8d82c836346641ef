"""Mouth shapes and words of voices that no network learned from, against phones that are aligned to known words."""

from __future__ import annotations

import numpy as np
import pytest
from makeittalk.animation.mouth_shapes import mouth_shapes
from makeittalk.animation.word_spans import word_spans
from makeittalk.audio.loading import load_audio
from makeittalk.exchange.cues import EXTENDED, Cue
from makeittalk.exchange.errors import MissingError
from makeittalk.jobs.visemes import hear_cues
from makeittalk.networks.phones import BILABIALS
from makeittalk_lab.data.phone_source import PhoneSource, Unaligned
from makeittalk_lab.data.phones import AlignedWord, Aligner
from makeittalk_lab.data.splits import split_voices

pytest.importorskip("pocketsphinx")
SENTENCES = 12


@pytest.fixture(scope="module")
def spoken(data_dir):
    """Recordings of LibriSpeech's test voices, each with its length, its aligned words and what is heard in it."""
    folder = data_dir / "librispeech"
    if not (folder / "transcripts.tsv").is_file():
        pytest.skip("LibriSpeech or its transcripts are missing")
    source, aligner = PhoneSource(folder), Aligner()
    found = []
    for name in split_voices(path.stem for path in folder.glob("*.flac"))[2]:
        path = folder / f"{name}.flac"
        try:
            source.phones(name, load_audio(path).samples)  # says whether its words fit the sound
        except (Unaligned, MissingError):  # the latter: a word of no dictionary, and no eSpeak NG
            continue
        words = aligner.align_words(load_audio(path).samples, source.words(name))
        heard = hear_cues(path, " ".join(word.text for word in words), device="cpu").cues
        found.append((heard, words))
        if len(found) == SENTENCES:
            return found
    return pytest.skip(f"fewer than {SENTENCES} recordings could be aligned")


def phones_of(words: list[AlignedWord]) -> list[Cue]:
    return [Cue(*phone) for word in words for phone in word.phones]


def names_at(track: list[Cue], seconds: float) -> np.ndarray:
    """What a track shows in every millisecond."""
    at = (np.arange(int(seconds * 1000)) + 0.5) / 1000
    return np.array([cue.name for cue in track])[
        np.searchsorted([cue.end for cue in track], at).clip(0, len(track) - 1)
    ]


@pytest.mark.parametrize("extended", [EXTENDED, ""])
def test_shapes_are_those_of_aligned_phones(spoken, extended, record_property):
    same = []
    for heard, words in spoken:
        tracks = [mouth_shapes(phones, heard.seconds, extended) for phones in (heard.phones(), phones_of(words))]
        same.append(np.equal(*(names_at(track, heard.seconds) for track in tracks)))
    share = float(np.concatenate(same).mean())
    record_property("equal", round(share, 4))
    print(f"{len(same)} sentences, extended {extended!r}: {share:.1%}, lowest {min(map(np.mean, same)):.1%}")
    assert share >= 0.8


def test_bilabials_are_shown_shut(spoken):
    met, known = [], []
    for heard, words in spoken:
        said = [cue for cue in phones_of(words) if cue.name in BILABIALS]
        for results, track in ((met, heard.shapes_shown()), (known, mouth_shapes(phones_of(words), heard.seconds))):
            shut = [cue for cue in track if cue.name == "A"]
            results += [any(a.start < cue.end and a.end > cue.start for a in shut) for cue in said]
    print(f"of {len(met)} P, B and M {np.mean(met):.1%} shut, {np.mean(known):.1%} where the phones are known")
    assert len(met) > 100 and np.mean(met) > 0.9 and np.mean(known) > 0.99


def test_words_begin_where_they_are_said(spoken):
    apart = []
    for heard, words in spoken:
        said = [word for word in words if word.text]
        assert len(heard.words()) == len(said)
        # A word's first phone may be the silence before it where it begins with a stop.
        starts = [next(start for start, _, name in word.phones if name != "SIL") for word in said]
        apart += [abs(cue.start - start) for cue, start in zip(heard.words(), starts, strict=True)]
    print(f"{len(apart)} words: {np.mean(np.array(apart) < 0.05):.1%} within 50 ms, median {np.median(apart):.3f} s")
    assert np.median(apart) < 0.02 and np.mean(np.array(apart) < 0.1) > 0.95


def test_words_are_found_as_well_in_phones_that_are_known(spoken):
    for _, words in spoken:
        said = [word.text for word in words if word.text]
        assert word_spans(said, phones_of(words))[1] > 0.7
