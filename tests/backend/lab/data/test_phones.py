"""Phones: on frames, and aligned with words."""

import csv
import itertools
import re

import numpy as np
import pytest
import torch
from makeittalk.audio.loading import load_audio
from makeittalk_lab.data.ipa import BILABIAL, lip_class
from makeittalk_lab.data.phones import BILABIALS, PHONES, VOWELS, Aligner, Phone, phone_track
from makeittalk_lab.data.transcripts import spoken_words
from project import ASSETS

torch.set_num_threads(1)
pytest.importorskip("pocketsphinx")


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner()


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return load_audio(ASSETS / "speech.flac").samples


TEXT = (ASSETS / "speech.txt").read_text()


def test_phones_fill_their_frames():
    track = phone_track([(0.0, 0.1, "SIL"), (0.1, 0.2, "B"), (0.2, 9.0, "AA")], 20, 62.5)
    assert track.tolist() == [0] * 6 + [PHONES.index("B")] * 6 + [PHONES.index("AA")] * 8


def test_words_are_aligned(aligner, speech):
    words = spoken_words(TEXT)
    found = aligner.align_words(speech, words)
    assert [word.text for word in found if word.text] == words
    phones = [phone for word in found for phone in word.phones]
    assert {"M", "P", "B"} <= {name for _, _, name in phones} <= set(PHONES)
    assert all(start < end for start, end, _ in phones)
    assert all(before[1] == pytest.approx(after[0]) for before, after in itertools.pairwise(phones))
    assert phones[0][0] == 0.0 and phones[-1][1] == pytest.approx(len(speech) / 16_000, abs=0.05)


def test_phones_lie_where_the_recording_s_own_alignment_has_them(aligner, speech):
    """The alignment that PocketSphinx ships beside the recording, made by its own program."""
    with open(ASSETS / "speech.phones.csv") as file:
        theirs = [(float(row["start"]), float(row["end"]), row["phone"]) for row in csv.DictReader(file)]
    ours = aligner.align(speech, spoken_words(TEXT))
    for name in (*BILABIALS, "Z", "S"):
        first, second = ([phone for phone in phones if phone[2] == name] for phones in (ours, theirs))
        assert len(first) == len(second), name
        assert max(abs(a[0] - b[0]) for a, b in zip(first, second, strict=True)) < 0.03, name


def test_what_was_not_said_is_not_aligned(aligner, speech):
    assert aligner.align(np.zeros(16_000, np.float32), ["hello", "there"]) == []
    assert aligner.align(speech[:16_000], spoken_words(TEXT)) == []  # 23 words in a second


def test_another_recording_before_changes_nothing(aligner, speech):
    words = spoken_words(TEXT)
    alone = aligner.align(speech, words)
    aligner.align(speech[:48_000], words[:8])
    assert aligner.align(speech, words) == alone
    aligner.align(speech[:16_000], words)  # fails
    assert aligner.align(speech, words) == alone


def test_a_pause_before_a_stop_is_none_of_it(aligner, speech):
    """A silent second is put before "power": its P must not swallow it."""
    words = spoken_words(TEXT)
    place = next(word for word in aligner.align_words(speech, words) if word.text == "power").phones[0][0]
    cut = round((place - 0.02) * 16_000)
    rest = (1e-4 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)
    phones = aligner.align(np.concatenate([speech[:cut], rest, speech[cut:]]), words)
    start, end, _ = min((phone for phone in phones if phone[2] == "P"), key=lambda phone: abs(phone[1] - place - 1.05))
    assert end - start <= 0.15 + 1e-9 and start > place + 0.8
    assert any(name == "SIL" and end - start > 0.7 for start, end, name in phones)


# None begins with M: out of silence, a synthesiser's is a faint hum that the recogniser takes for more silence.
SENTENCES = (
    "The famous Brobdingnagian farmer moved fast.",
    "Young Wimbleforth sang a fine song for my family.",
    "In 1665 Josiana saw seven mice in Vostafjord.",
)


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("voice", ["en-us", "en-us+f2"])
def test_phones_of_known_words_lie_where_they_were_synthesised(aligner, text, voice):
    """eSpeak knows when it says what; a name that no dictionary holds must not move the words around it."""
    from makeittalk.exchange.errors import MissingError
    from makeittalk_lab.synthetic.espeak import Espeak
    from makeittalk_lab.synthetic.speech_synthesis import pad_silence

    try:
        sound, said = Espeak.find().say(text, voice)
    except MissingError:
        pytest.skip("eSpeak NG is not installed")
    padded = pad_silence(sound, np.random.default_rng(0))
    found = aligner.align(padded, spoken_words(text))
    # Nasals and fricatives: synthesiser and recogniser mean the same by where they begin and end.
    names = {"m": "M", "f": "F", "s": "S"}
    offset = (len(padded) - len(sound)) / 2 / 16_000
    for symbol, name in names.items():
        theirs = [(start + offset, end + offset) for start, end, other in said if other == symbol]
        ours = [(start, end) for start, end, other in found if other == name]
        assert len(ours) == len(theirs), (name, said, found)
        for (start, end), (true_start, true_end) in zip(ours, theirs, strict=True):
            assert abs(start - true_start) < 0.06 and abs(end - true_end) < 0.06, (name, start, true_start)
    assert _bilabials(found) == sum(lip_class(symbol) == BILABIAL for _, _, symbol in said)


def _bilabials(phones: list[Phone]) -> int:
    return sum(name in BILABIALS for _, _, name in phones)


def test_rules_say_lips_as_the_dictionary_does(aligner, monkeypatch):
    """Words that CMUdict holds, said by eSpeak's rules: the sounds that shut the lips are the same ones in order."""
    import shutil

    from makeittalk_lab.data.pronunciation import pronounce

    if shutil.which("espeak-ng") is None:
        pytest.skip("eSpeak NG is not installed")
    words = (
        "ambition bamboo campaign embarrass jumping laboratory memory problem rhubarb september tempo umbrella".split()
    )
    words += "whimper bishop subpoena psychology thumb combat alphabet hiccup".split()
    lips = re.compile(r"\b[PBM]\b")
    for word in words:
        [said] = pronounce(word, lambda _word: ())
        assert any(lips.findall(said) == lips.findall(known) for known in aligner._known(word)), (word, said)
        assert any(part in VOWELS for part in said.split())
