"""Phones, words and mouth shapes of the embedded recording, against the alignment that ships beside it."""

from __future__ import annotations

import csv
import itertools

import numpy as np
import pytest
from makeittalk.animation.mouth_shapes import mouth_shapes
from makeittalk.animation.phone_spans import HOLD, phone_spans
from makeittalk.animation.spelling import graphemes
from makeittalk.animation.word_spans import LEAST_FIT, word_spans, words_of
from makeittalk.exchange.constants import FRAME_RATE
from makeittalk.exchange.cues import Cue
from makeittalk.exchange.errors import InputError
from makeittalk.exchange.formats import Cues
from makeittalk.jobs.visemes import hear_cues
from makeittalk.networks.phones import BILABIALS, PHONES
from project import ASSETS

TEXT = (ASSETS / "speech.txt").read_text(encoding="utf-8").strip()
OTHER = "It was some moments before either of them spoke, and it did not help that she sat there under a dark veil."


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """What PocketSphinx says of the recording, of which nothing was learned."""
    with (ASSETS / "speech.phones.csv").open() as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def aligned(rows: list[dict[str, str]]) -> list[Cue]:
    return [Cue(float(row["start"]), float(row["end"]), row["phone"]) for row in rows]


@pytest.fixture(scope="module")
def heard() -> Cues:
    return hear_cues(ASSETS / "speech.flac", TEXT, device="cpu").cues


def shared(first: list[Cue], second: list[Cue], seconds: float) -> float:
    """Share of the time in which two tracks say the same."""
    at = (np.arange(int(seconds * 1000)) + 0.5) / 1000
    names = [
        np.array([c.name for c in t])[np.searchsorted([c.end for c in t], at).clip(0, len(t) - 1)]
        for t in (first, second)
    ]
    return float((names[0] == names[1]).mean())


@pytest.mark.parametrize("seed", range(3))
def test_no_phone_is_shorter_than_speech_has_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    likely = random.dirichlet(np.full(len(PHONES), 0.05), 700).astype(np.float32)
    spans = phone_spans(likely, FRAME_RATE, 11.2)
    assert spans[0].start == 0.0 and spans[-1].end == 11.2 and len(spans) > 20
    assert [span.end for span in spans[:-1]] == [span.start for span in spans[1:]]
    assert all(span.name != after.name for span, after in itertools.pairwise(spans))
    assert min(span.end - span.start for span in spans) > HOLD / FRAME_RATE - 1e-9


def test_nothing_heard_is_silence() -> None:
    assert phone_spans(np.zeros((0, len(PHONES)), np.float32), FRAME_RATE, 0.2) == [Cue(0.0, 0.2, "SIL")]


def test_phones_and_shapes_are_those_of_the_alignment(heard: Cues, aligned: list[Cue]) -> None:
    assert shared(heard.phones(), aligned, heard.seconds) > 0.7
    for extended in ("GHX", ""):
        first, second = (mouth_shapes(track, heard.seconds, extended) for track in (heard.phones(), aligned))
        assert shared(first, second, heard.seconds) > 0.8
    assert heard.shapes_shown() == mouth_shapes(heard.phones(), heard.seconds)


def test_the_mouth_shuts_on_every_bilabial(heard: Cues, aligned: list[Cue]) -> None:
    shut = [cue for cue in heard.shapes_shown() if cue.name == "A"]
    bilabials = [cue for cue in aligned if cue.name in BILABIALS]
    met = [any(cue.start < said.end and cue.end > said.start for cue in shut) for said in bilabials]
    assert len(bilabials) == 7 and np.mean(met) > 0.8


def test_words_are_found_where_they_are_said(heard: Cues, rows: list[dict[str, str]]) -> None:
    said = [(word, list(part)) for word, part in itertools.groupby(rows, lambda row: row["word"]) if word]
    words = heard.words()
    assert [word.name for word in words] == words_of(TEXT) and len(words) == len(said)
    starts = np.array([[word.start, float(part[0]["start"])] for word, (_, part) in zip(words, said, strict=True)])
    ends = np.array([[word.end, float(part[-1]["end"])] for word, (_, part) in zip(words, said, strict=True)])
    for edges in (starts, ends):
        apart = np.abs(edges[:, 0] - edges[:, 1])
        assert np.median(apart) < 0.03 and apart.max() < 0.15


def test_words_that_are_not_said_fit_badly(heard: Cues) -> None:
    assert word_spans(words_of(TEXT), heard.phones())[1] > LEAST_FIT > word_spans(words_of(OTHER), heard.phones())[1]
    told = hear_cues(ASSETS / "speech.flac", OTHER, device="cpu").notices
    assert any("hardly what is said" in notice for notice in told)


def test_words_in_silence_take_no_time() -> None:
    assert word_spans(["Hello", "you"], [Cue(0.0, 1.0, "SIL")]) == ([Cue(0.0, 0.0, "Hello"), Cue(0.0, 0.0, "you")], 0.0)


def test_a_number_and_another_script_take_what_their_neighbours_leave() -> None:
    said = "SIL N OW SIL EH L EH V AH N SIL M EH N".split()
    phones = [Cue(0.1 * index, 0.1 * index + 0.1, name) for index, name in enumerate(said)]
    for odd in ("11", "тест"):
        cues, _ = word_spans(["No", odd, "men"], phones)
        edges = [(round(cue.start, 2), round(cue.end, 2)) for cue in cues]
        assert edges == [(0.1, 0.3), (0.4, 1.0), (1.1, 1.4)]


def test_words_keep_how_they_are_written() -> None:
    text = "“Hello,” said Mr. O’Neil — 1705 times. Ünïcode… twenty-one -- (yes)"
    assert words_of(text) == ["Hello", "said", "Mr", "O’Neil", "1705", "times", "Ünïcode", "twenty-one", "yes"]
    assert words_of(" — … ") == [] and len(words_of("a" * 500)[0]) == 63
    assert graphemes("Thought") == ["th", "ough", "t"] and graphemes("Jeffrey’s") == "j e f r e y s".split()
    assert graphemes("été") == ["e", "t", "e"] and graphemes("bookkeeper") == "b oo k ee p e r".split()


def test_more_words_than_a_machine_holds_are_refused() -> None:
    phones = [Cue(0.1 * index, 0.1 * index + 0.1, "AA" if index % 2 else "B") for index in range(20_000)]
    with pytest.raises(InputError, match="too many words"):
        word_spans(["abracadabra"] * 2000, phones)


@pytest.mark.parametrize(("given", "sentence"), [({"text": " — "}, "no words"), ({"extended": "GZ"}, "'GZ'")])
def test_what_cannot_be_done_is_a_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        hear_cues(ASSETS / "speech.flac", device="cpu", **given)
