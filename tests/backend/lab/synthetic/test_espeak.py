"""eSpeak NG's phones: the sound is silent, quiet and loud where they say so."""

import itertools

import numpy as np
import pytest
import torch
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk_lab.data.ipa import BILABIAL, OPEN, lip_class
from makeittalk_lab.synthetic.espeak import _CLOSURE, _STOPS, Espeak, with_closures

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def espeak() -> Espeak:
    try:
        return Espeak.find()
    except MissingError:
        pytest.skip("eSpeak NG is not installed")


def level(sound: np.ndarray, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(sound[round(start * 16_000) : round(end * 16_000)] ** 2)))


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("en-us+m3", "A happy puppy came by. My mama may map it."),
        ("de+f4", "Papa packt die Pappe ab, Mama mag den Apfel."),
        ("hi+m3", "पापा पापा, बाज़ार में आप बर्फ़ बेचते हैं।"),
        ("ru+f4", "Папа поймал рыбу, мама мыла лампу."),
    ],
)
def test_the_waveform_bears_the_phones_out(espeak, voice, text):
    sound, phones = espeak.say(text, voice)
    assert phones[0][0] >= 0.0 and phones[-1][1] == pytest.approx(len(sound) / 16_000, abs=0.02)
    assert all(a[1] == pytest.approx(b[0]) for a, b in itertools.pairwise(phones))
    vowels = [level(sound, a, b) for a, b, name in phones if lip_class(name) == OPEN and b - a > 0.05]
    loud = float(np.median(vowels))
    # The closure of a P between vowels is all but silent, and it comes before the burst.
    closures = [
        level(sound, start + 0.01, start + 0.03)
        for before, (start, end, name) in itertools.pairwise(phones)
        if name == "p" and lip_class(before[2]) == OPEN and end - start > 0.06
    ]
    assert len(closures) >= 2 and max(closures) < 0.1 * loud
    pauses = [level(sound, a, b) for a, b, name in phones if name == "SIL" and b - a > 0.1]
    assert pauses and max(pauses) < 0.05 * loud
    shut = [level(sound, a, b) for a, b, name in phones if lip_class(name) == BILABIAL]
    assert np.mean(shut) < 0.5 * loud


def test_a_stop_begins_with_its_closure():
    sound = np.full(1000, 0.5, np.float32)
    sound[400:500] = 0.01  # the silence before the burst at 0.5 s, at 1000 samples/s
    phones = [(0.0, 0.5, "a"), (0.5, 0.6, "p"), (0.6, 1.0, "a")]
    assert with_closures(phones, sound, 1000) == [(0.0, 0.415, "a"), (0.415, 0.6, "p"), (0.6, 1.0, "a")]
    assert with_closures([(0.0, 0.5, "a"), (0.5, 1.0, "s")], sound, 1000)[0][1] == 0.5
    loud = np.full(1000, 0.5, np.float32)
    assert with_closures(phones, loud, 1000) == phones


def test_the_same_words_are_said_the_same_way(espeak):
    first, second = (espeak.say("Big boats bob by.", "en-us+f2") for _ in range(2))
    assert [name for _, _, name in first[1]] == [name for _, _, name in second[1]]
    # Its breath and its pitch are drawn anew, and with them where the silence before a burst is found to begin.
    starts = [np.array([start for start, _, name in phones if name not in _STOPS]) for _, phones in (first, second)]
    assert len(starts[0]) >= 5 and np.abs(starts[0] - starts[1]).max() < 0.005
    closures = [np.array([start for start, _, name in phones if name in _STOPS]) for _, phones in (first, second)]
    assert len(closures[0]) > 2 and np.abs(closures[0] - closures[1]).max() <= _CLOSURE
    slower, _ = espeak.say("Big boats bob by.", "en-us+f2", pace=100)
    assert len(slower) > 1.2 * len(first[0])


def test_what_it_cannot_say_is_one_sentence(espeak):
    with pytest.raises(InputError, match="no voice tlh-klingon"):
        espeak.say("nuqneH", "tlh-klingon")
    with pytest.raises(InputError, match="another language"):
        espeak.say("妈妈买米", "cmn")
