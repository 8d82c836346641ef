"""How words are said that no dictionary holds."""

import shutil

import pytest
from makeittalk.exchange.errors import InputError, MissingError
from makeittalk_lab.data import pronunciation
from makeittalk_lab.data.pronunciation import number_readings, pronounce

KNOWN = {
    "b": ("B IY",),
    "a": ("AH",),
    "z": ("Z IY",),
    "two": ("T UW",),
    "second": ("S EH K AH N D",),
    "the": ("DH AH",),
}


def known(word: str) -> tuple[str, ...]:
    return KNOWN.get(word, ())


@pytest.mark.parametrize(
    ("token", "readings"),
    [
        ("7th", ["seventh"]),
        ("12", ["twelve", "twelfth", "the twelfth"]),
        ("99", ["ninety nine"]),
        ("300", ["three hundred"]),
        ("100", ["one hundred", "a hundred"]),
    ],
)
def test_numbers_are_read(token: str, readings: list[str]) -> None:
    assert number_readings(token) == readings


def test_a_year_is_read_in_several_ways() -> None:
    readings = number_readings("1705")
    assert readings[:2] == ["seventeen oh five", "seventeen hundred and five"]
    assert "one thousand seven hundred and five" in readings and "one thousand seven hundred five" in readings
    with pytest.raises(InputError, match="no whole number"):
        number_readings("1705a")


def test_letters_and_numbers_are_said_by_the_dictionary() -> None:
    assert pronounce("b.", known) == ("B IY",)
    assert pronounce("a.", known) == ("EY",)  # its name, not the article
    assert pronounce("z.", known) == ("Z IY", "Z EH D")
    assert pronounce("2", known) == ("T UW", "S EH K AH N D", "DH AH S EH K AH N D")


def test_unknown_words_are_said_by_rule() -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("eSpeak NG is not installed")
    assert pronounce("wingfold", known) == ("W IH NG F OW L D",)
    assert pronounce("grantline's", known) == ("G R AE N T L AY N Z",)
    with pytest.raises(InputError, match="English lacks"):
        pronounce("привет", known)


def test_without_espeak_an_unknown_word_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pronunciation.shutil, "which", lambda _name: None)
    with pytest.raises(MissingError, match=r"'brobdingnag'.*install espeak-ng"):
        pronounce("brobdingnag", known)
